"""Where a run ends: a version that was left and entered again between two looks begins anew."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from contracts.launcher.histories import History, Look
from contracts.launcher.laws_of_records import breaches_between
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Framework, RetryState
from tests.contracts.recorded_records import histories

RETRIED = "alice~s03f-fw-plain-max2-transient"


@dataclass
class Change:
    """What is otherwise at the second look."""

    asked_again: bool = True
    application: str | None = "application_1795464678844_9999"
    retries: int = 0
    state: FrameworkState = FrameworkState.APPLICATION_RUNNING

    def of(self, record: Framework) -> Framework:
        assert record.request is not None
        request = record.request
        if self.asked_again:
            request = replace(request, last_request_timestamp=request.last_request_timestamp + 5_000)
        retries = RetryState(total=self.retries, retried=self.retries, transient_normal=self.retries)
        application = self.application if self.application != "same" else record.status.application_id
        status = replace(record.status, application_id=application, retries=retries, state=self.state)
        return replace(record, request=request, status=status)


def seen_twice(change: Change) -> History:
    last = histories()[RETRIED].records()[-1]
    return History(RETRIED, (Look(1_000, last), Look(9_000, change.of(last))))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("change", "runs"),
    [
        (Change(), 2),
        (Change(application=None, state=FrameworkState.FRAMEWORK_WAITING), 2),
        (Change(retries=3), 2),  # it was over: no retry leads here
        (Change(asked_again=False), 1),
        (Change(application="same"), 1),
    ],
)
def test_a_version_that_must_have_been_left_begins_anew(change: Change, runs: int) -> None:
    assert len(list(seen_twice(change).runs())) == runs


def test_a_counter_that_falls_though_nobody_asked_for_anything_stays_a_breach() -> None:
    (run,) = seen_twice(Change(asked_again=False)).runs()
    before, after = (look.framework for look in run)
    assert before is not None
    assert after is not None
    assert "L2" in {breach.law for breach in breaches_between(before, after)}


def test_a_launcher_that_does_not_tell_what_it_was_asked_may_have_been_asked() -> None:
    looks = tuple(
        replace(look, framework=look.framework and replace(look.framework, request=None))
        for look in seen_twice(Change()).looks
    )
    assert len(list(History(RETRIED, looks).runs())) == 2
