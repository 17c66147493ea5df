"""One whole check: phases in their order, each with its share of the requests, and what came of it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from contracts.clock import Instant, real_now, uptime
from contracts.harness.asking import Asker, Enough, Pace, Patience
from contracts.harness.contract import Contract
from contracts.harness.control import ControlPlane, NoControl
from contracts.harness.editions import Editions
from contracts.harness.expectations import expectation
from contracts.harness.findings import Exchange, Finding, Findings
from contracts.harness.judging import Verdict
from contracts.harness.lines import Lines, lines
from contracts.harness.meeting import Meeting
from contracts.harness.names import Names
from contracts.harness.provoking import Trouble
from contracts.harness.transport import Answered, Client, Request
from contracts.harness.walking import Walk

PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
SHARES: Final = {"examples": 0.1, "coverage": 0.2, "fuzzing": 0.4, "stateful": 0.3}
"""Of the requests; the same whichever phases run, so that one phase alone asks what it asks among the others."""


@dataclass(frozen=True)
class Plan:
    phases: tuple[str, ...] = PHASES
    seed: int = 1
    max_examples: int = 1000
    max_time: float | None = None
    workers: int = 1
    per_second: float | None = None
    accepted: frozenset[str] = frozenset()

    def share(self, phase: str) -> int:
        return max(1, round(self.max_examples * SHARES[phase]))


@dataclass
class Outcome:
    """What a check found; what reports are made of."""

    target: str
    contract: Contract
    plan: Plan
    names: Names
    findings: Findings
    meeting: Meeting
    now: Instant | None
    """Where the server's clock stood; ``None``: it could not be held."""
    began: Instant
    asked: dict[str, int] = field(default_factory=dict)
    """Requests by phase."""
    real: int = 0
    """Requests about names that exist."""
    seconds: float = 0.0
    stopped: str = ""
    """Why it ended early."""
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    """Kept only if a report wants them."""
    command: str = "check"
    """Which one it was."""
    simulated: str | None = None
    """``X-Simulated`` of the first answer that has one."""

    @property
    def requests(self) -> int:
        return sum(self.asked.values())


@dataclass
class Check:
    client: Client
    contract: Contract
    plan: Plan
    names: Names
    control: ControlPlane | None
    """Lists names and breaks the launcher."""
    now: Instant | None = None
    """Where the server's clock stands, if the control plane holds it; ``None``: time is real."""
    keeps: bool = False
    """Whether exchanges are kept for reports."""
    progress: Callable[[str], None] = lambda text: None
    _editions: Editions = field(default_factory=Editions)

    @property
    def _lines(self) -> Lines:
        return lines(self.contract.style)

    def run(self) -> Outcome:
        findings, meeting = Findings(self.plan.accepted), Meeting(self.contract)
        target = self.client.target.url
        outcome = Outcome(target, self.contract, self.plan, self.names, findings, meeting, self.now, real_now())
        started = uptime()
        until = None if self.plan.max_time is None else started + self.plan.max_time
        with ThreadPoolExecutor(self.plan.workers) as pool:
            asker = Asker(
                client=self.client,
                contract=self.contract,
                patience=Patience(until),
                pace=Pace(self.plan.per_second),
                pool=pool,
                workers=self.plan.workers,
                heard=lambda exchange, verdict, real: self._heard(outcome, exchange, verdict, real),
            )
            try:
                self._phases(asker, outcome)
            except Enough as enough:
                outcome.stopped = str(enough)
            except NoControl as error:
                outcome.notes.append(f"the control plane failed: {error}")
            except KeyboardInterrupt:
                outcome.stopped, outcome.interrupted = "interrupted", True
        outcome.seconds = uptime() - started
        findings.add(self._unmet(outcome))
        return outcome

    def _phases(self, asker: Asker, outcome: Outcome) -> None:
        for phase in (one for one in PHASES if one in self.plan.phases):
            self.progress(phase)
            if phase != "stateful":
                asker.ask_all(phase, self._questions(phase))
                continue
            share = self.plan.share(phase)
            held = None if self.now is None else self.control
            walk = Walk(self.contract, asker, self.names.known, self.plan.seed, share, held)
            try:
                walk.walk(outcome.began if self.now is None else self.now)
            finally:
                outcome.findings.add(walk.findings(self._lines))
        if "coverage" in self.plan.phases and self.control is not None:
            self._trouble(asker, outcome, self.control)

    def _trouble(self, asker: Asker, outcome: Outcome, control: ControlPlane) -> None:
        """Last of all, since a server may be wary of a launcher that was in trouble; and by a name that it hardly keeps."""
        if not self.names.known or not control.has_faults:
            return
        self.progress("coverage, with the launcher in trouble")
        if self.now is not None:
            control.stand_at(self.now)
        outcome.meeting.provoked |= {500}
        for exchange, verdict in Trouble(self.contract, asker, control, self._lines).met(self.names.known[-1]):
            self._heard(outcome, exchange, verdict, real=True)

    def _questions(self, phase: str) -> "Iterable[tuple[Request, bool]]":
        from contracts.harness import questions  # brings Schemathesis, which takes half a second

        most, known, seed = self.plan.share(phase), self.names.known, self.plan.seed
        if phase == "examples":
            made = questions.examples(self.contract, known, seed)
        elif phase == "coverage":
            made = questions.coverage(self.contract, known, seed)
            most = max(most, questions.needed(self.contract, known))
        else:
            made = questions.fuzzing(self.contract, known, seed, most)
        return ((question.request, question.real) for question in islice(made, most))

    def _heard(self, outcome: Outcome, exchange: Exchange, verdict: Verdict, real: bool) -> None:
        outcome.asked[exchange.phase] = outcome.asked.get(exchange.phase, 0) + 1
        outcome.real += real
        outcome.findings.add(verdict.findings)
        outcome.findings.add(self._editions.objections(exchange, self._lines))
        expected = expectation(self.contract, exchange.request)
        outcome.meeting.asked(expected)
        answer = exchange.outcome
        if isinstance(answer, Answered):
            if outcome.simulated is None:
                outcome.simulated = answer.header("x-simulated")
            outcome.meeting.seen.add((exchange.operation, answer.status))
            if verdict.body is not None:
                outcome.meeting.answered(exchange.operation, answer.status, verdict.body)
        if self.keeps:
            outcome.exchanges.append(exchange)

    @staticmethod
    def _turned_away(outcome: Outcome, operation: str) -> str:
        """What to do about a server that asks for a token, or allows only so many requests."""
        ways = {
            401: "a token is wanted; give it with --header",
            429: "too many requests; ask more slowly, --rate-limit",
        }
        return "".join(f": {way}" for status, way in ways.items() if (operation, status) in outcome.meeting.seen)

    def _unmet(self, outcome: Outcome) -> Iterator[Finding]:
        """Documented statuses that were never seen, though everything that provokes them was asked."""
        if outcome.stopped or "coverage" not in self.plan.phases:
            return
        for item in outcome.meeting.unmet_statuses():
            if self.contract.is_ours or item.status in (200, 404):
                advice = "" if self.names.known else ": no name of a job is known; --names FILE gives some"
                advice = self._turned_away(outcome, item.operation) or advice
                line = self._lines.of_status(item.operation, item.status)
                what = f"{item.status} is documented and was never answered{advice}"
                yield Finding(item.operation, item.status, "coverage: status", "", what, line)
