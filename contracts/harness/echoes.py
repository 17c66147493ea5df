"""What an answer must repeat of its request, and what must fit the time it was given at: more than a schema can say."""

import re
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote

from contracts.clock import Instant, from_iso
from contracts.harness.contract import Response
from contracts.harness.expectations import Expectation
from contracts.harness.findings import Objection
from contracts.harness.lines import Lines
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS
from contracts.harness.shown import place_of, shown
from contracts.harness.transport import Answered

DAY: Final = 86_400_000
TIMES: Final = re.compile(
    r"(?:created|completed|appLaunched|appCompleted)Time|container(?:Launched|Completed)Timestamp"
)
_PLACEHOLDER: Final = re.compile(r"\$[A-Za-z]+")


def echoes(
    operation: str, expected: Expectation, answer: Answered, response: Response, body: Any, lines: Lines
) -> Iterator[Objection]:
    """Of a body that is as its schema says."""
    if not isinstance(body, dict):
        return  # another document may leave open what a body is
    if answer.status >= 400:
        yield from _message(operation, expected, response, body, lines)
        return
    if operation in (GET_ATTEMPTS, GET_VERSIONS):
        for key, ids in body.items():
            if isinstance(ids, list) and ids != sorted(set(ids)):
                what = f"{key} is not ascending: {shown(ids)}"
                yield Objection("list: ascending", key, what, lines.of_field(operation, 200, [key]))
    for place, status in _statuses(operation, body):
        yield from _asked_for(operation, expected, place, status, lines)
    now = server_now(answer)
    for where, instant in times_in(body):
        if wrong := _wrong_time(instant, now):
            line = lines.of_field(operation, 200, where)
            yield Objection("time: milliseconds", str(where[-1]), f"{place_of(where)}: {wrong}", line)


def _asked_for(
    operation: str, expected: Expectation, place: tuple[str, ...], status: dict[str, Any], lines: Lines
) -> Iterator[Objection]:
    asked: dict[str, object] = {"name": expected.name}
    if operation == GET_ATTEMPT:
        asked |= {"attemptId": _integer(expected.attempt), "version": _integer(expected.version)}
    for key, wanted in asked.items():
        if wanted is not None and key in status and status[key] != wanted:
            what = f"{place_of((*place, key))} is {shown(status[key])}, but {shown(wanted)} was asked for"
            line = lines.of_field(operation, 200, (*place, key))
            yield Objection("echo: another one", "/".join((*place, key)), what, line)
    url = status.get("jobFullDetailUrl")
    if isinstance(url, str) and expected.name and not unquote(url).partition("?")[0].endswith(f"/jobs/{expected.name}"):
        where = (*place, "jobFullDetailUrl")
        what = f"{place_of(where)} is {shown(url)}, which is not the detail of {expected.name}"
        yield Objection("echo: another one", "/".join(where), what, lines.of_field(operation, 200, where))


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,10}", text, re.ASCII) else None


def _message(operation: str, expected: Expectation, response: Response, body: Any, lines: Lines) -> Iterator[Objection]:
    texts = [error.template for error in response.errors if error.code == body.get("code")]
    if texts and not any(_filled(text, expected).fullmatch(str(body.get("message"))) for text in texts):
        what = f"message: {shown(body.get('message'))} does not repeat what was asked for: {shown(texts[0])}"
        yield Objection("echo: message", body["code"], what, lines.of_status(operation, response.status, body["code"]))


def server_now(answer: Answered) -> Instant:
    """The server's own clock: what it says to simulate, else its ``Date``, else ours."""
    found = re.search(r"now=(\S+)", answer.header("x-simulated") or "")
    try:
        if found:
            return from_iso(found[1])
        return round(parsedate_to_datetime(answer.header("date") or "").timestamp() * 1000)
    except (ValueError, OverflowError):
        return answer.at


def _wrong_time(value: int, now: Instant) -> str | None:
    if 0 < value < now // 100 and now > 10**11:
        return f"{value} is no time in milliseconds: that would be in the year 1970; are these seconds?"
    if value > now + DAY:
        return f"{value} is more than a day after the server's own time, {now}"
    return None


def times_in(node: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, dict | list):
                yield from times_in(value, (*place, key))
            elif isinstance(value, int) and TIMES.fullmatch(key):
                yield (*place, key), value
    elif isinstance(node, list):
        for index, value in enumerate(node):
            if isinstance(value, dict):
                yield from times_in(value, (*place, index))


def _statuses(operation: str, body: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every ``jobStatus`` of an answer."""
    paths: Sequence[tuple[str, ...]] = ()
    if operation == GET_JOB:
        paths = (("jobStatus",),)
    elif operation == GET_ATTEMPT:
        paths = (("frameworkFullDetail", "jobStatus"), ("frameworkInfo", "jobStatus"))
    for path in paths:
        found: Any = body
        for key in path:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        if isinstance(found, dict):
            yield path, found


def _filled(template: str, expected: Expectation) -> re.Pattern[str]:
    """The message with what is known of the request in its places."""
    only_invalid = next(iter(expected.invalid.items())) if len(expected.invalid) == 1 else None
    known = {
        "$jobName": _exactly(expected.name),
        "$frameworkName": _exactly(expected.name),
        "$frameworkVersion": _number(expected.version, expected.invalid),
        "$frameworkAttemptId": _number(expected.attempt, expected.invalid),
        "$path": _exactly(None if "\ufffd" in expected.path else expected.path),
        "$method": _exactly(expected.method),
        "$parameter": _exactly(only_invalid[0] if only_invalid else None),
        "$value": _exactly(only_invalid[1] if only_invalid and "\ufffd" not in only_invalid[1] else None),
    }
    parts, end = [], 0
    for found in _PLACEHOLDER.finditer(template):
        parts += [re.escape(template[end : found.start()]), known.get(found.group(), r"[\s\S]*")]
        end = found.end()
    return re.compile("".join(parts) + re.escape(template[end:]))


def _exactly(text: str | None) -> str:
    return r"[\s\S]*" if text is None else re.escape(text)


def _number(text: str | None, invalid: object) -> str:
    """As given; leading zeros may be left out. Nothing asked for, or nothing that can be repeated: anything."""
    number = _integer(text)
    if text is None or number is None or invalid:
        return r"[\s\S]*"
    return f"(?:{re.escape(text)}|{number})"
