"""What is kept stays, whatever happens twice, too late or halfway."""

import zlib
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select, update

from contracts.launcher import open_dialect
from contracts.launcher.lifecycle import FrameworkState
from restserver.history import store as store_module
from restserver.history.database import HistoryFailed
from restserver.history.documents import packed, unpacked
from restserver.history.looks import look_at
from restserver.history.schema import Mark, attempts
from restserver.history.store import Store, put
from tests.restserver.history.telling import COMPLETED, CREATED, NAME, Archive, database, told

NOW = CREATED + 60_000
LATER = CREATED + 5_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(database(tmp_path))


def places(store: Store) -> list[tuple[int, int, str | None]]:
    past = store.past(NAME)
    assert past is not None
    return [(one.run, one.attempt, one.application_id and one.application_id[-4:]) for one in past.kept]


def rows(store: Store) -> list[tuple[object, ...]]:
    return store.database.read(lambda connection: [tuple(row) for row in connection.execute(select(attempts))])


def test_a_document_is_kept_as_the_dialect_tells_it() -> None:
    assert unpacked(packed(told())) == open_dialect.seen(told())


def test_doing_it_twice_is_doing_it_once(store: Store) -> None:
    for _ in range(2):
        for look in (
            told(),
            told(attempt=1, application=2),
            told(attempt=1, application=2, state=COMPLETED, exit_code=0),
        ):
            store.record(look, NOW)
    before = rows(store)
    store.record(told(attempt=1, application=2, state=COMPLETED, exit_code=0), NOW + 1)
    assert rows(store) == before
    assert places(store) == [(0, 0, "0001"), (0, 1, "0002")]


def test_a_new_look_at_the_same_attempt_replaces_it_and_raises_its_revision(store: Store) -> None:
    store.record(told(application=None, state=FrameworkState.FRAMEWORK_WAITING), NOW)
    store.record(told(), NOW)
    past = store.past(NAME)
    assert past is not None
    assert [(one.attempt, one.revision, one.application_id) for one in past.kept] == [
        (0, 1, "application_1700000000000_0001")
    ]


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (told(attempt=1, application=2, requested=LATER), [(0, 0, "0001"), (0, 1, "0002")]),
        (told(version=2, application=2, requested=LATER), [(0, 0, "0001"), (1, 0, "0002")]),
        (told(application=2, requested=LATER), [(0, 0, "0001"), (1, 0, "0002")]),
        (
            told(application=None, state=FrameworkState.FRAMEWORK_WAITING, requested=LATER),
            [(0, 0, "0001"), (1, 0, None)],
        ),
    ],
    ids=["a retry", "an upgrade", "left and entered again", "left and entered again, waiting"],
)
def test_where_a_look_belongs(store: Store, look: object, expected: object) -> None:
    store.record(told(), NOW)
    assert store.record(look, NOW)  # type: ignore[arg-type]  # of the table above
    assert places(store) == expected


def test_what_completed_does_not_go_on(store: Store) -> None:
    store.record(told(state=COMPLETED, exit_code=0), NOW)
    store.record(told(attempt=2, application=4, requested=LATER), NOW)
    assert places(store) == [(0, 0, "0001"), (1, 2, "0004")]


@pytest.mark.parametrize(
    "stale",
    [
        told(),
        told(version=1, attempt=0, application=None, state=FrameworkState.FRAMEWORK_WAITING),
        told(version=1, attempt=1, application=2),
        told(created=CREATED - 9_000, requested=CREATED - 9_000),
    ],
)
def test_a_stale_answer_changes_nothing(store: Store, stale: object) -> None:
    store.record(told(attempt=1, application=2), NOW)
    store.record(told(version=2, application=3, requested=LATER), NOW)
    before = rows(store)
    assert not store.record(stale, NOW)  # type: ignore[arg-type]  # of the table above
    assert rows(store) == before


def test_remembering_changes_nothing_that_is_kept(store: Store) -> None:
    store.record(told(), NOW)
    before = rows(store)
    waiting = told(application=None, state=FrameworkState.FRAMEWORK_WAITING)
    past = store.remember(replace(told(), task_roles={}), NOW)
    assert past is not None
    assert store.remember(waiting, NOW) is None
    assert rows(store) == before


def test_what_is_remembered_is_told_as_of_the_answer(store: Store) -> None:
    """A copy from before the retry: the client that reads it beside the list must not see the future."""
    store.record(told(), NOW)
    store.record(told(attempt=1, application=2), NOW)
    past = store.remember(told(), NOW)
    assert past is not None
    assert [one.attempt for one in past.kept] == [0]


def test_the_newest_incarnation_is_the_one_followed_last(store: Store) -> None:
    reborn = told(created=LATER, requested=LATER, application=2)
    store.record(told(), NOW)
    store.record(reborn, NOW)
    assert places(store) == [(0, 0, "0002")]
    # Its first status was only inferred, and the old one lived on (rulings 6.4, s07b): the request is the newest there is.
    store.record(told(requested=LATER), NOW)
    assert places(store) == [(0, 0, "0001")]


def test_what_says_too_little_is_not_kept(store: Store) -> None:
    nameless = replace(told(), request=None)
    unborn = replace(told(), status=replace(told().status, created_timestamp=None))
    for framework in (nameless, unborn):
        assert not store.record(framework, NOW)
        assert store.remember(framework, NOW) is None
    assert store.past(NAME) is None


def test_a_crash_in_the_middle_leaves_nothing_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(told(), NOW)
    before = rows(store)

    def crash(connection: Connection, one: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_end", crash)  # after the new attempt was written
        with pytest.raises(KeyboardInterrupt):
            store.record(told(attempt=1, application=2), NOW)
    assert rows(store) == before
    store.record(told(attempt=1, application=2), NOW)
    assert places(store) == [(0, 0, "0001"), (0, 1, "0002")]


def test_a_document_taken_out_is_none(store: Store) -> None:
    assert store.document(1) is None


def test_a_damaged_document_is_a_failure_of_the_history(store: Store) -> None:
    store.record(told(), NOW)
    past = store.past(NAME)
    assert past is not None
    for damage in (b"nothing", zlib.compress(b"{}")):
        with store.database.engine.begin() as connection:
            connection.execute(update(attempts).values(document=damage))
        with pytest.raises(HistoryFailed, match="damaged"):
            store.document(past.newest.id)


def test_what_is_gone_is_gone_once(archive: Archive) -> None:
    archive.poll(told())
    (one,) = archive.store.followed().values()
    archive.store.gone(one.id, NOW)
    archive.store.gone(one.id, NOW + 1)
    archive.store.gone(one.id + 1, NOW)
    past = archive.store.past(NAME)
    assert past is not None
    assert past.incarnation.gone_at == NOW
    assert past.newest.mark == Mark.UNFINISHED
    assert archive.store.followed() == {}


def test_two_writers_of_one_new_framework_make_one_of_it(tmp_path: Path) -> None:
    stores = [Store(database(tmp_path)) for _ in range(2)]
    for one in stores:
        assert one.remember(told(), NOW) is not None
    assert len(rows(stores[0])) == 1


def test_a_row_that_belongs_nowhere_is_a_failure(store: Store) -> None:
    look = look_at(told())
    assert look is not None
    with pytest.raises(HistoryFailed):
        store.database.write(lambda connection: put(connection, 99, 0, look, told(), NOW))
