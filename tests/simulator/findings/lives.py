"""One story, and what is seen of what becomes of it."""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from contracts.launcher import exits
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import (
    Application,
    Framework,
    FrameworkDescriptor,
    PlatformParameters,
    Resource,
    RetryPolicy,
    TaskRoleDescriptor,
)
from contracts.launcher.resource_manager import encode_application
from simulator.machine.story import (
    DEPLOYED,
    ApplicationFate,
    Behaviour,
    Cluster,
    Operation,
    Rules,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    changes,
    descriptor,
    role,
    states,
    story,
)

S = 1000
FANCY = RetryPolicy(fancy=True)
_F = FrameworkState


class Life(Struct, frozen=True):
    """What becomes of one story. By default it is looked at long after."""

    finding: str
    sees: Callable[[Timeline], bool]
    behaviour: Behaviour = Rules()
    wanted: FrameworkDescriptor = descriptor()
    then: tuple[Operation, ...] = ()
    cluster: Cluster = CLUSTER

    def told(self) -> Timeline:
        return plan(story(Submit(START, self.wanted), *self.then, behaviour=self.behaviour, cluster=self.cluster))


def at(timeline: Timeline, seconds: float) -> Framework:
    record = timeline.at(START + round(seconds * S))
    assert record is not None
    return record


def end(timeline: Timeline) -> Framework:
    return at(timeline, 3600)


def ends_as(code: int, *, progress: float | None = None, diagnostics: str | None = "", exact: bool = False) -> Any:
    """``diagnostics``: a part of the text, or ``None`` where there is none; ``exact``: all of it."""

    def sees(timeline: Timeline) -> bool:
        status = end(timeline).status
        text = status.application_exit_diagnostics
        says = text is None if diagnostics is None else text == diagnostics if exact else diagnostics in (text or "")
        return (
            status.application_exit_code == code
            and status.application_exit_type is exits.exit_type(code)
            and status.application_exit_description == exits.description(code)
            and progress in (None, status.application_progress)
            and says
        )

    return sees


def first_task(record: Framework) -> Any:
    return next(iter(tasks_of(record).values()))


def text_of_container(timeline: Timeline) -> str:
    return first_task(end(timeline)).container_exit_diagnostics or ""


def is_failed_container(timeline: Timeline) -> bool:
    text = text_of_container(timeline)
    stamp = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]"
    layout = (
        rf"{stamp}Exception from container-launch\.\nContainer id: container_\S+\nExit code: 5\n+"
        rf"(?s:.*){stamp}Container exited with a non-zero exit code 5\. Error file: prelaunch\.err\.\n"
        rf"Last 4096 bytes of prelaunch\.err :\nLast 4096 bytes of stderr :\nmine\n"
    )
    old = ("ExitCodeException exitCode=", "org.apache.hadoop.util.Shell.runCommand")
    return re.match(layout, text) is not None and text.count("stderr :\nmine") == 2 and not any(m in text for m in old)


def shown(timeline: Timeline, until: float = 600) -> list[str]:
    """The states in order, each once."""
    return [state for state in states(timeline, START + round(until * S)) if state != "404"]


def progresses(timeline: Timeline) -> list[float]:
    told = [record.status.application_progress for _, record in changes(timeline, START + 60 * S) if record is not None]
    return list(dict.fromkeys(progress for progress in told if progress is not None))


def back_off(timeline: Timeline) -> int:
    past, now = timeline.attempt(START + 200 * S, None, 0), end(timeline)
    assert past is not None
    return (now.status.application_launched_timestamp or 0) - (past.status.application_completed_timestamp or 0)


def counters(policy: RetryPolicy, code: int) -> tuple[Behaviour, FrameworkDescriptor]:
    return all_end_with(code), descriptor(retry=policy)


GANG_OF_TWO = descriptor(platform=GANG, worker=role(2))
FANCY_GANG = descriptor(retry=FANCY, platform=GANG, worker=role(2))
SLOW = replace(CLUSTER, intervals=DEPLOYED)
TOO_MUCH = 50_000


def label(**told: str) -> FrameworkDescriptor:
    return descriptor(platform=PlatformParameters(**told))  # type: ignore[arg-type] # labels and queues are texts


def first_shown(timeline: Timeline, *states: FrameworkState) -> float:
    """Seconds from the submission until one of them was shown."""
    seen = (at for at, record in changes(timeline, START + 600 * S) if record and record.status.state in states)
    return (next(seen) - START) / S


def known(timeline: Timeline, seconds: float) -> Application:
    return list(timeline.applications(START + round(seconds * S)))[-1]


def with_sources(*sources: str) -> TaskRoleDescriptor:
    told = role()
    return replace(told, task_service=replace(told.task_service, source_locations=sources))


def yarn(timeline: Timeline, seconds: float) -> tuple[str, object, object, str | None, object, bool]:
    """State and final status, progress, what kind of address, which address, memory, and whether its usage is told."""
    told = encode_application(known(timeline, seconds), START + round(seconds * S))
    address = re.search(r"proxy|cluster/app", str(told["trackingUrl"])) if "trackingUrl" in told else None
    return (
        f"{told['state']}/{told['finalStatus']}",
        told["progress"],
        told["trackingUI"],
        None if address is None else address[0],
        told["allocatedMB"],
        "resourceInfo" in told,
    )


USUAL = descriptor(platform=PlatformParameters(am_resource=Resource(cpu_number=1, memory_mb=1024)))
STARVED_MASTER = ApplicationFate(am_start=None)
