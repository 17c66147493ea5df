"""How a reader sees a finding for himself: a line that asks the same, and one that runs the same check again."""

import os
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
    control: Client | None
    """Of the control plane, if there is one."""
    command: tuple[str, ...]
    """The check as it was called, without what :meth:`again` adds; empty: what others asked cannot be asked again."""
    seed: int
    phases: Sequence[str]
    now: Instant | None
    """Where the server's clock stood."""
    simulated: str | None
    """``X-Simulated`` of an answer."""

    def curl(self, finding: Finding) -> str | None:
        """Asks once what shows it, of the server as it then was; ``None``: no single request does."""
        if not finding.exchanges:
            return None
        last = finding.exchanges[-1]
        calls = [] if self.control is None else [self._curl(self.control, one, quiet=True) for one in last.after]
        return " && ".join([*calls, self._curl(self.client, last.request)])

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

    @staticmethod
    def _curl(client: Client, request: Request, *, quiet: bool = False) -> str:
        words = ["curl", "-sS", "-o", os.devnull] if quiet else ["curl", "-i", "--path-as-is"]
        if request.method == "HEAD":
            words.append("--head")
        elif request.method != "GET":
            words += ["-X", request.method]
        if client.insecure:
            words.append("-k")
        for name, value in redacted(client.sent_headers(request)):
            words += ["-H", f"{name}: {value}"]
        if request.body:
            words += ["-d", request.body]
        return shlex.join([*words, f"{client.target.url}{request.target}"])
