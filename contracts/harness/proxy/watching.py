"""What the proxy makes of what passes by: each request and answer judged, findings and coverage kept, all of it bounded."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

from cachetools import LRUCache

from contracts.clock import Instant, real_now, uptime
from contracts.harness.contract import ANY_PATH, EXTRA_KEYS, Contract, our_contract
from contracts.harness.editions import Editions
from contracts.harness.expectations import Expectation, expectation
from contracts.harness.findings import Exchange, Finding, Findings, Objection
from contracts.harness.judging import Judge, Verdict, allows
from contracts.harness.lines import Lines, lines
from contracts.harness.meeting import Meeting
from contracts.harness.proxy.laws_in_passing import Asked, LawsInPassing
from contracts.harness.redacting import secrets_in
from contracts.harness.transport import Answered, Pairs, Request, Unanswered

PHASE: Final = "proxy"
BAD_REQUESTS: Final = "bad-requests"
MOST_EXCHANGES: Final = 10_000
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of what is kept for reports: the newest."""
MOST_SECRETS: Final = 1_000
NOTHING: Final = Verdict(None, ())


@dataclass(frozen=True)
class Passing:
    """A request on its way."""

    number: int
    request: Request
    expected: Expectation
    of_api: bool
    """Whether the contract speaks of it at all: a console beside the API is nobody's business here."""
    at: Instant
    sent: float
    """A point of uptime."""
    findings: tuple[Finding, ...]
    """What is wrong with the request itself."""

    def exchange(self, outcome: Answered | Unanswered) -> Exchange:
        return Exchange(self.number, PHASE, self.expected.operation, self.request, outcome)

    def answered(self, status: int, reason: str, headers: Pairs, body: bytes) -> Exchange:
        return self.exchange(Answered(status, reason, headers, body, self.at, uptime() - self.sent))

    def unanswered(self, kind: str, what: str, status: int | None = None) -> Exchange:
        return self.exchange(Unanswered(kind, what, self.at, uptime() - self.sent, status))


@dataclass
class Watch:
    contract: Contract
    keeps: bool = False
    """Whether exchanges are kept for reports."""
    tolerates_bad_requests: bool = False
    findings: Findings = field(default_factory=Findings)
    passed: int = 0
    of_api: int = 0
    not_judged: int = 0
    exchanges: deque[Exchange] = field(default_factory=deque)
    forgotten: int = 0
    """Exchanges that were kept and had to make room."""
    secrets: set[str] = field(default_factory=set)
    """That were sent by clients: they must not stand in a report."""
    _bytes: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _editions: Editions = field(default_factory=Editions)

    def __post_init__(self) -> None:
        self.meeting = Meeting(self.contract)
        self._judge = Judge(self.contract)
        self._laws = LawsInPassing(self._lines)
        self._shape = our_contract(self.contract.style, (EXTRA_KEYS,))
        self._met: LRUCache[tuple[str, int, str], object] = LRUCache(1_000)
        self._lock = threading.Lock()

    @property
    def _lines(self) -> Lines:
        return lines(self.contract.style)

    def asked(self, request: Request) -> Passing:
        self.passed += 1
        expected = expectation(self.contract, request)
        of_api = request.target.startswith(f"{self.contract.base}/")
        passing = Passing(next(self._numbers), request, expected, of_api, real_now(), uptime(), ())
        if len(self.secrets) < MOST_SECRETS:
            self.secrets.update(secrets_in(request.headers))
        if not of_api:
            if request.method not in ("GET", "HEAD", "OPTIONS"):
                self._laws.new_age()  # a control plane may have changed anything
            return passing
        self.of_api += 1
        self.meeting.asked(expected)
        if not expected.fault or self.tolerates_bad_requests:
            return passing
        status = min(expected.statuses, default=404)
        line = self._lines.of_status(expected.operation, status)
        where = ",".join(expected.invalid) or ("" if expected.operation == ANY_PATH else expected.method)
        wrong = Objection(f"request: {expected.fault}", where, f"{expected.why}: {request.target[:200]}", line)
        unsent = wrong.to(passing.unanswered("unsent", "it was judged before it was passed on"))
        return replace(passing, findings=(unsent,))

    def judged(self, passing: Passing, exchange: Exchange) -> Verdict:
        """Takes its time with a large body; may be called from another thread."""
        if not passing.of_api:
            return NOTHING
        return self._judge.judge(exchange, passing.expected)

    def judged_head(self, passing: Passing, exchange: Exchange) -> Verdict:
        if not passing.of_api:
            return NOTHING
        return Verdict(None, self._judge.judge_head(exchange, passing.expected))

    def heard(self, passing: Passing, exchange: Exchange, verdict: Verdict) -> tuple[Finding, ...]:
        """Keeps what came of a request; everything that is wrong with it, laws included."""
        found = [*verdict.findings]
        answer = exchange.outcome
        if isinstance(answer, Answered) and passing.of_api:
            self.meeting.seen.add((exchange.operation, answer.status))
            if verdict.body is not None:
                found += self._editions.objections(exchange, self._lines)
            found += self._laws_of(passing, exchange, verdict.body)
        elif isinstance(answer, Unanswered) and not passing.of_api:
            found += self._judge.judge(exchange, passing.expected).findings  # a server that is gone is always news
        self.findings.add(replace(one, status=exchange.status, exchanges=(exchange,)) for one in passing.findings)
        self.findings.add(found)
        if self.keeps:
            self._keep(exchange)
        return (*passing.findings, *found)

    def met(self, exchange: Exchange, verdict: Verdict) -> None:
        """Coverage. Nobody has to wait for it, so it comes after the answer was sent; may be called from another thread."""
        if not isinstance(exchange.outcome, Answered) or verdict.body is None:
            return
        key = (exchange.operation, exchange.outcome.status, exchange.request.target)
        with self._lock:
            if self._met.get(key) is verdict.body:
                return  # the same object: the same bytes as the last time
            self._met[key] = verdict.body
        self.meeting.answered(exchange.operation, exchange.outcome.status, verdict.body)

    def end(self) -> None:
        """The laws over what was seen last."""
        self.findings.add(self._laws.judged())

    def _laws_of(self, passing: Passing, exchange: Exchange, body: object) -> Iterator[Finding]:
        expected, answer = passing.expected, exchange.outcome
        assert isinstance(answer, Answered)  # noqa: S101 - see where it is called
        if expected.fault or expected.name is None or expected.method != "GET":
            return
        if answer.status == 404:
            told: dict[str, object] = {}
        elif answer.status == 200 and isinstance(body, dict) and self._has_the_form(exchange.operation, body):
            told = body
        else:
            return
        version, attempt = _number(expected.version), _number(expected.attempt)
        asked: Asked = (exchange.operation, expected.name, version, attempt)
        yield from self._laws.add(asked, exchange, told, passing.sent, uptime())

    def _has_the_form(self, operation: str, body: dict[str, object]) -> bool:
        """Our own contract was just judged by; another one may leave open what laws read."""
        response = self._shape.response(operation, 200)
        return self.contract.is_ours or (response is not None and allows(response, body))

    def _keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._bytes += _size(exchange)
        while len(self.exchanges) > MOST_EXCHANGES or self._bytes > MOST_BYTES:
            self._bytes -= _size(self.exchanges.popleft())
            self.forgotten += 1


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _size(exchange: Exchange) -> int:
    return len(exchange.outcome.body) if isinstance(exchange.outcome, Answered) else 0
