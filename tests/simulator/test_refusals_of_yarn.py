"""What YARN and the master refuse by themselves, whatever the story: labels, sizes, sources, places; and what the resource
manager shows of a life that the launcher does not.
"""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import (
    Application,
    ExitType,
    FrameworkDescriptor,
    PlatformParameters,
    Resource,
    RetryPolicy,
    TaskRolePlatformParameters,
)
from simulator.machine import diagnostics
from simulator.machine.sources import unusable
from simulator.machine.story import (
    ApplicationFate,
    ContainerFate,
    Crashed,
    Exit,
    Host,
    MasterFailed,
    Rules,
    SetTaskNumber,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    breaches,
    descriptor,
    ends_with,
    role,
    settled,
    story,
    treated,
)

S = 1000
NO_LABELS = replace(CLUSTER, node_labels=frozenset())


def ended(told: FrameworkDescriptor, cluster: object = CLUSTER) -> tuple[int | None, str]:
    """Code and first line of the diagnostics."""
    timeline = plan(story(Submit(START, told), cluster=cluster, behaviour=all_end_with(0)))  # type: ignore[arg-type]  # keywords of any type
    assert breaches(timeline, START + 600 * S) == []
    status = settled(timeline).status
    return status.application_exit_code, (status.application_exit_diagnostics or "").partition("\n")[0]


# --- labels (recordings s15e, s15f) ---------------------------------------------------------------------------------

NO_SUCH_LABEL = "Invalid resource request, node label not enabled but request contains label expression"


def labelled(of_role: str | None = None, **platform: str | None) -> FrameworkDescriptor:
    worker = replace(role(), platform=TaskRolePlatformParameters(task_node_label=of_role))
    return descriptor(platform=PlatformParameters(**platform), worker=worker)  # type: ignore[arg-type]  # keywords of any type


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (labelled("gpu"), -7200),
        (labelled(task_node_label="gpu"), -7200),
        (labelled(am_node_label="gpu"), -7300),
        (labelled("", task_node_label=""), 0),
    ],
)
def test_a_label_that_the_cluster_has_not_is_refused(told: FrameworkDescriptor, code: int) -> None:
    assert ended(told, NO_LABELS) == (code, NO_SUCH_LABEL if code else "")
    assert ended(told)[0] == 0  # where nothing is said of labels, each exists


def test_a_label_among_others_is_refused_in_other_words() -> None:
    cluster = replace(CLUSTER, node_labels=frozenset({"cpu"}))
    code, text = ended(labelled("gpu"), cluster)
    assert (code, "permission" in text) == (-7200, True)
    assert ended(labelled("cpu"), cluster)[0] == 0


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_a_task_with_more_gpus_than_a_node_has_is_refused() -> None:
    assert ended(descriptor(worker=role(gpu_number=9)))[0] == -7200
    assert ended(descriptor(worker=role(gpu_number=8)))[0] == 0
    assert ended(descriptor(worker=role(gpu_number=9)), replace(CLUSTER, node_memory_mb=None))[0] == 0


def test_what_is_asked_for_later_is_refused_when_it_is_asked_for() -> None:
    """A role that is added, or a container after a change of the same version, is a request like the first."""
    small, big = role(2), role(memory_mb=102_400)
    timeline = plan(
        story(Submit(START, descriptor(small=small)), Submit(START + 60 * S, descriptor(small=small, big=big)))
    )
    running = timeline.at(START + 55 * S)
    assert running is not None
    assert running.status.state.value == "APPLICATION_RUNNING"
    assert breaches(timeline, START + 300 * S) == []
    assert settled(timeline).status.application_exit_code == -7200
    grown = replace(small, task_service=replace(small.task_service, resource=Resource(1, 102_400)))
    replaced = plan(
        story(
            Submit(START, descriptor(small=small)),
            Submit(START + 60 * S, descriptor(small=grown)),
            SetTaskNumber(START + 120 * S, "small", 3),
        )
    )
    held = replaced.at(START + 115 * S)
    assert held is not None
    assert held.status.state.value == "APPLICATION_RUNNING"  # what runs is not asked for again
    assert settled(replaced).status.application_exit_code == -7200


# --- source locations (recordings s15b, s15h) -----------------------------------------------------------------------


