from hypothesis import given
from hypothesis import strategies as st

from restserver.launchers.recorded_past import Look, past_of


def looks(*seen: tuple[int, int, int]) -> list[Look]:
    """(created, version, attempt) in order of time."""
    return [Look(position, *one) for position, one in enumerate(seen)]


def test_nothing_seen_is_no_past() -> None:
    past = past_of([])
    assert past.versions() == ()
    assert past.attempts(None) is None
    assert past.attempts(1) is None


def test_an_attempt_is_told_by_its_last_look() -> None:
    past = past_of(looks((9, 1, 0), (9, 1, 0), (9, 1, 1), (9, 1, 1)))
    assert past.attempts(None) == past.attempts(1) == {0: 1, 1: 3}


def test_an_attempt_that_no_look_found_is_a_gap() -> None:
    assert past_of(looks((9, 1, 0), (9, 1, 2))).attempts(None) == {0: 0, 2: 1}


def test_a_version_that_was_left_keeps_its_attempts() -> None:
    past = past_of(looks((9, 1, 0), (9, 1, 1), (9, 2, 0)))
    assert past.current_version == 2
    assert past.versions() == (1, 2)
    assert past.attempts(None) == {0: 2}
    assert past.attempts(1) == {0: 0, 1: 1}


def test_an_upgrade_may_go_down() -> None:
    past = past_of(looks((9, 2, 0), (9, -1, 0)))
    assert past.current_version == -1
    assert past.versions() == (-1, 2)


def test_a_version_entered_again_starts_over() -> None:
    past = past_of(looks((9, 1, 0), (9, 1, 1), (9, 2, 0), (9, 1, 0)))
    assert past.attempts(1) == {0: 3}
    assert past.attempts(2) == {0: 2}


def test_a_new_incarnation_has_no_past() -> None:
    past = past_of(looks((8, 1, 0), (8, 3, 0), (9, 2, 0)))
    assert past.versions() == (2,)
    assert past.attempts(3) is None


_seen = st.lists(st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(0, 3)), min_size=1)


@given(_seen)
def test_every_position_told_is_a_look_at_that_version_and_attempt(seen: list[tuple[int, int, int]]) -> None:
    past = past_of(looks(*seen))
    assert past.current_version in past.versions()
    for version in past.versions():
        attempts = past.attempts(version)
        assert attempts
        for attempt, position in attempts.items():
            assert seen[position] == (seen[-1][0], version, attempt)


@given(_seen)
def test_the_newest_look_tells_the_current_attempt(seen: list[tuple[int, int, int]]) -> None:
    _, version, attempt = seen[-1]
    attempts = past_of(looks(*seen)).attempts(version)
    assert attempts is not None
    assert attempts[attempt] == len(seen) - 1
