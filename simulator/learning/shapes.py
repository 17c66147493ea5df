"""Shapes of jobs as a profile has them, of what was asked for together: roles and ports are numbered, names are not kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from simulator.learning.sightings import Role, Run

Mix: TypeAlias = dict[str, Any]

MOST_SHAPES = 40
"""About so many are told."""
FEWEST = 3
"""So many runs make a shape."""
MOST_PORTS, MOST_GPUS = 16, 64

Likeness: TypeAlias = Callable[[Run], object]


def shapes_of(runs: Sequence[Run]) -> list[Mix]:
    """Runs that look alike are one shape. Those that few others look like are compared again, less closely."""
    enough = max(FEWEST, len(runs) // MOST_SHAPES)
    kinds: list[Sequence[Run]] = []
    left: Sequence[Run] = runs
    for likeness in _LIKENESSES:
        alike: dict[object, list[Run]] = {}
        for run in left:
            alike.setdefault(likeness(run), []).append(run)
        last = likeness is _LIKENESSES[-1]
        kinds += [kind for kind in alike.values() if last or len(kind) >= enough]
        left = [] if last else [run for kind in alike.values() if len(kind) < enough for run in kind]
    return [_shape(kind) for kind in sorted(kinds, key=len, reverse=True)]


_LIKENESSES: tuple[Likeness, ...] = (
    lambda run: tuple((_step(r.tasks), _step(r.cpu), _step(r.memory_mb), r.gpus, r.ports, r.serves) for r in run.roles),
    lambda run: tuple((_step(role.tasks), _step(role.memory_mb), bool(role.gpus), role.serves) for role in run.roles),
    lambda run: tuple((_step(role.tasks), bool(role.gpus), role.serves) for role in run.roles),
    lambda run: (_step(sum(role.tasks for role in run.roles)), *(role.serves for role in run.roles)),
    lambda run: len(run.roles),
)
"""From close to loose. The last one puts together only what can be one shape: as many roles."""


def _step(number: int) -> int:
    """Exact up to four; above, the steps double."""
    return number if number <= 4 else 3 + (number - 1).bit_length()


def _shape(runs: Sequence[Run]) -> Mix:
    shape: Mix = {"weight": len(runs), "gang": round(sum(run.gang for run in runs) / len(runs), 4), "roles": {}}
    for place, same in enumerate(zip(*(run.roles for run in runs), strict=True), 1):
        shape["roles"][f"role-{place}"] = _role(same)
    if all(role.get("serves") for role in shape["roles"].values()):
        for role in shape["roles"].values():
            role.pop("serves")  # nobody was left to serve
    return shape


def _role(same: Sequence[Role]) -> Mix:
    role: Mix = {
        "tasks": _range(role.tasks for role in same),
        "cpu": _range(role.cpu for role in same),
        "memory_mb": _range(role.memory_mb for role in same),
    }
    gpus = _range(min(role.gpus, MOST_GPUS) for role in same)
    ports = Counter(role.ports for role in same).most_common(1)[0][0]
    if gpus[1]:
        role["gpus"] = gpus
    if ports:
        role["ports"] = {f"port-{place}": min(count, MOST_PORTS) for place, count in enumerate(ports, 1)}
    if sum(role.serves for role in same) * 2 > len(same):
        role["serves"] = True
    return role


def _range(numbers: Iterable[int]) -> list[int]:
    told = list(numbers)
    return [min(told), max(told)]
