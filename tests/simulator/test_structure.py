"""The documents of simulated frameworks and of recorded ones, compared both ways: in each state of a framework, and of a task,
the same keys, types, null-ness and formats. Of the shipped recordings, or of any other folder (``pytest --recordings DIR``).

Differences are listed, each with its reason; one that is not there any more is not listed.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from contracts.clock import VirtualClock, from_iso
from contracts.launcher.open_dialect import encode_framework
from contracts.launcher.timelines import read_recordings
from simulator.simulation import Simulation
from simulator.world.world import newest_first
from tests.contracts.recorded_records import FOLDER

Seen: TypeAlias = Mapping[str, Mapping[str, frozenset[str]]]
"""By the part of a document and the state it is in: what stood at each of its paths."""

FORMATS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("empty", ""),
        ("application id", r"application_\d{13}_\d{4,}"),
        ("container id", r"container_\d{13}_\d{4,}_\d\d_\d{6}"),
        ("log address", r"http://[\w.-]+:\d+/node/containerlogs/container_\w+/[^/]+/"),
        ("tracking address", r"http://[\w.-]+:\d+/proxy/application_\w+/"),
        ("IPv4", r"\d+\.\d+\.\d+\.\d+"),
        ("word", r"[A-Z][A-Z_]+"),
        ("ports", r"([\w.~-]+:\d+(,\d+)*;)+"),
        ("YARN's words", r"(?s)\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\].*"),
        ("trigger", r"(Failed|Succeeded)TaskCount \d+ has reached Min.*|All Tasks completed and .*"),
    )
)
MAPS = frozenset({"taskRoles", "aggregatedTaskRoleStatuses", "migrateTaskRequests", "portDefinitions"})
"""Their keys are names that people gave."""


def form(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "instant" if value > 10**12 else "integer"
    if isinstance(value, float):
        return "fraction"
    assert isinstance(value, str)
    return next((name for name, pattern in FORMATS if pattern.fullmatch(value)), "text")


def paths(document: object, at: str = "", last: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(document, dict):
        if not document:
            yield at, "{}"
        for key, value in document.items():
            yield from paths(value, f"{at}.{'*' if last in MAPS else key}", key)
    elif isinstance(document, list):
        for value in document:
            yield from paths(value, f"{at}[]")
    else:
        yield at, form(document)


def parts(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What a state decides, by that state: the framework's for its summary and status, each task's own for itself."""
    status = document["aggregatedFrameworkStatus"]
    state = status["frameworkStatus"]["frameworkState"]
    yield f"summary, {state}", document["summarizedFrameworkInfo"]
    yield f"status, {state}", status["frameworkStatus"]
    yield "request", document["aggregatedFrameworkRequest"]
    for role in status["aggregatedTaskRoleStatuses"].values():
        yield "role", role["taskRoleStatus"]
        for task in role["taskStatuses"]["taskStatusArray"]:
            outlived = " (-7400)" if task["containerExitCode"] == -7400 else ""
            yield f"task, {task['taskState']}{outlived}", task


def seen_in(documents: Iterator[Mapping[str, Any]]) -> Seen:
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for document in documents:
        for part, content in parts(document):
            for at, what in paths(content):
                found[part][at].add(what)
    return {part: {at: frozenset(forms) for at, forms in each.items()} for part, each in found.items()}


@cache
def recorded(folder: Path) -> Seen:
    timelines = read_recordings(folder).frameworks.values()
    return seen_in(json.loads(said.body) for timeline in timelines for said in timeline.said if said.status == 200)


@cache
def simulated() -> Seen:
    """Every shipped story and some jobs of the default profile, whenever anything changes about them for a day."""
    clock = VirtualClock(from_iso("2026-03-01T12:00:00Z"), frozen=True)
    world = Simulation(1, 60, clock)

    def documents() -> Iterator[Mapping[str, Any]]:
        for told in newest_first(world.world, clock.now()):
            timeline, at = world.launcher.unfolded.timeline(told), told.begins
            for _ in range(80):
                record, change = timeline.at(at), timeline.next_change(at)
                if record is not None:
                    yield encode_framework(record)
                if change is None or change > clock.now() + 24 * 3_600_000:
                    break
                at = change

    return seen_in(documents())


