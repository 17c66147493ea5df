"""What was found out about a real launcher on Hadoop 2.9.0, finding by finding, in the order of the fact sheet they correct: what becomes
of one story.
"""

import re

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.open_dialect import encode_framework
from contracts.launcher.records import (
    CompletionPolicy,
    PlatformParameters,
    RetryPolicy,
    RetryState,
)
from simulator.machine.story import (
    ApplicationFate,
    ContainerFate,
    ContainerRule,
    Crashed,
    Delete,
    Killed,
    Lost,
    MasterFailed,
    Migrate,
    Rules,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Submit,
)
from tests.simulator.engine.lives import STARVED
from tests.simulator.findings.lives import (
    FANCY_GANG,
    GANG_OF_TWO,
    SLOW,
    STARVED_MASTER,
    TOO_MUCH,
    USUAL,
    Life,
    S,
    at,
    back_off,
    counters,
    end,
    ends_as,
    first_shown,
    first_task,
    is_failed_container,
    known,
    label,
    progresses,
    shown,
    text_of_container,
    with_sources,
    yarn,
)
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    changes,
    descriptor,
    ends_with,
    role,
    treated,
)

pytestmark = pytest.mark.no_cover

_F = FrameworkState

LIVES = (
    # --- 3.2: tasks
    Life(
        "a master that is started again changes nothing that anybody sees of what runs",
        lambda t: (
            (at(t, 8).status.application_id, tasks_of(at(t, 8)), at(t, 8).status.state)
            == (end(t).status.application_id, tasks_of(end(t)), end(t).status.state)
        ),
        treated(ApplicationFate(end=MasterFailed(-7250, "killed", 9 * S))),
    ),
    Life(
        "between two looks the diagnostics are always retrieved already, and a container's end is never shown",
        lambda t: (
            "APPLICATION_RETRIEVING_DIAGNOSTICS" not in shown(t)
            and not any(
                task.state is TaskState.CONTAINER_COMPLETED
                for _, record in changes(t, START + 60 * S)
                if record is not None
                for task in tasks_of(record).values()
            )
        ),
        all_end_with(1),
    ),
    Life(
        "a lost node ends its container with exactly these words",
        ends_as(-7111, diagnostics="Container released on a *lost* node", exact=True),
        all_end_with(-7111),
    ),
    # --- 3.3: diagnostics
    Life(
        "a failing container leaves the text of Hadoop 2.9, its stderr twice",
        is_failed_container,
        Rules(usual_container=ends_with(5, stderr="mine\n")),
    ),
    *(
        Life(
            f"a container ended by signal {code - 128} was killed on request",
            lambda t, code=code: (
                re.match(  # type: ignore[misc] # a default keeps the loop's value
                    rf"\[\S+ \S+\]Container killed on request\. Exit code is {code}\[\S+ \S+\]\n"
                    rf"\[\S+ \S+\]Container exited with a non-zero exit code {code}\.",
                    text_of_container(t),
                )
                is not None
            ),
            Rules(usual_container=ends_with(code, killed=True)),
        )
        for code in (137, 143)
    ),
    Life(
        "over its memory: the process, the limit, what is used, and the process tree",
        lambda t: (
            re.search(
                r"Container \[pid=\d+,containerID=container_\S+\] is running beyond physical memory limits\. Current usage: "
                r"(?s:.*)process-tree",
                text_of_container(t),
            )
            is not None
        ),
        all_end_with(-7122),
    ),
    Life(
        "an exit with 0 has an empty text, not none",
        lambda t: text_of_container(t) == "" and first_task(end(t)).container_exit_diagnostics == "",
        all_end_with(0),
    ),
    Life(
        "a task stopped with its application has no text",
        lambda t: (
            [(task.container_exit_code, task.container_exit_diagnostics) for task in tasks_of(end(t)).values()].count(
                (-7400, None)
            )
            == 1
        ),
        Rules(containers=(ContainerRule(ends_with(1), index=0),)),
        descriptor(worker=role(2)),
    ),
    Life(
        "a migrated one neither",
        lambda t: ends_as(-7153, diagnostics=None)(t) and first_task(end(t)).container_exit_diagnostics is None,
        then=(Migrate(START + 10 * S, "container_1795464678844_0001_01_000002"),),
    ),
    Life(
        "a master that crashes again and again: the pattern, a trace, and YARN's text in brackets",
        ends_as(-7353, progress=0.0, diagnostics="AMDiagnostics:"),
        treated(ApplicationFate(end=Crashed(9 * S))),
    ),
    Life(
        "killed through YARN while it runs: by whom, and from where",
        ends_as(-7303, progress=1.0, diagnostics="was killed by user hadoop at 192.0.2.9"),
        treated(ApplicationFate(end=Killed(9 * S, from_ip="192.0.2.9"))),
    ),
    Life(
        "or without where; and while the master still waits the progress is 0",
        lambda t: (
            ends_as(-7303, progress=0.0, diagnostics="was killed by user hadoop")(t)
            and " at " not in (end(t).status.application_exit_diagnostics or "")
        ),
        treated(ApplicationFate(am_start=None, end=Killed(9 * S))),
    ),
    # --- 3.5: delays
    Life(
        "at 20 s everywhere launched is what is shown first, after 16 to 40 s, and running about 20 s later",
        lambda t: (
            shown(t, 200)[:3] == ["FRAMEWORK_WAITING", "APPLICATION_LAUNCHED", "APPLICATION_RUNNING"]
            and 14 <= first_shown(t, _F.APPLICATION_LAUNCHED) <= 42
            and 18 <= first_shown(t, _F.APPLICATION_RUNNING) - first_shown(t, _F.APPLICATION_LAUNCHED) <= 22
        ),
        cluster=SLOW,
    ),
    Life(
        "a job of half a minute takes one more, and may jump over states on the way",
        lambda t: 45 <= first_shown(t, _F.FRAMEWORK_COMPLETED) <= 105,
        Rules(usual_container=ends_with(0, 30 * S)),
        cluster=SLOW,
    ),
    Life(
        "and a stop is visible 20 to 40 s later",
        lambda t: 0 < first_shown(t, _F.FRAMEWORK_COMPLETED) - 100 <= 45,
        then=(Stop(START + 100 * S),),
        cluster=SLOW,
    ),
    Life(
        "an application that the resource manager forgot: no text, the progress as it was",
        ends_as(-7350, progress=0.3, diagnostics=None),
        treated(ApplicationFate(end=Lost(30 * S))),
        then=(SetProgress(START + 10 * S, 0.3),),
    ),
    Life(
        "a gang that grows beyond the room has its timeout armed again, and loses all that runs",
        ends_as(-7252),
        Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=1),)),
        descriptor(platform=GANG, worker=role(1)),
        (SetTaskNumber(START + 10 * S, "worker", 2),),
    ),
    Life(
        "a container that a gang holds too long expires, in these words",
        ends_as(-7112, diagnostics="Container expired since it was unused", exact=True),
        Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=1),)),
        GANG_OF_TWO,
        cluster=replace(CLUSTER, intervals=replace(CLUSTER.intervals, container_expiry=20 * S)),
    ),
    Life(
        "an upgrade during back-off: the pending retry never comes",
        lambda t: end(t).status.version == 2 and t.attempts(START + 600 * S, 1) == (0,),
        STARVED,
        FANCY_GANG,
        (Submit(START + 40 * S, descriptor(2)),),
    ),
    Life(
        "nor after a delete",
        lambda t: t.at(START + 600 * S) is None and len(list(t.applications(START + 600 * S))) == 1,
        STARVED,
        FANCY_GANG,
        (Delete(START + 40 * S),),
    ),
    Life(
        "a plain policy retries a timeout of a gang at once",
        lambda t: back_off(t) < 5 * S,
        STARVED,
        descriptor(retry=RetryPolicy(max_retry_count=1), platform=GANG, worker=role(2)),
    ),
    Life(
        "the first back-off is the floor to the second", lambda t: 20 * S <= back_off(t) < 22 * S, STARVED, FANCY_GANG
    ),
    Life(
        "status and tasks are looked at apart: launched, while a task has ended already",
        lambda t: any(
            record.status.state is _F.APPLICATION_LAUNCHED
            and any(task.state is TaskState.TASK_COMPLETED for task in tasks_of(record).values())
            for _, record in changes(t, START + 100 * S)
            if record is not None
        ),
        Rules(usual_container=ends_with(0, 0)),
        cluster=SLOW,
    ),
    # --- 4: retry and completion
    Life(
        "where one failure and one success are each enough, what is reported first decides",
        ends_as(3),
        Rules(containers=(ContainerRule(ends_with(3, 2990), index=0), ContainerRule(ends_with(0, 3000), index=1))),
        descriptor(worker=role(2, completion=CompletionPolicy(1, 1))),
    ),
    Life(
        "counters count retries made",
        lambda t: end(t).status.retries == RetryState(total=2, retried=2, unknown=2),
        *counters(RetryPolicy(max_retry_count=2), 7),
    ),
    Life(
        "fancy and not transient: it completes with all zeros",
        lambda t: end(t).status.retries == RetryState(),
        *counters(RetryPolicy(fancy=True, max_retry_count=2), 194),
    ),
    Life(
        "without tasks it waits for ever; its role has an empty list after the first push, and is not there before",
        lambda t: (
            end(t).status.state is _F.APPLICATION_WAITING
            and end(t).task_roles["worker"].tasks == ()
            and at(t, 1.5).task_roles == {}
        ),
        wanted=descriptor(worker=role(0)),
    ),
    Life(
        "until it gets some",
        ends_as(0),
        all_end_with(0),
        descriptor(worker=role(0)),
        (SetTaskNumber(START + 60 * S, "worker", 1),),
    ),
    # --- 5: exit codes
    Life("what exits with a code nobody was told of is UNKNOWN", ends_as(5), all_end_with(5)),
    Life(
        "a task too large for any node is refused, it never waits",
        ends_as(-7200),
        wanted=descriptor(worker=role(memory_mb=TOO_MUCH)),
    ),
    Life(
        "a master too large is refused when it is submitted: never launched, no address",
        lambda t: (
            ends_as(-7300, progress=0.0)(t)
            and end(t).status.application_launched_timestamp is None
            and end(t).status.application_tracking_url is None
        ),
        wanted=descriptor(
            platform=PlatformParameters(am_resource=replace(PlatformParameters().am_resource, memory_mb=TOO_MUCH))
        ),
    ),
    Life(
        "an unknown queue",
        ends_as(-7300),
        wanted=label(queue="none"),
        cluster=replace(CLUSTER, queues=frozenset({"default"})),
    ),
    Life(
        "an unknown label of a task",
        ends_as(-7200),
        wanted=label(task_node_label="none"),
        cluster=replace(CLUSTER, node_labels=frozenset()),
    ),
    Life(
        "an unknown label of the master",
        ends_as(-7300),
        wanted=label(am_node_label="none"),
        cluster=replace(CLUSTER, node_labels=frozenset()),
    ),
    *(
        Life(f"sources {sources} cannot be used", ends_as(-7251), wanted=descriptor(worker=with_sources(*sources)))
        for sources in (("/a/x", "/b/x"), ("hdfs://[bad",))
    ),
    Life(
        "without the file of exit codes 193 is UNKNOWN",
        lambda t: end(t).status.application_exit_type.value == "UNKNOWN",  # type: ignore[union-attr] # it has ended
        all_end_with(193),
        cluster=replace(CLUSTER, user_exit_spec=False),
    ),
    # --- 6: operations
    Life(
        "stopped during back-off: the stop's code, no text, progress and launch of the ended application stay",
        lambda t: (
            ends_as(-7351, progress=1.0, diagnostics=None)(t)
            and end(t).status.application_launched_timestamp is not None
        ),
        STARVED,
        FANCY_GANG,
        (Stop(START + 40 * S),),
    ),
    Life(
        "a start right after a stop cancels it",
        lambda t: end(t).status.state is _F.APPLICATION_RUNNING,
        then=(Stop(START + 20_010), Start(START + 20_020)),
    ),
    Life(
        "deleted and put again within one look: the old end is back",
        lambda t: ends_as(4)(t) and end(t).status.created_timestamp != end(t).summary.first_request_timestamp,
        all_end_with(4),
        then=(Delete(START + 30_100), Submit(START + 30_200, descriptor())),
    ),
    Life(
        "no tasks any more: it waits, and does not complete; growing again works",
        lambda t: at(t, 28).status.state is _F.APPLICATION_WAITING and end(t).status.state is _F.APPLICATION_RUNNING,
        then=(SetTaskNumber(START + 20 * S, "worker", 0), SetTaskNumber(START + 30 * S, "worker", 1)),
    ),
    Life(
        "the last progress is 1 of what unregistered itself, failed or not", ends_as(1, progress=1.0), all_end_with(1)
    ),
    Life(
        "stopped: the last value",
        ends_as(-7351, progress=0.3, diagnostics=None),
        then=(SetProgress(START + 10 * S, 0.3), Stop(START + 20 * S)),
    ),
    Life(
        "the launcher takes no notice of progress below a tenth, the resource manager of each",
        lambda t: progresses(t) == [0.0, 0.3, 0.41] and known(t, 16).progress == 35.0,
        then=tuple(SetProgress(START + (8 + 6 * n) * S, told) for n, told in enumerate((0.3, 0.35, 0.39, 0.41))),
    ),
    Life(
        "the same version with a role more gets it within a look; a role taken out keeps its tasks",
        lambda t: set(at(t, 18).task_roles) == set(end(t).task_roles) == {"worker", "extra"},
        then=(Submit(START + 10 * S, descriptor(worker=role(), extra=role())), Submit(START + 20 * S, descriptor())),
    ),
    # --- 7, 8: texts, and the resource manager
    *(
        Life(
            f"the resource manager tells an application that {what} so",
            lambda t, seconds=seconds, told=told: yarn(t, seconds) == told,  # type: ignore[misc] # defaults keep the loop's values
            treated(fate) if isinstance(fate, ApplicationFate) else all_end_with(fate),
            wanted,
            cluster=replace(CLUSTER, queues=frozenset({"default"})),
        )
        for what, fate, wanted, seconds, told in (
            (
                "waits for its master",
                STARVED_MASTER,
                USUAL,
                60,
                ("ACCEPTED/UNDEFINED", 0.0, "UNASSIGNED", None, 0, True),
            ),
            (
                "runs",
                ApplicationFate(),
                USUAL,
                60,
                ("RUNNING/UNDEFINED", 0.0, "ApplicationMaster", "proxy", 1152, True),
            ),
            ("succeeded", 0, USUAL, 60, ("FINISHED/SUCCEEDED", 100.0, "History", "proxy", -1, False)),
            ("failed", 1, USUAL, 60, ("FINISHED/FAILED", 100.0, "History", "proxy", -1, False)),
            (
                "was killed while it ran",
                ApplicationFate(end=Killed(9 * S)),
                USUAL,
                60,
                ("KILLED/KILLED", 100.0, "History", "cluster/app", -1, False),
            ),
            (
                "crashed",
                ApplicationFate(end=Crashed(9 * S)),
                USUAL,
                60,
                ("FAILED/FAILED", 0.0, "History", "cluster/app", -1, False),
            ),
            (
                "was rejected",
                ApplicationFate(),
                label(queue="none"),
                60,
                ("FAILED/FAILED", 0.0, "UNASSIGNED", None, 0, False),
            ),
        )
    ),
    Life(
        "after a kill the resource manager has another address, the launcher keeps its first",
        lambda t: (
            (known(t, 60).tracking_url or "").endswith(f"/cluster/app/{end(t).status.application_id}")
            and (end(t).status.application_tracking_url or "").endswith(f"/proxy/{end(t).status.application_id}/")
        ),
        treated(ApplicationFate(end=Killed(20 * S))),
    ),
    Life(
        "right after the master's goodbye it is FINISHED, and still has figures for a second",
        lambda t: any(
            known(t, tenth / 10).state == "FINISHED" and known(t, tenth / 10).figures.allocated_mb > 0
            for tenth in range(50, 200)
        ),
        all_end_with(0),
    ),
    Life(
        "the final status may be there while it is still RUNNING",
        lambda t: any(
            (known(t, look / 200).state, known(t, look / 200).final_status) == ("RUNNING", "SUCCEEDED")
            for look in range(1000, 4000)
        ),
        all_end_with(0),
    ),
)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.finding.replace("/", "|"))
def test_it_becomes_of_it_what_became_of_the_real_one(life: Life) -> None:
    told = life.told()
    assert life.sees(told), encode_framework(end(told)) if told.at(START + 3600 * S) else shown(told)
