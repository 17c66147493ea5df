"""The steps of a told story: states of a framework, one after the other, each left by itself, after a time, or by a hand.

Steps become fates: how long an upload, an allocation, a run takes, and what ends it. A step that waits for a hand is a fate
that never comes, and an event once somebody has advanced. Steps cannot make the launcher do what it does not: first the
transition table is asked, then the machine itself (``simulator.told.scenario``).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher.lifecycle import FRAMEWORK_TRANSITIONS, FrameworkEvent, FrameworkState, reachable
from simulator.machine.story import (
    DAY,
    SECOND,
    SUCCESS,
    ApplicationEnd,
    ApplicationFate,
    ApplicationRule,
    ContainerFate,
    ContainerRule,
    Crashed,
    EndContainers,
    Exit,
    Kill,
    Killed,
    Lost,
    MakeRoom,
    Operation,
    Refused,
    Stop,
)

_F = FrameworkState
Progression = Literal["immediate", "time", "manual"]

USUAL_RUN: Milliseconds = 60 * SECOND
FOR_EVER: Milliseconds = 3650 * DAY
_LASTING = frozenset(
    {_F.APPLICATION_CREATED, _F.APPLICATION_WAITING, _F.APPLICATION_RUNNING, _F.APPLICATION_RETRIEVING_DIAGNOSTICS}
)
"""The others are the launcher's own business: it leaves them as soon as it looks."""
_BY_HAND = frozenset({_F.APPLICATION_WAITING, _F.APPLICATION_RUNNING})
_ORDER = {state: place for place, state in enumerate(_F)}
_LEAVES_THE_VERSION = frozenset({FrameworkEvent.UPGRADED})

Ending = Exit | Literal["killed", "lost", "crashed", "refused", "stopped"]


class Step(Struct, frozen=True):
    name: str
    state: FrameworkState
    progression: Progression = "immediate"
    lasts: Milliseconds | None = None
    """With ``time`` only."""
    attempt: int | None = None
    """Of the framework, counted from 0; ``None``: that of the step before, or the next if the states begin anew."""
    ends: Ending | None = None
    """What ends it; ``None``: what is usual."""
    role: str | None = None
    index: int | None = None
    """Whose container an exit is; ``None``: all."""

    @property
    def by_hand(self) -> bool:
        return self.progression == "manual"


class Place(Struct, frozen=True):
    """Where in the framework's life a step is."""

    attempt: int
    task_attempt: int


class IllegalStep(ValueError):
    """The launcher has no such way."""

    def __init__(self, position: int, step: Step, reason: str) -> None:
        super().__init__(f"step {position + 1} ({step.name}): {reason}")
        self.position = position


def places(steps: Sequence[Step]) -> tuple[Place, ...]:
    """Each step's place. Raises IllegalStep where the table has no way from one step to the next."""
    found: list[Place] = []
    attempt, task_attempt = 0, 0
    before = _F.FRAMEWORK_WAITING
    for position, step in enumerate(steps):
        wanted = attempt if step.attempt is None else step.attempt
        if wanted < attempt:
            raise IllegalStep(position, step, f"attempt {wanted} comes before attempt {attempt}")
        if position and wanted == attempt and step.state is before:
            raise IllegalStep(position, step, f"{step.state.value} stands in the step before already")
        if step.state is not before and step.state not in _ahead(before):
            raise IllegalStep(position, step, f"no way leads from {before.value} to {step.state.value}")
        if wanted > attempt:
            if before is _F.FRAMEWORK_COMPLETED:
                raise IllegalStep(position, step, "what is completed is not tried again")
            attempt, task_attempt = wanted, 0
        elif position and before is _F.APPLICATION_RUNNING and step.state is _F.APPLICATION_WAITING:
            task_attempt += 1
        elif position and _ORDER[step.state] < _ORDER[before]:
            attempt, task_attempt = attempt + 1, 0
        _judge(position, step)
        found.append(Place(attempt, task_attempt))
        before = step.state
    return tuple(found)


def _ahead(state: FrameworkState) -> set[FrameworkState]:
    """Where the table leads to from there, within one version."""
    return {
        further
        for event, after in FRAMEWORK_TRANSITIONS[state].items()
        if event not in _LEAVES_THE_VERSION
        for further in reachable(FRAMEWORK_TRANSITIONS, after, without=_LEAVES_THE_VERSION)
    }


