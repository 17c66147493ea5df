"""The archiver goes on whatever fails, says so, and there is one at a time."""

import logging
import threading
from pathlib import Path

import pytest

from contracts.launcher.port import Answer, Ask, LauncherUnavailable
from contracts.launcher.records import Framework
from restserver.history.archiver import Archiver
from restserver.history.database import Database, HistoryFailed
from restserver.history.leadership import Leadership
from tests.restserver.history.telling import NAME, Archive, application, database, told
from tests.restserver.history.telling import archive as new_archive


def archiver(archive: Archive, leadership: Leadership | None = None) -> Archiver:
    return Archiver(
        archive.store,
        archive.follower,
        archive.recovery,
        leadership or Leadership(archive.store.database),
        archive.clock,
        1,
        threading.Event(),
    )


def figures(one: Archiver) -> dict[str, float]:
    return {found.name: sum(found.values.values()) for found in one.figures()}


def test_a_step_polls_and_recovers(archive: Archive) -> None:
    one = archiver(archive)
    assert one.health.condition == "has not polled yet"
    assert set(figures(one)) == {"restserver_archiver_polls", "restserver_archiver_leads"}
    archive.launcher.tell(told(attempt=1, application=2))
    archive.yarn.applications_known = [application(1)]
    one.step()
    assert one.health.condition == "ok"
    assert len(archive.marks()) == 2
    archive.clock.advance(5_000)
    assert figures(one)["restserver_archiver_lag_seconds"] == 5
    assert figures(one)["restserver_archiver_frameworks"] == 1
    assert figures(one)["restserver_history_gaps"] == 0
    one.stop()


