"""The texts of an end: what YARN and the launcher write when containers, masters and submissions fail.

Layout as recorded from Hadoop 2.9 (the last block of a failed container is printed twice). Java stack traces are cut to a
few frames: nobody reads more of them, and clients only use the first line.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.records import ExitType, Resource
from simulator.machine.story import Crashed, Exit, Killed

REPORT_START = "<LAUNCHER_AM_DIAGNOSTICS_START>"
REPORT_END = "<LAUNCHER_AM_DIAGNOSTICS_END>"
RUNTIME_ERROR_START = "[PAI_RUNTIME_ERROR_START]"
RUNTIME_ERROR_END = "[PAI_RUNTIME_ERROR_END]"
STDERR_TAIL_BYTES = 4096
SIGTERM_CODE = 143

NO_TEXT_OF_CODE = frozenset({-7151, -7152, -7153, -7154})
"""Causes the launcher itself found: YARN said nothing."""

TEXT_OF_CODE: Mapping[int, str] = {
    -7100: "",
    -7101: "",
    -7102: "Container released on a node with failed local disks",
    -7103: "Requested ports are already in use on the node",
    -7110: "Container aborted by YARN",
    -7111: "Container released on a *lost* node",
    -7112: "Container expired since it was unused",
    -7113: "Container of a completed application",
    -7120: "Container preempted by scheduler",
    -7126: "Container killed: external resource utilization spiked",
    -7150: "Unauthorized request to start container. This token is expired.",
}
KILLER_OF_CODE: Mapping[int, str] = {
    -7123: "Container killed by the ApplicationMaster.",
    -7124: "Container killed by the ResourceManager.",
    -7125: "Container killed on application completion.",
}
MEMORY_OF_CODE: Mapping[int, str] = {-7121: "virtual", -7122: "physical"}


_json = json.JSONEncoder(ensure_ascii=False).encode
"""On one line: the standard library indents in Python, slowly, and leaves cycles for the collector."""


class Report(Struct, frozen=True):
    """What a master says about the end of its application."""

    code: int
    description: str
    type: ExitType
    diagnostics: str | None
    trigger_message: str | None = None
    trigger_role: str | None = None
    trigger_index: int | None = None

    def within(self, most: int) -> "Report":
        """Cut to so many characters as a whole: from the end of the diagnostics first, then of the trigger's message."""
        too_many = len(wrapped_report(self)) - len(REPORT_START) - len(REPORT_END) - most
        if too_many <= 0:
            return self
        text, message = self.diagnostics or "", self.trigger_message or ""
        kept = max(0, len(text) - too_many)
        left = too_many - (len(text) - kept)
        return replace(
            self,
            diagnostics=self.diagnostics and text[:kept],
            trigger_message=self.trigger_message and message[: max(0, len(message) - max(0, left))],
        )


def stamp(instant: Instant) -> str:
    return f"[{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%d %H:%M:%S}.{instant % 1000:03d}]"


def container_text(end: Exit, container_id: str, at: Instant, resource: Resource) -> str | None:
    """The container's exit diagnostics: ``""`` for a success, ``None`` where YARN said nothing."""
    if end.text is not None:
        return end.text
    if end.code == 0:
        return ""
    if end.code > 0:
        return _killed_text(end.code, at) if end.killed else _failed_text(end, container_id, at)
    if end.code in NO_TEXT_OF_CODE:
        return None
    if end.code in KILLER_OF_CODE:
        return f"{KILLER_OF_CODE[end.code]}\n{_killed_text(SIGTERM_CODE, at)}"
    if end.code in MEMORY_OF_CODE:
        return _memory_text(MEMORY_OF_CODE[end.code], container_id, at, resource)
    return TEXT_OF_CODE.get(end.code, "")  # any other YARN status is passed through, and none of those has a text


def _failed_text(end: Exit, container_id: str, at: Instant) -> str:
    first, second = stamp(at), stamp(at + 1)
    block = (
        f"{second}Container exited with a non-zero exit code {end.code}. Error file: prelaunch.err.\n"
        f"Last 4096 bytes of prelaunch.err :\nLast 4096 bytes of stderr :\n{_stderr(end)}\n{second}"
    )
    return (
        f"{first}Exception from container-launch.\nContainer id: {container_id}\nExit code: {end.code}\n{first}\n"
        f"{block}\n{block}"
    )


