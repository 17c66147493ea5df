"""What the simulator knows of the past, for a history to be compared with that only polled it."""

from dataclasses import dataclass

from contracts.clock import VirtualClock, from_iso
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import Ask
from contracts.launcher.records import Framework
from restserver.history.care import listed
from restserver.history.recovery import missing
from restserver.history.schema import Mark
from restserver.history.store import Store
from simulator.launcher import simulated


@dataclass(frozen=True)
class World:
    seed: int
    jobs: int
    profile: str


def compared_with_the_truth(store: Store, world: World, now: str) -> tuple[int, int]:
    """Attempts that agree, and attempts of which the history says that they are missing."""
    clock = VirtualClock(from_iso(now), frozen=True)
    truth, _ = simulated(world.seed, world.jobs, clock, world.profile)
    alive = {one.name for one in truth.summaries(Ask())}
    compared = gaps = 0
    for name in sorted(alive & {one.name for one in listed(store)}):
        past = store.past(name)
        assert past is not None
        for version in past.versions():
            kept = past.attempts(version)
            told = set(truth.attempts(name, version, Ask()).value)
            named = {attempt for run, attempt in missing(past.kept) if run == next(iter(kept.values())).run}
            assert set(kept) <= told
            assert all(attempt in named or attempt > max(kept) for attempt in told - set(kept))
            gaps += len(told - set(kept))
            for attempt, one in kept.items():
                found = store.document(one.id)
                assert found is not None
                agrees(found, truth.attempt(name, attempt, version, Ask()).value, one.mark)
                compared += 1
    assert alive <= {one.name for one in listed(store)}
    return compared, gaps


def agrees(kept: Framework, truth: Framework, mark: str | None) -> None:
    assert kept.status.retries.total == truth.status.retries.total
    assert kept.status.created_timestamp == truth.status.created_timestamp
    if kept.status.application_id is not None:
        assert kept.status.application_id == truth.status.application_id
    if mark == Mark.COMPLETED or (mark == Mark.RECOVERED and kept.status.application_exit_code is not None):
        assert kept.status.application_exit_code == truth.status.application_exit_code
        assert kept.status.application_exit_type == truth.status.application_exit_type
        # It may have been the last one of a run that was left only later: the report says nothing of that.
        assert kept.status.state is FrameworkState.APPLICATION_COMPLETED
        assert truth.status.state in (FrameworkState.APPLICATION_COMPLETED, FrameworkState.FRAMEWORK_COMPLETED)
    if mark == Mark.RECOVERED:
        assert kept.task_roles == {}
