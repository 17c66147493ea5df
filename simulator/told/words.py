"""The words of a told story, one by one: lengths, intervals, steps, and what the world does to applications and containers."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from contracts.clock import Milliseconds
from contracts.launcher.lifecycle import FrameworkState, TaskState
from simulator.lengths import length
from simulator.machine.story import (
    DAY,
    DEPLOYED,
    FAST,
    ApplicationEnd,
    ApplicationFate,
    ApplicationRule,
    ContainerFate,
    ContainerRule,
    Crashed,
    Exit,
    Intervals,
    Killed,
    Lost,
    MasterFailed,
    Refused,
)
from simulator.told.steps import Step

Keys = tuple[str | int, ...]


class BadStory(ValueError):
    """A story that cannot be told. Knows where in the document."""

    def __init__(self, keys: Keys, reason: str) -> None:
        super().__init__(reason)
        self.keys = keys


def intervals(told: str | Mapping[str, Any]) -> Intervals:
    if isinstance(told, str):
        return _INTERVALS[told]
    changed = {
        key: value if key == "diagnostics_retries" else length_of(value) for key, value in told.items() if key != "like"
    }
    return replace(_INTERVALS[told.get("like", "deployed")], **changed)


_INTERVALS = {
    "deployed": replace(DEPLOYED, completed_retention=3650 * DAY),
    "fast": replace(FAST, completed_retention=3650 * DAY),
}
"""The launcher does not forget a told story, unless the story says so."""

_OF_NO_STORY = {
    "am_diagnostics_most",
    "node_expiry_buffer",
    "am_info_publish",
    "setup_request_min",
    "setup_request_max",
}
INTERVAL_NAMES = tuple(name for name in Intervals.__struct_fields__ if name not in _OF_NO_STORY)


def length_of(told: str | float) -> Milliseconds:
    """An ISO 8601 duration, or seconds. Raises ValueError."""
    return length(told) if isinstance(told, str) else round(told * 1000)


def length_or_never(told: str | float) -> Milliseconds | None:
    return None if told == "never" else length_of(told)


def judge_lengths(keys: Keys, told: object) -> None:
    """Every length of time in there is one."""
    if isinstance(told, Mapping):
        for key, value in told.items():
            if key in _LENGTHS:
                try:
                    fine = value == "never" or length_of(value) >= 0
                except ValueError:
                    fine = False
                if not fine:
                    raise BadStory(
                        (*keys, key), f"{value!r} is no length of time: seconds, or an ISO 8601 duration such as PT90S"
                    )
            else:
                judge_lengths((*keys, key), value)
    elif isinstance(told, list | tuple):
        for position, value in enumerate(told):
            judge_lengths((*keys, position), value)


_LENGTHS = frozenset(
    {"at", "upload", "am_start", "after", "diagnostics_after", "allocation", "start", "run", "lasts"}
    | {name for name in INTERVAL_NAMES if name != "diagnostics_retries"}
)


def exit_of(told: int | Mapping[str, Any]) -> Exit:
    return Exit(told) if isinstance(told, int) else Exit(**told)


def step(told: Mapping[str, Any]) -> Step:
    lasts = told.get("lasts")
    progression = told.get("progression", "immediate" if lasts is None else "time")
    ends = told.get("ends")
    return Step(
        name=told.get("name", told["state"].lower().replace("_", "-")),
        state=FrameworkState(told["state"]),
        progression=progression,
        lasts=None if lasts is None else length_of(lasts),
        ends=exit_of(ends["exit"]) if isinstance(ends, Mapping) else ends,
        attempt=told.get("attempt"),
        role=ends.get("role") if isinstance(ends, Mapping) else None,
        index=ends.get("index") if isinstance(ends, Mapping) else None,
    )


def application(told: Mapping[str, Any]) -> ApplicationRule:
    usual = ApplicationFate()
    fate = ApplicationFate(
        upload=length_of(told["upload"]) if "upload" in told else usual.upload,
        am_start=length_or_never(told["am_start"]) if "am_start" in told else usual.am_start,
        end=_end(told["end"]) if "end" in told else None,
        diagnostics_after=length_or_never(told["diagnostics_after"]) if "diagnostics_after" in told else 0,
    )
    return ApplicationRule(fate, told.get("version"), told.get("attempt"), told.get("count"))


def _end(told: Mapping[str, Any]) -> ApplicationEnd:
    facts: dict[str, Any] = {
        key: length_of(value) if key == "after" else value for key, value in told.items() if key != "by"
    }
    return _ENDS[told["by"]](**facts)


_ENDS: Mapping[str, Callable[..., ApplicationEnd]] = {
    "refused": Refused,
    "killed": Killed,
    "lost": Lost,
    "crashed": Crashed,
    "master_failed": MasterFailed,
}


def container(told: Mapping[str, Any]) -> ContainerRule:
    usual = ContainerFate()
    fate = ContainerFate(
        allocation=length_or_never(told["allocation"]) if "allocation" in told else usual.allocation,
        start=length_of(told["start"]) if "start" in told else usual.start,
        run=length_or_never(told["run"]) if "run" in told else None,
        exit=exit_of(told.get("exit", 0)),
        ends_in=TaskState(told.get("ends_in", usual.ends_in.value)),
        host=told.get("host"),
        ports=told.get("ports"),
        gpus=told.get("gpus"),
    )
    return ContainerRule(
        fate, told.get("version"), told.get("attempt"), told.get("role"), told.get("index"), told.get("task_attempt")
    )