def _stderr(end: Exit) -> str:
    lines = end.stderr if not end.stderr or end.stderr.endswith("\n") else f"{end.stderr}\n"
    if end.runtime_error is not None:
        # JSON values are YAML values, so no YAML writer is needed.
        body = "".join(f"{key}: {_json(value)}\n" for key, value in end.runtime_error.items())
        lines += f"{RUNTIME_ERROR_START}\n{body}{RUNTIME_ERROR_END}\n"
    return lines.encode()[-STDERR_TAIL_BYTES:].decode(errors="ignore")


def _killed_text(code: int, at: Instant) -> str:
    when = stamp(at)
    return (
        f"{when}Container killed on request. Exit code is {code}{when}\n"
        f"{when}Container exited with a non-zero exit code {code}. {when}\n{when}Killed by external signal"
    )


def _memory_text(kind: str, container_id: str, at: Instant, resource: Resource) -> str:
    allowed = resource.memory_mb
    virtual = f"{allowed * 2.1:.1f} MB"
    used = (
        f"{allowed} MB of {allowed} MB physical memory used; {allowed * 1.9:.1f} MB of {virtual} virtual memory used"
        if kind == "physical"
        else f"{allowed * 0.7:.1f} MB of {allowed} MB physical memory used; {virtual} of {virtual} virtual memory used"
    )
    process = 1000 + at % 30_000
    when = stamp(at)
    return (
        f"{when}Container [pid={process},containerID={container_id}] is running beyond {kind} memory limits. "
        f"Current usage: {used}. Killing container.\n"
        f"Dump of the process-tree for {container_id} :\n"
        "\t|- PID PPID PGRPID SESSID CMD_NAME USER_MODE_TIME(MILLIS) SYSTEM_TIME(MILLIS) VMEM_USAGE(BYTES)"
        " RSSMEM_USAGE(PAGES) FULL_CMD_LINE\n"
        f"\t|- {process} {process - 2} {process} {process} (bash) 0 0 4464640 747 /bin/bash -c\n"
        f"{when}\n{_killed_text(SIGTERM_CODE, at + 24)}"
    ).rsplit("\n", 1)[0]


def wrapped_report(report: Report) -> str:
    """As the resource manager shows it: the report between its landmarks."""
    told = {
        "applicationExitCode": report.code,
        "applicationExitDescription": report.description,
        "applicationExitDiagnostics": report.diagnostics,
        "applicationExitType": report.type.value,
        "applicationExitTriggerMessage": report.trigger_message,
        "applicationExitTriggerTaskRoleName": report.trigger_role,
        "applicationExitTriggerTaskIndex": report.trigger_index,
    }
    lines = ",".join(f'\n  "{key}" : {_json(value)}' for key, value in told.items())
    return f"{REPORT_START}{{{lines}\n}}{REPORT_END}"


def _trace(exception: str, message: str, *frames: str) -> str:
    return f"Exception:\n{exception}: {message}\n" + "".join(f"\tat {frame}\n" for frame in frames)


_LAUNCHER = "com.microsoft.frameworklauncher"
_YARN = "org.apache.hadoop.yarn"

EXCEPTION_OF_CODE: Mapping[int, str] = {
    -7200: f"{_YARN}.exceptions.InvalidResourceRequestException",
    -7201: "java.io.IOException",
    -7202: "java.lang.RuntimeException",
    -7203: f"{_YARN}.exceptions.YarnException",
    -7250: "java.lang.RuntimeException",
    -7251: f"{_LAUNCHER}.common.exceptions.NonTransientException",
    -7300: f"{_YARN}.exceptions.YarnException",
    -7301: "java.net.ConnectException",
    -7302: "java.lang.RuntimeException",
}


def exception_text(code: int, message: str) -> str:
    """Of a master that gave up, or a submission that failed; the first line is the message."""
    where = "service.Service.launchApplication" if code <= -7300 else "applicationmaster.ApplicationMaster.onError"
    source = where.split(".")[1]
    return f"{message}\n{_trace(EXCEPTION_OF_CODE[code], message, f'{_LAUNCHER}.{where}({source}.java)')}"


