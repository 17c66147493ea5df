"""The simulated launcher's HTTP face against what the real one was recorded to answer: every request of the recordings of
paths, methods, media types, bodies, configuration, limits and access lists is made again, and the answers compared.

Compared are status, header names and values that do not name a time or a length, the exception and the first line of its
message (the order of several violations was never stable), and of what was stored the whole body. Differences stand in
:data:`KNOWN`, each with its reason.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import VirtualClock
from contracts.launcher.recordings import Exchange, exchanges
from simulator.http.access import Access
from simulator.http.open_paths import Web, open_routes
from simulator.http.server import LauncherServer
from simulator.http.writes import Writes
from simulator.launcher_state import LauncherRequests, launcher_configuration
from simulator.machine.story import DEPLOYED, FAST, Intervals
from simulator.submission.judging import Library
from tests.simulator.submitted_requests import SubmittedRequests
from tests.wire_exchange import Sent, send

FOLDER = Path("fixtures/recordings")
AT = 1_795_465_000_000


@dataclass(frozen=True)
class Known:
    """A difference that is meant."""

    what: str
    """Which aspect."""
    method: str
    path: str
    """A pattern of the whole path."""
    reason: str


HADOOP = "Hadoop's own servlets are not simulated: the launcher's consumers never ask them"
PAGES = "the page of Hadoop's error servlet is not simulated; the container's page stands there instead"

KNOWN = (
    Known("*", "GET", r"/(conf|jmx|metrics|stacks)", HADOOP),
    Known("*", "GET", r"/(ws/v1/cluster|frameworklauncher)", PAGES),
    Known("headers", "GET", r"/static/", PAGES),
    Known(
        "stored",
        "GET",
        "/v1/Frameworks/v-small/AggregatedFrameworkRequest",
        "the level of a migration is judged, then forgotten: it never had an effect",
    ),
)


def server(name: str) -> LauncherServer:
    clock = VirtualClock(AT, frozen=True)
    launcher = SubmittedRequests(clock)
    writes = Writes(
        launcher,
        launcher,
        launcher.names,
        LauncherRequests(clock),
        Library(gpu=False, port=False),
        10 if name.startswith("s18a") else 500_000,
        Access() if name.startswith("s21a") else None,
    )
    app = LauncherServer(open_routes(launcher, writes, Web()), clock)
    if name in OTHER_TASKS:
        assert send(app, "PUT", "/v1/Frameworks/besides", JSON_BODY, minimal(OTHER_TASKS[name])).status == 202
    return app


JSON_BODY = {"Content-Type": "application/json"}


def minimal(tasks: int) -> bytes:
    resource = {"cpuNumber": 1, "memoryMB": 1}
    service = {"version": 1, "entryPoint": "true", "sourceLocations": ["/x"], "resource": resource}
    return json.dumps({"version": 1, "taskRoles": {"w": {"taskNumber": tasks, "taskService": service}}}).encode()


def recorded(name: str) -> Iterator[Exchange]:
    def surprised(warning: str) -> None:
        raise AssertionError(warning)

    return exchanges(FOLDER / f"{name}.jsonl.gz", surprised)


NOT_COMPARED = {"date", "expires", "content-length", "transfer-encoding"}


def recorded_headers(exchange: Exchange) -> list[tuple[str, str]]:
    pairs = []
    for name, value in exchange.response.headers.items():
        pairs += [(name, each) for each in (value if isinstance(value, list) else [value])]
    return pairs


def shown(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sorted by name, so that the doubled one keeps its order."""
    told = [(name.lower(), re.sub(r"\s*;\s*", "; ", value)) for name, value in headers]
    kept = [(name, value) for name, value in told if name not in NOT_COMPARED]
    names = [(name, "") for name, _ in told if name in ("date", "expires")]
    return sorted([*kept, *names], key=lambda pair: pair[0])


def has_length(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-length" for name, _ in headers)


def error_of(body: str) -> Any:
    """Exception and first line, of JSON or XML; ``None``: it is no error object."""
    if body.startswith("<?xml") and "<exception>" in body:
        found = re.search(r"<exception>(.*?)</exception><message>(.*?)\n", body, re.DOTALL)
        assert found
        return found[1], _settled(found[2].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">"))
    try:
        told = json.loads(body)
    except ValueError:
        return None
    if isinstance(told, dict) and "exception" in told:
        return told["exception"], _settled(told["message"].split("\n")[0])
    return None


def _settled(line: str) -> str:
    line = re.sub(r"HttpParser\$Input@\w+", "HttpParser$Input@0", line)
    head, found, listed = line.partition("ConstraintViolationException: ")
    # A reason may hold a comma of its own, so it is split where a path begins.
    reasons = sorted(re.split(r", (?=[A-Za-z]+(?:\[[^\]]*\])?(?:\.[A-Za-z]+(?:\[[^\]]*\])?)*: )", listed))
    return head + found + " & ".join(reasons)


