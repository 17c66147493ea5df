"""The short way answers nothing that the long way would answer otherwise, and no launcher is asked twice."""

import gzip
import json
import sys
from dataclasses import dataclass, replace
from random import Random
from types import FrameType
from typing import Any
from weakref import ref

import falcon
import pytest
from falcon import testing

from contracts.launcher.port import LauncherUnavailable, always
from restserver.answers import short_way
from restserver.answers.rendering import Renderer
from restserver.app import create_app
from restserver.assembling import application, simulated_backend
from restserver.setting_values import Allowance
from restserver.settings import Settings
from simulator.faults.faults import FaultSet
from simulator.simulation import Simulation
from tests.restserver.small_launcher import small

AT = 1_772_366_400_000
NAMES = ("story~out-of-memory", "story~retried-then-succeeded") * 3 + ("nobody", "..", "a b")


@dataclass
class Api:
    """A simulated API as the command puts it together, log and all; with the short way, or without it."""

    short: bool

    def __post_init__(self) -> None:
        chosen = Settings(seed=5, jobs=30, at=AT, frozen=True, admin=False)
        built = simulated_backend.simulated_backend(chosen)
        self.app = application.application(built, chosen, application.surroundings(built, chosen))
        if not self.short:
            self.app._short = None
        self.metrics = built.backend.metrics
        assert isinstance(built.simulation, Simulation)
        assert isinstance(built.faults, FaultSet)
        self.simulation, self.faults = built.simulation, built.faults

    def ask(self, question: "Question") -> tuple[int, list[tuple[str, str]], bytes]:
        path, _, query = question.target.partition("?")
        environ = testing.create_environ(
            path, query, method=question.method, headers=question.headers, host=question.host
        )
        started = testing.StartResponseMock()
        body = b"".join(self.app(environ, started))
        assert started.status is not None
        told = sorted((name.lower(), value) for name, value in started.headers or ())  # a list: some come twice
        return int(started.status[:3]), told, body

    def told(self) -> object:
        """What was written down of it all."""
        noted = [(one.method, one.url, one.status, one.at, one.headers) for one in self.simulation.requests.all()]
        return noted, self.metrics.requests.number().values, self.metrics.requests.spread().values.keys()


@dataclass(frozen=True)
class Question:
    method: str
    target: str
    host: str
    headers: dict[str, str]


PLAIN = {"X-Request-Id": "the-same"}
TARGETS = [
    *(f"/api/v2/jobs/{name}" for name in NAMES),
    *(f"/api/v2/frameworks/{name}/versions" for name in NAMES),
    *(
        f"/api/v2/frameworks/{name}/attempts{rest}"
        for name in NAMES
        for rest in ("", "?version=0", "?version=x", "?a=b")
    ),
    *(f"/api/v2/frameworks/{name}/attempts/{rest}" for name in NAMES for rest in ("0", "1", "01", "x", "")),
    *("/healthz", "/nowhere", "/api/v2/jobs", "//api/v2/jobs/nobody", "/api/v2/jobs/nobody/"),
]
HEADERS = [
    *({"If-None-Match": value} for value in ("*", "*", '"none"', "nonsense")),
    *({"Prefer": value} for value in ("code=404", "code=500", "fault=unavailable", "dynamic=true", "nonsense")),
    *({"Origin": value} for value in ("http://localhost:3000", "http://elsewhere.example")),
    {"Authorization": "Bearer abcdefgh"},
    *({"Accept-Encoding": value} for value in ("gzip", "gzip", "br, *;q=0.1", "gzip;q=0", "identity, gzip;q=0.5")),
]
FAULTS = [
    {"kind": "unavailable", "side": "launcher"},
    {"kind": "error_status", "side": "launcher", "status": 404, "probability": 0.5},
    {"kind": "error_status", "side": "api", "status": 500, "probability": 0.5},
    {"kind": "error_status", "side": "api", "status": 404},
    {"kind": "empty", "side": "api"},
]


