"""What polls missed, and what the resource manager makes of it (rulings 6.5 to 6.8)."""

import pytest
from sqlalchemy import update

from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import LauncherUnavailable
from contracts.launcher.records import ExitType, RetryState
from restserver.history.recovery import LONGEST_PAUSE, TRIES
from restserver.history.schema import Mark, attempts
from tests.restserver.history.telling import COMPLETED, CREATED, NAME, Archive, application, started, told

UPGRADED = CREATED + 5_500


def test_an_attempt_last_seen_running_is_completed_from_its_exit_report(archive: Archive) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1, code=193, exit_type=ExitType.TRANSIENT_NORMAL)]
    archive.poll(told(attempt=1, application=2))
    past = archive.at(0, 0)
    assert archive.marks() == {(0, 0): Mark.COMPLETED, (0, 1): None}
    assert past.status.state is past.summary.state is FrameworkState.APPLICATION_COMPLETED
    assert past.status.application_exit_code == past.summary.application_exit_code == 193
    assert past.status.application_exit_type is ExitType.TRANSIENT_NORMAL
    assert past.status.application_exit_diagnostics == "why"
    assert past.status.application_completed_timestamp == started(1) + 500
    assert past.status.completed_timestamp is None
    assert past.task_roles == told().task_roles
    assert past.status.retries.total == 0


def test_without_a_report_it_stays_as_it_was_seen(archive: Archive) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1, state="KILLED", code=None)]
    archive.poll(told(version=2, application=2, requested=UPGRADED))
    assert archive.marks() == {(0, 0): Mark.UNFINISHED, (1, 0): None}
    assert archive.at(0, 0) == told()
    assert not archive.store.due(archive.clock.now() + 10**9)


def test_an_end_that_was_seen_is_left_alone(archive: Archive) -> None:
    ended = told(state=FrameworkState.APPLICATION_COMPLETED, exit_code=5)
    archive.poll(ended)
    archive.yarn.applications_known = [application(1)]
    archive.poll(told(attempt=1, application=2))
    assert archive.marks()[0, 0] is None
    assert archive.at(0, 0) == ended


def test_an_application_that_is_still_ending_is_asked_for_again(archive: Archive) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1, state="RUNNING")]
    archive.poll(told(attempt=1, application=2))
    assert archive.marks()[0, 0] == Mark.UNFINISHED
    archive.yarn.applications_known = [application(1)]
    archive.poll()
    assert archive.marks()[0, 0] == Mark.COMPLETED


def test_a_resource_manager_that_is_away_is_asked_again_and_no_try_is_lost(archive: Archive) -> None:
    archive.poll(told())
    archive.launcher.tell(told(attempt=1, application=2))
    archive.follower.poll()
    archive.yarn.failure = LauncherUnavailable("away")
    for _ in range(2 * TRIES):
        with pytest.raises(LauncherUnavailable):
            archive.recovery.step(archive.clock.now())
    archive.yarn.failure, archive.yarn.applications_known = None, [application(1)]
    archive.recovery.step(archive.clock.now())
    assert archive.marks()[0, 0] == Mark.COMPLETED


def test_a_damaged_attempt_keeps_no_other_framework_waiting(archive: Archive) -> None:
    archive.launcher.tell(told(name="a"), told(name="b"))
    archive.follower.poll()
    damage = update(attempts).values(document=b"damaged").where(attempts.c.id == 1)
    archive.store.database.write(lambda connection: connection.execute(damage))
    archive.launcher.tell(told(name="a", attempt=1, application=2), told(name="b", attempt=1, application=2))
    archive.follower.poll()
    archive.yarn.applications_known = [application(1, name="a"), application(1, name="b")]
    tries = [archive.recovery.step(archive.clock.advance(LONGEST_PAUSE).now) for _ in range(TRIES + 1)]
    assert tries == [2, *[1] * (TRIES - 1), 0], "after the last try it is left as it is"
    assert [past.kept[0].mark for past in map(archive.store.past, "ab") if past] == [Mark.UNFINISHED, Mark.COMPLETED]


def test_attempts_that_no_poll_saw_are_recovered_with_their_numbers(archive: Archive) -> None:
    archive.yarn.applications_known = [
        application(1, code=193, exit_type=ExitType.TRANSIENT_NORMAL),
        application(2, state="KILLED", code=None),
        application(3, code=7),
        application(4, state="RUNNING"),
    ]
    counters = RetryState(total=3, retried=2, transient_normal=1, non_transient=1, unknown=1)
    archive.poll(told(attempt=3, application=4, retries=counters))
    assert archive.marks() == {(0, 0): Mark.RECOVERED, (0, 1): Mark.RECOVERED, (0, 2): Mark.RECOVERED, (0, 3): None}
    first, second, third = (archive.at(0, attempt) for attempt in range(3))
    assert [one.status.application_id for one in (first, second, third)] == [
        one.id for one in archive.yarn.applications_known[:3]
    ]
    assert first.task_roles == second.task_roles == {}
    assert first.status.retries == RetryState()
    assert second.status.retries == RetryState(total=1, retried=1, transient_normal=1)
    # Nobody says how the second one ended: of the two types left one is known to be the third's.
    assert third.status.retries == RetryState(total=2, retried=2, transient_normal=1, non_transient=1)
    assert second.status.application_exit_code is None
    assert second.status.application_exit_diagnostics == "Killed."
    assert second.status.state is FrameworkState.APPLICATION_RETRIEVING_DIAGNOSTICS
    assert third.status.application_exit_code == 7
    assert third.status.created_timestamp == CREATED
    assert third.request == told().request
    assert archive.store.gaps() == 0


