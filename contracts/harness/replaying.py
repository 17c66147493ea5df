"""How a reader sees a finding for himself: a line that asks the same, and one that runs the same check again."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.clock import Instant, iso
from contracts.harness.findings import Finding
from contracts.harness.redacting import redacted
from contracts.harness.transport import Client, Request


@dataclass(frozen=True)
class Replay:
    client: Client
    command: tuple[str, ...]
    """The check as it was called, without what :meth:`again` adds; empty: what others asked cannot be asked again."""
    seed: int
    phases: Sequence[str]
    now: Instant | None
    """Where the server's clock stood."""
    simulated: str | None
    """``X-Simulated`` of an answer."""

    def curl(self, finding: Finding) -> str | None:
        """Asks once what shows it; ``None``: no single request does."""
        return self._curl(finding.exchanges[-1].request) if finding.exchanges else None

    def again(self, finding: Finding) -> str | None:
        """Runs the phase that found it; the clock, where it could be held, begins at the same instant. ``None``: nothing does."""
        if not self.command:
            return None
        phases = [finding.exchanges[-1].phase] if finding.exchanges else list(self.phases)
        words = [*self.command, "--seed", str(self.seed), "--phases", ",".join(phases)]
        return shlex.join([*words, "--at", iso(self.now)] if self.now is not None else words)

    def world(self) -> str | None:
        """What serves the simulated world, if it is one; its number of jobs and its profile no answer tells."""
        found = re.fullmatch(r"seed=(\d+); now=(\S+)", self.simulated or "")
        if not found:
            return None
        at = found[2] if self.now is None else iso(self.now)
        return f"restserver serve --seed {found[1]} --at {at} --frozen, and --jobs and --profile as they were"

    def _curl(self, request: Request) -> str:
        words = ["curl", "-i", "--path-as-is"]
        if request.method == "HEAD":
            words.append("--head")
        elif request.method != "GET":
            words += ["-X", request.method]
        if self.client.insecure:
            words.append("-k")
        for name, value in redacted(self.client.sent_headers(request)):
            words += ["-H", f"{name}: {value}"]
        return shlex.join([*words, f"{self.client.target.url}{request.target}"])
