"""The exit codes the launcher knows, each with its name, type and description: the one home of that table.

The server ships it as its exit spec (rulings 2.1), the simulator ends its stories with it. A positive code belongs to the
user's container and is found only if its exit spec names it; any other code is UNKNOWN, never an error.

Source: launcher fact sheet, sections 5.2 to 5.4. Descriptions are the launcher's exact words where the recordings show
them (marked ``seen``), our own words elsewhere.
"""

from collections.abc import Mapping

from msgspec import Struct

from contracts.launcher.records import ExitType

STOP_FRAMEWORK = -7351
"""A user stopped the framework."""
STOP_TASK = -7400
"""The task outlived its application; only the web server shows it."""
PRIVATE_STOP_FRAMEWORK = -170090
PRIVATE_STOP_TASK = -170091

STOP_FRAMEWORK_CODES = frozenset({STOP_FRAMEWORK, PRIVATE_STOP_FRAMEWORK})
STOP_TASK_CODES = frozenset({STOP_TASK, PRIVATE_STOP_TASK})
"""Both stop codes mean STOPPED whichever dialect spoke (rulings 6.3)."""


class Exit(Struct, frozen=True):
    code: int
    name: str
    type: ExitType
    description: str
    raw: int | None = None
    """The YARN container status it is recognised from; ``None``: the launcher itself assigns the code."""
    text: str | None = None
    """What the container's diagnostics must contain besides, in any case."""


_OK = ExitType.SUCCEEDED
_TN = ExitType.TRANSIENT_NORMAL
_TC = ExitType.TRANSIENT_CONFLICT
_NT = ExitType.NON_TRANSIENT
_UN = ExitType.UNKNOWN

PREDEFINED: tuple[Exit, ...] = (
    # The web server, about a task
    Exit(STOP_TASK, "TASK_STOPPED_ON_APP_COMPLETION", _NT, "Task stopped by Launcher due to its app is already completed"),  # seen
    # The service, about the application
    Exit(-7353, "APP_AM_DIAGNOSTICS_DESERIALIZATION_FAILED", _TN, "Failed to deserialize AMDiagnostics from YARN, maybe it is corrupted or Launcher AM unexpectedly crashed frequently without generating AMDiagnostics"),  # seen
    Exit(-7352, "APP_AM_DIAGNOSTICS_LOST", _TN, "YARN gave no diagnostics of the application, so its exit report is lost"),
    Exit(STOP_FRAMEWORK, "APP_STOP_FRAMEWORK_REQUESTED", _NT, "App stopped by Launcher due to user StopFrameworkRequest"),  # seen
    Exit(-7350, "APP_RM_RESYNC_LOST", _TN, "App lost after Launcher Service resynced with YARN RM"),  # seen
    Exit(-7303, "APP_KILLED_UNEXPECTEDLY", _TN, "App killed unexpectedly and directly through YARN RM"),  # seen
    Exit(-7302, "APP_SUBMISSION_UNKNOWN_EXCEPTION", _UN, "The application could not be submitted, for an unforeseen reason"),
    Exit(-7301, "APP_SUBMISSION_IO_EXCEPTION", _TN, "The application could not be submitted: no connection to the resource manager"),
    Exit(-7300, "APP_SUBMISSION_YARN_EXCEPTION", _NT, "Failed to submit App to YARN RM due to YarnException, maybe App is non-compliant"),  # seen
    # The application master, about the application
    Exit(-7252, "AM_GANG_ALLOCATION_TIMEOUT", _TC, "Launcher AM failed due to all the requested resource cannot be satisfied in time"),  # seen
    Exit(-7251, "AM_NON_TRANSIENT_EXCEPTION", _NT, "Launcher AM failed due to NonTransientException, maybe App is non-compliant"),  # seen
    Exit(-7250, "AM_UNKNOWN_EXCEPTION", _TN, "The application master failed for an unforeseen reason"),
    Exit(-7203, "AM_RM_HEARTBEAT_SHUTDOWN_REQUESTED", _TN, "The resource manager told the application master to shut down"),
    Exit(-7202, "AM_RM_HEARTBEAT_UNKNOWN_EXCEPTION", _TN, "The application master's heartbeat to the resource manager failed for an unforeseen reason"),
    Exit(-7201, "AM_RM_HEARTBEAT_IO_EXCEPTION", _TN, "The application master's heartbeat did not reach the resource manager"),
    Exit(-7200, "AM_RM_HEARTBEAT_YARN_EXCEPTION", _NT, "Launcher AM failed to heartbeat with YARN RM due to YarnException, maybe App is non-compliant"),  # seen
    # The application master, about a container
    Exit(-7154, "CONTAINER_AGENT_EXPIRED", _TN, "The container's agent sent no heartbeat for too long"),
    Exit(-7153, "CONTAINER_MIGRATE_TASK_REQUESTED", _TN, "Container killed by Launcher due to user MigrateTaskRequest"),  # seen
    Exit(-7152, "CONTAINER_RM_RESYNC_EXCEEDED", _NT, "The resource manager lists a container that no task owns"),
    Exit(-7151, "CONTAINER_RM_RESYNC_LOST", _TN, "The resource manager no longer lists the container"),
    Exit(-7150, "CONTAINER_NM_LAUNCH_FAILED", _TN, "The node manager refused to start the container"),
    Exit(-7126, "CONTAINER_EXTERNAL_UTILIZATION_SPIKED", _TN, "YARN killed the container because other load on the node spiked", -200),
    Exit(-7125, "CONTAINER_KILLED_ON_APP_COMPLETION", _TN, "The resource manager killed the container because its application had ended", -107),
    Exit(-7124, "CONTAINER_KILLED_BY_RM", _TN, "The resource manager killed the container", -106),
    Exit(-7123, "CONTAINER_KILLED_BY_AM", _TN, "The application master killed the container", -105),
    Exit(-7122, "CONTAINER_PHYSICAL_MEMORY_EXCEEDED", _NT, "Container killed by YARN due to it exceeded the request physical memory", -104),  # seen
    Exit(-7121, "CONTAINER_VIRTUAL_MEMORY_EXCEEDED", _NT, "The container used more virtual memory than it asked for, so YARN killed it", -103),
    Exit(-7120, "CONTAINER_PREEMPTED", _TN, "YARN took the container's resources for somebody with a better claim", -102),
    Exit(-7113, "CONTAINER_ABORTED_ON_AM_RESTART", _TC, "The resource manager dropped the container while the application master restarted", -100, "Container of a completed application"),
    Exit(-7112, "CONTAINER_EXPIRED", _TC, "Container previously allocated is expired due to it is not launched on YARN NM in time, maybe other containers cannot be allocated in time", -100, "Container expired since it was unused"),  # seen
    Exit(-7111, "CONTAINER_NODE_LOST", _TN, "Container lost due to node lost, maybe its YARN NM is down for a long time", -100, "Container released on a *lost* node"),  # seen
    Exit(-7110, "CONTAINER_ABORTED", _TN, "YARN aborted the container", -100),
    Exit(-7103, "CONTAINER_PORT_CONFLICT", _TN, "A port of the container was already taken on the node", -210),
    Exit(-7102, "CONTAINER_NODE_DISKS_FAILED", _TN, "A local disk of the node is bad or full", -101),
    Exit(-7101, "CONTAINER_NOT_AVAILABLE_EXIT_STATUS", _TN, "The container left no exit status; its process may never have started", -2517),
    Exit(-7100, "CONTAINER_INVALID_EXIT_STATUS", _TN, "The container has no valid exit status; its environment may not have been set up", -1000),
    Exit(0, "SUCCEEDED", _OK, "Succeeded", 0),  # seen
)  # fmt: skip
"""Ascending codes: the order in which a container's exit is recognised."""

