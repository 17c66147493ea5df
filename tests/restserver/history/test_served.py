"""The server over a launcher that forgets: its statuses, its readiness, and the laws over time.

The launcher is the simulated one, asked for nothing but its present; what it knows of the past is the truth to compare with.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import falcon.testing
import pytest

from contracts import registry
from contracts.clock import Instant, VirtualClock
from contracts.harness.laws import check
from contracts.harness.laws_of_lists import listed
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation
from contracts.launcher.port import Ask, NoSuchFramework
from restserver.app import Backend, create_app
from restserver.history.assembled import condition, schema_fits
from restserver.history.follower import Follower
from restserver.history.recovery import Recovery, missing
from restserver.history.remembering import Remembering
from restserver.history.store import Store
from restserver.settings import Settings
from simulator.launcher import SimulatedLauncher, SimulatedResourceManager, simulated
from tests.promises.judging import objection
from tests.restserver.history.telling import NAME, ONE_BATCH, Archive, database, told
from tests.restserver.history.test_database import written_by_the_first_version
from tests.restserver.history.truth import agrees

START: Instant = 1_772_000_000_000
PACE = 30_000
ASK = Ask()


@dataclass(frozen=True)
class World:
    launcher: SimulatedLauncher
    yarn: SimulatedResourceManager
    clock: VirtualClock
    store: Store
    follower: Follower
    recovery: Recovery

    def live(self, polls: int, between: int = PACE) -> None:
        for _ in range(polls):
            self.clock.advance(between)
            self.follower.poll()
            self.recovery.step(self.clock.now())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = VirtualClock(START, frozen=True)
    launcher, yarn = simulated(5, 40, clock, "failing")
    store = Store(database(tmp_path))
    follower = Follower(launcher, store, clock, lambda _: False, ONE_BATCH)
    yield World(launcher, yarn, clock, store, follower, Recovery(store, yarn, PACE))
    store.database.close()


def client(world: World) -> falcon.testing.TestClient:
    launcher = Remembering(world.launcher, world.store, world.clock)
    settings = Settings(public_url="http://jobs.example")
    return falcon.testing.TestClient(create_app(Backend(launcher, world.yarn, world.clock), settings))


@pytest.mark.no_cover
def test_the_history_is_the_truth_but_for_gaps_that_it_names(world: World) -> None:
    world.live(100, between=60_000)
    compared = retried = gaps = 0
    for name in [one.name for one in world.launcher.summaries(ASK)]:
        past = world.store.past(name)
        assert past is not None
        versions = world.launcher.versions(name, ASK).value
        assert set(past.versions()) <= set(versions)
        for version in past.versions():
            truth = world.launcher.attempts(name, version, ASK).value
            kept = past.attempts(version)
            run = next(iter(kept.values())).run
            gaps += len(set(truth) - set(kept))
            named = {attempt for place, attempt in missing(past.kept) if place == run}
            # What is not kept is known to be missing, or ran after the last attempt that was seen of an older run.
            assert set(kept) <= set(truth)
            assert all(attempt in named or attempt > max(kept) for attempt in set(truth) - set(kept))
            for attempt, one in kept.items():
                found = world.store.document(one.id)
                assert found is not None
                told_so = world.launcher.attempt(name, attempt, version, ASK).value
                agrees(found, told_so, one.mark)
                compared += 1
                retried += one.mark is not None
    assert compared > 30
    assert retried > 10
    assert gaps < compared / 10


def everything(asked: falcon.testing.TestClient, name: str, instant: Instant) -> Iterator[Observation]:
    def ask(operation: str, path: str, version: int | None = None, attempt: int | None = None) -> Observation:
        answer = asked.simulate_get(f"/api/v2/{path}")
        body = json.loads(answer.content)
        return Observation(instant, operation, name, version, attempt, answer.status_code, body)

    yield ask(GET_JOB, f"jobs/{name}")
    versions = ask(GET_VERSIONS, f"frameworks/{name}/versions")
    yield versions
    for version in (None, *(listed(versions) if versions.status == 200 else ())):
        query = "" if version is None else f"?version={version}"
        attempts = ask(GET_ATTEMPTS, f"frameworks/{name}/attempts{query}", version)
        yield attempts
        for attempt in listed(attempts) if attempts.status == 200 else ():
            yield ask(GET_ATTEMPT, f"frameworks/{name}/attempts/{attempt}{query}", version, attempt)


@pytest.mark.no_cover
def test_the_laws_hold_over_time(world: World) -> None:
    asked = client(world)
    world.live(1)
    names = [one.name for one in world.launcher.summaries(ASK)][:12]
    observations: list[Observation] = []
    for _ in range(25):
        # Asked between two polls, too: what was answered once must stay.
        world.clock.advance(45_000)
        for name in names:
            observations += everything(asked, name, world.clock.now())
        world.live(1)
    assert sum(len(listed(one)) > 1 for one in observations if one.operation == GET_ATTEMPTS and one.status == 200) > 20
    violations = check(observations)
    assert not violations, "\n".join(map(str, violations[:10]))
    for one in {(o.operation, o.status, repr(o.body)): o for o in observations}.values():
        wrong = objection(one.operation, one.status, "documented", one.body)
        assert wrong is None, f"{one}: {wrong}"
        assert one.status in (200, 404)


def test_a_recovered_attempt_is_answered_as_the_schema_says(archive: Archive) -> None:
    from tests.restserver.history.telling import application

    archive.yarn.applications_known = [application(1), application(2, code=None, state="KILLED")]
    archive.poll(told(attempt=2, application=3))
    asked = served(archive)
    for attempt, state in ((0, "FAILED"), (1, "WAITING")):
        answer = asked.simulate_get(f"/api/v2/frameworks/{NAME}/attempts/{attempt}")
        assert answer.status_code == 200
        assert next(registry.validator(GET_ATTEMPT, 200, "documented").iter_errors(answer.json), None) is None
        detail = answer.json["frameworkFullDetail"]
        assert detail["taskRoles"] == {}
        assert detail["jobStatus"]["attemptId"] == attempt
        assert detail["jobStatus"]["attemptState"] == state
        assert detail["jobStatus"]["completedTime"] == 0


def served(archive: Archive) -> falcon.testing.TestClient:
    found = archive.store.database
    backend = Backend(
        Remembering(archive.launcher, archive.store, archive.clock),
        archive.yarn,
        archive.clock,
        informed={"history": lambda: condition(found)},
        required={"history": lambda: "ok" if schema_fits(found) else condition(found)},
    )
    return falcon.testing.TestClient(create_app(backend, Settings()))


def test_job_details_go_on_while_the_history_is_down(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive.poll(told())
    asked = served(archive)
    assert asked.simulate_get("/readyz").json["parts"]["history"] == "ok"
    archive.store.database.close()
    for file in tmp_path.glob("history.sqlite*"):
        file.unlink()
    (tmp_path / "history.sqlite").mkdir()
    with caplog.at_level(logging.CRITICAL):
        assert asked.simulate_get(f"/api/v2/jobs/{NAME}").status_code == 200
        for path in ("attempts", "attempts/0", "versions"):
            answer = asked.simulate_get(f"/api/v2/frameworks/{NAME}/{path}")
            assert answer.status_code == 500
            assert answer.json == {
                "code": "UnknownError",
                "message": "The history of past attempts cannot be asked.",
            }
        ready = asked.simulate_get("/readyz")
    assert ready.status_code == 200
    assert ready.json["parts"]["history"] == "The history of past attempts cannot be asked."


def test_an_older_schema_is_not_ready(archive: Archive, tmp_path: Path) -> None:
    archive.launcher.tell(told())
    written_by_the_first_version(tmp_path)
    asked = served(archive)
    ready = asked.simulate_get("/readyz")
    assert ready.status_code == 503
    assert "restserver history migrate" in ready.json["parts"]["history"]
    assert asked.simulate_get(f"/api/v2/jobs/{NAME}").status_code == 200
    assert asked.simulate_get(f"/api/v2/frameworks/{NAME}/versions").status_code == 500


def test_what_was_forgotten_is_404_only_as_a_job(archive: Archive) -> None:
    archive.poll(told())
    archive.forget()
    with pytest.raises(NoSuchFramework):
        archive.launcher.framework(NAME, ASK)
    asked = served(archive)
    assert asked.simulate_get(f"/api/v2/jobs/{NAME}").status_code == 404
    for path in ("attempts", "attempts/0", "versions"):
        assert asked.simulate_get(f"/api/v2/frameworks/{NAME}/{path}").status_code == 200
