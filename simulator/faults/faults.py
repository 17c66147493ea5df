"""Faults: what makes a launcher, the API or the wire misbehave on purpose. Which there are now, and whom each one meets.

A fault stands around what works; nothing inside knows of it. Each says which side it is on, which operations and names it
meets, how often (by dice of its own, so that a run can be repeated) and until when on the virtual clock. And each says
whether what it causes is within the contract: within, every answer still is one that the schemas allow.
"""

import random
import threading
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from contracts.clock import Instant, VirtualClock, from_iso, iso
from simulator.faults import keys as keys
from simulator.faults.api_kinds import ApiAct, promised
from simulator.faults.kinds import KINDS, SIDES, LauncherAct
from simulator.faults.waiting import Waiting
from simulator.faults.wire_kinds import WireAct
from simulator.problems import BadInput

OF_API = ("framework", "attempt", "attempts", "versions")
OF_MANAGER = ("application", "applications")
"""The resource manager's. It is another program: a fault meets it only where it says so."""
OPERATIONS = (*OF_API, "summaries", "ready", *OF_MANAGER)
"""As in ``contracts.launcher.port.Call``."""
OPERATIONS_OF_SIDE = {"api": OF_API, "launcher": OPERATIONS}
MOST_FAULTS = 100
MOST_SEED = 2**63 - 1
COMMON = frozenset({"kind", "side", "operation", "name", "probability", "seed", "ttl"})


WIREMOCKS_WORDS = {
    "EMPTY_RESPONSE": "empty",
    "MALFORMED_RESPONSE_CHUNK": "malformed",
    "CONNECTION_RESET_BY_PEER": "reset",
}
"""Kinds that people know by another name."""


class NoSuchFault(Exception):
    def __init__(self, fault_id: str) -> None:
        super().__init__(f"there is no fault {fault_id}")


