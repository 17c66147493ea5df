"""Bounded concurrency: so many at once, so many waiting, none past its deadline."""

from threading import Event

import pytest

from contracts.clock import VirtualClock
from contracts.launcher.port import Ask, Call, LauncherBusy, LauncherUnavailable
from restserver.launchers.gate import Gate
from tests.restserver.launchers.threads import PATIENCE, started, until

CALL = Call("framework", "alice~mnist")
NOW = 1_000_000


def test_no_more_than_so_many_are_inside_and_all_get_in_by_and_by() -> None:
    gate = Gate(VirtualClock(NOW, frozen=True), "The launcher", at_once=3, waiting=100)
    go, most = Event(), []

    def proceed(ask: Ask) -> int:
        most.append(gate.inside)
        go.wait(PATIENCE)
        return 1

    futures = [started(lambda: gate(CALL, Ask(), proceed)) for _ in range(20)]
    until(lambda: (gate.inside, gate.waiting) == (3, 17))
    go.set()
    assert sum(future.result(PATIENCE) for future in futures) == 20
    assert max(most) <= 3
    assert (gate.inside, gate.waiting, gate.turned_away) == (0, 0, 0)


def test_who_came_first_gets_in_first() -> None:
    gate = Gate(VirtualClock(NOW, frozen=True), "The launcher", at_once=1)
    go, order = Event(), []
    first = started(lambda: gate(CALL, Ask(), lambda _: go.wait(PATIENCE)))
    until(lambda: gate.inside == 1)
    others = []
    for number in range(5):
        others.append(started(lambda number=number: gate(CALL, Ask(), lambda _: order.append(number))))  # type: ignore[misc]  # a default of a lambda
        until(lambda number=number: gate.waiting == number + 1)  # type: ignore[misc]  # as above
    go.set()
    for future in (first, *others):
        future.result(PATIENCE)
    assert order == [0, 1, 2, 3, 4]


def test_who_comes_between_a_free_place_and_the_next_in_line_waits_behind() -> None:
    clock = VirtualClock(NOW, frozen=True)
    gate = Gate(clock, "The launcher", at_once=1)
    gate._queue.append("somebody who has not woken up yet")
    late = started(lambda: gate(CALL, Ask(deadline=NOW + 1_000), lambda _: None))
    until(lambda: gate.waiting == 2)
    clock.advance(1_000)
    with pytest.raises(LauncherBusy):
        late.result(PATIENCE)


def test_a_full_queue_turns_away_at_once() -> None:
    gate = Gate(VirtualClock(NOW, frozen=True), "The launcher", at_once=1, waiting=0)

    def second(ask: Ask) -> None:
        with pytest.raises(LauncherBusy, match="too many calls wait already") as caught:
            gate(CALL, ask, lambda _: None)
        assert caught.value.retry_after == "1"

    gate(CALL, Ask(), second)
    assert (gate.turned_away, gate.inside) == (1, 0)


def test_nobody_waits_past_its_deadline() -> None:
    clock = VirtualClock(NOW, frozen=True)
    gate = Gate(clock, "The launcher", at_once=1)
    go = Event()
    first = started(lambda: gate(CALL, Ask(), lambda _: go.wait(PATIENCE)))
    until(lambda: gate.inside == 1)
    late = started(lambda: gate(CALL, Ask(deadline=NOW + 1_000), lambda _: None))
    patient = started(lambda: gate(CALL, Ask(deadline=NOW + 9_000), lambda _: "in"))
    until(lambda: gate.waiting == 2)
    clock.advance(1_000)
    with pytest.raises(LauncherBusy, match="too many calls were before this one"):
        late.result(PATIENCE)
    assert not patient.done()
    go.set()
    assert (patient.result(PATIENCE), first.result(PATIENCE)) == ("in", True)
    assert gate.inside == 0


def test_who_comes_after_its_deadline_is_not_let_in() -> None:
    gate = Gate(VirtualClock(NOW, frozen=True), "The launcher")
    with pytest.raises(LauncherBusy, match="the time for the answer was up"):
        gate(CALL, Ask(deadline=NOW), lambda _: None)


def test_a_call_that_fails_leaves_its_place() -> None:
    gate = Gate(VirtualClock(NOW, frozen=True), "The launcher", at_once=1)

    def fails(ask: Ask) -> None:
        raise LauncherUnavailable("gone")

    for _ in range(3):
        with pytest.raises(LauncherUnavailable):
            gate(CALL, Ask(), fails)
    assert gate.inside == 0