def with_sources(*locations: str | None, gang: bool = False) -> FrameworkDescriptor:
    worker = role(2)
    service = replace(worker.task_service, source_locations=locations)
    platform = GANG if gang else PlatformParameters()
    return descriptor(platform=platform, worker=replace(worker, task_service=service))


@pytest.mark.parametrize(
    ("locations", "text"),
    [
        (("hdfs://[bad",), "URISyntaxException: Expected closing bracket for IPv6 address at index 11: hdfs://[bad"),
        (("/a/code", "/b/code/"), "Duplicate base name of source locations: code"),
        (("",), "empty string"),
        ((None,), "null string"),
        (("hdfs:code",), "Relative path in absolute URI: hdfs:code"),
    ],
)
def test_sources_that_a_master_cannot_use_end_it_when_it_starts_a_container(
    locations: tuple[str | None, ...], text: str
) -> None:
    for gang in (False, True):
        code, first = ended(with_sources(*locations, gang=gang))
        assert code == -7251
        assert first.endswith(text)
    timeline = plan(story(Submit(START, with_sources(*locations))))
    tasks = tasks_of(settled(timeline)).values()
    assert {task.container_exit_code for task in tasks} == {-7400}
    assert any(task.container_id for task in tasks)
    assert not any(task.container_launched_timestamp for task in tasks)


def test_sources_as_people_write_them_are_usable() -> None:
    assert unusable(("hdfs://cluster.example:9000/a", "/b", "c", "hdfs://[::1]/d", "s3a://bucket/e/")) is None
    told = Submit(START, with_sources(""))
    failing = treated(ApplicationFate(end=MasterFailed(-7250, "x")), ends_with(0))
    assert settled(plan(story(told, behaviour=failing))).status.application_exit_code == 0  # a told end goes before


# --- hosts of their own ---------------------------------------------------------------------------------------------


def test_tasks_that_want_a_host_each_wait_until_one_is_free() -> None:
    platform = PlatformParameters(antiaffinity_allocation=True)
    first = ContainerFate(allocation=500, run=60 * S)
    timeline = plan(
        story(
            Submit(START, descriptor(platform=platform, worker=role(4))),
            behaviour=Rules(usual_container=first),
        )
    )
    assert breaches(timeline, START + 300 * S) == []
    early = timeline.at(START + 30 * S)
    assert early is not None
    waiting = [task for task in tasks_of(early).values() if task.container_id is None]
    assert len(waiting) == 1
    record = settled(timeline)
    assert record.status.application_exit_code == 0
    launched = sorted(task.container_launched_timestamp or 0 for task in tasks_of(record).values())
    assert launched[3] >= launched[0] + 60 * S


def test_one_that_was_scaled_away_while_it_waited_takes_no_host_from_those_who_came_after() -> None:
    platform = PlatformParameters(antiaffinity_allocation=True)
    lonely = replace(CLUSTER, hosts=(Host("node-1", "192.0.2.1"),))
    timeline = plan(
        story(
            Submit(START, descriptor(platform=platform, worker=role(3))),
            SetTaskNumber(START + 30 * S, "worker", 1),
            SetTaskNumber(START + 40 * S, "worker", 2),
            cluster=lonely,
            behaviour=Rules(usual_container=ContainerFate(500, run=90 * S)),
        )
    )
    assert breaches(timeline, START + 600 * S) == []
    record = settled(timeline)
    assert record.status.application_exit_code == 0
    first, second = (task.container_launched_timestamp or 0 for task in tasks_of(record).values())
    assert second >= first + 90 * S


# --- the exit report ------------------------------------------------------------------------------------------------


def test_a_report_is_cut_to_what_a_master_may_leave() -> None:
    cluster = replace(CLUSTER, intervals=replace(CLUSTER.intervals, am_diagnostics_most=700))
    told = story(
        Submit(START, descriptor()),
        cluster=cluster,
        behaviour=Rules(usual_container=ContainerFate(run=S, exit=Exit(1, text="x" * 5000))),
    )
    status = settled(plan(told)).status
    text = status.application_exit_diagnostics or ""
    assert 0 < len(text) < 700
    assert set(text) == {"x"}
    assert status.application_exit_trigger_message is not None