class Fault(Struct, frozen=True, eq=False):
    id: str
    kind: str
    side: str
    operation: str | None
    """``None``: every one of the launcher, or of the API."""
    name: str | None
    """A pattern of names, ``alice~*``, or of ids where applications are asked for; ``None``: every one."""
    probability: float
    seed: int
    until: Instant | None
    contract: str
    """``within`` or ``outside``."""
    told: Mapping[str, Any]
    """What else its kind needs, as it was given."""
    on_launcher: LauncherAct | None
    on_api: ApiAct | None
    on_wire: WireAct | None

    def meets(self, operation: str | None, name: str | None) -> bool:
        meant = operation not in OF_MANAGER if self.operation is None else operation == self.operation
        return meant and (self.name is None or (name is not None and fnmatchcase(name, self.name)))

    def document(self) -> dict[str, object]:
        """As it was told, with what was made of it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "side": self.side,
            "operation": self.operation,
            "name": self.name,
            "probability": self.probability,
            "seed": self.seed,
            "until": None if self.until is None else iso(self.until),
            "contract": self.contract,
            **self.told,
        }


class Struck(Struct, frozen=True):
    """A fault that happens to one call."""

    fault: Fault
    dice: random.Random
    """For whatever else is to be rolled."""


class FaultSet:
    """The faults there are. Thread-safe. Ids are never used twice: an answer's edition may hold one.

    It is part of a world's state: ``state``, ``restore`` and ``reset``.
    """

    def __init__(self, clock: VirtualClock, waiting: Waiting | None = None) -> None:
        self.clock = clock
        self.waiting = waiting or Waiting(clock)
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._calls: dict[str, int] = {}
        """How many calls each could have happened to: the number of the next roll of its dice."""
        self._made = 0

    def __bool__(self) -> bool:
        """Whether there are any, healed ones that nobody has looked at since included."""
        return bool(self._faults)

    def add(self, told: object, *, makes_wire_faults: bool = True) -> Fault:
        """``makes_wire_faults``: whether the server in use can break a connection. Raises BadInput."""
        now = self.clock.now()
        with self._lock:
            self._forget_healed(now)
            if len(self._faults) >= MOST_FAULTS:
                raise BadInput(f"there are {MOST_FAULTS} faults already: remove some")
            fault = _fault(str(self._made + 1), told, now)
            if KINDS[fault.kind].breaks_connection and fault.on_launcher is None and not makes_wire_faults:
                raise BadInput(
                    f"the server in use cannot make the fault {fault.kind}: it does not let go of a connection"
                )
            self._made += 1
            self._faults[fault.id] = fault
            self._calls[fault.id] = 0
        return fault

    def all(self) -> list[Fault]:
        """Those that have not healed, in the order they were made."""
        with self._lock:
            self._forget_healed(self.clock.now())
            return list(self._faults.values())

    def remove(self, fault_id: str) -> None:
        """Raises NoSuchFault."""
        with self._lock:
            self._forget_healed(self.clock.now())
            if self._faults.pop(fault_id, None) is None:
                raise NoSuchFault(fault_id)

    def clear(self) -> int:
        """How many there were."""
        with self._lock:
            self._forget_healed(self.clock.now())
            count = len(self._faults)
            self._faults.clear()
        return count

    def striking(
        self, side: str, operation: str | None, name: str | None, fits: Callable[[Fault], bool]
    ) -> list[Struck]:
        """Those that happen to this call, by their dice: ask once a call."""
        if not self._faults:
            return []
        struck = []
        with self._lock:
            self._forget_healed(self.clock.now())
            for fault in self._faults.values():
                if fault.side == side and fits(fault) and fault.meets(operation, name):
                    dice = random.Random(f"{fault.seed}/{self._calls[fault.id]}")
                    self._calls[fault.id] += 1
                    if dice.random() < fault.probability:
                        struck.append(Struck(fault, dice))
        return struck

    def _forget_healed(self, now: Instant) -> None:
        for fault_id in [f.id for f in self._faults.values() if f.until is not None and f.until <= now]:
            del self._faults[fault_id]

    # --- as part of a world's state ---------------------------------------------------------------------------------

    def state(self) -> object:
        with self._lock:
            return [{**fault.document(), "calls": self._calls[fault.id]} for fault in self._faults.values()]

    def restore(self, state: object) -> None:
        """Raises BadInput, and then nothing is changed."""
        if not isinstance(state, list):
            raise BadInput("faults are a list")
        restored = [_restored(told) for told in state]
        with self._lock:
            self._faults = {fault.id: fault for fault, _ in restored}
            self._calls = {fault.id: calls for fault, calls in restored}
            self._made = max([self._made, *(int(fault.id) for fault, _ in restored)])

    def reset(self) -> None:
        self.clear()


def _fault(fault_id: str, told: object, now: Instant) -> Fault:
    if not isinstance(told, Mapping):
        raise BadInput("a fault is described by an object")
    name = keys.word("kind", WIREMOCKS_WORDS.get(str(told.get("kind")), told.get("kind")), tuple(KINDS))
    kind = KINDS[name]
    unknown = set(told) - COMMON - kind.keys
    if unknown:
        raise BadInput(f"a fault of kind {name} has no {', '.join(sorted(map(str, unknown)))}")
    side = keys.word("side", told.get("side", kind.sides[0]), SIDES)
    if side not in kind.sides:
        raise BadInput(f"a fault of kind {name} is one of side {' or '.join(kind.sides)}, not {side}")
    operation, pattern, ttl = told.get("operation"), told.get("name"), told.get("ttl")
    return Fault(
        id=fault_id,
        kind=name,
        side=side,
        operation=None if operation is None else keys.word("operation", operation, OPERATIONS_OF_SIDE[side]),
        name=None if pattern is None else keys.text("name", pattern),
        probability=keys.number("probability", told.get("probability", 1), 0, 1),
        seed=keys.whole("seed", told.get("seed", 0), 0, MOST_SEED),
        until=None if ttl is None else now + keys.time_to_live("ttl", ttl, now),
        contract="within" if _is_within(name, side, told) else "outside",
        told={key: told[key] for key in sorted(kind.keys) if key in told},
        on_launcher=kind.launcher(told) if kind.launcher is not None and side == "launcher" else None,
        on_api=kind.api(told) if kind.api is not None and side == "api" else None,
        on_wire=kind.wire(told) if kind.wire is not None else None,
    )


def _is_within(kind: str, side: str, told: Mapping[str, Any]) -> bool:
    if side == "api" and kind == "error_status":
        return promised(told)
    return side in KINDS[kind].within


def _restored(saved: object) -> tuple[Fault, int]:
    if not isinstance(saved, Mapping):
        raise BadInput("a fault is described by an object")
    until, fault_id = saved.get("until"), str(saved.get("id"))
    if not (fault_id.isascii() and fault_id.isdigit() and len(fault_id) < 16):
        raise BadInput(f"the id of a fault is a number, not {fault_id!r}")
    told = {key: value for key, value in saved.items() if key not in ("id", "until", "contract", "calls")}
    if until is not None:
        # Counted from the beginning of time, what is left to live is when it ends.
        told["ttl"] = from_iso(str(until)) / 1000
    return _fault(fault_id, told, 0), keys.whole("calls", saved.get("calls", 0), 0, 2**53)
