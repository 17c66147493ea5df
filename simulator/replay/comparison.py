"""What a replay must have in common with the recording: how it ended, and every step on the way."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from contracts.launcher.exits import SEEN_DESCRIPTIONS, STOP_FRAMEWORK
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import ExitType, Framework

NO_DIAGNOSTICS = -7352
"""Never recorded, so its text is our own."""
_OUTSTANDING = re.compile(r"for \d+(?= outstanding Tasks)")
_IDS = re.compile(r"\b(application|container)_[0-9e_]+")

Step = tuple[int, int, str]
"""Version, attempt, framework state."""


def outcome(record: Framework) -> Mapping[str, object]:
    """How it stands, but for what hangs on luck: ids, hosts, instants, and what never-ending tasks were just doing."""
    status = record.status
    code, diagnostics = status.application_exit_code, status.application_exit_diagnostics
    ended = code is not None
    # Words that were never recorded are our own, and nobody else's.
    described = code is not None and (code > 0 or code in SEEN_DESCRIPTIONS)
    return {
        "state": status.state,
        "version": status.version,
        "exit code": code,
        "exit type": status.application_exit_type,
        "exit description": status.application_exit_description if described else None,
        "exit diagnostics": diagnostics and code != NO_DIAGNOSTICS and _first_words(diagnostics),
        "trigger message": status.application_exit_trigger_message,
        "trigger role": status.application_exit_trigger_task_role_name,
        "retries": status.retries,
        "has a tracking url": status.application_tracking_url is not None,
        "was launched": status.application_launched_timestamp is not None,
        # A stopped one keeps the progress that was noticed last, and which that was is luck.
        "progress": status.application_progress if ended and code != STOP_FRAMEWORK else None,
        # The framework and its tasks are told on clocks of their own: only in the end they must agree.
        "tasks": _exits_of_tasks(record) if ended else None,
    }


def _exits_of_tasks(record: Framework) -> Mapping[tuple[str, int], tuple[int | None, ExitType | None]]:
    return {
        place: (task.container_exit_code, task.container_exit_type)
        for place, task in tasks_of(record).items()
        if task.container_exit_type in (ExitType.SUCCEEDED, ExitType.UNKNOWN)
    }


def _first_words(diagnostics: str) -> str:
    """The first line without its time stamp and whose it is; how many of a gang still waited at the very end is luck."""
    line = diagnostics.split("\n")[0].split("]")[-1]
    return _OUTSTANDING.sub("for some", _IDS.sub(r"\1", line))


def steps(records: Iterable[Framework | None]) -> list[Step]:
    """In the order in which they were shown, each once; not found is no step."""
    seen = (
        (record.status.version, record.status.retries.total, record.status.state.value)
        for record in records
        if record is not None
    )
    return [step for step, _ in groupby(seen)]


def missed(real: Iterable[Step], ours: Iterable[Step]) -> Step | None:
    """The first step that cannot be found on our way behind those before it; ``None``: all can."""
    way: Iterator[Step] = iter(ours)
    return next((step for step in real if step not in way), None)
