"""What people would use instead, serving the same bytes: Express, WireMock, Mockoon and Prism, from npm, versions pinned.

As they come, without a log of requests; WireMock keeps a journal of them, as the simulated server does, and here as long a one
(:data:`simulator.request_journal.MOST_REQUESTS`). By itself it keeps all, until memory ends; a row of its own tells what it does
without any. They are installed into a folder of the user's cache, once. Where npm (or, for WireMock, Java) is missing, or they cannot be
had, :class:`Absent` says so, and their rows do.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from platformdirs import user_cache_path

from benchmarks.process import Served, body_of
from simulator.request_journal import MOST_REQUESTS

VERSIONS: Mapping[str, str] = {
    "express": "5.3.0",
    "wiremock": "3.13.2",
    "@mockoon/cli": "9.9.0",
    "@stoplight/prism-cli": "5.16.0",
}
PATH = "/job"
JAVA_SETTLES = 12.0
WITHOUT_JOURNAL = "WireMock without its journal"
STARTUP_SECONDS = 90.0


class Absent(Exception):
    """It cannot be had on this machine; says why."""


@dataclass(frozen=True)
class Peer:
    name: str
    package: str
    needs: Sequence[str]
    command: Callable[[Path, Path, bytes, int], Sequence[str]]
    """From where packages are, an empty folder, the body and a port: writes what it needs there, and says what to run."""
    settling_seconds: float = 1.0
    """Asked before it is measured; a Java machine compiles what is asked often."""


def _express(packages: Path, folder: Path, body: bytes, port: int) -> Sequence[str]:
    (folder / "body.json").write_bytes(body)
    (folder / "server.js").write_text(
        f"""const express = require({json.dumps(str(packages / "express"))});
const body = require("fs").readFileSync({json.dumps(str(folder / "body.json"))});
const app = express();
app.get("{PATH}", (_, response) => response.type("application/json").send(body));
app.listen({port}, "127.0.0.1");
"""
    )
    return ["node", str(folder / "server.js")]


def _wiremock(packages: Path, folder: Path, body: bytes, port: int, *, journal: int) -> Sequence[str]:
    (folder / "mappings").mkdir()
    answer = {"status": 200, "body": body.decode(), "headers": {"Content-Type": "application/json"}}
    mapping = {"request": {"method": "GET", "url": PATH}, "response": answer}
    (folder / "mappings" / "job.json").write_text(json.dumps(mapping))
    jar = next((packages / "wiremock").rglob("*.jar"), None)
    if jar is None:
        raise Absent("the package holds no jar")
    keeping = ["--max-request-journal-entries", str(journal)] if journal else ["--no-request-journal"]
    listening = ["--port", str(port), "--bind-address", "127.0.0.1"]
    return ["java", "-jar", str(jar), *listening, "--root-dir", str(folder), "--disable-banner", *keeping]


def _mockoon(packages: Path, folder: Path, body: bytes, port: int) -> Sequence[str]:
    """In its own format, and without templates: from an OpenAPI document it makes up an answer of its own."""
    answer = {
        "uuid": "answer",
        "body": body.decode(),
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "bodyType": "INLINE",
        "disableTemplating": True,
        "default": True,
    }
    route = {"uuid": "route", "type": "http", "method": "get", "endpoint": PATH[1:], "responses": [answer]}
    children = [{"type": "route", "uuid": "route"}]
    environment = {"uuid": "job", "name": "job", "port": port, "routes": [route], "rootChildren": children}
    (folder / "environment.json").write_text(json.dumps(environment))
    start = ["start", "--data", str(folder / "environment.json"), "--port", str(port), "--hostname", "127.0.0.1"]
    return [*_binary(packages, "mockoon-cli"), *start, "--repair", "--disable-log-to-file"]


def _prism(packages: Path, folder: Path, body: bytes, port: int) -> Sequence[str]:
    return [
        *_binary(packages, "prism"),
        "mock",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-v",
        "silent",
        _openapi(folder, body),
    ]


def _binary(packages: Path, name: str) -> Sequence[str]:
    return [str(packages / ".bin" / name)]


def _openapi(folder: Path, body: bytes) -> str:
    """A document whose only answer is the body."""
    content = {"application/json": {"schema": {"type": "object"}, "example": json.loads(body)}}
    operation = {"operationId": "job", "responses": {"200": {"description": "a job", "content": content}}}
    document = {"openapi": "3.0.3", "info": {"title": "job", "version": "1"}, "paths": {PATH: {"get": operation}}}
    (folder / "openapi.json").write_text(json.dumps(document))
    return str(folder / "openapi.json")


PEERS = (
    Peer("Express", "express", ("node", "npm"), _express),
    Peer("WireMock", "wiremock", ("npm", "java"), partial(_wiremock, journal=MOST_REQUESTS), JAVA_SETTLES),
    Peer(WITHOUT_JOURNAL, "wiremock", ("npm", "java"), partial(_wiremock, journal=0), JAVA_SETTLES),
    Peer("Mockoon", "@mockoon/cli", ("node", "npm"), _mockoon),
    Peer("Prism", "@stoplight/prism-cli", ("node", "npm"), _prism),
)


def _installed(peer: Peer) -> Path:
    """Where its packages are, installed if they are not."""
    for program in peer.needs:
        if shutil.which(program) is None:
            raise Absent(f"no {program} here")
    version = VERSIONS[peer.package]
    folder = user_cache_path("restserver-benchmarks") / f"{peer.package.rpartition('/')[2]}-{version}"
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"{peer.package}@{version}"]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        except subprocess.TimeoutExpired as error:
            raise Absent("npm did not end") from error
        if ended.returncode:
            raise Absent(f"npm ended with {ended.returncode}")
        done.touch()
    return folder / "node_modules"


@contextmanager
def serving_peer(peer: Peer, folder: Path, body: bytes) -> Iterator[Served]:
    """The peer, once it answers. Raises :class:`Absent`."""
    packages = _installed(peer)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder.mkdir()
    command = peer.command(packages, folder, body, port)
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                answered = body_of(url + PATH)
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - started > STARTUP_SECONDS:
                    raise Absent(f"it did not come up ({process.poll()})") from None
                time.sleep(0.1)
        if json.loads(answered) != json.loads(body):
            raise Absent("it answers another body")
        yield Served(url, time.perf_counter() - started, process)
    finally:
        process.terminate()
        process.wait(30)
