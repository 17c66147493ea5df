"""A server's control plane as its users call it: the names of its jobs, its clock, its faults.

A check leaves it as it was found: the clock, stopped, stands where it stood; running, it runs on as if nobody had touched
it; and of the faults only those that the check made are taken away.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from contracts.clock import Instant, from_iso, iso, uptime
from contracts.harness.transport import Answered, Client, Request

PREFIX: Final = "/__admin"
PAGE: Final = 200
MOST_PAGES: Final = 20


class NoControl(Exception):
    """There is no control plane, or it does not do what it is asked. One line."""


@dataclass(frozen=True)
class ClockReading:
    now: Instant
    rate: float
    frozen: bool


@dataclass(frozen=True)
class ListedJob:
    name: str
    created: Instant = 0
    """0: not known."""
    attempt: int = 0
    """One that it surely has."""
    shows: tuple[object, ...] = ()
    """What of it is worth seeing, such as its state; those with the same show the same."""


@dataclass(frozen=True)
class ControlPlane:
    client: Client

    def clock(self) -> ClockReading:
        """Raises :class:`NoControl`."""
        return self._reading(self.asked("GET", "/clock"))

    def set_clock(self, **change: object) -> ClockReading:
        return self._reading(self.asked("PUT", "/clock", change))

    def stand_at(self, instant: Instant) -> ClockReading:
        return self.set_clock(action="set", to=iso(instant))

    @property
    def has_faults(self) -> bool:
        try:
            return isinstance(self.asked("GET", "/faults").get("faults"), list)
        except (NoControl, AttributeError):
            return False

    def jobs(self, most: int) -> list[ListedJob]:
        """So many of them, newest first. Raises :class:`NoControl`."""
        found: list[ListedJob] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            after = "" if cursor is None else f"&cursor={quote(cursor, safe='')}"
            page = self.asked("GET", f"/jobs?limit={min(PAGE, most - len(found))}{after}")
            try:
                found += [_listed(job) for job in page["jobs"]]
                cursor = page.get("cursor")
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise NoControl("its list of jobs cannot be read") from error
            if cursor is None or len(found) >= most:
                break
        return found

    @contextmanager
    def held(self, at: Instant | None = None) -> Iterator[ClockReading]:
        """The clock stands still, at that instant if one is given; afterwards it is as it was found."""
        found = self.clock()
        began = uptime()
        reading = self.set_clock(action="freeze")
        try:
            yield reading if at is None else self.stand_at(at)
        finally:
            passed = 0 if found.frozen else round((uptime() - began) * 1000 * found.rate)
            self.stand_at(found.now + passed)
            self.set_clock(action="freeze" if found.frozen else "resume")

    @contextmanager
    def fault(self, told: Mapping[str, object]) -> Iterator[str]:
        """That fault, by its id, for as long as this lasts and it does not heal by itself. Raises :class:`NoControl`."""
        made = self.asked("POST", "/faults", told)
        try:
            fault_id = str(made["id"])
        except (KeyError, TypeError) as error:
            raise NoControl("its fault has no id") from error
        try:
            yield fault_id
        finally:
            self.heal(fault_id)

    def heal(self, fault_id: str) -> None:
        """One that is not there any more has healed by itself, or was taken away. Raises :class:`NoControl`."""
        if fault_id in [str(one["id"]) for one in self.asked("GET", "/faults")["faults"]]:
            self.asked("DELETE", f"/faults/{quote(fault_id, safe='')}")

    def asked(self, method: str, path: str, body: object = None, media_type: str = "application/json") -> Any:
        """The JSON of an answer; ``path`` is below the control plane, ``body`` is JSON or ready text. Raises :class:`NoControl`."""
        request = call(method, path, body, media_type)
        target, answer = request.target, self.client.ask(request)
        if not isinstance(answer, Answered):
            raise NoControl(f"{method} {target}: {answer.what}")
        if answer.status not in (200, 201):
            raise NoControl(f"{method} {target} was answered {answer.status}{_detail(answer.body)}")
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise NoControl(f"{method} {target} was not answered in JSON") from error

    @staticmethod
    def _reading(told: Any) -> ClockReading:
        try:
            return ClockReading(from_iso(told["now"]), float(told["rate"]), bool(told["frozen"]))
        except (KeyError, TypeError, ValueError) as error:
            raise NoControl("its clock cannot be read") from error


def _listed(job: Mapping[str, Any]) -> ListedJob:
    shows = str(job.get("state", "")), str(job.get("subState", ""))
    return ListedJob(str(job["name"]), int(job.get("createdTime") or 0), int(job.get("attemptId") or 0), shows)


def call(method: str, path: str, body: object = None, media_type: str = "application/json") -> Request:
    """One call of a control plane, as it goes over the wire."""
    if body is None:
        return Request(method, f"{PREFIX}{path}")
    text = body if isinstance(body, str) else json.dumps(body)
    return Request(method, f"{PREFIX}{path}", (("Content-Type", media_type),), text)


def _detail(body: bytes) -> str:
    """What a problem document says, for a report."""
    try:
        return f": {json.loads(body)['detail']}"
    except (ValueError, KeyError, TypeError):
        return ""