def test_a_launcher_that_is_away_is_told_and_tried_again(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    one = archiver(archive)
    archive.launcher.failure = LauncherUnavailable("The launcher is away.")
    with caplog.at_level(logging.WARNING):
        one.step()
    assert one.health.condition == "the last poll failed: The launcher is away."
    archive.clock.advance(9_000)
    assert figures(one)["restserver_archiver_lag_seconds"] == 9, "who never succeeded lags since the beginning"
    archive.launcher.failure = None
    one.step()
    assert one.health.condition == "ok"
    assert (one.health.succeeded, one.health.failed) == (1, 1)
    one.step()
    assert [record.getMessage() for record in caplog.records] == [
        "the last poll failed: The launcher is away.",
        "polls again",
    ]
    one.stop()


def test_a_resource_manager_that_is_away_fails_no_poll(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    one = archiver(archive)
    archive.launcher.tell(told(attempt=1, application=2))
    archive.yarn.failure = LauncherUnavailable("away")
    with caplog.at_level(logging.WARNING):
        one.step()
    assert one.health.condition == "ok"
    assert "could not be recovered" in caplog.text
    one.stop()


def test_a_second_archiver_waits_until_the_first_has_stopped(tmp_path: Path) -> None:
    first, second = (new_archive(tmp_path) for _ in range(2))
    leader, candidate = archiver(first), archiver(second)
    leader.step()
    candidate.step()
    assert candidate.health.condition == "another process archives"
    assert (candidate.health.succeeded, candidate.health.failed) == (0, 0)
    candidate._store.database.not_written = True
    candidate.step()
    assert not vars(candidate._store.database)["not_written"]
    assert (figures(leader)["restserver_archiver_leads"], figures(candidate)["restserver_archiver_leads"]) == (1, 0)
    assert "restserver_archiver_lag_seconds" not in figures(candidate)
    leader.stop()
    candidate.step()
    assert candidate.health.condition == "ok"
    assert Leadership(database(tmp_path)).leads() is False
    candidate.stop()


def test_gaps_are_told_by_whoever_leads_alone(tmp_path: Path) -> None:
    """An alert watches how the figure rises: a take-over must not look like a loss."""
    first, second = new_archive(tmp_path), new_archive(tmp_path)
    leader, candidate = archiver(first), archiver(second)
    for each in (first, second):
        each.launcher.tell(told(attempt=2, application=3))
    leader.step()
    candidate.step()
    assert figures(leader)["restserver_history_gaps"] == 2
    assert "restserver_history_gaps" not in figures(candidate)
    leader.stop()
    candidate.step()
    leader.step()
    assert "restserver_history_gaps" not in figures(leader)
    assert figures(candidate)["restserver_history_gaps"] == 2
    candidate.stop()


def test_whoever_leads_goes_on_leading(tmp_path: Path) -> None:
    leader = Leadership(database(tmp_path))
    assert leader.leads()
    assert leader.leads()
    leader.close()
    leader.close()


def test_a_store_in_memory_is_nobody_elses() -> None:
    leader = Leadership(Database("sqlite://"))
    assert leader.leads()
    leader.close()


def test_where_nobody_can_be_elected_nobody_leads_and_that_is_said_once(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    one = archiver(archive, Leadership(Database("postgresql://127.0.0.1:1/history")))
    with caplog.at_level(logging.INFO):
        one.step()
        one.step()
    assert one.health.condition == "nobody can be elected, for the history cannot be asked"
    assert (one.health.succeeded, one.health.failed, figures(one)["restserver_archiver_leads"]) == (0, 0, 0)
    assert caplog.text.count("does not archive: nobody can be elected") == 1
    one.stop()


def test_a_folder_that_cannot_be_written_to_is_not_taken_for_another_archiver(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite-leader").mkdir()
    one = archiver(new_archive(tmp_path))
    one.step()
    assert one.health.condition == "nobody can be elected, for the history cannot be asked"
    one.stop()


def test_a_folder_that_cannot_be_made_is_not_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryFailed) as failed:
        Leadership(Database(f"sqlite:///{tmp_path}/file/history.sqlite")).leads()
    assert str(tmp_path) not in str(failed.value)


def test_a_poll_under_way_counts_as_nothing_yet(archive: Archive) -> None:
    one = archiver(archive)
    counted: list[float] = []
    archive.launcher.tell(told())
    fetch = archive.launcher.framework

    def framework(name: str, ask: Ask) -> Answer[Framework]:
        counted.append(figures(one)["restserver_archiver_polls"])
        return fetch(name, ask)

    archive.launcher.framework = framework  # type: ignore[method-assign]  # to look while the poll is under way
    one.step()
    assert (counted, figures(one)["restserver_archiver_polls"]) == ([0], 1), "a counter that falls is read as a restart"
    one.stop()


def test_who_begins_and_who_ceases_to_archive_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = archiver(new_archive(tmp_path)), archiver(new_archive(tmp_path))
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            first.step()
            second.step()
        first.stop()
        second.step()
        first.step()
    told = [record.getMessage() for record in caplog.records if "archive" in record.getMessage()]
    assert told == [
        "archives from now on",
        "does not archive: another process archives",
        "archives from now on",
        "does not archive any more: another process archives",
    ]
    second.stop()


def test_it_runs_in_a_thread_of_its_own_until_it_is_stopped(archive: Archive) -> None:
    one = archiver(archive)
    archive.launcher.tell(told())
    one.start()
    # Each poll asks for what lives; a second one has begun after the first was through.
    while archive.launcher.asked.count(NAME) < 2:
        threading.Event().wait(0.001)
    one.stop()
    assert archive.store.past(NAME) is not None


class Unforeseen(Exception):
    pass


def test_an_archiver_that_breaks_says_so(archive: Archive) -> None:
    one = archiver(archive)
    archive.launcher.frameworks = {NAME: told()}
    archive.launcher.failures = {NAME: Unforeseen()}  # type: ignore[dict-item]  # what no launcher may raise
    with pytest.raises(Unforeseen):
        one.run()
    assert "has stopped" in one.health.condition
    assert figures(one)["restserver_archiver_leads"] == 0
    other = Leadership(archive.store.database)
    assert other.leads(), "whoever has stopped stands in nobody's way"
    other.close()
    one.stop()


def test_an_archiver_that_breaks_in_its_thread_is_logged(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    one = archiver(archive)
    archive.launcher.frameworks = {NAME: told()}
    archive.launcher.failures = {NAME: Unforeseen()}  # type: ignore[dict-item]  # as above
    one.start()
    while "has stopped after" not in one.health.condition:
        threading.Event().wait(0.001)
    one.stop()
    assert [record.exc_info is not None for record in caplog.records if "has stopped" in record.getMessage()] == [True]
