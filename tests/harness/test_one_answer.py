"""``contract.check``: answers of whichever client are judged, and what broke is told with the line it breaks."""

import asyncio
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import falcon.testing
import httpx
import pytest
import requests
import urllib3
from werkzeug.test import Client as WerkzeugClient

from contracts import registry
from contracts.harness.foreign import NoAnswer
from contracts.harness.one_answer import ContractBroken, OneAnswer
from tests.harness.served_app import Reply, Spoiled, served

CONTRACT = OneAnswer()
JOB = "/api/v2/jobs/story~out-of-memory"


@pytest.fixture(scope="module")
def server() -> Iterator[Spoiled]:
    with served() as application:
        yield application


@dataclass
class Plain:
    """An answer as Playwright holds one."""

    url: str
    body_text: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})

    def body(self) -> bytes:
        return self.body_text.encode()


def job_of(server: Spoiled) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(server.url + JOB, timeout=30).json()
    return found


async def _of_httpx(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


def test_answers_of_every_client_are_taken(server: Spoiled) -> None:
    url = server.url + JOB
    with urllib.request.urlopen(url, timeout=30) as of_urllib:
        bodies = [CONTRACT.check(of_urllib)]
    with urllib3.PoolManager() as pool:
        bodies.append(CONTRACT.check(pool.request("GET", url), url=url))
    bodies += [
        CONTRACT.check(requests.get(url, timeout=30)),
        CONTRACT.check(httpx.get(url)),
        CONTRACT.check(asyncio.run(_of_httpx(url))),
        CONTRACT.check(WerkzeugClient(server.inner).get(JOB, base_url=server.url)),
        CONTRACT.check(falcon.testing.TestClient(server.inner).simulate_get(JOB), url=JOB),
        CONTRACT.check(Plain(url, json.dumps(job_of(server)))),
    ]
    assert all(body["jobStatus"]["name"] == "story~out-of-memory" for body in bodies)


def test_an_error_is_judged_as_the_error_it_should_be(server: Spoiled) -> None:
    url = f"{server.url}/api/v2/jobs/nobody"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=30)
    with refused.value as of_urllib:
        assert CONTRACT.check(of_urllib)["code"] == "NoJobError"
    assert CONTRACT.check(requests.get(f"{server.url}/nothing", timeout=30))["code"] == "NoApiError"
    assert CONTRACT.check(requests.post(url, timeout=30))["code"] == "MethodNotAllowedError"
    assert CONTRACT.check(requests.head(url, timeout=30)) is None
    with pytest.raises(ContractBroken, match="echo: message"):
        CONTRACT.check(requests.get(url, timeout=30), url="/api/v2/jobs/somebody-else")


def test_what_did_not_change_has_no_body(server: Spoiled) -> None:
    tag = requests.get(server.url + JOB, timeout=30).headers["ETag"]
    again = requests.get(server.url + JOB, headers={"If-None-Match": tag}, timeout=30)
    assert again.status_code == 304
    assert CONTRACT.check(again) is None


def test_what_a_gateway_puts_before_the_path_is_not_judged(server: Spoiled) -> None:
    body = CONTRACT.check(Plain(f"https://gateway.example/jobs{JOB}?x=1", json.dumps(job_of(server))))
    assert body["jobStatus"]["state"] == "FAILED"


def test_what_broke_is_told_with_the_line_it_breaks(server: Spoiled) -> None:
    broken = job_of(server)
    del broken["jobStatus"]["retries"]
    broken["jobStatus"]["state"] = "Failed"
    with pytest.raises(ContractBroken) as told:
        CONTRACT.check(Plain(server.url + JOB, json.dumps(broken)))
    text = str(told.value)
    assert text.startswith(f"the contract is broken in 2 ways by the answer 200 to GET {JOB}\n")
    assert re.search(
        r"schema: required: jobStatus: keys that are always there are missing: retries\n   breaks api.md:\d+: retries: ",
        text,
    )
    assert re.search(
        r"schema: enum: jobStatus.state: \"Failed\" is not one of .*\n   breaks api.md:\d+: state: State", text
    )
    lines = (registry.FOLDER / "api.md").read_text().splitlines()
    for number, shown in re.findall(r"api.md:(\d+): (.*)", text):
        assert " ".join(lines[int(number) - 1].split()) == shown
    assert {finding.rule for finding in told.value.findings} == {"schema: required", "schema: enum"}


def test_an_answer_that_contradicts_itself_breaks_a_law(server: Spoiled) -> None:
    broken = job_of(server)
    broken["jobStatus"]["state"] = "SUCCEEDED"
    with pytest.raises(ContractBroken, match=r"law L7: FrameworkCompleted with exit code .* is shown as SUCCEEDED"):
        CONTRACT.check(Plain(server.url + JOB, json.dumps(broken)))


