import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.launcher import port
from contracts.launcher.port import Answer, Around, Ask, Call, Launcher, LauncherError
from contracts.launcher.records import Framework, Summary

ASK = Ask(deadline=5, request_id="r1")


class Telling:
    """A launcher that answers with what it was asked."""

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        return self._said("framework", name, ask)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        return self._said("attempt", name, attempt, version, ask)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        return self._said("attempts", name, version, ask)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        return self._said("versions", name, ask)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return iter(self._said("summaries", ask).value)

    def ready(self, ask: Ask) -> None:
        raise port.LauncherBusy(ask.request_id)

    def _said(self, *asked: object) -> Answer[Any]:  # what a call was made with stands for its answer
        return Answer(asked, edition=0)


CALLS: list[tuple[Callable[[Launcher], object], Call, tuple[object, ...]]] = [
    (lambda launcher: launcher.framework("a", ASK).value, Call("framework", "a"), ("framework", "a")),
    (lambda launcher: launcher.attempt("a", 2, 3, ASK).value, Call("attempt", "a", 3, 2), ("attempt", "a", 2, 3)),
    (lambda launcher: launcher.attempts("a", None, ASK).value, Call("attempts", "a"), ("attempts", "a", None)),
    (lambda launcher: launcher.versions("a", ASK).value, Call("versions", "a"), ("versions", "a")),
    (lambda launcher: tuple(launcher.summaries(ASK)), Call("summaries"), ("summaries",)),
]


@pytest.mark.parametrize(("ask", "call", "said"), CALLS)
def test_a_hook_sees_the_call_and_may_change_the_ask(
    ask: Callable[[Launcher], object], call: Call, said: tuple[object, ...]
) -> None:
    seen = []

    def hook(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:  # a hook passes on whatever it gets
        seen.append((call, ask))
        return proceed(replace(ask, request_id="r2"))

    assert ask(Around(Around(Telling(), hook), hook)) == (*said, Ask(deadline=5, request_id="r2"))
    assert seen == [(call, ASK), (call, Ask(deadline=5, request_id="r2"))]


@pytest.mark.parametrize(("ask", "call", "said"), CALLS[:4])
def test_a_hook_that_is_not_wanted_sees_nothing(
    ask: Callable[[Launcher], object], call: Call, said: tuple[object, ...]
) -> None:
    wanted = False
    seen = []

    def hook(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:  # as above
        seen.append(call)
        return proceed(ask)

    around = Around(Telling(), hook, lambda: wanted)
    assert ask(around) == (*said, ASK)
    assert seen == []
    wanted = True
    assert ask(around) == (*said, ASK)
    assert seen == [call]


def test_readiness_goes_through_the_hook_too() -> None:
    seen = []

    def hook(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:  # as above
        seen.append(call)
        return proceed(ask)

    with pytest.raises(port.LauncherBusy, match="busy"):
        Around(Telling(), hook).ready(ASK)
    assert seen == [Call("ready")]


@pytest.mark.parametrize(("ask", "call", "said"), CALLS)
def test_a_hook_may_answer_for_the_launcher_or_raise_for_it(
    ask: Callable[[Launcher], object], call: Call, said: tuple[object, ...]
) -> None:
    def refusing(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:  # as above
        raise port.LauncherUnavailable("refused")

    with pytest.raises(port.LauncherUnavailable, match="refused"):
        ask(Around(Telling(), refusing))


ERRORS: list[tuple[LauncherError, str]] = [
    (port.NoSuchFramework("a"), "framework a is not known"),
    (port.NoSuchAttempt("a", 3, 2), "attempt 2 of version 3 of framework a is not known"),
    (port.NoSuchVersion("a", None), "version None of framework a is not known"),
    (port.LauncherUnavailable("Connection refused."), "Connection refused."),
    (port.LauncherRefused(503, "ZooKeeper is down", "5"), "ZooKeeper is down"),
    (port.LauncherRefused(502, None), "The launcher answered with status 502."),
    (port.LauncherUnreadable("$.a", "null"), "The launcher's answer cannot be read: null at $.a."),
    (port.LauncherBusy(), "The launcher is busy."),
]


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_an_error_builds_its_message_from_its_facts(error: LauncherError, message: str) -> None:
    assert str(error) == message
    facts = vars(error)
    assert type(error)(**facts) == error
    assert hash(type(error)(**facts)) == hash(error)


def test_every_error_of_the_port_is_listed() -> None:
    assert {type(error) for error, _ in ERRORS} == set(port.LAUNCHER_ERRORS)
    assert set(LauncherError.__subclasses__()) == set(port.LAUNCHER_ERRORS)


@pytest.mark.parametrize("value", [Call("attempt", "a", 3, 2), ASK, Answer((1, 2), edition=(1, "x"), until=7)])
def test_calls_and_answers_are_values(value: object) -> None:
    again = pickle.loads(pickle.dumps(value))  # noqa: S301  # our own bytes
    assert again == value
    assert hash(again) == hash(value)
