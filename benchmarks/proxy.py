"""``restserver proxy``: what it adds to an answer, judged for the first time each, on one kept connection."""

import http.client
import json
import statistics
import time
from collections.abc import Iterator

from benchmarks.process import RESTSERVER, body_of, serving
from benchmarks.table import Row

JOBS = 1000
TARGET_MS = 2.0


def rows(*, quick: bool) -> Iterator[Row]:
    asked = 200 if quick else 800
    world = ("-p", "0", "--seed", "1", "--jobs", str(JOBS), "--at", "2026-03-01T12:00:00Z", "--frozen")
    with (
        serving((*RESTSERVER, "serve", *world, "--access-log", "off")) as server,
        serving((*RESTSERVER, "proxy", server.url, "-p", "0")) as proxy,
    ):
        listed = json.loads(body_of(f"{server.url}/__admin/jobs?limit={asked}"))["jobs"]
        paths = [f"/api/v2/jobs/{job['name']}" for job in listed]
        direct, through = (http.client.HTTPConnection("127.0.0.1", one.port) for one in (server, proxy))
        for path in paths:
            _milliseconds(direct, path)  # made once, so that the two are asked for the same kept bytes
        pairs = [(_milliseconds(direct, path), _milliseconds(through, path)) for path in paths]
        direct.close()
        through.close()
    plain, proxied = (statistics.median(each) for each in zip(*pairs, strict=True))
    overhead = statistics.median(behind - before for before, behind in pairs)
    yield Row(
        what=f"proxy: what it adds to a job detail, median of {len(pairs)}, each judged anew",
        figure=f"{overhead:.2f} ms ({proxied:.2f} ms through it)",
        against=f"the same asked directly, {plain:.2f} ms",
        target=f"at most {TARGET_MS:g} ms",
        met=overhead <= TARGET_MS,
    )


def _milliseconds(connection: http.client.HTTPConnection, path: str) -> float:
    started = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200 or not body or response.headers["sl-violations"]:
        raise RuntimeError(f"{path} was answered {response.status}: {body[:200]!r}")
    return (time.perf_counter() - started) * 1000
