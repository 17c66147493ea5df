"""Judges answers one at a time, for tests of clients and servers: ``contract.check(response)``.

What one answer alone can break is judged: its status for what was asked, its headers, its body by the schema, what it has
to repeat of the request, and the laws that an answer must keep with itself (L7, and L10 where the short and the full detail
stand in one answer). What two answers can break between them is the business of ``restserver check``.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from contracts.harness.contract import our_contract
from contracts.harness.echoes import server_now
from contracts.harness.expectations import Expectation, expectation
from contracts.harness.findings import Exchange, Finding
from contracts.harness.foreign import taken
from contracts.harness.judging import Judge, Verdict
from contracts.harness.laws import check
from contracts.harness.lines import lines
from contracts.harness.observations import GET_ATTEMPT, GET_JOB, Observation
from contracts.harness.transport import Answered

MOST_SHOWN: Final = 10


class ContractBroken(AssertionError):
    """One answer that is not as documented; the text says what broke, and which lines of api.md it breaks."""

    def __init__(self, text: str, findings: Sequence[Finding]) -> None:
        super().__init__(text)
        self.findings = tuple(findings)


class OneAnswer:
    """The contract in one style; ``tolerate=("extra-keys",)`` lets answers have more keys than are documented."""

    def __init__(self, style: str = "documented", tolerate: Sequence[str] = ()) -> None:
        self.style = style
        self._contract = our_contract(style, tolerate)
        self._judge = Judge(self._contract)

    def in_style(self, style: str, *tolerate: str) -> "OneAnswer":
        """``"documented"`` or ``"portal"``."""
        return _kept(style, tolerate)

    def check(
        self,
        response: object,
        *,
        url: str | None = None,
        method: str | None = None,
        body: bytes | str | None = None,
    ) -> Any:
        """The decoded body of an answer that is as documented, be it of a success or an error; ``None`` if it has no body.

        ``url`` and ``method`` say what was asked, where the answer does not; ``body`` is the body of one that is read with
        ``await``. Raises :class:`ContractBroken`, which is an
        ``AssertionError``, and :class:`contracts.harness.foreign.NoAnswer`.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test
        exchange, expected = self._exchange(response, url, method, body)
        verdict = self._judge.judge(exchange, expected)
        found = [*verdict.findings, *self._laws(exchange, expected, verdict)]
        if found:
            raise ContractBroken("\n".join(self._told(exchange, found)), found)
        return verdict.body

    def _exchange(
        self, response: object, url: str | None, method: str | None, body: bytes | str | None
    ) -> tuple[Exchange, Expectation]:
        request, answered = taken(response, url, method, self._contract.base, body)
        expected = expectation(self._contract, request)
        return Exchange(1, "one", expected.operation, request, answered), expected

    def _laws(self, exchange: Exchange, expected: Expectation, verdict: Verdict) -> Iterator[Finding]:
        answer, body = exchange.outcome, verdict.body
        about = exchange.operation in (GET_JOB, GET_ATTEMPT) and isinstance(answer, Answered) and answer.status == 200
        if not about or not isinstance(body, dict):
            return
        assert isinstance(answer, Answered)  # noqa: S101 - as has just been seen
        seen = Observation(server_now(answer), exchange.operation, expected.name or "", None, None, 200, body)
        known = lines(self.style)
        for violation in check([seen]):
            line = known.of_law(violation.law, violation.what)
            yield Finding(exchange.operation, 200, f"law {violation.law}", "", violation.what, line, (exchange,))

    def _told(self, exchange: Exchange, found: Sequence[Finding]) -> Iterator[str]:
        ways = "one way" if len(found) == 1 else f"{len(found)} ways"
        asked = f"{exchange.request.method} {exchange.request.target}"
        yield f"the contract is broken in {ways} by the answer {exchange.status} to {asked}"
        for number, finding in enumerate(found[:MOST_SHOWN], 1):
            yield f"{number}. {finding.rule}: {finding.what}"
            if finding.line is not None:
                yield f"   breaks api.md:{finding.line}: {lines(self.style).text(finding.line)}"
        if len(found) > MOST_SHOWN:
            yield f"and {len(found) - MOST_SHOWN} more"


@cache
def _kept(style: str, tolerate: tuple[str, ...]) -> OneAnswer:
    return OneAnswer(style, tolerate)
