"""``restserver simulate`` as people start it."""

import json
import logging
import os
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from restserver import cli


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    """The command takes hold of the process: logging, and the processors."""
    root, access = logging.getLogger(), logging.getLogger("restserver.access")
    logs = list(root.handlers), root.level, access.level
    processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield
    root.handlers[:], root.level = logs[0], logs[1]
    access.setLevel(logs[2])
    if processors is not None:
        os.sched_setaffinity(0, processors)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def call(url: str, method: str = "GET", body: object = None) -> tuple[int, dict[str, str], bytes]:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def while_it_runs(ask: Callable[[str], None], *arguments: str) -> int:
    """Asks in a thread, since signals go to the main one; the exit code."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    failures: list[BaseException] = []

    def ask_and_stop() -> None:
        answered = False
        while not answered:
            with suppress(ConnectionError, urllib.error.URLError):
                answered = call(f"{url}/v1")[0] == 200
        try:
            ask(url)
        except BaseException as failure:  # the main thread raises it again
            failures.append(failure)
        os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=ask_and_stop)
    asking.start()
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", "--port", str(port), "--jobs", "20", "--frozen", *arguments])
    asking.join()
    if failures:
        raise failures[0]
    return int(str(ended.value.code))


def test_the_open_launcher_its_resource_manager_and_its_control_plane_are_on_one_port(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: dict[str, Any] = {}

    def ask(url: str) -> None:
        status, headers, body = call(f"{url}/v1/Frameworks")
        seen["frameworks"] = json.loads(body)["summarizedFrameworkInfos"]
        assert (status, headers["X-Simulated"][:7]) == (200, "seed=4;")
        seen["applications"] = json.loads(call(f"{url}/ws/v1/cluster/apps")[2])["apps"]["app"]
        seen["clock"] = json.loads(call(f"{url}/__admin/clock")[2])
        made = call(f"{url}/__admin/faults", "POST", {"kind": "unavailable", "ttl": 30})
        assert made[0] == 201
        assert call(f"{url}/v1/Frameworks")[0] == 503
        call(f"{url}/__admin/clock", "PUT", {"action": "advance", "by": 31})
        assert call(f"{url}/v1/Frameworks")[0] == 200

    assert while_it_runs(ask, "--dialect", "open", "--seed", "4", "--at", "2026-03-01T12:00:00Z") == 0
    assert capsys.readouterr().out.startswith("listening on http://127.0.0.1:")
    assert seen["clock"]["now"] == "2026-03-01T12:00:00Z"
    assert len(seen["frameworks"]) > 5
    assert seen["applications"]


def test_the_private_launcher_and_its_resource_manager_on_ports_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rm_port = free_port()

    def ask(url: str) -> None:
        assert json.loads(call(f"{url}/v1/SummaryFrameworks")[2])["SummarizedFrameworkInfos"]
        assert call(f"{url}/ws/v1/cluster/apps")[0] == 404
        assert call(f"{url}/__admin/clock")[0] == 404
        assert json.loads(call(f"http://127.0.0.1:{rm_port}/ws/v1/cluster/apps")[2])["apps"]["app"]

    arguments = ("--dialect", "private", "--rm-port", str(rm_port), "--admin", "off", "--access-log", "off")
    assert while_it_runs(ask, *arguments) == 0
    assert f"resource manager on http://127.0.0.1:{rm_port}" in capsys.readouterr().err


def put(url: str, path: str, body: object, user: str) -> int:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "UserName": user}
    request = urllib.request.Request(url + path, content, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status: int = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    return status


def submission(user: str) -> dict[str, object]:
    service = {
        "version": 1,
        "entryPoint": "true",
        "sourceLocations": ["/x"],
        "resource": {"cpuNumber": 1, "memoryMB": 1},
    }
    return {"version": 1, "user": {"name": user}, "taskRoles": {"w": {"taskNumber": 1, "taskService": service}}}


ACL = "/v1/LauncherRequest/AclConfiguration"


def test_access_lists_that_are_switched_on_are_kept_across_a_restart(tmp_path: Path) -> None:
    lists = {"namespaceAcls": {"team": {"users": [{"name": "bob"}]}}, "normalAdminUsers": [{"name": "carol"}]}
    state = ("--acl", "on", "--dialect", "open", "--state", str(tmp_path / "state.json"))

    def switched_on(url: str) -> None:
        configuration = json.loads(call(f"{url}/v1/LauncherStatus")[2])["launcherConfiguration"]
        assert (configuration["webServerAclEnable"], configuration["webServerAclIgnoreWithoutNamespace"]) == (
            True,
            True,
        )
        assert put(url, "/v1/Frameworks/team~job", submission("bob"), "bob") == 403
        assert put(url, ACL, lists, "bob") == 403
        assert put(url, ACL, lists, "root") == 200
        assert put(url, "/v1/Frameworks/team~job", submission("bob"), "bob") == 202
        assert put(url, "/v1/Frameworks/no-namespace", submission("bob"), "bob") == 202

    def started_again(url: str) -> None:
        assert json.loads(call(url + ACL)[2]) == lists
        stop = {"executionType": "STOP"}
        assert put(url, "/v1/Frameworks/team~job/ExecutionType", stop, "mallory") == 403
        assert put(url, "/v1/Frameworks/team~job/ExecutionType", stop, "carol") == 202
        assert call(f"{url}/v1/Frameworks/team~job")[0] == 200

    assert while_it_runs(switched_on, *state) == 0
    assert while_it_runs(started_again, *state) == 0


@pytest.mark.parametrize("acl", ["off", "strict"])
def test_names_without_a_namespace_are_refused_only_by_strict_access_lists(acl: str) -> None:
    def ask(url: str) -> None:
        seen = [
            put(url, f"/v1/Frameworks/{name}", submission("bob"), "bob") for name in ("plain", "bob~own", "eve~own")
        ]
        assert seen == {"off": [202, 202, 202], "strict": [400, 202, 403]}[acl]

    assert while_it_runs(ask, "--acl", acl, "--dialect", "open") == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--dialect", "esperanto"], "--dialect: 'esperanto'"),
        (["--port", "99999"], "--port"),
        (["--rm-port", "x"], "--rm-port"),
        (["--acl", "maybe"], "--acl"),
        (["--profile", "/nowhere"], "profile"),
        (["--launcher-url", "http://l:1"], "--launcher-url"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", *(arguments if "--port" in arguments else ["--port", "0", *arguments])])
    captured = capsys.readouterr()
    assert (ended.value.code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert says in captured.err


def test_taken_ports_are_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, key in ((["--port", port], "port"), (["--port", "0", "--rm-port", port], "rm-port")):
            with pytest.raises(SystemExit) as ended:
                cli.main(["simulate", "--jobs", "5", *arguments])
            assert ended.value.code == 2
            assert f"restserver: {key}: cannot listen on" in capsys.readouterr().err
