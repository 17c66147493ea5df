"""The two doors before the API: a token and an allowance, each only where it is configured."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from contracts import registry
from contracts.clock import VirtualClock
from restserver.app import BASE, OPERATION_OF_RESOURCE
from restserver.assembling.application import secrets_of
from restserver.guarding import guards
from restserver.guarding.forwarded import believing
from restserver.setting_values import Allowance
from restserver.settings import BadSetting, Settings
from tests.restserver.small_launcher import Small, small
from tests.restserver.wsgi_client import Response, ask

JOB = f"{BASE}/jobs/alice~mnist"
API = [
    JOB,
    f"{BASE}/frameworks/alice~mnist/versions",
    f"{BASE}/jobs/nobody",
    f"{BASE}/jobs/a%20b",
    "/nowhere",
    "/",
    f"{BASE}/jobs",
]
TOKENS = Settings(read_tokens=("open sesame", "çava"))


def with_token(served: Small, target: str, token: str, method: str = "GET") -> Response:
    return ask(served.app, target, method, headers={"Authorization": token})


@pytest.mark.parametrize("target", API)
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "BREW"])
def test_without_a_token_nothing_of_the_api_is_told_and_no_launcher_asked(target: str, method: str) -> None:
    served = small(TOKENS)
    answer = ask(served.app, target, method)
    assert answer.status == 401
    if method != "HEAD":
        registry.validator("anyPath", 401, "documented").validate(answer.json)
    assert answer.headers["www-authenticate"] == 'Bearer realm="restserver"'
    assert answer.headers["x-request-id"]
    assert served.launcher.asked == []


@pytest.mark.parametrize(
    "given",
    [
        "Bearer wrong", "Bearer", "Bearer ", "Bearer open", "Bearer open sesame x", "Bearer open sesame, Bearer x",
        "Bearer open sesam\xe9", "Bearer \xff\xfe", "Bearer OPEN SESAME", "Bearer " + "x" * 20_000,
    ],
)  # fmt: skip
def test_a_token_that_is_none_of_ours_is_told_to_be_wrong(given: str) -> None:
    answer = with_token(small(TOKENS), JOB, given)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="restserver", error="invalid_token"'
    assert given.partition(" ")[2] not in answer.body.decode() or len(given) < 8


@pytest.mark.parametrize("given", ["Basic b3BlbiBzZXNhbWU=", "open sesame", "bearer\topen sesame", ""])
def test_another_scheme_is_no_token(given: str) -> None:
    answer = with_token(small(TOKENS), JOB, given)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="restserver"')


@pytest.mark.parametrize(
    "given", ["Bearer open sesame", "bearer open sesame", "BEARER  open sesame ", "Bearer \xc3\xa7ava"]
)
def test_each_of_the_tokens_opens(given: str) -> None:
    served = small(TOKENS)
    assert with_token(served, JOB, given).status == 200
    assert with_token(served, "/nowhere", given).json["code"] == "NoApiError"


def test_a_preflight_needs_no_token_and_what_is_no_api_is_open() -> None:
    served = small(TOKENS)
    assert ask(served.app, JOB, "OPTIONS").status == 204
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert ask(served.app, path).status == 200


def test_every_path_besides_the_api_is_decided_about() -> None:
    """A new one is behind the doors until somebody says otherwise here and there."""
    besides = {f"/{name}" for name in OPERATION_OF_RESOURCE.values()} - {
        "/job",
        "/attempt",
        "/attempts",
        "/versions",
        "/unknown",
    }
    assert {path.replace(".json", "") for path in guards.WITHOUT_TOKEN} == besides
    assert guards.NOT_COUNTED < guards.WITHOUT_TOKEN


def test_whoever_asks_too_often_waits_as_long_as_told() -> None:
    served = small(Settings(rate_limit=Allowance(2, 60_000)))
    assert [ask(served.app, target).status for target in (JOB, "/nowhere", JOB)] == [200, 404, 429]
    answer = ask(served.app, JOB)
    registry.validator("getJob", 429, "documented").validate(answer.json)
    assert answer.json["message"] == "More than 2 requests a minute; ask again in 30 s."
    assert answer.headers["retry-after"] == "30"
    assert {ask(served.app, path).status for path in ("/healthz", "/readyz", "/metrics")} == {200}
    clock = served.backend.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(30_000)
    assert [ask(served.app, JOB).status, ask(served.app, JOB).status] == [200, 429]


def test_behind_a_trusted_proxy_each_client_has_an_allowance_of_its_own() -> None:
    served = small(Settings(rate_limit=Allowance(1, 1_000)))
    behind = believing((ip_network("127.0.0.0/8"),), served.app)
    assert [ask(behind, JOB, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status for n in (1, 2, 2, 3)] == [
        200,
        200,
        429,
        200,
    ]
    # What a client says itself changes nothing: the proxy puts its address behind that.
    forged = [f"{n}.{n}.{n}.{n}, 192.0.2.9" for n in (8, 9)]
    assert [ask(behind, JOB, headers={"X-Forwarded-For": said}).status for said in forged] == [200, 429]
    unasked = small(Settings(rate_limit=Allowance(1, 1_000))).app
    assert [ask(unasked, JOB, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status for n in (1, 2)] == [200, 429]


def test_guessing_tokens_is_slowed_down_too() -> None:
    served = small(Settings(rate_limit=Allowance(3, 1_000), read_tokens=("open sesame",)))
    answers = [with_token(served, JOB, f"Bearer {guess}") for guess in range(5)]
    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]


def test_what_was_turned_away_is_counted() -> None:
    served = small(TOKENS)
    ask(served.app, JOB)
    told = ask(served.app, "/metrics").body.decode()
    assert 'restserver_requests_total{operation="unknown",status="401"} 1.0' in told


def test_a_door_that_is_not_wanted_is_not_there() -> None:
    assert list(guards.guards(Settings(), VirtualClock(0))) == []
    limited = guards.guards(Settings(rate_limit=Allowance(1, 1_000)), VirtualClock(0))
    assert [type(guard) for guard in limited] == [guards.Limited]


def test_tokens_are_read_from_files_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("from-a-file\n")
    settings = Settings.from_environ({"READ_TOKEN": f"plain-token\n@{path}\n"})
    assert settings.read_tokens == ("plain-token", "from-a-file")
    assert set(secrets_of(settings)) >= {"plain-token", "from-a-file"}
    with pytest.raises(BadSetting, match="READ_TOKEN: its value names a file that cannot be read"):
        Settings.from_environ({"READ_TOKEN": "@/nowhere/token"})


@pytest.mark.parametrize(
    ("text", "told"), [("20/s", "20 requests a second"), ("1/m", "1 request a minute"), ("9/h", "9 requests an hour")]
)
def test_an_allowance_is_a_number_and_a_period(text: str, told: str) -> None:
    assert str(Settings.from_environ({"RATE_LIMIT": text}).rate_limit) == told


@pytest.mark.parametrize("text", ["0/s", "20", "-1/s", "20/d", "1.5/s", "20/s/s", "99999999/s", "20 /s", "x"])
def test_what_is_none_stops_the_program(text: str) -> None:
    with pytest.raises(BadSetting, match=r"RATE_LIMIT: '.*' is not a number of requests a second, minute or hour"):
        Settings.from_environ({"RATE_LIMIT": text})
