"""Single fields whose source is a choice; the whole bodies are in the golden pairs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import (
    Figures,
    Framework,
    FrameworkDescriptor,
    FrameworkRequest,
    LaunchClientType,
    Resource,
    RetryState,
    TaskRoleDescriptor,
    TaskService,
)
from restserver.answers.exit_spec import shipped_exit_spec
from restserver.answers.framework_info import framework_info
from restserver.answers.presenters import Site, container_ports, job_detail, portal_job_detail
from tests.restserver.small_launcher import framework

SITE = Site(shipped_exit_spec(), data_center="DC", sub_cluster="SC", webportal_url="https://portal.example")
RETRIES = RetryState(
    total=15, retried=9, succeeded=1, transient_normal=2, transient_conflict=3, non_transient=4, unknown=5
)


def job_status(one: Framework) -> dict[str, Any]:
    status = job_detail(one, SITE)["jobStatus"]
    assert isinstance(status, dict)
    return status


def info(one: Framework, figures: Figures | None = None) -> dict[str, Any]:
    status = framework_info(one, figures or Figures(), SITE, "http://here")["jobStatus"]
    assert isinstance(status, dict)
    return status


def with_request(one: Framework, roles: dict[str, tuple[int, int, int]]) -> Framework:
    descriptor = FrameworkDescriptor(
        version=1,
        task_roles={
            name: TaskRoleDescriptor(count, TaskService(1, "run", (), Resource(cpu_number=cpus, memory_mb=memory)))
            for name, (count, cpus, memory) in roles.items()
        },
    )
    request = FrameworkRequest(one.summary.name, descriptor, LaunchClientType.CLI, None, None, 1, 1)
    summary = replace(one.summary, total_cpu_number=None, total_memory_mb=None)
    return replace(one, summary=summary, request=request)


def test_applied_resources_are_the_launchers_sum_or_else_that_over_the_roles() -> None:
    told = framework()
    assert (job_status(told)["appliedCpuNumber"], job_status(told)["appliedMemoryMB"]) == (4, 8192)
    asked = with_request(told, {"ps": (2, 3, 100), "worker": (5, 1, 10), "none": (0, 9, 9)})
    assert (job_status(asked)["appliedCpuNumber"], job_status(asked)["appliedMemoryMB"]) == (11, 250)
    unknown = replace(asked, request=None)
    assert (job_status(unknown)["appliedCpuNumber"], job_status(unknown)["appliedMemoryMB"]) == (0, 0)


def test_retries_are_all_of_them_and_their_kinds() -> None:
    status = job_status(framework(retries=RETRIES))
    assert (status["attemptId"], status["retries"]) == (15, 15)
    assert status["retryDetails"] == {"user": 4, "platform": 2, "resource": 3, "unknown": 5}
    assert info(framework(retries=RETRIES))["retryDetails"] == {"user": 4, "platform": 2, "resource": 3}
    assert info(framework(retries=RETRIES))["latestAttemptId"] == 10


def test_a_task_without_retry_state_says_so() -> None:
    one = framework()
    task = replace(one.task_roles["worker"].tasks[0], retries=None)
    counted = replace(task, index=1, retries=RETRIES)
    roles = {"worker": replace(one.task_roles["worker"], tasks=(task, counted))}
    body: Any = job_detail(replace(one, task_roles=roles), SITE)
    shown = [task["retryDetails"] for task in body["taskRoles"]["worker"]["taskStatuses"]]
    assert shown == [
        {"user": "N/A", "platform": "N/A", "unknown": "N/A"},
        {"user": 4, "platform": 5, "unknown": 5},
    ]


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("ssh:23010;http:23011,23012;", {"ssh": "23010", "http": "23011,23012"}),
        ("ssh:1", {"ssh": "1"}),
        ("", {}),
        (None, {}),
        (";;", {}),
        ("nonsense", {}),
        (" a : 1 ; b:2:3", {"a": "1", "b": "2:3"}),
    ],
)
def test_ports_are_told_by_label(text: str | None, ports: dict[str, str]) -> None:
    assert container_ports(text) == ports


@given(st.text())
def test_no_text_of_ports_is_too_odd(text: str) -> None:
    assert all(isinstance(label, str) for label in container_ports(text))


def test_tags_and_links_of_the_info() -> None:
    told = info(framework(tags=("GID-7_x", "b")))
    assert told["appTag"] == "GID-7_x,b"
    assert told["groupId"] == "7"
    assert told["jobDetailLink"] == "job-detail.html?jobName=alice~mnist&groupId=7&subCluster=SC"
    assert told["webportalLink"] == "https://portal.example/job-detail.html?jobName=alice~mnist&subCluster=SC"
    assert told["jobFullDetailUrl"] == "http://here/api/v2/jobs/alice~mnist"
    assert told["runningDataCenter"] == "DC"


@pytest.mark.parametrize("state", list(FrameworkState))
@pytest.mark.parametrize("code", [None, 0, 1, -7351])
def test_the_info_repeats_the_shared_fields_of_the_detail(state: FrameworkState, code: int | None) -> None:
    one = framework(state=state, exit_code=code, retries=RETRIES, tags=("GID-1_x",))
    detail, told = job_status(one), info(one, Figures(priority=3))
    nullable = {"appTrackingUrl", "appExitDiagnostics"}
    shared = set(detail) & set(told) - nullable - {"retryDetails"}
    assert len(shared) >= 12
    assert {key: told[key] for key in shared} == {key: detail[key] for key in shared}
    assert {key: told[key] or None for key in nullable} == {key: detail[key] for key in nullable}
    in_portal: Any = portal_job_detail(one, Figures(priority=3), SITE)["jobStatus"]
    shared = set(in_portal) & set(told) - nullable - {"retryDetails"}
    assert len(shared) >= 24
    assert {key: told[key] for key in shared} == {key: in_portal[key] for key in shared}
