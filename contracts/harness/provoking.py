"""Breaks the launcher on purpose, where the control plane can, and asks: what a launcher in trouble provokes is met, too.

Every answer must then say so, as the documented 500, or be a copy that was kept; it must not say that there is no such job.
Each fault is taken away as soon as it was met, and would heal by itself if this check could not do that any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from contracts.harness.asking import Asker
from contracts.harness.contract import Contract
from contracts.harness.control import ControlPlane, call
from contracts.harness.expectations import Expectation
from contracts.harness.findings import Exchange, Finding, Objection
from contracts.harness.judging import Verdict
from contracts.harness.lines import Lines
from contracts.harness.names import RealName
from contracts.harness.transport import Answered, Request

PHASE: Final = "coverage"
LONGEST: Final = 60
"""Seconds, on the server's clock, until a fault heals by itself."""
WAIT: Final = 7
TROUBLES: Final[Sequence[Mapping[str, Any]]] = (
    {"kind": "throttled", "retryAfter": WAIT},
    {"kind": "unavailable"},
    {"kind": "error_status", "status": 500, "message": "java.io.IOException: no space\n\tat a.B.c(B.java:1)"},
    {"kind": "wrong_type"},
    {"kind": "truncated"},
)
"""What may happen to a launcher, each within the contract of whoever asks it; first what a breaker would answer otherwise."""


@dataclass(frozen=True)
class Trouble:
    contract: Contract
    asker: Asker
    control: ControlPlane
    lines: Lines

    def met(self, name: RealName) -> Iterator[tuple[Exchange, Verdict]]:
        """Each trouble with each operation. Raises :class:`NoControl`, :class:`Enough`."""
        for trouble in TROUBLES:
            told = {**trouble, "side": "launcher", "name": name.name, "ttl": LONGEST}
            with self.control.fault(told):
                for operation, described in self.contract.operations.items():
                    if 500 not in described.responses:
                        continue  # another document that says nothing of trouble
                    request = Request("GET", self.contract.path_of(operation, name.encoded, "0"))
                    after = (call("POST", "/faults", told),)
                    exchange, verdict = self.asker.ask(PHASE, request, after, _in_trouble)
                    missing = self._untold_patience(exchange) if trouble.get("retryAfter") else ()
                    yield exchange, replace(verdict, findings=(*verdict.findings, *missing))

    def _untold_patience(self, exchange: Exchange) -> Iterator[Finding]:
        answer = exchange.outcome
        if isinstance(answer, Answered) and answer.status == 500 and answer.header("retry-after") != str(WAIT):
            what = f"the launcher said when to try again, Retry-After: {WAIT}, and the answer does not"
            line = self.lines.of_header("Retry-After", 500)
            yield Objection("header: missing", "Retry-After", what, line).to(exchange)


def _in_trouble(usual: Expectation) -> Expectation:
    return replace(usual, statuses=frozenset({200, 500}), why="the launcher is in trouble")
