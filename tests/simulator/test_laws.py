"""Thousands of simulated jobs, walked through their lives as a client would see them: every law of the rulings holds.

The instants of a job are asked out of order, and some twice: neither may change a byte.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest

from contracts.clock import Instant, VirtualClock, from_iso
from contracts.harness.laws import check
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation
from restserver.app import Application, Backend, create_app
from restserver.settings import Settings
from simulator.launcher import simulated
from simulator.world.profile_files import load
from simulator.world.world import Told, World

START = from_iso("2026-03-01T12:00:00Z")
JOBS = 2000
LOOKS = 3


class Client:
    """Asks the API in process, at an instant of its choice."""

    def __init__(self, seed: int, jobs: int, style: str) -> None:
        self._clock = VirtualClock(START, frozen=True)
        launcher, manager = simulated(seed, jobs, self._clock)
        settings = Settings(style=style, public_url="http://simulated.example")
        self._app: Application = create_app(Backend(launcher, manager, self._clock), settings)

    def ask(
        self, at: Instant, operation: str, name: str, version: int | None = None, attempt: int | None = None
    ) -> Observation:
        self._clock.set(at)
        path = {
            GET_JOB: f"/api/v2/jobs/{name}",
            GET_ATTEMPT: f"/api/v2/frameworks/{name}/attempts/{attempt}",
            GET_ATTEMPTS: f"/api/v2/frameworks/{name}/attempts",
            GET_VERSIONS: f"/api/v2/frameworks/{name}/versions",
        }[operation]
        status = 0

        def start(line: str, headers: object, exc_info: object = None) -> Any:
            nonlocal status
            status = int(line.split()[0])

        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "" if version is None else f"version={version}",
            "SERVER_NAME": "simulated.example",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
        }
        body = json.loads(b"".join(self._app(environ, start)))
        return Observation(at, operation, name, version, attempt, status, body)

    def look(self, at: Instant, name: str) -> list[Observation]:
        """Everything a client can learn of a job at one instant."""
        job, versions = self.ask(at, GET_JOB, name), self.ask(at, GET_VERSIONS, name)
        seen = [job, versions]
        if job.status != 200:
            return seen
        attempts = self.ask(at, GET_ATTEMPTS, name)
        seen.append(attempts)
        known = next(value for value in attempts.body.values())
        seen += [self.ask(at, GET_ATTEMPT, name, attempt=attempt) for attempt in known]
        for version in next(value for value in versions.body.values()):
            if version != job.body["jobStatus"]["version"]:
                older = self.ask(at, GET_ATTEMPTS, name, version)
                seen.append(older)
                seen += [
                    self.ask(at, GET_ATTEMPT, name, version, attempt) for attempt in next(iter(older.body.values()))
                ]
        return seen


def instants_of(told: Told, rolls: random.Random) -> list[Instant]:
    """Its beginning, its busy time, and any time; never in order."""
    length = told.ends - told.begins
    instants = [told.begins + rolls.randrange(part) for part in (length // 300, length // 6, length // 3, length)]
    return rolls.sample(instants, LOOKS)


def bodies(look: list[Observation]) -> list[object]:
    return [(one.operation, one.status, one.body) for one in look]


def walk(client: Client, told: Iterable[Told], rolls: random.Random) -> list[Observation]:
    seen: list[Observation] = []
    for one in told:
        instants = instants_of(one, rolls)
        looks = {at: client.look(at, one.name) for at in instants}
        if rolls.random() < 0.2:
            again = rolls.choice(instants)
            assert bodies(client.look(again, one.name)) == bodies(looks[again]), f"{one.name} at {again}"
        seen += [observation for look in looks.values() for observation in look]
    return seen


@pytest.mark.no_cover
@pytest.mark.parametrize("number", [250, pytest.param(JOBS, marks=pytest.mark.proof)])
def test_thousands_of_jobs_keep_every_law(number: int) -> None:
    world = World(1, 200, load("default"))
    newest = world.places(START).stop
    rolls = random.Random(1)
    seen = walk(Client(1, 200, "documented"), map(world.at_place, range(newest, newest + number)), rolls)
    violations = check(seen)
    assert not violations, "\n".join(map(str, violations[:10]))
    jobs = [one for one in seen if one.operation == GET_JOB]
    assert len({one.name for one in jobs}) == number
    assert all(one.status == 200 for one in seen)
    sub_states = Counter(one.body["jobStatus"]["subState"] for one in jobs)
    assert len(sub_states) >= 6, sub_states
