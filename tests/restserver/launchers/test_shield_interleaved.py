"""The shield under any interleaving of clients, answers, failures and time: nobody gets another's answer, or one that is too old."""

from collections.abc import Callable
from concurrent.futures import Future  # noqa: TC003 - a dataclass names it
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from threading import Barrier, Event, Lock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.clock import Instant, VirtualClock
from contracts.launcher.port import Answer, Ask, Call, LauncherError, LauncherUnavailable, NoSuchFramework
from restserver.launchers.shielded import Keeping
from tests.restserver.launchers.threads import PATIENCE, started, until

NOW = 1_000_000
TTL = 1_000
DOWN = LauncherUnavailable("The launcher did not answer within 10 s.")


@dataclass
class Question:
    name: str
    asked: Instant
    future: "Future[Answer[tuple[str, Instant]]]"


@dataclass
class Under:
    """A call that the launcher has not answered yet."""

    name: str
    began: Instant
    go: Event = field(default_factory=Event)
    error: LauncherError | None = None
    over: bool = False


class Interleavings(RuleBasedStateMachine):
    """Clients ask, the launcher answers or fails in any order, time passes. What a launcher tells is whom it was asked about,
    and when: the oldest thing that its answer can tell.
    """

    names = st.sampled_from(["a", "b", "c"])

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(NOW, frozen=True)
        self.hook = Keeping(self.clock, "The launcher", TTL, stale_for=500)
        self.lock = Lock()
        self.calls: list[Under] = []
        self.questions: list[Question] = []

    def launcher(self, name: str) -> Callable[[Ask], Answer[tuple[str, Instant]]]:
        def proceed(ask: Ask) -> Answer[tuple[str, Instant]]:
            del ask
            with self.lock:
                call = Under(name, self.clock.now())
                self.calls.append(call)
            assert call.go.wait(PATIENCE)
            if call.error is not None:
                raise call.error
            return Answer((name, call.began), (name, call.began))

        return proceed

    @rule(name=names)
    def ask(self, name: str) -> None:
        hook, calls = self.hook, len(self.calls)
        before = hook.hits, hook.shared, hook.misses
        future = started(lambda: hook(Call("framework", name), Ask(), self.launcher(name)))
        self.questions.append(Question(name, self.clock.now(), future))
        until(lambda: (hook.hits, hook.shared, hook.misses) != before)
        if hook.misses > before[2]:
            until(lambda: len(self.calls) > calls)

    @precondition(lambda self: any(not call.over for call in self.calls))
    @rule(data=st.data(), error=st.sampled_from([None, None, DOWN, NoSuchFramework("x")]))
    def answer(self, data: st.DataObject, error: LauncherError | None) -> None:
        open_calls = [call for call in self.calls if not call.over]
        call = data.draw(st.sampled_from(open_calls), label="which")
        call.error, call.over = error, True
        call.go.set()
        self.settle()

    @rule(by=st.integers(1, 1_200))
    def wait(self, by: int) -> None:
        self.clock.advance(by)

    def settle(self) -> None:
        """All that can end ends before the next step: whoever is not under way any more has its answer."""
        waiting = {call.name for call in self.calls if not call.over}
        for question in self.questions:
            if question.name not in waiting:
                question.future.exception(PATIENCE)
        until(lambda: sum(not each.future.done() for each in self.questions) >= len(waiting))

    @invariant()
    def no_answer_is_older_than_promised_or_anothers(self) -> None:
        for question in self.questions:
            if question.future.done() and question.future.exception() is None:
                answer = question.future.result()
                name, told = answer.value
                assert name == question.name
                if answer.stale_since is None:
                    assert told > question.asked - TTL
                    assert answer.until == told + TTL
                else:
                    assert answer.stale_since == told + TTL

    @invariant()
    def what_is_said_to_hold_is_neither_old_nor_replaced(self) -> None:
        answers = [
            each.future.result() for each in self.questions if each.future.done() and not each.future.exception()
        ]
        holding = [answer for answer in answers if answer.holds is not None and answer.holds()]
        for answer in holding:
            assert self.clock.now() - answer.value[1] < TTL
            assert answer.stale_since is None
        assert len({answer.value for answer in holding}) == len({answer.value[0] for answer in holding}), "one a job"

    @invariant()
    def an_answered_question_is_not_asked_again_within_a_ttl(self) -> None:
        for name in ("a", "b", "c"):
            calls = [call for call in self.calls if call.name == name]
            for one, following in pairwise(calls):
                assert following.began - one.began >= TTL

    def teardown(self) -> None:
        for call in self.calls:
            call.go.set()
        for question in self.questions:
            question.future.exception(PATIENCE)


Interleavings.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestInterleavings = Interleavings.TestCase


def test_under_real_threads_nobody_gets_anothers_or_an_old_answer() -> None:
    clock = VirtualClock(NOW, frozen=True)
    hook = Keeping(clock, "The launcher", 5)
    names = ["a", "b", "c"]
    barrier = Barrier(9)

    def telling(name: str) -> Callable[[Ask], Answer[tuple[str, Instant]]]:
        return lambda _: Answer((name, clock.now()), None)

    def ask_often(seed: int) -> int:
        dice = Random(seed)
        barrier.wait(PATIENCE)
        wrong = 0
        for _ in range(400):
            name, asked = dice.choice(names), clock.now()
            answer = hook(Call("framework", name), Ask(), telling(name))
            wrong += answer.value[0] != name or answer.value[1] <= asked - 5
        return wrong

    def time_passes() -> int:
        barrier.wait(PATIENCE)
        for _ in range(400):
            clock.advance(1)
        return 0

    futures = [started(lambda seed=seed: ask_often(seed)) for seed in range(8)]  # type: ignore[misc]  # a default of a lambda
    futures.append(started(time_passes))
    assert sum(future.result(PATIENCE) for future in futures) == 0
