"""What the port promises, asked of every launcher in its own words."""

from collections.abc import Callable, Iterator

import pytest

from contracts.clock import Instant
from contracts.launcher.port import (
    Answer,
    Ask,
    Launcher,
    LauncherError,
    LauncherUnavailable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from tests.promises.subjects import Subject

pytestmark = pytest.mark.no_cover

ASK = Ask()
NOBODY = "nobody~there-is-none-of-this-name"


def looks(subject: Subject, most: int = 4) -> Iterator[tuple[str, Instant]]:
    """Some instants of the life of each framework, its last one included; the clock stands there."""
    for name, instants in subject.instants.items():
        chosen = sorted({instants[(len(instants) - 1) * step // most] for step in range(most + 1)})
        for instant in chosen:
            subject.clock.set(instant)
            yield name, instant


def known(subject: Subject, most: int = 4) -> Iterator[tuple[str, Instant]]:
    """The looks that find a framework."""
    for name, instant in looks(subject, most):
        try:
            subject.launcher.framework(name, ASK)
        except (NoSuchFramework, LauncherUnavailable):
            continue
        yield name, instant


def test_there_is_something_to_ask_about(subject: Subject) -> None:
    assert len({name for name, _ in known(subject)}) > len(subject.instants) / 2


@pytest.mark.parametrize("version", [None, 1])
def test_a_name_that_does_not_exist_is_no_such_thing(subject: Subject, version: int | None) -> None:
    with pytest.raises(NoSuchFramework) as no_framework:
        subject.launcher.framework(NOBODY, ASK)
    assert no_framework.value == NoSuchFramework(NOBODY)
    with pytest.raises(NoSuchAttempt) as no_attempt:
        subject.launcher.attempt(NOBODY, 0, version, ASK)
    assert no_attempt.value == NoSuchAttempt(NOBODY, version, 0)
    with pytest.raises(NoSuchVersion) as no_version:
        subject.launcher.attempts(NOBODY, version, ASK)
    assert no_version.value == NoSuchVersion(NOBODY, version)
    with pytest.raises(NoSuchFramework):
        subject.launcher.versions(NOBODY, ASK)


def test_what_a_known_framework_never_had_is_no_such_thing(subject: Subject) -> None:
    for name, _ in known(subject, most=1):
        current = subject.launcher.framework(name, ASK).value.status.version
        with pytest.raises(NoSuchAttempt) as no_attempt:
            subject.launcher.attempt(name, 999_999, None, ASK)
        assert no_attempt.value == NoSuchAttempt(name, current, 999_999)
        with pytest.raises(NoSuchAttempt) as no_attempt:
            subject.launcher.attempt(name, 0, 999_999, ASK)
        assert no_attempt.value == NoSuchAttempt(name, 999_999, 0)
        with pytest.raises(NoSuchVersion) as no_version:
            subject.launcher.attempts(name, 999_999, ASK)
        assert no_version.value == NoSuchVersion(name, 999_999)


def test_lists_are_ascending_and_everything_listed_is_answered(subject: Subject) -> None:
    for name, _ in known(subject):
        versions = subject.launcher.versions(name, ASK).value
        assert list(versions) == sorted(set(versions))
        for version in versions:
            attempts = subject.launcher.attempts(name, version, ASK).value
            assert list(attempts) == sorted(set(attempts))
            for attempt in attempts:
                told = subject.launcher.attempt(name, attempt, version, ASK).value.status
                assert (told.name, told.version, told.retries.total) == (name, version, attempt)


def test_the_current_attempt_is_the_framework_and_is_listed(subject: Subject) -> None:
    for name, _ in known(subject):
        now = subject.launcher.framework(name, ASK).value
        version, attempt = now.status.version, now.status.retries.total
        assert subject.launcher.attempt(name, attempt, version, ASK).value == now
        assert version in subject.launcher.versions(name, ASK).value
        assert attempt in subject.launcher.attempts(name, version, ASK).value
        if subject.keeps_the_past:
            assert max(subject.launcher.attempts(name, version, ASK).value) == attempt


def test_without_a_version_the_current_one_is_meant(subject: Subject) -> None:
    for name, _ in known(subject):
        now = subject.launcher.framework(name, ASK).value.status
        attempts = subject.launcher.attempts(name, None, ASK).value
        assert attempts == subject.launcher.attempts(name, now.version, ASK).value
        for attempt in attempts:
            unnamed = subject.launcher.attempt(name, attempt, None, ASK).value
            assert unnamed == subject.launcher.attempt(name, attempt, now.version, ASK).value


CALLS: dict[str, Callable[[Launcher, str], Answer[object]]] = {
    "framework": lambda launcher, name: launcher.framework(name, ASK),
    "attempt": lambda launcher, name: launcher.attempt(name, 0, None, ASK),
    "attempts": lambda launcher, name: launcher.attempts(name, None, ASK),
    "versions": lambda launcher, name: launcher.versions(name, ASK),
}


@pytest.mark.parametrize("call", CALLS)
def test_equal_editions_are_equal_values_and_a_value_holds_as_long_as_it_says(subject: Subject, call: str) -> None:
    for name, instants in list(subject.instants.items())[:12]:
        told: dict[object, object] = {}
        for instant in instants:
            subject.clock.set(instant)
            try:
                answer = CALLS[call](subject.launcher, name)
            except LauncherError:
                continue
            assert told.setdefault(answer.edition, answer.value) == answer.value
            if answer.until is not None:
                assert answer.until > instant
                subject.clock.set(answer.until - 1)
                assert CALLS[call](subject.launcher, name).value == answer.value


def test_asking_twice_or_in_another_order_changes_nothing(subject: Subject) -> None:
    seen = {look: subject.launcher.framework(look[0], ASK).value for look in known(subject, most=2)}
    for (name, instant), value in reversed(seen.items()):
        subject.clock.set(instant)
        assert subject.launcher.framework(name, ASK).value == value


def test_listed_frameworks_are_answered_and_agree(subject: Subject) -> None:
    subject.clock.set(max(max(instants) for instants in subject.instants.values()) - 1)
    listed = list(subject.launcher.summaries(ASK))
    assert listed
    for told in listed[:40] if subject.lists_truly else ():
        answered = subject.launcher.framework(told.name, ASK).value.summary
        assert (answered.version, answered.state, answered.retries) == (told.version, told.state, told.retries)


def test_it_is_ready(subject: Subject) -> None:
    subject.launcher.ready(ASK)


def test_the_resource_manager_never_fails(subject: Subject) -> None:
    for name, _ in known(subject, most=2):
        application = subject.launcher.framework(name, ASK).value.status.application_id
        if application is not None:
            figures = subject.resource_manager.application(application, ASK).value
            assert figures is None or figures.allocated_mb >= 0
    assert subject.resource_manager.application("application_1_0001", ASK).value is None