def question(dice: Random) -> Question:
    chosen = dice.sample(HEADERS, dice.choice((0, 0, 1, 1, 1, 2)))
    return Question(
        dice.choice(["GET"] * 8 + ["HEAD", "OPTIONS", "POST"]),
        dice.choice(TARGETS),
        dice.choice(["here.example", "here.example", "there.example:81", "bad_host%"]),
        dict(PLAIN, **{name: value for one in chosen for name, value in one.items()}),
    )


def having(one: Question, tag: str | None, dice: Random) -> Question:
    """Some ask for what they have not got yet."""
    form = dice.choice(["{}", "W/{}", "w/{}", '"other", {}', "{}, {}", None, None, None, None])
    return (
        one
        if tag is None or form is None
        else replace(one, headers={**one.headers, "If-None-Match": form.format(tag, tag)})
    )


@pytest.mark.parametrize("seed", range(2))
def test_both_ways_answer_the_same_and_write_down_the_same(seed: int) -> None:
    """A walk of 300 steps: questions; now and then the clock moves, or something breaks or is mended."""
    dice = Random(seed)
    with_it, without = Api(short=True), Api(short=False)
    assert with_it.app._short is not None
    for _ in range(300):
        one = question(dice)
        plain = replace(one, method="GET", headers=PLAIN)  # in the same words, so that they are known
        known = with_it.ask(plain)
        assert known == without.ask(plain)
        one = having(one, dict(known[1]).get("etag"), dice)
        event, by, fault = dice.random(), dice.randrange(-5_000_000, 5_000_000), dice.choice(FAULTS)
        for api in (with_it, without):
            if event < 0.05:
                api.simulation.clock.advance(by)
            elif event < 0.1:
                api.faults.add(fault)
            elif event < 0.3:
                api.faults.clear()
        assert with_it.ask(one) == without.ask(one)
    assert with_it.told() == without.told()
    assert len(with_it.app._short._kept) > 20


def test_the_short_way_packs_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    plainly = Question("GET", "/api/v2/jobs/story~out-of-memory", "here", {})
    _, _, plain = api.ask(plainly)
    only_the_short_way(api, monkeypatch)
    _, headers, packed = api.ask(replace(plainly, headers={"Accept-Encoding": "gzip"}))
    assert gzip.decompress(packed) == plain
    assert ("content-encoding", "gzip") in headers
    assert ("content-length", str(len(packed))) in headers


def test_who_has_it_gets_304_the_short_way_and_who_has_another_gets_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    plainly = Question("GET", "/api/v2/jobs/story~out-of-memory", "here", {})
    _, told, body = api.ask(plainly)
    only_the_short_way(api, monkeypatch)
    tag = dict(told)["etag"]
    for mine in (tag, f"W/{tag}"):
        status, headers, nothing = api.ask(replace(plainly, headers={"If-None-Match": mine}))
        assert (status, nothing, dict(headers)["etag"]) == (304, b"", tag)
        assert not {"content-length", "content-type"} & dict(headers).keys()
    for other in ('"other"', 'W/"other"', '""'):
        status, _, whole = api.ask(replace(plainly, headers={"If-None-Match": other}))
        assert (status, whole) == (200, body)
    (noted, *_) = [one.status for one in api.simulation.requests.all()]
    assert noted == 200
    assert sorted({one.status for one in api.simulation.requests.all()}) == [200, 304]


@pytest.fixture
def api() -> Api:
    return Api(short=True)


