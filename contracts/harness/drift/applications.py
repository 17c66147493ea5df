"""Simulator to real, in what the resource manager says of the launcher's applications, where somebody asked it."""

from collections.abc import Iterator

from contracts.clock import iso
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Json, Real
from contracts.launcher import resource_manager, wire
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Application, Framework

COMPARISON = Comparison.SIMULATOR_REAL
MODULE = "simulator/machine/yarn.py"
STATES = frozenset({"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED"})
FINAL_STATES = frozenset({"FINISHED", "FAILED", "KILLED"})
FINAL_STATUSES = frozenset({"UNDEFINED", "SUCCEEDED", "FAILED", "KILLED"})


def applications(real: Real) -> Iterator[Finding]:
    owners = {
        record.status.application_id: record
        for history in real.histories.values()
        for record in history.records()
        if record.status.application_id is not None
    }
    for identity, answers in real.applications.items():
        for one in answers:
            if one.status != 200:
                continue
            example = (f"{identity} at {iso(one.instant)}",)
            try:
                told = _application(wire.parse(one.content))
            except LauncherUnreadable as error:
                what = f"{error.path}: {error.found} cannot be read"
                yield Finding(COMPARISON, "application", error.path, what, MODULE, example)
                continue
            for about, what in _odd(told, owners.get(identity)):
                yield Finding(COMPARISON, "application", about, what, MODULE, example)


def _application(document: Json) -> Application:
    """As the list tells it, which holds the same objects."""
    alone = document.get("app") if isinstance(document, dict) else None
    (told,) = resource_manager.decode_applications({"apps": {"app": [alone]}})
    return told


def _odd(told: Application, owner: Framework | None) -> Iterator[tuple[str, str]]:
    if told.state not in STATES:
        yield "state", f"{told.state} is a state of applications that the simulator never shows"
    if told.final_status not in FINAL_STATUSES:
        yield "finalStatus", f"{told.final_status} is a final status that the simulator never shows"
    if (told.state in FINAL_STATES) != (told.finished_timestamp is not None):
        yield "finishedTime", f"{told.state}, finished at {told.finished_timestamp}"
    if (told.state in FINAL_STATES) != (told.final_status != "UNDEFINED"):
        yield "finalStatus", f"{told.state} with final status {told.final_status}"
    if not 0 <= told.progress <= 100:
        yield "progress", f"progress is {told.progress}"
    if owner is not None:
        if resource_manager.framework_of(told.name) != (owner.status.name, owner.status.version):
            yield "name", f"the application is called {told.name}, its framework {owner.status.name}"
        if owner.request is not None and told.user != owner.request.descriptor.user_name:
            yield "user", "the application is another user's than the framework"
