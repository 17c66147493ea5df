"""The three messages that are cut from an application's exit diagnostics (rulings 2.2).

The diagnostics are free text that jobs, YARN and the launcher wrote, at times cut off. So a cut that finds nothing gives
``None``, and no text can fail a request or hold it up: every cut is one pass over the text.
"""

import re
from typing import Final

from restserver.answers.yaml_values import NotPlainYaml, plain_value

# Hadoop before 2.9 prints the container's error between these two.
_OLD_START: Final = re.compile(r"ExitCodeException exitCode[^:\r\n]*:")
_OLD_START_WORD: Final = "ExitCodeException exitCode"
_OLD_END: Final = "at org.apache.hadoop.util.Shell.runCommand"

# Hadoop 2.9 and later prints the tails of two files instead, and the whole block twice.
_STDERR_TAIL: Final = "Last 4096 bytes of stderr :"
_PRELAUNCH_TAIL: Final = "Last 4096 bytes of prelaunch.err :"
_EXCEPTION_MESSAGE: Final = "Exception message:"
_STAMP: Final = r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\][ \t\r]*$"
_STDERR_END: Final = re.compile(_STAMP, re.MULTILINE | re.ASCII)
# An empty prelaunch.err is directly followed by the heading of stderr. What a job wrote may hold such a line as well as any other.
_PRELAUNCH_END: Final = re.compile(rf"{_STAMP}|^{re.escape(_STDERR_TAIL)}", re.MULTILINE | re.ASCII)
_PARAGRAPH_END: Final = re.compile(rf"\n[ \t\r]*\n|{_STAMP}", re.MULTILINE | re.ASCII)

_RUNTIME_START: Final = "[PAI_RUNTIME_ERROR_START]"
_RUNTIME_END: Final = "[PAI_RUNTIME_ERROR_END]"

_FIRST_LINE: Final = re.compile("[^\r\n\u2028\u2029]*")


def exit_messages(diagnostics: str | None, exit_code: int | None) -> dict[str, object]:
    """``container`` and ``launcher``: text or ``None``; ``runtime``: an object or ``None``."""
    text = diagnostics or ""
    return {
        "container": container_message(text),
        "runtime": runtime_message(text),
        "launcher": launcher_message(text, exit_code),
    }


def container_message(text: str) -> str | None:
    if _OLD_START_WORD in text or _OLD_END in text:
        return _old_container_message(text)
    return (
        _between(text, _STDERR_TAIL, _STDERR_END)
        or _between(text, _PRELAUNCH_TAIL, _PRELAUNCH_END)
        or _between(text, _EXCEPTION_MESSAGE, _PARAGRAPH_END)
    )


def runtime_message(text: str) -> dict[str, object] | None:
    """What PAI's runtime wrote about its own failure."""
    _, start, rest = text.partition(_RUNTIME_START)
    block, end, _ = rest.partition(_RUNTIME_END)
    if not (start and end):
        return None
    try:
        value = plain_value(block)
    except NotPlainYaml:
        return None
    return value if isinstance(value, dict) else None


def launcher_message(text: str, exit_code: int | None) -> str | None:
    if exit_code is not None and exit_code > 0:
        return None
    first = _FIRST_LINE.match(text)
    return first[0].strip() or None if first else None


def _old_container_message(text: str) -> str | None:
    start = _OLD_START.search(text)
    if start is None:
        return None
    end = text.find(_OLD_END, start.end())
    return None if end < 0 else text[start.end() : end].strip() or None


def _between(text: str, mark: str, end: re.Pattern[str]) -> str | None:
    """What follows the first such mark, up to such an end, or all of it."""
    _, found, rest = text.partition(mark)
    if not found:
        return None
    stop = end.search(rest)
    return (rest[: stop.start()] if stop else rest).strip() or None
