"""Everything that decides one framework's life, as one frozen value; no machine in here.

A story says who asked for what and when (operations), where (cluster), with which dice (seed), and how the world treats it
(behaviour). ``simulator.machine.timeline.plan(story)`` makes the life of it. The behaviour is a protocol of three questions, so
that a population can answer from dice only what is asked, and a scenario file or a replay can answer from rules
(:class:`Rules`). Answers must be pure: the same key, the same fate.

Endings. A life must not cost work without bound: after ``most_applications`` applications the cluster finds no room for
the next one's master, and after ``most_containers`` containers none for the next container; they wait from then on, as
in a full cluster, until somebody stops, upgrades or deletes the framework. A population should end such lives earlier.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from contracts.clock import Instant, Milliseconds
from contracts.launcher.lifecycle import TaskState
from contracts.launcher.records import FrameworkDescriptor, LaunchClientType

SECOND: Milliseconds = 1000
MINUTE: Milliseconds = 60 * SECOND
HOUR: Milliseconds = 60 * MINUTE
DAY: Milliseconds = 24 * HOUR


class Intervals(Struct, frozen=True):
    """The part of the LauncherConfiguration (and of YARN's) in which launchers differ: their pace, in milliseconds."""

    service_rm_resync: Milliseconds = 20 * SECOND
    service_request_pull: Milliseconds = 20 * SECOND
    am_request_pull: Milliseconds = 20 * SECOND
    am_status_push: Milliseconds = 20 * SECOND
    web_status_pull: Milliseconds = 20 * SECOND
    am_rm_heartbeat: Milliseconds = 1 * SECOND
    conflict_back_off_min: Milliseconds = 600 * SECOND
    conflict_back_off_max: Milliseconds = 3600 * SECOND
    gang_timeout: Milliseconds = 1100 * SECOND
    container_request_min: Milliseconds = 10 * SECOND
    container_request_max: Milliseconds = 200 * SECOND
    diagnostics_retry: Milliseconds = 20 * SECOND
    diagnostics_retries: int = 15
    completed_retention: Milliseconds = 30 * DAY
    container_expiry: Milliseconds = 600 * SECOND
    """YARN's: an allocated container that is not started by then expires."""
    am_diagnostics_most: int = 327_680
    """Characters of the exit report that a master leaves (``amDiagnosticsMaxBytes``)."""
    node_expiry_buffer: Milliseconds = 60 * SECOND
    """This and what follows is only told: nothing here lives by it."""
    am_info_publish: Milliseconds = 20 * SECOND
    setup_request_min: Milliseconds = 30 * SECOND
    setup_request_max: Milliseconds = 150 * SECOND


DEPLOYED = Intervals()
"""The values of the deployed platform: 20 s everywhere."""

FAST = Intervals(
    service_rm_resync=1 * SECOND,
    service_request_pull=1 * SECOND,
    am_request_pull=1 * SECOND,
    am_status_push=1 * SECOND,
    web_status_pull=1 * SECOND,
    conflict_back_off_min=20 * SECOND,
    conflict_back_off_max=60 * SECOND,
    gang_timeout=30 * SECOND,
    container_request_max=20 * SECOND,
    diagnostics_retry=3 * SECOND,
    diagnostics_retries=5,
    completed_retention=12 * HOUR,
    container_expiry=90 * SECOND,
    am_diagnostics_most=49_152,
    node_expiry_buffer=6 * SECOND,
    am_info_publish=10 * SECOND,
    setup_request_min=5 * SECOND,
    setup_request_max=15 * SECOND,
)
"""The values most recordings were made with: 1 s everywhere."""


class Host(Struct, frozen=True):
    name: str
    ip: str


class Cluster(Struct, frozen=True):
    """What all stories of one cluster share."""

    started: Instant
    """The resource manager's start: part of every id, and the phase of all its periods."""
    hosts: tuple[Host, ...]
    intervals: Intervals = DEPLOYED
    resource_manager: str = "rm.cluster.example:8088"
    node_http_port: int = 8042
    node_memory_mb: int | None = None
    """Of the largest node; a larger request is refused at once (-7200, -7300). ``None``: nothing is refused."""
    node_cpu_number: int | None = None
    node_gpu_number: int = 8
    queues: frozenset[str] | None = None
    """``None``: every queue exists; else another queue is refused at submission (-7300)."""
    node_labels: frozenset[str] | None = None
    """``None``: every label exists; else another one is refused, of a task (-7200) or of the master (-7300)."""
    user_exit_spec: bool = True
    """Whether the launcher was given its user-container-exit-spec file; without one 193 and its like are UNKNOWN."""
    am_attempts: int = 3
    failures_validity: Milliseconds = 10 * SECOND


# --- what people did, in time order ---------------------------------------------------------------------------------


class Submit(Struct, frozen=True):
    """PUT framework: creates, updates in place (same version) or upgrades (another version)."""

    at: Instant
    descriptor: FrameworkDescriptor
    client_type: LaunchClientType = LaunchClientType.UNKNOWN
    client_host: str | None = "127.0.0.1"
    client_user: str | None = "UNKNOWN"


class Stop(Struct, frozen=True):
    """PUT ExecutionType STOP. Without a framework it does nothing, as all operations but :class:`Submit`."""

    at: Instant


class Start(Struct, frozen=True):
    """PUT ExecutionType START: cancels a stop that the service has not seen yet; no more."""

    at: Instant


class Delete(Struct, frozen=True):
    at: Instant


class SetTaskNumber(Struct, frozen=True):
    at: Instant
    role: str
    number: int


class SetProgress(Struct, frozen=True):
    at: Instant
    progress: float


class Migrate(Struct, frozen=True):
    at: Instant
    container_id: str


# What the world does at an instant, beside what was planned; like the others, it changes nothing before that instant.


class Kill(Struct, frozen=True):
    """Somebody kills the living application through YARN (-7303)."""

    at: Instant
    application_id: str | None = None
    """Only if it is that one; ``None``: whichever lives."""
    by: str = "hadoop"
    from_ip: str | None = None


class MakeRoom(Struct, frozen=True):
    """The cluster gets room for what the living application asks for, now or later; ``None``: all of that."""

    at: Instant
    role: str | None = None
    index: int | None = None
    task_attempt: int | None = None


class EndContainers(Struct, frozen=True):
    """The containers of the living application end; ``None``: all of them. With an attempt of the tasks, those of it that
    start later do so soon after."""

    at: Instant
    exit: "Exit"
    role: str | None = None
    index: int | None = None
    task_attempt: int | None = None


WorldEvent: TypeAlias = Kill | MakeRoom | EndContainers
Operation: TypeAlias = Submit | Stop | Start | Delete | SetTaskNumber | SetProgress | Migrate | WorldEvent


# --- how the world treats it ----------------------------------------------------------------------------------------


class ApplicationKey(Struct, frozen=True):
    """Which application is asked about."""

    version: int
    attempt: int
    """Zero-based, of its run."""
    count: int
    """Zero-based over the whole story, placeholders of stopped frameworks included; never repeats."""


class ContainerKey(Struct, frozen=True):
    """Which container is asked about."""

    application: ApplicationKey
    role: str
    index: int
    task_attempt: int
    """Zero-based: the retries this task had in this application."""


class Refused(Struct, frozen=True):
    """The submission fails."""

    code: int = -7300
    """-7300 refused by YARN, -7301 not reachable, -7302 anything else."""
    text: str = "Application is rejected by the queue placement policy"
    rejected: str | None = None
    """What the resource manager keeps, where it took the application and then rejected it; ``None``: it never knew it."""


class Killed(Struct, frozen=True):
    """Somebody killed it through YARN (-7303), ``after`` its submission."""

    after: Milliseconds
    by: str = "hadoop"
    from_ip: str | None = None


class Lost(Struct, frozen=True):
    """The resource manager forgets it (-7350), ``after`` its submission."""

    after: Milliseconds


class Crashed(Struct, frozen=True):
    """Its master crashes until YARN gives up (-7353), ``after`` its submission."""

    after: Milliseconds
    signal_code: int = 137


class MasterFailed(Struct, frozen=True):
    """Its master gives up with a code of its own, ``after`` the master's start."""

    code: int
    """-7200 to -7203, -7250 or -7251."""
    text: str
    """The exception's message: the first line of the diagnostics."""
    after: Milliseconds = 1 * SECOND


ApplicationEnd: TypeAlias = Refused | Killed | Lost | Crashed | MasterFailed


class ApplicationFate(Struct, frozen=True):
    """What the world does to one application; the tasks and the requests decide the rest."""

    upload: Milliseconds = 400
    """From the application id to the submission."""
    am_start: Milliseconds | None = 2200
    """From the submission to the running master; ``None``: it never gets a container."""
    end: ApplicationEnd | None = None
    """``None``: it ends as its tasks, its gang and its users decide."""
    diagnostics_after: Milliseconds | None = 0
    """How long the resource manager has no diagnostics text for its end; ``None``: it never comes (-7352)."""


class Exit(Struct, frozen=True):
    """How a container ends."""

    code: int = 0
    """0 to 255: what the user's program, or a signal, left. Negative: the launcher's own code of the cause, such as -7120
    preempted, -7122 out of memory, -7111 node lost, -7112 expired."""
    stderr: str = ""
    """What the program wrote last; the diagnostics text is made around it."""
    runtime_error: Mapping[str, object] | None = None
    """Printed by the runtime between its landmarks, as YAML, behind ``stderr``."""
    killed: bool = False
    """A signal from outside (137, 143) reads otherwise than a program that exits so by itself."""
    text: str | None = None
    """The whole diagnostics text, where it is known; else it is composed."""


SUCCESS = Exit()


class ContainerFate(Struct, frozen=True):
    """What the world does to one container of one task."""

    allocation: Milliseconds | None = 1000
    """From the request to the container; ``None``: starved for ever."""
    not_before: Instant | None = None
    """There is no room before this instant."""
    start: Milliseconds = 300
    """From the start order to the running program."""
    run: Milliseconds | None = None
    """From entering ``ends_in`` to the end; ``None``: until somebody stops it."""
    exit: Exit = SUCCESS
    ends_in: TaskState = TaskState.CONTAINER_RUNNING
    """The state the end comes in: CONTAINER_ALLOCATED (expired), CONTAINER_LAUNCHED (the node refused the start, -7150)
    or CONTAINER_RUNNING."""
    host: int | None = None
    """Index into the cluster's hosts; ``None``: from the dice."""
    ports: str | None = None
    """As the launcher spells them; ``None``: from the descriptor and the dice."""
    gpus: int | None = None
    """Bitmap; ``None``: the lowest free ones."""


class Behaviour(Protocol):
    """How the world treats one framework. Pure: it may be asked in any order, again and again."""

    def application_number(self, count: int) -> int:
        """The resource manager's sequence number of the framework's application ``count``; unique in the cluster."""

    def application(self, key: ApplicationKey) -> ApplicationFate: ...

    def container(self, key: ContainerKey) -> ContainerFate: ...


class ApplicationRule(Struct, frozen=True):
    """``None`` matches all."""

    fate: ApplicationFate
    version: int | None = None
    attempt: int | None = None
    count: int | None = None

    def matches(self, key: ApplicationKey) -> bool:
        return (
            self.version in (None, key.version)
            and self.attempt in (None, key.attempt)
            and self.count in (None, key.count)
        )


class ContainerRule(Struct, frozen=True):
    """``None`` matches all."""

    fate: ContainerFate
    version: int | None = None
    attempt: int | None = None
    role: str | None = None
    index: int | None = None
    task_attempt: int | None = None

    def matches(self, key: ContainerKey) -> bool:
        return (
            self.version in (None, key.application.version)
            and self.attempt in (None, key.application.attempt)
            and self.role in (None, key.role)
            and self.index in (None, key.index)
            and self.task_attempt in (None, key.task_attempt)
        )


class Rules(Struct, frozen=True):
    """A behaviour from rules: the first that matches decides, else the default."""

    applications: Sequence[ApplicationRule] = ()
    containers: Sequence[ContainerRule] = ()
    first_application: int = 1
    usual_application: ApplicationFate = ApplicationFate()
    usual_container: ContainerFate = ContainerFate()

    def application_number(self, count: int) -> int:
        return self.first_application + count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        return next((rule.fate for rule in self.applications if rule.matches(key)), self.usual_application)

    def container(self, key: ContainerKey) -> ContainerFate:
        return next((rule.fate for rule in self.containers if rule.matches(key)), self.usual_container)


class Story(Struct, frozen=True):
    """One framework name's whole life."""

    name: str
    cluster: Cluster
    operations: tuple[Operation, ...]
    """In time order; equal instants keep their order."""
    behaviour: Behaviour = field(default_factory=Rules)
    seed: str = ""
    """Of the launcher's own dice (hosts, ports, back-off, small delays)."""
    tags: tuple[str, ...] = ()
    """What only the private dialect tells."""
    most_applications: int = 1000
    most_containers: int = 20_000

    def __post_init__(self) -> None:
        instants = [operation.at for operation in self.operations]
        if instants != sorted(instants):
            raise ValueError("the operations of a story stand in time order")