def test_a_status_that_does_not_fit_what_was_asked_is_told(server: Spoiled) -> None:
    found = requests.get(server.url + JOB, timeout=30)
    with pytest.raises(ContractBroken, match="answered 200, but there is no such path: 404 is promised"):
        CONTRACT.check(found, url="/api/v2/other/x")
    gone = Plain(server.url + JOB, "{}", status=410)
    with pytest.raises(ContractBroken, match="status: undocumented"):
        CONTRACT.check(gone)


def test_more_than_ten_ways_are_counted(server: Spoiled) -> None:
    broken = {**job_of(server), "jobStatus": {key: [] for key in job_of(server)["jobStatus"]}}
    with pytest.raises(ContractBroken, match=r"in 30 ways[\s\S]*and 20 more$"):
        CONTRACT.check(Plain(server.url + JOB, json.dumps(broken)))


def test_extra_keys_may_be_tolerated(server: Spoiled) -> None:
    more = {**job_of(server), "more": 1}
    answer = Plain(server.url + JOB, json.dumps(more))
    with pytest.raises(ContractBroken, match="keys the document does not have"):
        CONTRACT.check(answer)
    assert CONTRACT.in_style("documented", "extra-keys").check(answer)["more"] == 1


def test_the_portal_has_names_of_its_own() -> None:
    with served(style="portal", jobs=1) as portal:
        answer = requests.get(f"{portal.url}/api/v2/frameworks/nobody/versions", timeout=30)
    assert CONTRACT.in_style("portal").check(answer)["code"] == "NoFrameworkVersionsError"
    with pytest.raises(ContractBroken, match="NoFrameworkVersionsError"):
        CONTRACT.check(answer)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("text", "has no status"),
        (falcon.testing.Result([b"{}"], "200 OK", []), "does not say what was asked: check\\(response, url="),
        (httpx.Response(200), "does not say what was asked"),
        (type("Half", (), {"status": 200, "url": "http://x/api/v2/jobs/x"})(), "it has no bytes"),
    ],
)
def test_what_is_no_answer_is_told(answer: object, says: str) -> None:
    with pytest.raises(NoAnswer, match=says):
        CONTRACT.check(answer)


def test_without_the_compiled_validator_the_judge_judges(server: Spoiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jsonschema_rs", None)
    alone = OneAnswer()
    broken = job_of(server)
    assert alone.check(Plain(server.url + JOB, json.dumps(broken))) == broken
    broken["jobStatus"]["version"] = "1"
    with pytest.raises(ContractBroken, match="schema: type"):
        alone.check(Plain(server.url + JOB, json.dumps(broken)))


def test_an_answer_is_found_wanting_on_its_way_out(server: Spoiled) -> None:
    def in_seconds(reply: Reply) -> None:
        body = reply.json
        body["jobStatus"]["createdTime"] //= 1000
        reply.json = body

    server.spoiler = in_seconds
    try:
        with pytest.raises(ContractBroken, match="time: milliseconds"):
            CONTRACT.check(requests.get(server.url + JOB, timeout=30))
    finally:
        server.spoiler = None


@dataclass
class OfAiohttp:
    """An answer as aiohttp holds one: its body is read with await."""

    url: str
    text: str
    status: int = 200
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})

    async def read(self) -> bytes:
        return self.text.encode()


def test_a_body_that_is_read_with_await_is_given_along(server: Spoiled) -> None:
    url = server.url + JOB
    answer = OfAiohttp(url, requests.get(url, timeout=30).text)
    with pytest.raises(NoAnswer, match=r"read with await: check\(response, body=await response.read\(\)\)"):
        CONTRACT.check(answer)
    assert CONTRACT.check(answer, body=asyncio.run(answer.read())) == job_of(server)
    assert CONTRACT.check(answer, body=answer.text) == job_of(server)
    with pytest.raises(ContractBroken, match="JSON"):
        CONTRACT.check(answer, body=b"<html>")


def test_who_forgot_to_await_is_told_so(server: Spoiled) -> None:
    url = server.url + JOB
    with pytest.raises(NoAnswer, match=r"still to be awaited"):
        CONTRACT.check(_of_httpx(url))

    async def streamed() -> None:
        async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
            with pytest.raises(NoAnswer, match=r"body=await response.aread\(\)"):
                CONTRACT.check(response)
            CONTRACT.check(response, body=await response.aread())

    asyncio.run(streamed())
