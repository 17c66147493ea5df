"""The commands as processes of their own: started, asked, killed, and looked at from outside."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

POOL = urllib3.PoolManager(maxsize=64, retries=False)


@dataclass
class Program:
    """One running command. ``log`` is its standard error, kept across restarts."""

    arguments: tuple[str, ...]
    log: Path
    process: "subprocess.Popen[str]"
    told: str
    """The last word of the line with which it says that it is up: for a server, its address."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """As if the machine had lost it."""
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def terminate(self) -> int:
        """Asked to stop; its exit code."""
        self.process.terminate()
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def again(self) -> "Program":
        """Started anew with the same words; on the same port, if they name one."""
        return start(*self.arguments, log=self.log)

    # What the system says of it; Linux only.

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def start(*arguments: str, log: Path, environment: Mapping[str, str] | None = None) -> Program:
    """Returns once it says that it is up."""
    command = [sys.executable, "-m", "restserver", *arguments]
    with log.open("a") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **(environment or {})}
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{' '.join(arguments)} did not start: {log.read_text()[-2000:]}"
    return Program(arguments, log, process, line.split()[-1])


@contextmanager
def running(*arguments: str, log: Path) -> Iterator[Program]:
    program = start(*arguments, log=log)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.kill()


@dataclass(frozen=True)
class Told:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", body: object = None, timeout: float = 30) -> Told:
    """Raises what urllib3 raises if there is no answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if data is None else {"Content-Type": "application/json"}
    answer = POOL.request(method, url, body=data, headers=headers, timeout=timeout)
    return Told(answer.status, answer.headers, answer.data)


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)
