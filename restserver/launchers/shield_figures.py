"""What shields tell of themselves, as figures, by side."""

from collections.abc import Iterable, Mapping

from restserver.launchers.breaker import State
from restserver.launchers.shielded import Shield
from restserver.seeing.metrics import Figure, Labels


def shield_figures(shields: Mapping[str, Shield]) -> Iterable[Figure]:
    """By the name of the side. A part that is off has no figures."""

    def gauge(name: str, meaning: str, values: Mapping[Labels, float], *labels: str) -> Figure:
        return Figure(f"restserver_{name}", "gauge", meaning, ("side", *labels), values)

    def counter(name: str, meaning: str, values: Mapping[Labels, float], *labels: str) -> Figure:
        return Figure(f"restserver_{name}", "counter", meaning, ("side", *labels), values)

    gates = {(side,): shield.gate for side, shield in shields.items()}
    keepings = {(side,): shield.keeping for side, shield in shields.items() if shield.keeping is not None}
    breakers = {(side,): shield.breaker for side, shield in shields.items() if shield.breaker is not None}
    yield counter(
        "cache_questions",
        "Questions by where their answer came from: a copy, a call under way, a call of their own, a stale copy.",
        {
            (*side, result): number
            for side, each in keepings.items()
            for result, number in (
                ("hit", each.hits),
                ("shared", each.shared),
                ("miss", each.misses),
                ("stale", each.stale),
            )
        },
        "result",
    )
    yield gauge("cache_entries", "Copies kept.", {side: each.entries for side, each in keepings.items()})
    yield gauge("cache_bytes", "Memory of the copies kept.", {side: each.size for side, each in keepings.items()})
    yield gauge(
        "breaker_state",
        "1 for the state the circuit breaker is in.",
        {(*side, state.value): each.state is state for side, each in breakers.items() for state in State},
        "state",
    )
    yield counter("breaker_opened", "How often it opened.", {side: each.opened for side, each in breakers.items()})
    yield counter("breaker_refused", "Calls not let through.", {side: each.refused for side, each in breakers.items()})
    yield gauge("calls_in_flight", "Calls under way.", {side: each.inside for side, each in gates.items()})
    yield gauge("calls_waiting", "Calls waiting for their turn.", {side: each.waiting for side, each in gates.items()})
    yield counter(
        "calls_turned_away",
        "Calls that found the queue full, or waited until their deadline.",
        {side: each.turned_away for side, each in gates.items()},
    )
    yield counter(
        "call_retries",
        "Calls made again because a connection failed.",
        {(side,): shield.retry.retries for side, shield in shields.items()},
    )
