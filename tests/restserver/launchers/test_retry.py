"""Asking again: only where a connection failed, within the deadline, after a pause rolled with dice."""

from random import Random

import pytest

from contracts.clock import SystemClock, VirtualClock, real_now
from contracts.launcher.port import Ask, Call, LauncherError, LauncherRefused, LauncherUnavailable, NoSuchFramework
from restserver.launchers.retry import PAUSES, Retry
from restserver.launchers.transport import Transport
from tests.stand_ins import misbehaving as bad

CALL = Call("framework", "alice~mnist")
NOW = 1_000_000
LOST = LauncherUnavailable("The launcher refused the connection.", unheard=True)


class Bench:
    def __init__(self, *errors: LauncherError) -> None:
        self.clock = VirtualClock(NOW, frozen=True)
        self.errors = list(errors)
        self.calls = 0
        self.pauses: list[int] = []
        self.retry = Retry(self.clock, dice=Random(1), waited=self.waited)

    def waited(self, pause: int) -> None:
        self.pauses.append(pause)
        self.clock.advance(pause)

    def ask(self, deadline: int | None = None) -> object:
        def proceed(ask: Ask) -> str:
            del ask
            self.calls += 1
            if self.errors:
                raise self.errors.pop(0)
            return "told"

        return self.retry(CALL, Ask(deadline), proceed)


def test_a_connection_that_failed_is_tried_again() -> None:
    bench = Bench(LOST, LOST)
    assert bench.ask() == "told"
    assert (bench.calls, bench.retry.retries) == (3, 2)
    assert all(longest / 2 <= pause <= longest for longest, pause in zip(PAUSES, bench.pauses, strict=True))


def test_not_for_ever() -> None:
    bench = Bench(*[LOST] * 9)
    with pytest.raises(LauncherUnavailable):
        bench.ask()
    assert bench.calls == len(PAUSES) + 1


def test_not_past_the_deadline() -> None:
    bench = Bench(LOST, LOST)
    with pytest.raises(LauncherUnavailable):
        bench.ask(deadline=NOW + 20)
    assert (bench.calls, bench.pauses) == (1, [])


@pytest.mark.parametrize(
    "error", [LauncherUnavailable("did not answer within 10 s"), LauncherRefused(503, None), NoSuchFramework("a")]
)
def test_what_was_heard_or_took_too_long_stands(error: LauncherError) -> None:
    bench = Bench(error)
    with pytest.raises(type(error)):
        bench.ask()
    assert bench.calls == 1


def test_the_dice_differ_between_servers() -> None:
    def first_pause(seed: int) -> int:
        pauses: list[int] = []
        lost = [LOST]

        def proceed(ask: Ask) -> None:
            if lost:
                raise lost.pop()

        Retry(SystemClock(), dice=Random(seed), waited=pauses.append)(CALL, Ask(), proceed)
        return pauses[0]

    assert len({first_pause(seed) for seed in range(20)}) > 5


def test_by_itself_it_really_waits() -> None:
    lost = [LOST]

    def proceed(ask: Ask) -> None:
        if lost:
            raise lost.pop()

    began = real_now()
    Retry(SystemClock(), dice=Random(1), pauses=(20,))(CALL, Ask(), proceed)
    assert real_now() - began >= 9


def unheard(url: str, timeout: int = 2_000) -> bool:
    transport = Transport(url, clock=SystemClock(), timeout=timeout, who="The launcher")
    with pytest.raises(LauncherUnavailable) as caught:
        transport.get("/", Ask())
    return caught.value.unheard


def test_the_transport_tells_what_was_not_heard() -> None:
    assert unheard(f"http://127.0.0.1:{bad.port_of_nobody()}")
    with bad.misbehaving(bad.resetting) as server:
        assert unheard(server.url)
    with bad.misbehaving(bad.sending(b"")) as server:
        assert unheard(server.url)
    with bad.misbehaving(bad.silent) as server:
        assert not unheard(server.url, timeout=100)
    with bad.misbehaving(bad.sending(bad.answer(b"{}", length=10))) as server:
        assert not unheard(server.url)
