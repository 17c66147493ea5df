"""Clients that ask all the time, judge every answer, and remember which attempts they were told of."""

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import urllib3

from tests.production.judged import complaint
from tests.production.programs import Told, ask


@dataclass
class Client:
    """``get`` asks whatever server it has for a path."""

    get: Callable[[str], Told]
    names: Sequence[str]
    dice: random.Random
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By operation. 0: no answer at all."""
    complaints: list[str] = field(default_factory=list)
    attempts: dict[tuple[str, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    """Every one that was ever listed, by name and version."""
    lost: list[str] = field(default_factory=list)
    """Where a list was shorter than one before it."""

    def step(self) -> None:
        name = self.dice.choice(self.names)
        job = self._asked("getJob", f"/api/v2/jobs/{name}")
        self._asked("getVersions", f"/api/v2/frameworks/{name}/versions")
        if job is None:
            return
        version, attempt = job["jobStatus"]["version"], job["jobStatus"]["attemptId"]
        asked = self.dice.randint(0, attempt)
        self._asked("getAttempt", f"/api/v2/frameworks/{name}/attempts/{asked}?version={version}")
        lists = self._asked("getAttempts", f"/api/v2/frameworks/{name}/attempts?version={version}")
        if lists is not None:
            (listed,) = lists.values()
            before = self.attempts[name, version]
            if not before <= set(listed):
                self.lost.append(f"{name} version {version}: {sorted(before)}, later {listed}")
            before.update(listed)

    def _asked(self, operation: str, path: str) -> Any:
        """The body of a 200."""
        try:
            told = self.get(path)
        except urllib3.exceptions.HTTPError:
            self.statuses[operation, 0] += 1
            return None
        self.statuses[operation, told.status] += 1
        wrong = complaint(operation, told.status, told.body)
        if wrong is not None:
            self.complaints.append(f"{path}: {wrong}")
        return json.loads(told.body) if told.status == 200 and wrong is None else None

    def met(self, operation: str) -> set[int]:
        return {status for asked, status in self.statuses if asked == operation}


@contextmanager
def load(clients: Sequence[Client], pause: float = 0.0) -> Iterator[None]:
    """All of them at once, until the block ends."""
    over = threading.Event()
    failures: list[BaseException] = []

    def ask_on(client: Client) -> None:
        try:
            while not over.wait(pause):
                client.step()
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=ask_on, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures


def names_of(launcher: str, most: int) -> list[str]:
    """Of jobs that the simulated launcher there knows, the newest first. No stories: they begin anew with their process."""
    jobs = ask(f"{launcher}/__admin/jobs?limit={2 * most}").json()["jobs"]
    return [job["name"] for job in jobs if not job["name"].startswith("story~")][:most]