def only_the_short_way(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def long(*_: object) -> Any:
        raise AssertionError("the long way was taken")

    monkeypatch.setattr(api.app, "_around_long", long)


def test_a_question_asked_again_takes_the_short_way(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question("GET", "/api/v2/jobs/story~out-of-memory", "here", {"X-Request-Id": "the-same"})
    first = api.ask(question)
    only_the_short_way(api, monkeypatch)
    assert api.ask(question) == first
    api.simulation.clock.advance(-20_700_000)
    status, _, body = api.ask(question)  # nothing answered is kept
    assert status == 200
    assert json.loads(body) != json.loads(first[2])


@pytest.mark.parametrize(
    "other",
    [
        Question("HEAD", "/api/v2/jobs/story~out-of-memory", "here", {}),
        Question("GET", "/api/v2/jobs/story~out-of-memory?x", "here", {}),
        Question("GET", "/api/v2/jobs/story~out-of-memory", "there", {}),
        Question("GET", "/api/v2/jobs/story~out-of-memory", "here", {"If-None-Match": "*"}),
        Question("GET", "/api/v2/jobs/story~out-of-memory", "here", {"Prefer": "code=404"}),
    ],
)
def test_other_words_take_the_long_way(api: Api, monkeypatch: pytest.MonkeyPatch, other: Question) -> None:
    api.ask(Question("GET", "/api/v2/jobs/story~out-of-memory", "here", {}))
    only_the_short_way(api, monkeypatch)
    with pytest.raises(AssertionError, match="the long way"):
        api.ask(other)


def test_a_launcher_that_fails_is_asked_once() -> None:
    server = small()
    client = testing.TestClient(server.app)
    assert client.simulate_get("/api/v2/jobs/alice~mnist").status_code == 200
    server.launcher.error = LauncherUnavailable("gone")
    before = len(server.launcher.asked)
    answer = client.simulate_get("/api/v2/jobs/alice~mnist")
    assert (answer.status_code, answer.json["message"]) == (500, "gone")
    assert len(server.launcher.asked) == before + 1


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_way, "MOST_KEPT", 3)
    server = small()
    assert server.app._short is not None
    client = testing.TestClient(server.app)
    for number in range(10):
        client.simulate_get("/api/v2/jobs/alice~mnist", host=f"host{number}")
    client.simulate_get("/api/v2/jobs/alice~mnist", query_string="x" * short_way.LONGEST_KEPT)
    client.simulate_get("/api/v2/jobs/nobody")
    assert 1 <= len(server.app._short._kept) <= 3
    assert all("x" not in str(words) for words in server.app._short._kept)


def test_what_another_thread_forgets_in_between_is_asked_again() -> None:
    rendered = Renderer().rendered("key", None, dict)
    meant = short_way.Meant(
        "job", "name", lambda _: short_way.Heard(rendered, None), lambda found, _: found, (always, ref(rendered))
    )

    def forget(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code is short_way.Meant.again.__code__ and event == "line":
            lines.append(frame.f_lineno)
            if len(lines) == forgets_before:
                meant._last = None
        return forget

    traced = sys.gettrace()
    for line in range(1, 10):
        forgets_before, lines = line, list[int]()
        meant._last = always, ref(rendered)
        sys.settrace(forget)
        try:
            assert meant.again({}) is rendered
        finally:
            sys.settrace(traced)
        assert lines


class Opaque:
    """Middleware that knows only Falcon's way."""

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del req, resource, succeeded
        resp.set_header("X-Opaque", "yes")


def test_middleware_that_does_not_know_it_closes_it() -> None:
    app = create_app(small().backend, Settings(), middleware=[Opaque()])
    client = testing.TestClient(app)
    for _ in range(3):
        assert client.simulate_get("/api/v2/jobs/alice~mnist").headers["X-Opaque"] == "yes"
    assert app._short is None


def test_who_has_a_token_may_take_it_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    server = small(Settings(read_tokens=("secret-enough", "another-one")))
    client = testing.TestClient(server.app)
    target, mine = "/api/v2/jobs/alice~mnist", {"Authorization": "Bearer secret-enough"}
    assert client.simulate_get(target, headers=mine).status_code == 200
    for other in ({}, {"Authorization": "Bearer secret"}, {"Authorization": "Basic secret-enough"}):
        assert client.simulate_get(target, headers=other).status_code == 401

    def long(*_: object) -> Any:
        raise AssertionError("the long way was taken")

    monkeypatch.setattr(server.app, "_around_long", long)
    assert client.simulate_get(target, headers=mine).status_code == 200
    assert client.simulate_get(target, headers={"Authorization": "bearer  another-one"}).status_code == 200
    with pytest.raises(AssertionError):
        client.simulate_get(target)


def test_where_everybody_is_counted_there_is_none() -> None:
    server = small(Settings(rate_limit=Allowance(20, 1_000)))
    assert server.app._short is None
