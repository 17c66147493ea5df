"""A launcher of the open dialect with many frameworks, of which every tenth lives and changes between any two lists.

Its documents are one running and one completed framework of the simulator under many names, so that answering costs next to
nothing: what is measured is whoever asks.
"""

import json
import sys
from collections.abc import Iterable
from itertools import count
from wsgiref.types import StartResponse, WSGIEnvironment

from contracts.clock import VirtualClock, from_iso
from contracts.launcher import open_dialect
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import Ask
from contracts.launcher.records import Framework
from restserver.serving import waitress_server
from simulator.launcher import simulated

LIVING = 10
"""Of so many frameworks one lives."""


class ManyFrameworks:
    stopping = False

    def __init__(self, frameworks: int) -> None:
        launcher, _ = simulated(1, 500, VirtualClock(from_iso("2026-03-01T12:00:00Z"), frozen=True))
        found: dict[FrameworkState, Framework] = {}
        for summary in launcher.summaries(Ask()):
            found.setdefault(summary.state, launcher.framework(summary.name, Ask()).value)
        running = found[FrameworkState.APPLICATION_RUNNING]
        completed = found[FrameworkState.FRAMEWORK_COMPLETED]
        self._templates = [self._template(running), self._template(completed)]
        self._frameworks = frameworks
        self._round = count(1)
        self._now = 0
        self._completed = ",".join(self._summary(number) for number in range(frameworks) if number % LIVING)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = environ["PATH_INFO"].removeprefix(open_dialect.FRAMEWORKS_PATH).strip("/")
        if name:
            body = self._fill(self._templates[1 if int(name[1:]) % LIVING else 0][1], int(name[1:]))
        else:
            self._now = next(self._round)
            living = ",".join(self._summary(number) for number in range(0, self._frameworks, LIVING))
            body = f'{{"summarizedFrameworkInfos": [{living},{self._completed}]}}'
        data = body.encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
        return [data]

    def _summary(self, number: int) -> str:
        return self._fill(self._templates[1 if number % LIVING else 0][0], number)

    def _fill(self, template: str, number: int) -> str:
        return template.replace("@NAME@", f"f{number}").replace('"@ROUND@"', str(self._now))

    def _template(self, framework: Framework) -> tuple[str, str]:
        """Summary and document, with places for a name and for what changes."""
        document = open_dialect.encode_framework(framework)
        text = json.dumps(document).replace(framework.summary.name, "@NAME@")
        whole = json.loads(text)
        whole["summarizedFrameworkInfo"]["totalGpuNumber"] = "@ROUND@"
        return json.dumps(whole["summarizedFrameworkInfo"]), json.dumps(whole)


def main() -> None:
    app = ManyFrameworks(int(sys.argv[1]))
    with waitress_server.listening_socket("127.0.0.1", 0) as listener:
        address = waitress_server.url_of(listener)
        waitress_server.serve(app, listener, lambda: print(f"listening on {address}", flush=True))


if __name__ == "__main__":
    main()
