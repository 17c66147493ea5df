import logging
from pathlib import Path

import pytest

from contracts.clock import LATEST, SystemClock
from contracts.launcher import resource_manager as wire_of
from contracts.launcher import wire
from contracts.launcher.port import (
    Ask,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
)
from contracts.launcher.records import Figures
from restserver.launchers.http_resource_manager import HttpResourceManager, NoResourceManager
from restserver.launchers.transport import Transport
from tests.stand_ins import misbehaving as bad
from tests.stand_ins import served
from tests.stand_ins.encoded import encoded_launcher
from tests.stand_ins.known import KnownApplications, KnownFrameworks
from tests.stand_ins.recorded import recorded_bytes

RECORDINGS = Path(__file__).parents[3] / "fixtures" / "recordings"
ASK = Ask()
ID = "application_1795464678844_0003"


def manager_at(url: str, counted: list[LauncherError], timeout: int = 5_000) -> HttpResourceManager:
    transport = Transport(url, clock=SystemClock(), timeout=timeout, who="The resource manager")
    return HttpResourceManager(transport, counted.append)


def test_recorded_bytes_become_figures() -> None:
    counted: list[LauncherError] = []
    with recorded_bytes(RECORDINGS / "s01a-succeed-1task.jsonl.gz") as recorded:
        manager = manager_at(recorded.url, counted)
        seen = [e for e in recorded.exchanges if e.source == "rm" and e.response.status == 200]
        for exchange in seen:
            recorded.at = exchange.instant
            answer = manager.application(exchange.request.path.rpartition("/")[2], ASK)
            assert answer.value == wire_of.decode_figures(wire.parse((exchange.response.body or "").encode()))
        manager.close()
    assert seen
    assert counted == []


@pytest.mark.parametrize(
    "application_id", [None, "", "null", "undefined", "..", "application_1_1/../x", "application_1_1\n", "job_1_1"]
)
def test_what_is_no_application_id_is_not_asked_for(application_id: str | None) -> None:
    counted: list[LauncherError] = []
    with served.serving(lambda asked: served.Reply(200, b"{}")) as server:
        assert manager_at(server.url, counted).application(application_id, ASK).value is None
    assert server.asked == []
    assert counted == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (served.Reply(404, b'{"RemoteException": {"exception": "NotFoundException", "message": "app not found", "javaClassName": "x"}}'), LauncherRefused(404, "app not found")),
        (served.Reply(500, b"<html>"), LauncherRefused(500, "The resource manager answered with status 500.")),
        (served.Reply(307, b"", [("Location", "/")]), LauncherRefused(307, "The resource manager answered with status 307.")),
        (served.Reply(204), LauncherUnreadable("$", "nothing (status 204)", "resource manager")),
    ],
)  # fmt: skip
def test_a_refusal_is_no_figures_and_is_logged_and_counted(
    reply: served.Reply, error: LauncherError, caplog: pytest.LogCaptureFixture
) -> None:
    counted: list[LauncherError] = []
    with served.serving(lambda asked: reply) as server, caplog.at_level(logging.INFO):
        manager = manager_at(server.url, counted)
        answer = manager.application(ID, ASK)
        manager.close()
    assert answer.value is None
    assert counted == [error]
    (record,) = caplog.records
    assert record.getMessage() == f"the resource manager gave no figures of {ID}: {error}"
    unknown = isinstance(error, LauncherRefused) and error.status == 404
    assert record.levelno == (logging.INFO if unknown else logging.WARNING)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"app": []}', b"Active"])
def test_an_unreadable_answer_is_no_figures(body: bytes) -> None:
    counted: list[LauncherError] = []
    with served.serving(lambda asked: served.Reply(200, body)) as server:
        manager = manager_at(server.url, counted)
        assert manager.application(ID, ASK).value is None
        manager.close()
    assert [type(error) for error in counted] == [LauncherUnreadable]
    assert str(counted[0]).startswith("The resource manager's answer cannot be read: ")


@pytest.mark.parametrize("script", [bad.silent, bad.resetting, bad.dribbling(bad.answer(b"{}"))])
def test_a_resource_manager_that_is_slow_or_gone_is_no_figures(script: bad.Script) -> None:
    counted: list[LauncherError] = []
    with bad.misbehaving(script) as server:
        assert manager_at(server.url, counted, timeout=200).application(ID, ASK).value is None
    assert [type(error) for error in counted] == [LauncherUnavailable]


def test_figures_have_an_edition_and_so_has_their_absence() -> None:
    bodies = [b'{"app": {"id": "x", "allocatedMB": 1}}', b'{"app": {"id": "x", "allocatedMB": 2}}']
    with served.serving(lambda asked: served.Reply(200, bodies[len(server.asked) > 2])) as server:
        manager = manager_at(server.url, [])
        first, second, third = (manager.application(ID, ASK) for _ in range(3))
        manager.close()
    assert first == second
    assert first.edition != third.edition
    assert manager.application("null", ASK).edition not in (first.edition, third.edition)


def test_recorded_applications_are_listed() -> None:
    with recorded_bytes(RECORDINGS / "s16b-rm-application-list.jsonl.gz") as recorded:
        lists = [e for e in recorded.exchanges if "applicationTypes=LAUNCHER" in e.request.path]
        assert lists
    body = next(e.response.body for e in lists if e.response.status == 200) or ""
    with served.serving(lambda asked: served.Reply(200, body.encode())) as server:
        manager = manager_at(server.url, [])
        listed = list(manager.applications(LATEST, ASK))
        manager.close()
    assert listed == list(wire_of.decode_applications(wire.parse(body.encode())))
    assert server.asked[0].path == wire_of.applications_path(LATEST)


@pytest.mark.parametrize(
    ("reply", "error"), [(served.Reply(503, b""), LauncherRefused), (served.Reply(200, b"no"), LauncherUnreadable)]
)
def test_a_list_that_cannot_be_had_is_an_error(reply: served.Reply, error: type[LauncherError]) -> None:
    counted: list[LauncherError] = []
    with served.serving(lambda asked: reply) as server:
        manager = manager_at(server.url, counted)
        with pytest.raises(error, match="resource manager"):
            manager.applications(0, ASK)
        manager.close()
    assert counted == []  # whoever asked knows


def test_figures_come_back_from_an_encoded_resource_manager() -> None:
    figures = Figures(
        allocated_mb=2048, allocated_vcores=2, running_containers=2, priority=-1, am_container_logs="http://h"
    )
    with encoded_launcher(KnownFrameworks(), KnownApplications({ID: figures}), "open") as server:
        manager = manager_at(server.url, [])
        assert manager.application(ID, ASK).value == figures
        assert manager.application(ID + "9", ASK).value is None
        assert list(manager.applications(0, ASK)) == []
        manager.close()


def test_without_a_resource_manager_nothing_is_known() -> None:
    manager = NoResourceManager()
    assert manager.application(ID, ASK).value is None
    assert list(manager.applications(0, ASK)) == []
    manager.close()