def test_where_the_diagnostics_are_not_enough_the_trigger_is_cut_too() -> None:
    report = diagnostics.Report(1, "d", ExitType.UNKNOWN, "x" * 10, "m" * 50, "worker", 0)
    whole = len(diagnostics.wrapped_report(report)) - len(diagnostics.REPORT_START) - len(diagnostics.REPORT_END)
    assert report.within(whole) == report
    assert report.within(whole - 4) == replace(report, diagnostics="x" * 6)
    assert report.within(whole - 20) == replace(report, diagnostics="", trigger_message="m" * 40)
    assert replace(report, diagnostics=None, trigger_message=None).within(1).diagnostics is None


# --- as the resource manager sees it --------------------------------------------------------------------------------


def seen(timeline: Timeline, until: int = 120 * S, step: int = 100) -> list[Application]:
    found = (next(iter(timeline.applications(START + offset)), None) for offset in range(0, until, step))
    return [application for application in found if application is not None]


def test_an_application_of_an_unknown_queue_is_known_as_rejected() -> None:
    """Recording s15a. One that is too large for its cluster is not known at all (s11c)."""
    told = descriptor(platform=PlatformParameters(queue="none"))
    timeline = plan(story(Submit(START, told), cluster=replace(CLUSTER, queues=frozenset({"default"}))))
    application = seen(timeline)[-1]
    reason = f"Application {application.id} submitted by user alice to unknown queue: none"
    assert (application.state, application.final_status, application.tracking_url) == ("FAILED", "FAILED", None)
    assert (application.diagnostics, application.figures.am_container_logs) == (reason, None)
    text = settled(timeline).status.application_exit_diagnostics or ""
    assert text.partition("\n")[0] == f"Failed to submit {application.id} to YARN : {reason}"
    too_big = descriptor(platform=PlatformParameters(am_resource=Resource(1, 102_400)))
    assert seen(plan(story(Submit(START, too_big)))) == []


def test_a_master_is_waited_for_launched_and_then_runs() -> None:
    timeline = plan(story(Submit(START, descriptor()), behaviour=all_end_with(0)))
    shown: list[tuple[str, str, int, int]] = []
    for application in seen(timeline):
        figures = application.figures
        first = application.diagnostics.partition(" ")[0][:3]
        stage = (application.state, first, figures.running_containers, figures.pending_containers)
        if stage not in shown:
            shown.append(stage)
    assert [stage for stage in shown if stage[0] == "ACCEPTED"] == [("ACCEPTED", "[Mo", 0, 1), ("ACCEPTED", "AM", 1, 0)]
    assert ("RUNNING", "", 1, 1) in shown
    assert ("RUNNING", "", 2, 0) in shown
    # For a second after its goodbye the master still counts.
    assert [stage[2:] for stage in shown if stage[0] == "FINISHED"] == [(1, 0), (0, 0)]


def test_the_final_status_is_there_a_moment_before_the_end() -> None:
    timeline = plan(story(Submit(START, descriptor()), behaviour=all_end_with(0)))
    stages = {(each.state, each.final_status) for each in seen(timeline, until=30 * S, step=1)}
    assert ("RUNNING", "SUCCEEDED") in stages
    assert ("FINISHED", "SUCCEEDED") in stages


def test_an_application_that_crashed_before_its_master_ran_has_still_its_logs() -> None:
    timeline = plan(story(behaviour=treated(ApplicationFate(am_start=30 * S, end=Crashed(after=10 * S)))))
    last = seen(timeline)[-1]
    assert (last.state, last.figures.running_containers) == ("FAILED", 0)
    assert last.figures.am_container_logs is not None
    assert last.tracking_url is not None


def test_each_container_that_is_asked_for_is_a_request_of_its_own() -> None:
    told = story(
        Submit(START, descriptor(worker=role(3), retry=RetryPolicy())),
        behaviour=Rules(usual_container=ContainerFate(allocation=None)),
    )
    requests = seen(plan(told), until=30 * S)[-1].figures.resource_requests
    assert [(each["priority"], each["numContainers"]) for each in requests] == [(0, 1), (1, 1), (2, 1)]
    assert list(requests[0])[-2:] == ["executionTypeRequest", "enforceExecutionType"]