NOT_RECORDED = {
    "summary, APPLICATION_RETRIEVING_DIAGNOSTICS": "it lasts milliseconds, unless diagnostics are late",
    "status, APPLICATION_RETRIEVING_DIAGNOSTICS": "the same",
    "task, CONTAINER_COMPLETED": "two steps of one task of the master's queue: no look ever fell between them",
}
"""States that no recording may show. Ours may be looked at wherever it jumps over one."""

_ASKED = "people ask for what they like, and it comes back as they asked for it"
REASONS: tuple[tuple[str, str, str], ...] = (
    (r"request: .*\.parentFramework\.\w+", r"text|flag", _ASKED),
    (r"request: .*NodeLabel", r"text", _ASKED),
    (r"request: .*\.portDefinitions\.\*\.\w+", r"integer", _ASKED),
    (r"summary, \w+: \.frameworkDescription", r"text", _ASKED),
    (r"task, .*: \.containerPorts", r"ports", "the recorded Hadoop knows no ports"),
    (
        r"status, APPLICATION_COMPLETED: \.applicationExitTrigger\w+",
        r"text|trigger|integer",
        "few ends led to a back-off",
    ),
)
"""Where, which forms, and why one side may have them and not the other."""


def differences(ours: Seen, theirs: Seen, *, keys_only: bool = False) -> Iterator[tuple[str, str]]:
    """What ``ours`` has that ``theirs`` has not, in the states that both have: where, and which form."""
    for part in sorted(set(ours) & set(theirs)):
        for at, forms in ours[part].items():
            known = theirs[part].get(at, frozenset())
            for what in () if keys_only and known else sorted(forms - known):
                yield f"{part}: {at}", what


def reason_of(place: str, what: str) -> str | None:
    """Its pattern, if there is one."""
    return next(
        (where for where, forms, _ in REASONS if re.fullmatch(where, place) and re.fullmatch(forms, what)), None
    )


def without_a_reason(found: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    return [difference for difference in found if reason_of(*difference) is None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "folder" in metafunc.fixturenames:
        metafunc.parametrize("folder", [Path(metafunc.config.getoption("--recordings") or FOLDER)])


@pytest.mark.no_cover
def test_what_is_simulated_is_as_it_was_recorded(folder: Path) -> None:
    """Which forms a recording shows depends on what happened in it; which keys it has does not."""
    theirs = recorded(folder)
    if folder == Path(FOLDER):
        assert without_a_reason(differences(simulated(), theirs)) == []
    else:
        ours = {part: content for part, content in simulated().items() if part != "request"}  # see _ASKED
        assert without_a_reason(differences(ours, theirs, keys_only=True)) == []


@pytest.mark.no_cover
def test_what_was_recorded_is_as_it_is_simulated(folder: Path) -> None:
    assert without_a_reason(differences(recorded(folder), simulated())) == []


def test_every_state_is_on_both_sides_or_listed(folder: Path) -> None:
    assert set(recorded(folder)) <= set(simulated())
    if folder == Path(FOLDER):
        assert set(simulated()) - set(recorded(folder)) == set(NOT_RECORDED)


def test_every_reason_is_needed() -> None:
    real, ours = recorded(Path(FOLDER)), simulated()
    used = {reason_of(*difference) for pair in ((real, ours), (ours, real)) for difference in differences(*pair)}
    assert used == {where for where, _, _ in REASONS}


def test_the_comparison_can_fail() -> None:
    """A key too few, a wrong type, a null and another format are each seen."""
    good: Seen = {"task, TASK_WAITING": {".a": frozenset({"integer"}), ".b": frozenset({"container id"})}}
    for at, forms in ((".b", None), (".a", "text"), (".a", "null"), (".b", "text")):
        bad = {key: value for key, value in good["task, TASK_WAITING"].items() if forms or key != at}
        other: Seen = {"task, TASK_WAITING": {**bad, **({at: frozenset({forms})} if forms else {})}}
        assert without_a_reason(differences(good, other)) == [
            (f"task, TASK_WAITING: {at}", next(iter(good["task, TASK_WAITING"][at])))
        ]