def _judge(position: int, step: Step) -> None:
    state = step.state.value
    if step.progression == "time" and step.state not in _LASTING:
        raise IllegalStep(position, step, f"how long {state} lasts is up to the launcher: see intervals")
    if step.by_hand and step.state not in _BY_HAND:
        raise IllegalStep(
            position, step, f"{state} is not left by a hand, only APPLICATION_WAITING and APPLICATION_RUNNING are"
        )
    if isinstance(step.ends, Exit):
        if step.state is not _F.APPLICATION_RUNNING:
            raise IllegalStep(position, step, f"no container runs in {state}, so none exits")
    elif step.ends == "refused":
        if step.state is not _F.APPLICATION_CREATED:
            raise IllegalStep(position, step, f"an application is refused in APPLICATION_CREATED, not in {state}")
    elif step.ends is not None and step.state not in _BY_HAND:
        raise IllegalStep(
            position, step, f"an application is {step.ends} in APPLICATION_WAITING or APPLICATION_RUNNING"
        )
    if step.by_hand and step.ends in ("lost", "crashed"):
        raise IllegalStep(position, step, f"nobody's hand makes an application {step.ends}; let it last a while")
    if step.ends == "stopped" and not step.by_hand:
        raise IllegalStep(position, step, "who stops it is a hand, or one of the operations")


def rules(steps: Sequence[Step]) -> tuple[list[ApplicationRule], list[ContainerRule]]:
    """What the world does, so that the launcher comes along these steps."""
    where = places(steps)
    fates: dict[int, ApplicationFate] = {}
    waits: dict[Place, Milliseconds | None] = {}
    containers: list[ContainerRule] = []
    for position, (step, place) in enumerate(zip(steps, where, strict=True)):
        fate = fates.setdefault(place.attempt, ApplicationFate())
        lasts = step.lasts or 0
        stays = step.by_hand or (position + 1 == len(steps) and step.progression == "immediate" and step.ends is None)
        if step.state is _F.APPLICATION_CREATED:
            end = Refused() if step.ends == "refused" else fate.end
            upload = FOR_EVER if stays else step.lasts if step.lasts is not None else fate.upload
            fate = replace(fate, upload=upload, end=end)
        elif step.state is _F.APPLICATION_WAITING:
            waits[place] = None if stays or isinstance(step.ends, str) else max(1000, lasts)
            fate = replace(fate, end=_end(step, fate.am_start or 0, lasts) or fate.end)
        elif step.state is _F.APPLICATION_RUNNING:
            before = (fate.am_start or 0) + (waits.get(place) or 1000) + SECOND
            end = _end(step, before, lasts or USUAL_RUN)
            fate = replace(fate, end=end or fate.end)
            run = None if stays or end is not None else step.lasts if step.lasts is not None else USUAL_RUN
            exits = step.ends if isinstance(step.ends, Exit) else SUCCESS
            containers.append(_container(step, place, ContainerFate(waits.get(place, 1000), run=run, exit=exits)))
        elif step.state is _F.APPLICATION_RETRIEVING_DIAGNOSTICS:
            fate = replace(fate, diagnostics_after=None if stays else lasts)
        fates[place.attempt] = fate
    for place, wait in waits.items():
        containers.append(ContainerRule(ContainerFate(wait), attempt=place.attempt, task_attempt=place.task_attempt))
    return [ApplicationRule(fate, attempt=attempt) for attempt, fate in fates.items()], containers


def _container(step: Step, place: Place, fate: ContainerFate) -> ContainerRule:
    return ContainerRule(fate, None, place.attempt, step.role, step.index, place.task_attempt)


def _end(step: Step, before: Milliseconds, lasts: Milliseconds) -> ApplicationEnd | None:
    if step.by_hand or not isinstance(step.ends, str):
        return None
    return _END_OF_WORD[step.ends](before + lasts)


_END_OF_WORD: Mapping[str, Callable[[Milliseconds], ApplicationEnd]] = {
    "killed": Killed,
    "lost": Lost,
    "crashed": Crashed,
}


def left(steps: Sequence[Step], name: str, at: Instant) -> Operation:
    """What happens when a hand leaves that step."""
    position = next(position for position, step in enumerate(steps) if step.name == name)
    step, place = steps[position], places(steps)[position]
    if step.ends == "stopped":
        return Stop(at)
    if step.ends == "killed":
        return Kill(at)
    if step.state is _F.APPLICATION_WAITING:
        return MakeRoom(at, task_attempt=place.task_attempt)
    exits = step.ends if isinstance(step.ends, Exit) else SUCCESS
    return EndContainers(at, exits, step.role, step.index, place.task_attempt)
