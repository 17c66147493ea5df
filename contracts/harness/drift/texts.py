"""Simulator to real, in texts: ids, addresses and diagnostics as patterns, and what they must agree with.

Only texts that the launcher and YARN make are judged. What a user's program printed, and the messages of exceptions, are theirs.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from contracts.harness.shown import shown
from contracts.launcher import exits
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import ExitType, Framework, TaskStatus

TIME = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d{3}\]"
_APPLICATION = r"application_\d{9,}_\d{4,}"
_CONTAINER = r"container_(?:e\d+_)?\d{9,}_\d{4,}_\d{2,}_\d{6,}"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_ADDRESS = rf"https?://(?:{_HOST}|\[[0-9a-fA-F:]+\])(?::\d+)?"

PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {
    "application_id": re.compile(_APPLICATION),
    "application_tracking_url": re.compile(rf"{_ADDRESS}/(?:proxy|cluster/app)/{_APPLICATION}/?"),
    "application_exit_trigger_message": re.compile(
        r"(?:Failed|Succeeded)TaskCount \d+ has reached Min(?:Failed|Succeeded)TaskCount \d+ in TaskRole \[[^\]]+\]"
        r"|All Tasks completed and no ApplicationCompletionPolicy has ever been triggered:"
        r" TotalTaskCount: \d+, FailedTaskCount: \d+"
    ),
    "container_id": re.compile(_CONTAINER),
    "container_host": re.compile(_HOST),
    "container_ip": re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]+:[0-9a-fA-F:.]*"),
    "container_ports": re.compile(r"(?:[^:;,]+:\d+(?:,\d+)*,?;)*"),
    "container_log_http_address": re.compile(rf"{_ADDRESS}/node/containerlogs/{_CONTAINER}/[^/]+/?"),
}
"""What a whole field looks like, if it is not null."""

_OF_PROGRAM = re.compile(
    rf"{TIME}Exception from container-launch\.\nContainer id: {_CONTAINER}\nExit code: (?P<code>\d+)\n.*"
    rf"|{TIME}Container killed on request\. Exit code is (?P<killed>\d+){TIME}?\n.*"
    r"|Exception from container-launch\.\n.*",  # Hadoop before 2.9
    re.DOTALL,
)
_OF_MEMORY = r"Container \[pid=\d+,containerID=%s\] is running beyond %s memory limits\. .*"
DIAGNOSTICS: Final[Mapping[int, re.Pattern[str] | None]] = {
    -7400: None,
    -7353: re.compile(r"Cannot get more exit info .*", re.DOTALL),
    -7351: None,
    -7303: re.compile(rf"Application {_APPLICATION} was killed by user .*", re.DOTALL),
    -7252: re.compile(r"Still waiting for \d+ outstanding Tasks after timeout \d+s.*", re.DOTALL),
    -7153: None,
    -7122: re.compile(rf"(?:{TIME})?{_OF_MEMORY % (_CONTAINER, 'physical')}", re.DOTALL),
    -7121: re.compile(rf"(?:{TIME})?{_OF_MEMORY % (_CONTAINER, 'virtual')}", re.DOTALL),
    -7112: re.compile(r"Container expired since it was unused"),
    -7111: re.compile(r"Container released on a \*lost\* node"),
}
"""By exit code; ``None``: there is no text. Codes that are not here have texts nobody has seen, or anybody's."""


class Odd(NamedTuple):
    about: str
    what: str


def odd_texts(record: Framework) -> Iterator[Odd]:
    status = record.status
    for field in ("application_id", "application_tracking_url", "application_exit_trigger_message"):
        yield from _pattern(field, getattr(status, field))
    if status.application_id and status.application_id not in (
        status.application_tracking_url or status.application_id
    ):
        yield Odd("application_tracking_url", "the tracking url is another application's")
    yield from _exit(
        status.application_exit_code,
        status.application_exit_type,
        status.application_exit_description,
        status.application_exit_diagnostics,
    )
    for task in tasks_of(record).values():
        yield from _of_task(record, task)


def _of_task(record: Framework, task: TaskStatus) -> Iterator[Odd]:
    for field in ("container_id", "container_host", "container_ip", "container_ports", "container_log_http_address"):
        yield from _pattern(field, getattr(task, field))
    container, log = task.container_id, task.container_log_http_address
    if container is not None and log is not None and container not in log:
        yield Odd("container_log_http_address", "the log address is another container's")
    application = record.status.application_id
    if container is not None and application is not None and application.removeprefix("application_") not in container:
        yield Odd("container_id", "the container is another application's")
    yield from _exit(
        task.container_exit_code,
        task.container_exit_type,
        task.container_exit_description,
        task.container_exit_diagnostics,
    )


def _pattern(field: str, value: str | None) -> Iterator[Odd]:
    if value is not None and not PATTERNS[field].fullmatch(value):
        yield Odd(field, f"{field} is {shown(value)}, which no text of the simulator looks like")


def _exit(code: int | None, type_: ExitType | None, description: str | None, text: str | None) -> Iterator[Odd]:
    if code is None:
        return
    row = exits.EXITS.get(code)
    # A launcher without the user's exit spec knows no positive code.
    unspecified = code > 0 and type_ is ExitType.UNKNOWN and description == exits.UNKNOWN_OF_CONTAINER
    if row is not None and not unspecified:
        if type_ is not None and type_ is not row.type:
            yield Odd(f"exit type of {code}", f"exit code {code} is {type_}, not {row.type}")
        if code in exits.SEEN_DESCRIPTIONS and description not in (None, row.description):
            yield Odd(f"exit description of {code}", f"exit code {code} is described as {shown(description)}")
    if code > 0 and row is None and type_ not in (None, ExitType.UNKNOWN):
        yield Odd("exit type of a program's code", f"exit code {code}, which no table has, is {type_}")
    yield from _diagnostics(code, text)


def _diagnostics(code: int, text: str | None) -> Iterator[Odd]:
    if code == 0 and text:
        yield Odd("diagnostics of 0", f"a success with diagnostics {shown(text)}")
    elif code > 0 and text is not None:
        found = _OF_PROGRAM.fullmatch(text)
        if found is None:
            yield Odd("diagnostics of a program", f"diagnostics of exit code {code} begin with {shown(text[:80])}")
        elif (said := found["code"] or found["killed"]) is not None and int(said) != code:
            yield Odd("diagnostics of a program", f"diagnostics of exit code {code} speak of {said}")
    elif code in DIAGNOSTICS:
        pattern = DIAGNOSTICS[code]
        if text is not None and (pattern is None or not pattern.fullmatch(text)):
            yield Odd(f"diagnostics of {code}", f"diagnostics of exit code {code} begin with {shown(text[:80])}")


def own_words(record: Framework) -> Iterator[str]:
    """Descriptions that the real launcher has and the simulator only knows in words of its own: worth writing down."""
    exits_told = [(record.status.application_exit_code, record.status.application_exit_description)]
    exits_told += [(task.container_exit_code, task.container_exit_description) for task in tasks_of(record).values()]
    for code, description in exits_told:
        row = None if code is None else exits.EXITS.get(code)
        if row is not None and row.code not in exits.SEEN_DESCRIPTIONS and description not in (None, row.description):
            yield f"the launcher's words for exit code {code} are {shown(description)}; the simulator's are its own"
