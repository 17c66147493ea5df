"""A server's control plane, as far as a check needs it: the names of its jobs, and its clock.

The clock is left as it was found: stopped, it stands where it stood; running, it runs on as if nobody had touched it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from contracts.clock import Instant, from_iso, iso, real_now
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
    created: Instant
    """0: not known."""


@dataclass(frozen=True)
class ControlPlane:
    client: Client

    def clock(self) -> ClockReading:
        """Raises :class:`NoControl`."""
        return self._reading(self._asked("GET", f"{PREFIX}/clock"))

    def set_clock(self, **change: object) -> ClockReading:
        return self._reading(self._asked("PUT", f"{PREFIX}/clock", change))

    def stand_at(self, instant: Instant) -> ClockReading:
        return self.set_clock(action="set", to=iso(instant))

    def jobs(self, most: int) -> list[ListedJob]:
        """So many of them, newest first. Raises :class:`NoControl`."""
        found: list[ListedJob] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            after = "" if cursor is None else f"&cursor={quote(cursor, safe='')}"
            page = self._asked("GET", f"{PREFIX}/jobs?limit={min(PAGE, most - len(found))}{after}")
            try:
                found += [ListedJob(str(job["name"]), int(job.get("createdTime") or 0)) for job in page["jobs"]]
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
        began = real_now()
        reading = self.set_clock(action="freeze")
        try:
            yield reading if at is None else self.stand_at(at)
        finally:
            passed = 0 if found.frozen else round((real_now() - began) * found.rate)
            self.stand_at(found.now + passed)
            self.set_clock(action="freeze" if found.frozen else "resume")

    def _asked(self, method: str, target: str, body: object = None) -> Any:
        if body is None:
            answer = self.client.ask(Request(method, target))
        else:
            answer = self.client.ask(Request(method, target, (("Content-Type", "application/json"),), json.dumps(body)))
        if not isinstance(answer, Answered):
            raise NoControl(f"{method} {target}: {answer.what}")
        if answer.status != 200:
            raise NoControl(f"{method} {target} was answered {answer.status}")
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