def gang_timeout_text(outstanding: int, seconds: int) -> str:
    return f"Still waiting for {outstanding} outstanding Tasks after timeout {seconds}s"


def memory_refusal(asked: int, most: int) -> str:
    return (
        "Invalid resource request, requested memory < 0, or requested memory > max configured, "
        f"requestedMemory={asked}, maxMemory={most}"
    )


def cpu_refusal(asked: int, most: int) -> str:
    return (
        "Invalid resource request, requested virtual cores < 0, or requested virtual cores > max configured, "
        f"requestedVirtualCores={asked}, maxVirtualCores={most}"
    )


def gpu_refusal(asked: int, most: int) -> str:
    """Composed like its siblings: the recorded Hadoop knows no GPUs."""
    return (
        "Invalid resource request, requested GPUs < 0, or requested GPUs > max configured, "
        f"requestedGPUs={asked}, maxGPUs={most}"
    )


def label_refusal(*, known: bool) -> str:
    """``known``: the cluster has labels, if not this one. Recorded is the text of a cluster without any."""
    if known:
        return "Invalid resource request, the queue doesn't have permission to access all labels in the request"
    return "Invalid resource request, node label not enabled but request contains label expression"


def submission_text(application_id: str, reason: str) -> str:
    """What the client of the resource manager makes of a submission that was rejected after it was taken."""
    return f"Failed to submit {application_id} to YARN : {reason}"


def queue_refusal(application_id: str, user: str, queue: str) -> str:
    return f"Application {application_id} submitted by user {user} to unknown queue: {queue}"


def killed_text(application_id: str, kill: Killed) -> str:
    text = f"Application {application_id} was killed by user {kill.by}"
    return text if kill.from_ip is None else f"{text} at {kill.from_ip}"


def crashed_text(
    application_id: str, crash: Crashed, at: Instant, attempts: int, validity: int, resource_manager: str
) -> str:
    """What YARN says when it gives an application up."""
    attempt = f"appattempt_{application_id.removeprefix('application_')}_{attempts:06d}"
    return (
        f"Application {application_id} failed {attempts} times in previous {validity} milliseconds"
        f" (global limit =10; local limit is ={attempts}) due to AM Container for {attempt} exited with"
        f"  exitCode: {crash.signal_code}\nFailing this attempt.Diagnostics: {_killed_text(crash.signal_code, at)}\n"
        f"For more detailed output, check the application tracking page: http://{resource_manager}/cluster/app/"
        f"{application_id} Then click on links to logs of each attempt.\n. Failing the application."
    )


def no_report_text(raw: str) -> str:
    """Of -7353: YARN's text holds no report."""
    why = f"Cannot find exit info inside AMDiagnostics by landmark regex [{REPORT_START}(.*){REPORT_END}]"
    trace = _trace(
        f"{_LAUNCHER}.common.exceptions.NotFoundException",
        why,
        f"{_LAUNCHER}.common.exit.AMDiagnostics.deserialize(AMDiagnostics.java)",
        f"{_LAUNCHER}.service.Service.retrieveApplicationExitCode(Service.java)",
    )
    return (
        f"Cannot get more exit info due to failed to deserialize AMDiagnostics: {why}\n{trace}\nAMDiagnostics:\n[{raw}]"
    )


def no_diagnostics_text(retries: int) -> str:
    """Of -7352: YARN never had a text."""
    why = f"AMDiagnostics is still empty after {retries} retries"
    trace = _trace(
        f"{_LAUNCHER}.common.exceptions.NotFoundException",
        why,
        f"{_LAUNCHER}.service.Service.retrieveApplicationExitDiagnostics(Service.java)",
    )
    return f"Cannot get more exit info due to failed to retrieve AMDiagnostics: {why}\n{trace}"


def waiting_for_master_text(at: Instant, *, activated: bool) -> str:
    """What YARN says of an application whose master does not run yet."""
    if activated:
        return "AM container is launched, waiting for AM container to Register with RM"
    when = datetime.fromtimestamp(at / 1000, UTC)
    return (
        f"[{when:%a %b %d %H:%M:%S} +0000 {when:%Y}] Application is Activated, waiting for resources to be assigned"
        " for AM.  Details : AM Partition = <DEFAULT_PARTITION> ; "
    )
