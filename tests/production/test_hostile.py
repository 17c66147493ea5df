"""A million random and hostile requests, in process: each gets an answer of the promised shape, and none an unforeseen one."""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from contracts.clock import VirtualClock
from restserver.app import Backend, create_app
from restserver.errors import UNFORESEEN
from restserver.settings import Settings
from simulator.launcher import simulated
from tests.restserver.wsgi_client import ask

pytestmark = pytest.mark.proof

REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", "1000000"))
SHARES = 4
STATUSES = {200, 204, 304, 400, 404, 405, 414}

METHODS = ("GET",) * 12 + (
    "HEAD",
    "OPTIONS",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "\x00",
    "G E T",
)
PIECES = (
    *("api", "v2", "v1", "jobs", "frameworks", "attempts", "versions", "", ".", "..", "%2e%2e", "%2F", "%5c", "%00"),
    *(
        "%0d%0aX-Evil:%20yes",
        "%ff%fe",
        "%C0%AE",
        "%E2%80%AE",
        "a%2Fb",
        "job;x=1",
        "~",
        "a" * 256,
        "b" * 257,
        "%",
        "%zz",
    ),
    *(
        "metrics",
        "healthz",
        "readyz",
        "openapi.json",
        "docs",
        "__admin",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "<script>",
        "'--",
    ),
    *("-1", "0", "00", "1", "2147483648", "99999999999", "٣", "0x1", "1e9", "+1", "-0", "NaN", "null", "\xff"),
)
QUERIES = (
    *(
        "",
        "",
        "",
        "version=1",
        "version=-1",
        "version=",
        "version=1&version=1",
        "version=%00",
        "version=1e3",
        "version=٣",
    ),
    *("VERSION=1", "version[]=1", "version=99999999999", "&&&=", "%=%", "version=" + "9" * 5000, "x=" + "y" * 9000),
)
HEADERS: Sequence[dict[str, str]] = (
    *({}, {}, {}, {}, {"If-None-Match": "*"}, {"If-None-Match": '"x", W/"y"'}, {"If-None-Match": "\xff" * 100}),
    *({"Host": "evil.example\r\nX: y"}, {"Host": ""}, {"Host": "[::1"}, {"Accept": "text/html"}, {"Accept": ""}),
    *({"X-Request-Id": "a\r\nSet-Cookie: b"}, {"X-Request-Id": "x" * 5000}, {"Accept-Encoding": "gzip;q=nan"}),
    *({"Origin": "http://localhost:3000"}, {"Origin": "null"}, {"Range": "bytes=0-0"}, {"Content-Type": "\x00"}),
    *(
        {"Expect": "100-continue"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Encoding": "gzip"},
        {"Forwarded": "for=;;"},
    ),
)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("style", ["documented", "portal"])
def test_a_hostile_request_is_answered_as_promised(style: str, share: int) -> None:
    clock = VirtualClock(1_795_465_000_000, frozen=True)
    launcher, manager = simulated(seed=5, jobs=100, clock=clock)
    places = launcher.source.places(clock.now())
    names = [job.name for job, _ in zip((launcher.source.at_place(place) for place in places), range(40), strict=False)]
    app = create_app(Backend(launcher, manager, clock), Settings(style=style))
    met: Counter[int] = Counter()
    dice = random.Random(f"{style}{share}")
    for method, target, headers in _requests(dice, names, REQUESTS // SHARES // 2):
        answer = ask(app, target, method, headers)
        met[answer.status] += 1
        assert answer.status in STATUSES, (method, target, headers, answer)
        if answer.status >= 400 and method != "HEAD":
            told = json.loads(answer.body)
            assert set(told) == {"code", "message"}, (method, target, headers, answer)
            assert UNFORESEEN not in told["message"]
        assert not any("\r" in value or "\n" in value for value in answer.headers.values())
    assert set(met) == STATUSES


def _requests(dice: random.Random, names: Sequence[str], number: int) -> Iterator[tuple[str, str, dict[str, str]]]:
    shapes: Sequence[Callable[[], str]] = (
        lambda: f"/api/v2/jobs/{_name(dice, names)}",
        lambda: f"/api/v2/frameworks/{_name(dice, names)}/attempts/{dice.choice(PIECES)}",
        lambda: f"/api/v2/frameworks/{_name(dice, names)}/{dice.choice(('attempts', 'versions'))}",
        lambda: "/" + "/".join(dice.choice(PIECES) for _ in range(dice.randrange(8))),
        lambda: "".join(chr(dice.randrange(33, 256)) for _ in range(dice.randrange(1, 60))).replace("?", "/"),
    )
    for _ in range(number):
        query = dice.choice(QUERIES)
        target = dice.choice(shapes)() + (f"?{query}" if query else "")
        yield dice.choice(METHODS), target, dice.choice(HEADERS)


def _name(dice: random.Random, names: Sequence[str]) -> str:
    return dice.choice(names) if dice.random() < 0.5 else dice.choice(PIECES)
