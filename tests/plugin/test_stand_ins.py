"""The fixtures as somebody else's tests use them: a server or a launcher of their own, theirs to hold and to break."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from contracts.harness.control import NoControl
from contracts.harness.one_answer import OneAnswer
from restserver.settings import BadSetting
from restserver.stand_ins import Simulated, Stage

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STORY = {
    "name": "me~job",
    "about": "One retry, then failed.",
    "descriptor": {"retry": 1},
    "containers": [{"run": "PT10M", "exit": {"code": 1}}],
}


def get(server: Simulated, path: str) -> object:
    with urlopen(server.url_for(path), timeout=30) as response:
        return json.load(response)


def status_of(server: Simulated, path: str) -> int:
    try:
        with urlopen(server.url_for(path), timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_told_job_lives_by_a_clock_that_stands_until_it_is_moved(simulated_server: Simulated) -> None:
    name = simulated_server.tell(STORY)
    assert simulated_server.clock.now() == START
    assert [job["state"] for job in simulated_server.jobs(name=name)] == ["WAITING"]
    assert simulated_server.clock.advance("PT15M") == START + timedelta(minutes=15)
    (job,) = simulated_server.jobs(name=name)
    assert (job["state"], job["attemptId"]) == ("RUNNING", 1)
    assert simulated_server.clock.advance(timedelta(hours=1)) == START + timedelta(minutes=75)
    assert simulated_server.clock.advance(-60) == START + timedelta(minutes=74)
    assert [job["state"] for job in simulated_server.jobs(name=name)] == ["FAILED"]


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_finds_the_server_as_it_began(simulated_server: Simulated, number: int) -> None:
    assert simulated_server.clock.now() == START
    assert simulated_server.requests() == []
    assert status_of(simulated_server, f"/api/v2/jobs/{STORY['name']}") == 404
    simulated_server.tell(STORY)
    simulated_server.clock.set(START + timedelta(days=number))
    simulated_server.control.asked("POST", "/faults", {"kind": "unavailable"})
    assert status_of(simulated_server, f"/api/v2/jobs/{STORY['name']}") == 500


def test_the_clock_takes_what_people_have(simulated_server: Simulated) -> None:
    clock = simulated_server.clock
    assert clock.set("2026-03-02T00:00:00Z") == datetime(2026, 3, 2, tzinfo=UTC)
    assert clock.scale(3600) == clock.freeze()
    assert clock.resume() >= datetime(2026, 3, 2, tzinfo=UTC)
    assert clock.freeze() < datetime(2026, 3, 3, tzinfo=UTC)
    with pytest.raises(ValueError, match="has no zone"):
        clock.set(datetime(2026, 3, 2))  # noqa: DTZ001 - that is what is wrong with it
    with pytest.raises(NoControl, match="by must be a length of time"):
        clock.advance("soon")


def test_what_people_do_to_jobs(simulated_server: Simulated) -> None:
    with pytest.raises(NoControl, match="400: "):
        simulated_server.tell("name: [")
    with pytest.raises(NoControl, match="404: "):
        simulated_server.stop("nobody~at-all")
    name = simulated_server.tell(STORY)
    simulated_server.clock.advance("PT5M")
    simulated_server.stop(name)
    simulated_server.clock.advance("PT10M")
    assert [job["state"] for job in simulated_server.jobs(name=name)] == ["STOPPED"]
    simulated_server.delete(name)
    assert simulated_server.jobs(name=name) == []


def test_a_manual_step_goes_on_when_it_is_told_to(simulated_server: Simulated) -> None:
    (job,) = simulated_server.jobs(name="story~by-hand")
    before = simulated_server.control.asked("GET", f"/jobs/{job['name']}")["step"]
    simulated_server.advance(job["name"])
    simulated_server.clock.advance("PT1M")
    assert simulated_server.control.asked("GET", f"/jobs/{job['name']}")["step"] != before


def test_a_fault_lasts_as_long_as_its_block(simulated_server: Simulated) -> None:
    path = "/api/v2/jobs/story~out-of-memory"
    with simulated_server.fault("unavailable", side="launcher"):
        assert status_of(simulated_server, path) == 500
    assert status_of(simulated_server, path) == 200
    with simulated_server.fault("unavailable", ttl=30):
        simulated_server.clock.advance(60)
        assert status_of(simulated_server, path) == 200
    with pytest.raises(NoControl, match="kind must be one of"):
        simulated_server.fault("gremlins").__enter__()


def test_what_a_client_asked_can_be_looked_up(simulated_server: Simulated) -> None:
    get(simulated_server, "/api/v2/jobs/story~out-of-memory")
    status_of(simulated_server, "/api/v2/jobs/nobody")
    assert [one["request"]["url"] for one in simulated_server.requests(status=404)] == ["/api/v2/jobs/nobody"]
    assert len(simulated_server.requests(method="GET")) == 2


def test_another_server_has_settings_of_its_own(
    make_simulated_server: Callable[..., Simulated], simulated_server: Simulated, contract: OneAnswer
) -> None:
    portal = make_simulated_server(style="portal", seed=7, at=START + timedelta(days=1), jobs=20)
    assert portal.url != simulated_server.url
    assert portal.clock.now() == START + timedelta(days=1)
    with urlopen(portal.url_for("/api/v2/frameworks/story~out-of-memory/versions"), timeout=30) as response:
        assert contract.in_style("portal").check(response) == {"versions": [1]}


@pytest.mark.parametrize("dialect", ["open", "private"])
def test_a_client_of_the_launcher_has_one_to_talk_to(
    make_simulated_launcher: Callable[..., Simulated], dialect: str
) -> None:
    launcher = make_simulated_launcher(dialect=dialect, jobs=10)
    name = launcher.tell(STORY)
    where = {"open": "/v1/Frameworks", "private": "/v1/SummaryFrameworks"}[dialect]
    assert name in json.dumps(get(launcher, where))
    assert status_of(launcher, "/ws/v1/cluster/apps") == 200
    assert [one["request"]["url"] for one in launcher.requests(urlPath=where)] == [where]


def test_a_launcher_takes_submissions(make_simulated_launcher: Callable[..., Simulated]) -> None:
    launcher = make_simulated_launcher(dialect="open")
    service = {
        "version": 1,
        "entryPoint": "true",
        "sourceLocations": ["/x"],
        "resource": {"cpuNumber": 1, "memoryMB": 256},
    }
    role = {"taskNumber": 1, "taskService": service}
    body = {"version": 1, "user": {"name": "me"}, "taskRoles": {"w": role}}
    put = Request(
        launcher.url_for("/v1/Frameworks/me~mine"),
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"Content-Type": "application/json"},
    )
    with urlopen(put, timeout=30) as response:
        assert response.status == 202
    assert [job["name"] for job in launcher.jobs(name="me~")] == ["me~mine"]
    assert [one["response"]["status"] for one in launcher.requests(method="PUT")] == [202]
    launcher.submit("me~other", body)
    assert len(launcher.jobs(name="me~")) == 2
    launcher.reset()
    assert launcher.jobs(name="me~") == []


def test_a_launcher_may_ask_who_writes(make_simulated_launcher: Callable[..., Simulated]) -> None:
    launcher = make_simulated_launcher(dialect="open", acl="strict")
    delete = Request(launcher.url_for("/v1/Frameworks/eve~job"), method="DELETE", headers={"UserName": "mallory"})
    with pytest.raises(HTTPError) as refused:
        urlopen(delete, timeout=30)
    assert refused.value.code == 403
    refused.value.close()
    with pytest.raises(ValueError, match="acl is one of off, on, strict, not 'maybe'"):
        make_simulated_launcher(acl="maybe")


def test_a_launcher_is_as_it_began_for_each_test(simulated_launcher: Simulated) -> None:
    assert simulated_launcher.clock.now() == START
    assert status_of(simulated_launcher, "/v1/SummaryFrameworks/story~out-of-memory") == 200


def test_beyond_loopback_only_the_test_itself_holds_the_control_plane() -> None:
    with Stage() as stage:
        server = stage.server(host="0.0.0.0")
        assert server.clock.now() == START
        assert status_of(server, "/__admin/clock") == 401


def test_a_server_ends_with_its_stage() -> None:
    with Stage() as stage:
        server = stage.server()
    with pytest.raises(NoControl, match="no connection"):
        server.clock.now()


def test_a_setting_that_there_is_not_is_named() -> None:
    with Stage() as stage:
        with pytest.raises(TypeError, match="colour"):
            stage.server(colour="red")
        with pytest.raises(TypeError, match="backend"):
            stage.launcher(backend="launcher")


def test_a_wrong_value_is_named() -> None:
    with Stage() as stage, pytest.raises(BadSetting, match="--style: 'odd'"):
        stage.server(style="odd")