USER_CONTAINER: tuple[Exit, ...] = (
    Exit(130, "SIGINT", _TN, "Container killed by OS Signal: SIGINT"),
    Exit(132, "SIGILL", _NT, "Container killed by OS Signal: SIGILL"),
    Exit(134, "SIGABRT", _UN, "Container killed by OS Signal: SIGABRT"),
    Exit(135, "SIGBUS", _NT, "Container killed by OS Signal: SIGBUS"),
    Exit(136, "SIGFPE", _NT, "Container killed by OS Signal: SIGFPE"),
    Exit(137, "SIGKILL", _TN, "Container killed by OS Signal: SIGKILL"),
    Exit(139, "SIGSEGV", _NT, "Container killed by OS Signal: SIGSEGV"),
    Exit(141, "SIGPIPE", _NT, "Container killed by OS Signal: SIGPIPE"),
    Exit(143, "SIGTERM", _TN, "Container killed by OS Signal: SIGTERM"),
    Exit(154, "EXIT_CODE_FILE_MISSING", _TN, "Container exitcode file cannot be found by NM, maybe node unexpected shutdown, disk cleaned up or disk failure"),
    Exit(193, "USER_TRANSIENT", _TN, "Container exited with the general exitcode for TRANSIENT_NORMAL"),
    Exit(194, "USER_NON_TRANSIENT", _NT, "Container exited with the general exitcode for NON_TRANSIENT"),
)  # fmt: skip
"""The exit spec for users' containers as shipped. All descriptions are as seen; the names are ours, the launcher has none."""

UNKNOWN_OF_CONTAINER = "Container exited with unknown exitcode which is issued from itself"  # seen
UNKNOWN_OF_YARN = "YARN ended the container with an exit code that is not known"

SEEN_DESCRIPTIONS = frozenset(
    {-7400, -7353, -7351, -7350, -7303, -7300, -7252, -7251, -7200, -7153, -7122, -7112, -7111, 0}
) | {row.code for row in USER_CONTAINER}
"""Codes whose description is the launcher's exact words, as recorded; the other rows have words of our own."""

EXITS: Mapping[int, Exit] = {row.code: row for row in (*PREDEFINED, *USER_CONTAINER)}


def exit_type(code: int) -> ExitType:
    """Its type; UNKNOWN for a code of no row."""
    row = EXITS.get(code)
    return row.type if row else ExitType.UNKNOWN


def description(code: int) -> str:
    """Its description; for a code of no row one of two general texts, by who issued it."""
    row = EXITS.get(code)
    if row:
        return row.description
    return UNKNOWN_OF_CONTAINER if code >= 0 else UNKNOWN_OF_YARN


def exit_code_of(yarn_status: int, diagnostics: str | None = None) -> int:
    """The launcher's code for a container's YARN status; a status of no row is kept as it is.

    Specific codes stand before general ones (-7113 to -7111 before -7110), so the first match is the right one.
    """
    said = (diagnostics or "").casefold()
    for row in PREDEFINED:
        if row.raw == yarn_status and (row.text is None or row.text.casefold() in said):
            return row.code
    return yarn_status


def exit_spec() -> list[dict[str, object]]:
    """The table as the rows of an exit-spec file (rulings 2.1)."""
    return [
        {"code": row.code, "name": row.name, "type": row.type.value, "description": row.description}
        for row in EXITS.values()
    ]
