"""Asks a server everything about a framework at one instant, and keeps the answers as observations."""

import json
from collections.abc import Iterator

import falcon.testing

from contracts.clock import Instant, SystemClock
from contracts.harness.laws_of_lists import listed
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation
from restserver.app import Backend, create_app
from restserver.settings import Settings
from tests.promises.subjects import Subject

PUBLIC_URL = "http://jobs.example"


def client(subject: Subject, style: str) -> falcon.testing.TestClient:
    # In front of a launcher over HTTP the server lives by the machine's clock, as the calls to that launcher do.
    clock = subject.clock if subject.in_process else SystemClock()
    backend = Backend(subject.launcher, subject.resource_manager, clock)
    return falcon.testing.TestClient(create_app(backend, Settings(style=style, public_url=PUBLIC_URL)))


class Looking:
    def __init__(self, client: falcon.testing.TestClient, name: str, instant: Instant) -> None:
        self._client = client
        self._name = name
        self._instant = instant

    def everything(self) -> Iterator[Observation]:
        """The job, its versions, all attempts of each, and the same of the current one without naming the version."""
        job = self.ask(GET_JOB, f"jobs/{self._name}")
        yield job
        versions = self.ask(GET_VERSIONS, f"frameworks/{self._name}/versions")
        yield versions
        yield from self._attempts_of(None)
        for version in listed(versions) if versions.status == 200 else ():
            yield from self._attempts_of(version)

    def _attempts_of(self, version: int | None) -> Iterator[Observation]:
        query = "" if version is None else f"?version={version}"
        attempts = self.ask(GET_ATTEMPTS, f"frameworks/{self._name}/attempts{query}", version)
        yield attempts
        for attempt in listed(attempts) if attempts.status == 200 else ():
            path = f"frameworks/{self._name}/attempts/{attempt}{query}"
            yield self.ask(GET_ATTEMPT, path, version, attempt)

    def ask(self, operation: str, path: str, version: int | None = None, attempt: int | None = None) -> Observation:
        answer = self._client.simulate_get(f"/api/v2/{path}")
        body = json.loads(answer.content)
        return Observation(self._instant, operation, self._name, version, attempt, answer.status_code, body)
