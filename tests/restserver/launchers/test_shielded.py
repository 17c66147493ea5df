"""The shield: what a launcher is asked however many ask, and what those who ask are promised."""

from concurrent.futures import Future  # noqa: TC003 - a dataclass names it
from dataclasses import dataclass, field
from random import Random
from threading import Barrier, Event
from typing import Any

import pytest

from contracts.clock import Instant, VirtualClock
from contracts.launcher.port import (
    Answer,
    Around,
    Ask,
    Call,
    LauncherBusy,
    LauncherRefused,
    LauncherUnavailable,
    NoSuchFramework,
    straight,
)
from restserver.launchers.breaker import State
from restserver.launchers.shielded import LONGEST_ERROR, Keeping, Policy, Shield, shield
from tests.restserver.launchers.threads import PATIENCE, started, until
from tests.restserver.small_launcher import SmallLauncher, framework

NOW = 1_000_000
TTL = 1_000
CALL = Call("framework", "alice~mnist")
DOWN = LauncherUnavailable("The launcher did not answer within 10 s.")


@dataclass
class Bench:
    """A launcher of one job behind a whole shield."""

    policy: Policy = field(default_factory=Policy)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW, frozen=True))
    inner: SmallLauncher = field(default_factory=SmallLauncher)

    def __post_init__(self) -> None:
        self.inner.put(framework())
        self.shield: Shield = shield(self.clock, "The launcher", self.policy, Random(1), straight)
        self.launcher = Around(self.inner, self.shield.hook)

    def ask(self) -> Answer[Any]:
        return self.launcher.framework("alice~mnist", Ask())


def keeping(clock: VirtualClock, **more: int) -> Keeping:
    return Keeping(clock, "The launcher", TTL, **more)