def test_a_recovered_attempt_gets_its_end_when_its_application_ends(archive: Archive) -> None:
    archive.yarn.applications_known = [application(1, state="RUNNING")]
    archive.poll(told(attempt=1, application=2))
    assert archive.at(0, 0).status.application_exit_code is None
    archive.yarn.applications_known = [application(1)]
    archive.poll()
    assert archive.at(0, 0).status.application_exit_code == 7
    assert archive.marks()[0, 0] == Mark.RECOVERED


def test_a_count_that_does_not_fit_is_a_gap_and_is_told(archive: Archive) -> None:
    archive.yarn.applications_known = [application(1), application(3, state="RUNNING")]
    archive.poll(told(attempt=2, application=3))
    archive.settle()
    assert archive.marks() == {(0, 2): None}
    assert archive.store.gaps() == 2
    assert not archive.store.due(archive.clock.now() + 10**12)
    assert len(archive.yarn.asked) == TRIES


def test_anchors_on_both_sides_number_what_lies_between(archive: Archive) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1), application(2), application(3, state="RUNNING")]
    archive.poll(told(attempt=2, application=3))
    assert archive.marks() == {(0, 0): Mark.COMPLETED, (0, 1): Mark.RECOVERED, (0, 2): None}


def test_an_application_never_submitted_counts_if_a_poll_saw_it(archive: Archive) -> None:
    archive.poll(told(attempt=2, application=3))
    archive.yarn.applications_known = [application(1), application(2), application(4)]
    archive.poll(told(attempt=3, application=4))
    assert archive.marks() == {
        (0, 0): Mark.RECOVERED,
        (0, 1): Mark.RECOVERED,
        (0, 2): Mark.UNFINISHED,
        (0, 3): None,
    }


def test_a_current_attempt_without_an_application_counts_too(archive: Archive) -> None:
    archive.yarn.applications_known = [application(1), application(2)]
    archive.poll(told(attempt=2, application=None, state=FrameworkState.FRAMEWORK_WAITING))
    assert archive.marks() == {(0, 0): Mark.RECOVERED, (0, 1): Mark.RECOVERED, (0, 2): None}


def test_an_attempt_seen_waiting_gets_its_application(archive: Archive) -> None:
    archive.poll(told(application=None, state=FrameworkState.FRAMEWORK_WAITING))
    archive.yarn.applications_known = [application(1), application(2, state="RUNNING")]
    archive.poll(told(attempt=1, application=2))
    assert archive.marks()[0, 0] == Mark.COMPLETED
    assert archive.at(0, 0).status.application_id == application(1).id


def test_two_runs_taken_for_one_are_told_apart(archive: Archive) -> None:
    """Version 1, then 2 unseen, then 1 again: its attempts only looked as if they went on."""
    archive.poll(told())
    archive.yarn.applications_known = [
        application(1, code=None, state="KILLED"),
        application(2, version=2, code=None, state="KILLED"),
        application(3),
        application(4, state="RUNNING"),
    ]
    archive.poll(told(attempt=1, application=4, requested=UPGRADED))
    assert archive.marks() == {(0, 0): Mark.UNFINISHED, (1, 0): Mark.RECOVERED, (1, 1): None}
    past = archive.store.past(NAME)
    assert past is not None
    assert list(past.attempts(1)) == [0, 1]
    assert past.versions() == (1,)
    assert archive.store.gaps() == 1  # nobody can number version 2's only application


def test_an_older_run_is_numbered_up_to_what_was_seen_and_no_further(archive: Archive) -> None:
    archive.poll(told(attempt=1, application=2))
    archive.yarn.applications_known = [application(number) for number in (1, 2, 3)]
    archive.yarn.applications_known.append(application(4, version=2, state="RUNNING"))
    archive.poll(told(version=2, application=4, requested=UPGRADED))
    assert archive.marks() == {(0, 0): Mark.RECOVERED, (0, 1): Mark.COMPLETED, (1, 0): None}
    assert archive.store.gaps() == 1


def test_what_vanished_before_its_end_was_seen_is_completed_too(archive: Archive) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1, code=0, exit_type=ExitType.SUCCEEDED)]
    archive.forget()
    assert archive.marks() == {(0, 0): Mark.COMPLETED}


def test_what_comes_back_is_told_by_the_launcher_again(archive: Archive) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1, code=0, exit_type=ExitType.SUCCEEDED)]
    archive.forget()
    archive.poll(told())
    assert archive.marks() == {(0, 0): None}
    assert archive.at(0, 0) == told()


def test_an_incarnation_does_not_take_the_next_ones_applications(archive: Archive) -> None:
    archive.poll(told())
    born_again = CREATED + 1_500
    archive.yarn.applications_known = [application(1), application(2)]
    archive.poll(told(created=born_again, requested=born_again, application=2))
    assert archive.marks() == {(0, 0): None}
    assert archive.store.gaps() == 0


def test_only_applications_since_the_last_attempt_are_asked_for(archive: Archive) -> None:
    archive.poll(told())
    for attempt in range(1, 5):
        archive.yarn.applications_known.append(application(attempt))
        archive.poll(told(attempt=attempt, application=attempt + 1))
    assert archive.yarn.asked == [CREATED, started(1), started(2), started(3)]


def test_nothing_is_asked_of_the_resource_manager_while_nothing_is_missing(archive: Archive) -> None:
    archive.poll(told())
    archive.poll(told(state=COMPLETED, exit_code=0))
    archive.forget()
    assert archive.yarn.asked == []
