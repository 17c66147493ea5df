"""What a server answers over a launcher that forgets (rulings 1.12, 6.2; laws L8 and L9)."""

import logging
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import (
    Around,
    Ask,
    LauncherBusy,
    LauncherRefused,
    LauncherUnavailable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
    always,
)
from restserver.history.remembering import Remembering
from restserver.history.schema import attempts
from restserver.launchers.breaker import FAILURES
from tests.restserver.history.telling import CREATED, NAME, Archive, application, told

ASK = Ask()
UPGRADED = CREATED + 5_500
LATER = CREATED + 50_000


@pytest.fixture
def remembering(archive: Archive) -> Remembering:
    return Remembering(archive.launcher, archive.store, archive.clock)


def break_(archive: Archive, tmp_path: Path) -> None:
    archive.store.database.close()
    for file in tmp_path.glob("history.sqlite*"):
        file.unlink()
    (tmp_path / "history.sqlite").mkdir()


def test_the_current_attempt_is_the_launchers_own_answer(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told())
    answer = remembering.attempt(NAME, 0, None, ASK)
    assert answer == remembering.framework(NAME, ASK) == remembering.attempt(NAME, 0, 1, ASK)
    assert answer.until == CREATED


def test_which_attempt_is_the_current_one_is_asked_of_the_history_each_time(archive: Archive) -> None:
    certain = Around(archive.launcher, lambda _, ask, proceed: replace(proceed(ask), holds=always))
    remembering = Remembering(certain, archive.store, archive.clock)
    archive.poll(told())
    assert remembering.framework(NAME, ASK).holds is always
    assert remembering.attempt(NAME, 0, None, ASK).holds is None


def test_past_attempts_and_versions_come_from_the_history(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told())
    archive.yarn.applications_known = [application(1)]
    archive.poll(told(attempt=1, application=2))
    archive.poll(told(version=2, application=3, requested=UPGRADED))
    assert remembering.versions(NAME, ASK).value == (1, 2)
    assert remembering.attempts(NAME, None, ASK).value == (0,)
    assert remembering.attempts(NAME, 1, ASK).value == (0, 1)
    past = remembering.attempt(NAME, 0, 1, ASK)
    assert past.value.status.application_exit_code == 7
    assert remembering.attempt(NAME, 0, 1, ASK).edition == past.edition


def test_a_history_that_fails_again_and_again_is_left_alone_for_a_while(
    archive: Archive, remembering: Remembering, tmp_path: Path
) -> None:
    archive.poll(told())
    assert remembering.attempts(NAME, None, ASK).value == (0,)
    break_(archive, tmp_path)
    for _ in range(5):
        with pytest.raises(LauncherUnavailable, match="cannot be asked"):
            remembering.attempts(NAME, None, ASK)
    with pytest.raises(LauncherBusy, match="The history of past attempts failed too often"):
        remembering.versions(NAME, ASK)
    assert remembering.framework(NAME, ASK).value.status.state
    (figure,) = remembering.asking.figures()
    assert figure.values == {("answered",): 1, ("failed",): 5, ("not asked",): 1}


def test_an_edition_changes_with_what_is_kept(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told())
    archive.poll(told(attempt=1, application=2))
    before = remembering.attempt(NAME, 0, None, ASK)
    archive.yarn.applications_known = [application(1)]
    archive.settle()
    after = remembering.attempt(NAME, 0, None, ASK)
    assert before.value != after.value
    assert before.edition != after.edition


def test_what_no_poll_has_seen_yet_is_listed_and_kept(archive: Archive, remembering: Remembering) -> None:
    archive.launcher.tell(told())
    assert remembering.attempts(NAME, None, ASK).value == (0,)
    archive.launcher.tell(told(attempt=1, application=2))
    assert remembering.attempts(NAME, None, ASK).value == (0, 1)
    assert remembering.attempt(NAME, 0, None, ASK).value == told()


def test_a_version_entered_again_starts_over(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told(attempt=3, application=4))
    archive.poll(told(version=2, application=5, requested=UPGRADED))
    archive.launcher.tell(told(application=None, state=FrameworkState.FRAMEWORK_WAITING, requested=UPGRADED + 1_000))
    assert remembering.attempts(NAME, None, ASK).value == (0,)
    assert remembering.attempts(NAME, 1, ASK).value == (0,)
    assert remembering.versions(NAME, ASK).value == (1, 2)
    with pytest.raises(NoSuchAttempt):
        remembering.attempt(NAME, 3, 1, ASK)


