"""Three links worth opening."""

from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import RetryState
from restserver.commands.showcase import links_worth_opening
from tests.restserver.small_launcher import SmallLauncher, framework

COMPLETED = FrameworkState.FRAMEWORK_COMPLETED


def test_a_running_a_failed_and_a_retried_job_are_linked() -> None:
    launcher = SmallLauncher()
    launcher.put(
        framework("waiting", state=FrameworkState.APPLICATION_WAITING),
        framework("succeeded", state=COMPLETED, exit_code=0),
        framework("stopped", state=COMPLETED, exit_code=-7351),
        framework("failed~twice", state=COMPLETED, exit_code=1, retries=RetryState(total=2)),
        framework("running"),
        framework("retried", retries=RetryState(total=1)),
    )
    lines = links_worth_opening(launcher, "http://here:1")
    assert [line.split() for line in lines] == [
        ["a", "running", "job", "http://here:1/api/v2/jobs/running"],
        ["a", "failed", "job", "http://here:1/api/v2/jobs/failed~twice"],
        ["a", "retried", "job", "http://here:1/api/v2/jobs/retried"],
    ]


def test_what_there_is_none_of_is_left_out() -> None:
    launcher = SmallLauncher()
    launcher.put(framework("running"))
    assert len(links_worth_opening(launcher, "http://here:1")) == 1
    assert links_worth_opening(SmallLauncher(), "http://here:1") == []