def test_a_thousand_pollers_of_one_job_are_one_call_per_ttl() -> None:
    bench = Bench()
    pollers, rounds = 1_000, 3
    for number in range(1, rounds + 1):
        barrier = Barrier(8)

        def poll(barrier: Barrier = barrier) -> set[object]:
            barrier.wait(PATIENCE)
            return {bench.ask().edition for _ in range(pollers // 8)}

        answers = [future.result(PATIENCE) for future in [started(poll) for _ in range(8)]]
        assert set().union(*answers) == {1}
        assert len(bench.inner.asked) == number
        bench.clock.advance(TTL)


def test_no_such_framework_is_kept_like_an_answer() -> None:
    bench = Bench()
    for _ in range(10):
        with pytest.raises(NoSuchFramework) as caught:
            bench.launcher.framework("nobody", Ask())
        assert caught.value == NoSuchFramework("nobody")
        assert caught.value.__cause__ is None
    assert bench.inner.asked == ["framework"]
    bench.inner.put(framework("nobody"))
    bench.clock.advance(TTL)
    assert bench.launcher.framework("nobody", Ask()).value.summary.name == "nobody"


def test_every_call_is_a_key_of_its_own() -> None:
    bench = Bench()
    launcher = bench.launcher
    for _ in range(3):
        assert launcher.framework("alice~mnist", Ask()).value.summary.name == "alice~mnist"
        assert launcher.attempt("alice~mnist", 0, None, Ask()).value.status.version == 3
        assert launcher.attempt("alice~mnist", 0, 3, Ask()).value.status.version == 3
        assert launcher.attempts("alice~mnist", None, Ask()).value == (0,)
        assert launcher.versions("alice~mnist", Ask()).value == (3,)
        launcher.ready(Ask())
    assert bench.inner.asked == ["framework", "attempt", "attempt", "attempts", "versions", "ready"]
    assert len(list(launcher.summaries(Ask()))) == len(list(launcher.summaries(Ask()))) == 1
    assert bench.inner.asked[-2:] == ["summaries", "summaries"]


def test_an_answer_says_until_when_the_copy_holds() -> None:
    bench = Bench()
    assert bench.ask().until == NOW + TTL
    bench.clock.advance(400)
    assert bench.ask().until == NOW + TTL
    hook = keeping(bench.clock)
    assert hook(CALL, Ask(), lambda _: Answer(1, 1, until=NOW + 500)).until == NOW + 500


def test_an_answer_says_whether_the_copy_would_still_be_given() -> None:
    bench = Bench(Policy(stale_for=TTL))
    first = bench.ask()
    assert first.holds is not None
    keeping = bench.shield.keeping
    assert keeping is not None
    assert (first.holds(), keeping.hits, len(bench.inner.asked)) == (True, 1, 1)
    bench.clock.advance(TTL - 1)
    assert first.holds()
    bench.clock.advance(1)
    assert not first.holds()
    bench.ask()
    assert first.holds(), "it still says the same"
    bench.inner.put(framework())
    bench.clock.advance(TTL)
    second = bench.ask()
    assert second.holds is not None
    assert (first.holds(), second.holds(), keeping.hits) == (False, True, 4)
    bench.clock.advance(-TTL)
    assert not second.holds(), "nobody knows how old it is"
    bench.clock.advance(2 * TTL)
    bench.inner.error = DOWN
    assert bench.ask().stale_since == NOW + 3 * TTL
    assert bench.ask().holds is None, "one that is marked as old must not be taken for one that is not"


def test_whether_a_copy_holds_is_told_without_waiting() -> None:
    bench = Bench()
    told = bench.ask()
    assert told.holds is not None
    keeping = bench.shield.keeping
    assert keeping is not None
    with keeping._lock:
        assert not told.holds()
    assert told.holds()


def test_the_age_counts_from_the_question_and_not_from_the_answer() -> None:
    clock = VirtualClock(NOW, frozen=True)
    hook, calls = keeping(clock), []

    def slow(ask: Ask) -> Answer[int]:
        calls.append(clock.now())
        clock.advance(600)
        return Answer(len(calls), len(calls))

    assert hook(CALL, Ask(), slow).value == 1
    assert hook(CALL, Ask(), slow).value == 1
    clock.advance(400)
    assert hook(CALL, Ask(), slow).value == 2
    assert calls == [NOW, NOW + 1_000]


def test_a_clock_that_goes_back_uses_no_copy_from_the_future() -> None:
    bench = Bench()
    bench.ask()
    bench.clock.advance(-10_000)
    bench.inner.put(framework())
    assert bench.ask().edition == 2
    assert bench.ask().edition == 2
    assert len(bench.inner.asked) == 2


@pytest.mark.parametrize("ttl", [200, TTL, 60 * TTL])
def test_an_error_is_kept_for_a_second_at_most(ttl: int) -> None:
    bench = Bench(Policy(ttl=ttl))
    bench.inner.error = LauncherRefused(500, "The launcher answered 500.")
    for number in range(1, 4):
        for _ in range(10):
            with pytest.raises(LauncherRefused):
                bench.ask()
        assert len(bench.inner.asked) == number
        bench.clock.advance(min(ttl, LONGEST_ERROR))
    bench.inner.error = None
    assert bench.ask().edition == 1
    bench.clock.advance(-2 * LONGEST_ERROR - ttl)
    assert bench.ask().edition == 1, "an error from a time that is to come again is nobody's"


def test_what_a_launcher_was_not_asked_or_had_no_time_for_is_not_kept() -> None:
    clock = VirtualClock(NOW, frozen=True)
    hook, calls = keeping(clock), []

    def busy(ask: Ask) -> None:
        calls.append(ask)
        raise LauncherBusy("1", "The launcher was not asked: too many calls wait already.")

    def late(ask: Ask) -> None:
        calls.append(ask)
        clock.advance(10)
        raise DOWN

    for _ in range(3):
        with pytest.raises(LauncherBusy):
            hook(CALL, Ask(), busy)
        with pytest.raises(LauncherUnavailable):
            hook(CALL, Ask(clock.now() + 10), late)
    assert len(calls) == 6


def test_nothing_is_kept_or_shared_with_a_ttl_of_zero() -> None:
    bench = Bench(Policy(ttl=0))
    for _ in range(3):
        assert bench.ask().until is None
    assert bench.shield.keeping is None
    assert len(bench.inner.asked) == 3


def test_without_a_breaker_it_is_asked_however_often_it_fails() -> None:
    bench = Bench(Policy(breaker=False))
    bench.inner.error = DOWN
    for _ in range(20):
        with pytest.raises(LauncherUnavailable):
            bench.ask()
        bench.clock.advance(LONGEST_ERROR)
    assert (bench.shield.breaker, len(bench.inner.asked)) == (None, 20)


def test_the_breaker_stands_within_the_shield() -> None:
    bench = Bench()
    bench.ask()
    bench.inner.error = DOWN
    for index in range(5):
        with pytest.raises(LauncherUnavailable):
            bench.launcher.framework(f"job-{index}", Ask())
    with pytest.raises(LauncherBusy):
        bench.launcher.framework("another", Ask())
    assert bench.ask().edition == 1, "a copy that is young enough needs no launcher"
    assert bench.shield.breaker is not None
    assert bench.shield.breaker.state is State.OPEN
    assert len(bench.inner.asked) == 6


def test_with_leave_a_stale_copy_stands_in_for_an_error_and_says_so() -> None:
    bench = Bench(Policy(stale_for=5_000))
    bench.ask()
    bench.inner.error = DOWN
    bench.clock.advance(TTL)
    stale = bench.ask()
    assert (stale.edition, stale.stale_since) == (1, NOW + TTL)
    bench.clock.advance(5_000 - 1)
    assert bench.ask().stale_since == NOW + TTL
    bench.clock.advance(1)
    with pytest.raises(LauncherUnavailable):
        bench.ask()
    with pytest.raises(LauncherUnavailable):
        bench.launcher.framework("never-asked", Ask())
    bench.inner.error = None
    bench.clock.advance(LONGEST_ERROR)
    assert bench.ask().stale_since is None
    assert bench.shield.keeping is not None
    assert bench.shield.keeping.stale == 2


def test_a_stale_copy_never_stands_in_for_the_word_that_it_is_gone() -> None:
    bench = Bench(Policy(stale_for=5_000))
    bench.ask()
    bench.inner.frameworks.clear()
    bench.clock.advance(TTL)
    for _ in range(2):
        with pytest.raises(NoSuchFramework):
            bench.ask()
    assert len(bench.inner.asked) == 2


def test_a_resource_manager_says_with_404_that_there_is_no_such_application() -> None:
    hook, calls = keeping(VirtualClock(NOW, frozen=True)), []

    def refused(ask: Ask) -> None:
        calls.append(ask)
        raise LauncherRefused(404, "no such application")

    for _ in range(3):
        with pytest.raises(LauncherRefused):
            hook(Call("application", "application_1_1"), Ask(), refused)
    assert len(calls) == 1


def test_a_404_that_is_not_the_launchers_own_is_a_failure_and_a_stale_copy_stands_in() -> None:
    """As from a proxy whose launcher is gone."""
    bench = Bench(Policy(stale_for=5_000))
    bench.ask()
    bench.inner.error = LauncherRefused(404, None)
    bench.clock.advance(TTL)
    for calls in (2, 3):
        assert bench.ask().stale_since == NOW + TTL
        assert len(bench.inner.asked) == calls, "it is not kept as an answer would be"
        bench.clock.advance(LONGEST_ERROR)


class Held:
    """A launcher whose calls end when the test says so."""

    def __init__(self) -> None:
        self.go = Event()
        self.calls = 0
        self.outcome: Answer[Any] | BaseException = Answer("told", 1)

    def __call__(self, ask: Ask) -> Answer[Any]:
        self.calls += 1
        assert self.go.wait(PATIENCE)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def followers(hook: Keeping, held: Held, number: int, deadline: Instant | None = None) -> "list[Future[Any]]":
    """A leader that is held up, and so many who follow it."""
    leader = started(lambda: hook(CALL, Ask(), held))
    until(lambda: held.calls == 1)
    following = [started(lambda: hook(CALL, Ask(deadline), held)) for _ in range(number)]
    until(lambda: hook.shared == number)
    return [leader, *following]


def test_whoever_asks_while_a_call_is_under_way_gets_its_answer() -> None:
    held = Held()
    hook = keeping(VirtualClock(NOW, frozen=True))
    futures = followers(hook, held, 7)
    held.go.set()
    assert {future.result(PATIENCE).value for future in futures} == {"told"}
    assert (held.calls, hook.misses, hook.hits) == (1, 1, 0)


def test_an_error_is_shared_by_those_under_way_each_with_its_own() -> None:
    held = Held()
    held.outcome = DOWN
    futures = followers(keeping(VirtualClock(NOW, frozen=True)), held, 5)
    held.go.set()
    errors = [future.exception(PATIENCE) for future in futures]
    assert errors == [DOWN] * 6
    assert len({id(error) for error in errors}) == 6
    assert held.calls == 1


@pytest.mark.parametrize("death", [SystemExit(), ZeroDivisionError("a mistake of ours")])
def test_a_leader_that_dies_wakes_its_followers_and_one_of_them_leads(death: BaseException) -> None:
    held, alive = Held(), Held()
    held.outcome = death
    alive.go.set()
    hook = keeping(VirtualClock(NOW, frozen=True))
    (leader,) = followers(hook, held, 0)
    following = [started(lambda: hook(CALL, Ask(), alive)) for _ in range(4)]
    until(lambda: hook.shared == 4)
    held.go.set()
    assert leader.exception(PATIENCE) is death
    assert {future.result(PATIENCE).value for future in following} == {"told"}
    assert (held.calls, alive.calls) == (1, 1)


def test_a_follower_goes_at_its_own_deadline_and_the_others_stay() -> None:
    clock = VirtualClock(NOW, frozen=True)
    held = Held()
    hook = keeping(clock)
    leader, late = followers(hook, held, 1, deadline=NOW + 500)
    clock.advance(500)
    with pytest.raises(LauncherUnavailable, match="did not answer in time"):
        late.result(PATIENCE)
    assert not leader.done()
    held.go.set()
    assert leader.result(PATIENCE).value == "told"


def test_a_call_that_takes_longer_than_a_ttl_is_not_joined_any_more() -> None:
    clock = VirtualClock(NOW, frozen=True)
    slow, fresh = Held(), Held()
    slow.outcome = Answer("old", 1)
    hook = keeping(clock)
    (leader,) = followers(hook, slow, 0)
    clock.advance(TTL)
    fresh.go.set()
    assert hook(CALL, Ask(), fresh).value == "told"
    slow.go.set()
    assert leader.result(PATIENCE).value == "old"
    assert hook(CALL, Ask(), fresh).value == "told", "the older answer came last, and must not be kept"
    assert (slow.calls, fresh.calls) == (1, 1)


def test_an_old_call_that_lands_late_does_not_hide_the_newer_one_under_way() -> None:
    clock = VirtualClock(NOW, frozen=True)
    slow, newer = Held(), Held()
    slow.outcome = DOWN
    hook = keeping(clock)
    (old,) = followers(hook, slow, 0)
    clock.advance(TTL)
    leader = started(lambda: hook(CALL, Ask(), newer))
    until(lambda: newer.calls == 1)
    slow.go.set()
    assert old.exception(PATIENCE) == DOWN
    follower = started(lambda: hook(CALL, Ask(), newer))
    until(lambda: hook.shared == 1)
    newer.go.set()
    assert leader.result(PATIENCE) == follower.result(PATIENCE)
    assert newer.calls == 1