def test_an_upgrade_to_a_lower_version_is_current(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told(version=5))
    archive.poll(told(version=2, application=2, requested=UPGRADED))
    with pytest.raises(NoSuchAttempt) as raised:
        remembering.attempt(NAME, 9, None, ASK)
    assert raised.value == NoSuchAttempt(NAME, 2, 9)


def test_a_new_incarnation_answers_alone(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told(version=7))
    archive.launcher.tell(told(created=LATER, requested=LATER, application=60))
    assert remembering.versions(NAME, ASK).value == (1,)
    assert remembering.attempt(NAME, 0, None, ASK).value.status.created_timestamp == LATER


def test_what_the_launcher_forgot_is_still_told(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told())
    archive.poll(told(version=2, application=2, requested=UPGRADED))
    archive.forget()
    with pytest.raises(NoSuchFramework):
        remembering.framework(NAME, ASK)
    assert remembering.versions(NAME, ASK).value == (1, 2)
    assert remembering.attempts(NAME, None, ASK).value == (0,)
    assert remembering.attempt(NAME, 0, None, ASK).value.status.version == 2
    with pytest.raises(NoSuchVersion) as raised:
        remembering.attempts(NAME, 3, ASK)
    assert raised.value == NoSuchVersion(NAME, 3)


def test_a_name_that_nobody_knows_is_unknown(remembering: Remembering) -> None:
    with pytest.raises(NoSuchFramework):
        remembering.versions(NAME, ASK)
    with pytest.raises(NoSuchVersion) as version:
        remembering.attempts(NAME, None, ASK)
    with pytest.raises(NoSuchAttempt) as attempt:
        remembering.attempt(NAME, 0, 4, ASK)
    assert version.value.version is None
    assert attempt.value == NoSuchAttempt(NAME, 4, 0)


def test_an_old_copy_of_the_current_attempt_is_told_with_the_past_it_had(
    archive: Archive, remembering: Remembering
) -> None:
    archive.poll(told())
    archive.poll(told(attempt=1, application=2))
    archive.launcher.tell(told())
    assert remembering.attempts(NAME, None, ASK).value == (0,)
    assert remembering.attempt(NAME, 0, None, ASK).value == told()


def test_an_old_copy_of_an_older_life_gives_way_to_the_history(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told(created=LATER, requested=LATER, version=3, application=60))
    archive.launcher.tell(told())
    assert remembering.versions(NAME, ASK).value == (3,)
    assert remembering.attempt(NAME, 0, None, ASK).value.status.version == 3


def test_while_the_launcher_is_away_nobody_knows_what_is_current(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told())
    archive.launcher.failure = LauncherUnavailable("away")
    with pytest.raises(LauncherUnavailable):
        remembering.attempt(NAME, 0, 1, ASK)
    with pytest.raises(LauncherUnavailable):
        remembering.framework(NAME, ASK)
    with pytest.raises(LauncherUnavailable):
        remembering.summaries(ASK)
    with pytest.raises(LauncherUnavailable):
        remembering.ready(ASK)


def test_a_history_that_fails_leaves_the_job_detail(
    archive: Archive, remembering: Remembering, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive.poll(told())
    break_(archive, tmp_path)
    assert remembering.framework(NAME, ASK).value == told()
    with caplog.at_level(logging.CRITICAL):
        with pytest.raises(LauncherUnavailable, match="history of past attempts cannot be asked"):
            remembering.attempts(NAME, None, ASK)
        archive.launcher.frameworks.clear()
        with pytest.raises(LauncherUnavailable, match="history of past attempts cannot be asked"):
            remembering.versions(NAME, ASK)


def test_a_damaged_attempt_takes_no_other_with_it(archive: Archive, remembering: Remembering) -> None:
    archive.poll(told())
    archive.poll(told(attempt=1, application=2))
    archive.poll(told(attempt=2, application=3))
    damage = update(attempts).values(document=b"damaged").where(attempts.c.attempt == 0)
    archive.store.database.write(lambda connection: connection.execute(damage))
    for _ in range(2 * FAILURES):
        with pytest.raises(LauncherRefused, match="An attempt in the history is damaged"):
            remembering.attempt(NAME, 0, None, ASK)
    # Nor without another question in between.
    past = remembering._store.past(NAME)
    assert past is not None
    for _ in range(2 * FAILURES):
        with pytest.raises(LauncherRefused):
            remembering.asking(lambda: remembering._store.document(past.kept[0].id), ASK)
    assert remembering.attempt(NAME, 1, None, ASK).value.status.retries.total == 1


def test_a_launcher_that_says_too_little_has_no_past(archive: Archive, remembering: Remembering) -> None:
    archive.launcher.tell(replace(told(), request=None))
    with pytest.raises(LauncherUnavailable, match="says too little"):
        remembering.versions(NAME, ASK)