STORED = re.compile(r"/v1/(Frameworks/[^/]+/(Aggregated)?FrameworkRequest|LauncherRequest.*)")
TIMES = ("firstRequestTimestamp", "lastRequestTimestamp")


def stored(body: str) -> Any:
    return json.loads(re.sub(rf'"({"|".join(TIMES)})" : \d+', r'"\1" : 0', body))


def body_of(exchange: Exchange) -> bytes:
    return (exchange.request.body or "").encode()


LEFT_OUT = "(body of "
"""So begins what stands in place of a body that was not kept."""


def differences(exchange: Exchange, sent: Sent) -> Iterator[tuple[str, object, object]]:
    request, response = exchange.request, exchange.response
    was, now = response.body or "", sent.body.decode("utf-8", "replace")
    yield "status", response.status, sent.status
    yield "headers", shown(recorded_headers(exchange)), shown(sent.headers)
    yield "length", has_length(recorded_headers(exchange)), has_length(sent.headers)
    if not was.startswith(LEFT_OUT):
        yield "error", error_of(was), error_of(now)
    if response.status == 200 and request.method == "GET" and STORED.fullmatch(request.path):
        yield "stored", stored(was), stored(now)
    if response.status == 200 and request.method == "GET" and request.path in ("/", "/v1", "/v1/"):
        yield "stored", was, now


def excused(what: str, exchange: Exchange) -> bool:
    return any(excuses(known, what, exchange) for known in KNOWN)


def excuses(known: Known, what: str, exchange: Exchange) -> bool:
    return (
        known.what in ("*", what)
        and known.method == exchange.request.method
        and re.fullmatch(known.path, exchange.request.path) is not None
    )


OTHER_TASKS = {"s12c-validation": 23, "s18a-retention-20s-and-task-limit-10": 3}
"""Tasks of frameworks that stood on the recorded launcher besides; its message of the total counts them."""

REPLAYED = (
    "s12a-get-and-paths",
    "s12b-methods-and-content-types",
    "s12c-validation",
    "s12d-launcher-configuration",
    "s21a-acl",
)


@pytest.mark.parametrize("name", REPLAYED)
def test_every_recorded_request_is_answered_as_recorded(name: str) -> None:
    app = server(name)
    wrong = []
    for exchange in recorded(name):
        request = exchange.request
        headers = {key: str(value) for key, value in request.headers.items()}
        host = "127.0.0.1:9087" if name.startswith("s21a") else "127.0.0.1:9086"
        sent = send(app, request.method, request.path, headers, body_of(exchange), host)
        wrong += [
            f"{request.method} {request.path[:80]} {headers} {(request.body or '')[:60]}\n  {what}: {was}\n  not    {now}"
            for what, was, now in differences(exchange, sent)
            if was != now and not excused(what, exchange)
        ]
    assert wrong == []


def test_the_recorded_writes_against_the_total_of_tasks_are_let_in_and_refused_as_recorded() -> None:
    name = "s18a-retention-20s-and-task-limit-10"
    app = server(name)
    writes = [e for e in recorded(name) if "/alice~lim-" in e.request.path and e.request.method != "GET"]
    statuses = []
    for exchange in writes:
        headers = {key: str(value) for key, value in exchange.request.headers.items()}
        sent = send(app, exchange.request.method, exchange.request.path, headers, body_of(exchange))
        assert (sent.status, error_of(sent.body.decode())) == (
            exchange.response.status,
            error_of(exchange.response.body or ""),
        )
        statuses.append(sent.status)
    assert statuses.count(429) == 3


WHERE_IT_RAN = {"zkRootDir", "hdfsRootDir", "webServerBindHost", "webServerAddress"}
"""Of no consequence to a client: two launchers stood side by side on the recorded machine."""


@pytest.mark.parametrize(
    ("name", "pace", "access"), [("s12a-get-and-paths", FAST, None), ("s21a-acl", DEPLOYED, Access())]
)
def test_a_launcher_is_set_up_as_the_recorded_one_of_its_pace(
    name: str, pace: Intervals, access: Access | None
) -> None:
    configuration = launcher_configuration(
        pace, 500_000, "", acl=access is not None, acl_ignores_no_namespace=access is not None
    )
    told = [e.response.body or "" for e in recorded(name) if e.request.path == "/v1/LauncherStatus"]
    was = next(json.loads(body)["launcherConfiguration"] for body in told if "launcherConfiguration" in body)
    assert list(configuration) == list(was)
    assert {key for key in was if was[key] != configuration[key]} <= WHERE_IT_RAN


def test_every_known_difference_still_is_one() -> None:
    """A difference that went away must leave the list."""
    seen: set[Known] = set()
    for name in REPLAYED:
        app = server(name)
        for exchange in recorded(name):
            request = exchange.request
            headers = {key: str(value) for key, value in request.headers.items()}
            sent = send(app, request.method, request.path, headers, body_of(exchange))
            for what, was, now in differences(exchange, sent):
                if was != now:
                    seen |= {known for known in KNOWN if excuses(known, what, exchange)}
    assert seen == set(KNOWN)
