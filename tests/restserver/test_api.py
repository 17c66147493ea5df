"""Every path and every method: what is answered, and what is asked of the launcher (rulings, section 1)."""

import json
import logging
import re
from wsgiref.types import StartResponse, WSGIEnvironment

import falcon
import falcon.inspect
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts import registry
from contracts.clock import VirtualClock
from contracts.launcher.port import LAUNCHER_ERRORS, LauncherBusy, LauncherRefused, LauncherUnavailable
from contracts.launcher.records import Figures, RetryState
from restserver.answers.styles import STYLES
from restserver.app import Backend, create_app
from restserver.errors import ANSWER_OF_LAUNCHER_ERROR
from restserver.settings import Settings
from tests.restserver.small_launcher import (
    APPLICATION_ID,
    Small,
    SmallLauncher,
    SmallResourceManager,
    framework,
    small,
    style,
)
from tests.restserver.wsgi_client import Response, ask

NAME = "alice~mnist"
PATHS = {
    "framework": f"/api/v2/jobs/{NAME}",
    "attempt": f"/api/v2/frameworks/{NAME}/attempts/0",
    "attempts": f"/api/v2/frameworks/{NAME}/attempts",
    "versions": f"/api/v2/frameworks/{NAME}/versions",
}
CODES = {
    "documented": {
        "framework": "NoJobError",
        "attempt": "NoJobAttemptError",
        "attempts": "NoJobAttemptsError",
        "versions": "NoJobVersionsError",
    },
    "portal": {
        "framework": "NoJobError",
        "attempt": "NoFrameworkAttemptError",
        "attempts": "NoFrameworkAttemptsError",
        "versions": "NoFrameworkVersionsError",
    },
}
BESIDES = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"]


def is_error(response: Response, status: int, code: str) -> str:
    """Checks the promised shape; gives the message."""
    assert response.status == status
    assert response.headers["content-type"] == "application/json"
    body = response.json
    assert set(body) == {"code", "message"}
    assert body["code"] == code
    assert isinstance(body["message"], str)
    assert body["message"]
    assert "etag" not in response.headers
    return str(body["message"])


@pytest.fixture
def server() -> Small:
    return small()


def test_the_routes_are_those_of_the_document() -> None:
    routes = {re.sub(r":\w+", "", route.path) for route in falcon.inspect.inspect_routes(small().app)}
    documented = {
        re.sub(r"\{\w+\}", "{}", "/api/v2" + path.removeprefix("/api/v2"))
        for path in registry.openapi("documented")["paths"]
    }
    api = {re.sub(r"\{\w+\}", "{}", path) for path in routes if path.startswith("/api/")}
    assert api == documented
    assert routes - {path for path in routes if path.startswith("/api/")} == set(BESIDES)


@pytest.mark.parametrize("name", list(STYLES))
def test_lists_stand_under_the_keys_of_the_style(name: str) -> None:
    app = small(style(name)).app
    keys = {"documented": ("FrameworkAttempts", "FrameworkVersions"), "portal": ("attempts", "versions")}[name]
    assert ask(app, PATHS["attempts"]).json == {keys[0]: [0]}
    assert ask(app, PATHS["versions"]).json == {keys[1]: [3]}


@pytest.mark.parametrize("name", list(STYLES))
@pytest.mark.parametrize("operation", list(PATHS))
def test_what_is_not_there_is_a_404_in_the_words_of_the_style(name: str, operation: str) -> None:
    app = small(style(name)).app
    is_error(ask(app, PATHS[operation].replace(NAME, "nobody")), 404, CODES[name][operation])


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("documented", "/api/v2/jobs/x", "Job x is not found."),
        (
            "documented",
            "/api/v2/frameworks/x/attempts/7?version=2",
            "[Version: 2][AttemptId: 7] attempt of job x is not found.",
        ),
        (
            "documented",
            "/api/v2/frameworks/x/attempts/7",
            "[Version: unknown][AttemptId: 7] attempt of job x is not found.",
        ),
        (
            "documented",
            f"/api/v2/frameworks/{NAME}/attempts/7",
            f"[Version: 3][AttemptId: 7] attempt of job {NAME} is not found.",
        ),
        ("documented", "/api/v2/frameworks/x/attempts", "No list of versions found for framework x."),
        ("documented", "/api/v2/frameworks/x/versions", "[Version: unknown] the atempt list of job x is not found."),
        (
            "portal",
            "/api/v2/frameworks/x/attempts?version=3",
            "[Version: 3] No list of attempts found for framework x.",
        ),
        (
            "portal",
            f"/api/v2/frameworks/{NAME}/attempts?version=-9",
            f"[Version: -9] No list of attempts found for framework {NAME}.",
        ),
        ("portal", "/api/v2/frameworks/x/versions", "No list of versions found for framework x."),
        (
            "portal",
            "/api/v2/frameworks/x/attempts/7?version=2",
            "[Version: 2][AttemptId: 7] attempt of job x is not found.",
        ),
    ],
)
def test_a_404_says_exactly_what_is_promised(name: str, target: str, message: str) -> None:
    assert ask(small(style(name)).app, target).json["message"] == message


@pytest.mark.parametrize(
    "name",
    ["..", ".", "%2E%2E", "a%20b", "%FF", "%C3%A9", "a%00", "a%0A", "a" * 257, "a%3Fb", "a;b", "%25", "a@b", "%"],
)
@pytest.mark.parametrize("operation", list(PATHS))
def test_a_name_no_framework_can_have_is_unknown_without_asking(server: Small, operation: str, name: str) -> None:
    is_error(ask(server.app, PATHS[operation].replace(NAME, name)), 404, CODES["documented"][operation])
    assert server.launcher.asked == []


@pytest.mark.parametrize("name", ["~", "-", "...", "a" * 256, "A.b-c_d~9"])
def test_any_other_name_is_asked_for(server: Small, name: str) -> None:
    server.launcher.put(framework(name))
    assert ask(server.app, f"/api/v2/jobs/{name}").json["jobStatus"]["name"] == name


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "",
        "/api/v2",
        "/api/v2/jobs",
        "/api/v2/jobs/",
        "/api/v2/jobs/x/",
        "/api/v2/jobs//x",
        "/api/v2/jobs/a%2Fb",
        "/api/v2/jobs/..%2fx",
        "/api/v2/frameworks/x",
        "/api/v2/frameworks/x/attempts/",
        "/api/v2/frameworks/x/attempts/0/",
        "/api/v2/frameworks//attempts",
        "/api/v2/frameworks/x/versions/1",
        "/API/v2/jobs/x",
        "/api/v1/jobs/x",
        "/favicon.ico",
        "/%FF",
        "/\u00e9".encode().decode("latin-1"),
        "/__admin/clock",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "BREW"])
def test_an_unknown_path_is_no_api_whatever_the_method(server: Small, target: str, method: str) -> None:
    response = ask(server.app, target, method)
    assert response.status == 404
    if method != "HEAD":
        is_error(response, 404, "NoApiError")
    assert server.launcher.asked == []


def test_the_message_of_an_unknown_path_has_it_decoded_and_without_query(server: Small) -> None:
    message = is_error(ask(server.app, "/api/v2/jobs/a%2F%C3%A9%20?x=1"), 404, "NoApiError")
    assert message == "API /api/v2/jobs/a/é  is not found."


@pytest.mark.parametrize("target", [*PATHS.values(), *BESIDES])
@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW", "WEBSOCKET", "get", "!"]
)
def test_any_other_method_is_not_allowed_and_says_which_are(server: Small, target: str, method: str) -> None:
    response = ask(server.app, target, method)
    assert method in is_error(response, 405, "MethodNotAllowedError")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    assert server.launcher.asked == []


@pytest.mark.parametrize("target", [*PATHS.values(), *BESIDES])
def test_options_says_what_is_allowed_and_nothing_else(server: Small, target: str) -> None:
    response = ask(server.app, target, "OPTIONS")
    assert (response.status, response.headers["allow"], response.body) == (204, "GET, HEAD, OPTIONS", b"")


@pytest.mark.parametrize("target", [*PATHS.values(), *BESIDES, "/nowhere", "/api/v2/jobs/nobody"])
def test_head_answers_as_get_does_without_the_body(server: Small, target: str) -> None:
    got, headed = ask(server.app, target), ask(server.app, target, "HEAD")
    unlike = {"x-request-id", *(["content-length"] if target == "/metrics" else [])}  # which has counted the GET since
    assert headed.body == b""
    assert headed.status == got.status
    assert {k: v for k, v in headed.headers.items() if k not in unlike} == {
        k: v for k, v in got.headers.items() if k not in unlike
    }
    assert got.headers["content-length"] == str(len(got.body))


@pytest.mark.parametrize(
    "query",
    [
        "version=",
        "version",
        "version=a",
        "version=1.0",
        "version=%2B1",
        "version=1%0A",
        "version=--1",
        "version=12345678901",
        "version=-12345678901",
        "version=%D9%A1",
        "version= 1",
        "version=1&version=1",
        "version=1&version=2",
        "version=%FF",
        "version=1&version=",
    ],
)
@pytest.mark.parametrize("operation", ["attempt", "attempts"])
def test_a_wrong_version_is_an_invalid_parameter(server: Small, operation: str, query: str) -> None:
    message = is_error(ask(server.app, f"{PATHS[operation]}?{query}"), 400, "InvalidParametersError")
    assert "version" in message
    assert server.launcher.asked == []


@pytest.mark.parametrize("attempt", ["a", "-1", "1.5", "%201", "1%0A", "12345678901", "%D9%A1", "0x1", "1e1"])
def test_a_wrong_attempt_id_is_an_invalid_parameter(server: Small, attempt: str) -> None:
    target = f"/api/v2/frameworks/{NAME}/attempts/{attempt}"
    assert "frameworkAttemptId" in is_error(ask(server.app, target), 400, "InvalidParametersError")
    assert server.launcher.asked == []


def test_leading_zeros_are_accepted(server: Small) -> None:
    plain = ask(server.app, f"/api/v2/frameworks/{NAME}/attempts/0?version=3")
    assert plain.status == 200
    assert ask(server.app, f"/api/v2/frameworks/{NAME}/attempts/0000000000?version=0000000003").body == plain.body


@pytest.mark.parametrize("query", ["x=1", "x=1&x=2", "Version=a", "", "&&", "%FF=%FF", "=", "version%00=1"])
def test_unknown_parameters_are_ignored(server: Small, query: str) -> None:
    assert ask(server.app, f"{PATHS['attempts']}?{query}").status == 200


def test_jobs_and_versions_know_no_parameter(server: Small) -> None:
    for operation in ("framework", "versions"):
        assert ask(server.app, f"{PATHS[operation]}?version=a&version=b").status == 200


def test_the_name_is_judged_before_the_parameters(server: Small) -> None:
    is_error(ask(server.app, "/api/v2/frameworks/a%20b/attempts/x?version=y"), 404, "NoJobAttemptError")
    is_error(ask(server.app, "/api/v2/frameworks/a%20b/attempts?version=1&version=2"), 404, "NoJobAttemptsError")


@pytest.mark.parametrize("target", ["/api/v2/jobs/" + "a" * 8192, "/api/v2/jobs/x?" + "y" * 9000, "/" + "%41" * 3000])
def test_a_target_over_eight_kib_is_too_long(server: Small, target: str) -> None:
    is_error(ask(server.app, target), 414, "UriTooLongError")
    assert server.launcher.asked == []


def test_a_target_of_eight_kib_is_not_too_long(server: Small) -> None:
    start = f"{PATHS['framework']}?"
    assert ask(server.app, start + "x" * (8192 - len(start))).status == 200


def test_every_error_of_a_launcher_has_its_answer() -> None:
    assert set(ANSWER_OF_LAUNCHER_ERROR) == set(LAUNCHER_ERRORS)


@pytest.mark.parametrize("operation", list(PATHS))
def test_a_launcher_that_fails_is_a_server_error_in_its_own_words(operation: str) -> None:
    errors = [
        (
            LauncherUnavailable("The launcher did not answer within 10 s."),
            "The launcher did not answer within 10 s.",
            None,
        ),
        (LauncherRefused(503, "ZooKeeper is away", "30"), "ZooKeeper is away", "30"),
        (LauncherRefused(429, None, None), "The launcher answered with status 429.", None),
        (LauncherBusy("1"), "The launcher is busy.", "1"),
    ]
    for error, message, retry_after in errors:
        response = ask(small(error=error).app, PATHS[operation])
        assert is_error(response, 500, "UnknownError") == message
        assert response.headers.get("retry-after") == retry_after


@pytest.mark.parametrize("operation", list(PATHS))
def test_an_unforeseen_exception_is_logged_and_tells_a_client_nothing(
    operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = ask(small(error=ZeroDivisionError("secret detail")).app, PATHS[operation])
    message = is_error(response, 500, "UnknownError")
    assert "secret" not in message
    assert message.count(".") == 1
    assert "secret detail" in caplog.text


def test_falcons_own_error_bodies_never_show(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing:
        def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
            raise falcon.HTTPForbidden(title="of falcon")

    backend = Backend(SmallLauncher(), SmallResourceManager(), VirtualClock(0))
    app = create_app(backend, Settings(), middleware=[Refusing()])
    is_error(ask(app, PATHS["framework"]), 500, "UnknownError")
    assert "of falcon" in caplog.text


def test_what_is_mounted_gets_its_paths_and_no_others() -> None:
    def mounted(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    backend = Backend(SmallLauncher(), SmallResourceManager(), VirtualClock(0))
    app = create_app(backend, Settings(), mounts=[("/__admin", mounted)])
    for path in ("/__admin", "/__admin/", "/__admin/clock"):
        assert ask(app, path, "PUT").body == path.encode()
    for path in ("/__administrator", "/x/__admin", "/__Admin"):
        is_error(ask(app, path), 404, "NoApiError")


@pytest.mark.parametrize("name", list(STYLES))
@pytest.mark.parametrize("operation", list(PATHS))
def test_every_404_is_in_the_words_of_the_document(name: str, operation: str) -> None:
    promised = registry.messages(OPERATION_IDS[operation], name)[404]
    error = ask(small(style(name)).app, PATHS[operation].replace(NAME, "nobody")).json
    assert any(one.code == error["code"] and re.fullmatch(one.pattern, error["message"]) for one in promised)


def _operation_ids() -> dict[str, str]:
    ends = {"/jobs/{}": "framework", "/attempts/{}": "attempt", "/attempts": "attempts", "/versions": "versions"}
    found = {}
    for path, item in registry.openapi("documented")["paths"].items():
        plain = re.sub(r"\{\w+\}", "{}", path)
        operation = next(ends[end] for end in ends if plain.endswith(end))
        found[operation] = item["get"]["operationId"]
    return found


OPERATION_IDS = _operation_ids()


@pytest.mark.parametrize("name", list(STYLES))
@pytest.mark.parametrize("operation", list(PATHS))
def test_answers_and_errors_validate_against_the_schemas_of_the_style(name: str, operation: str) -> None:
    server = small(style(name))
    server.launcher.put(framework(retries=RetryState(2, 1, 0, 1, 0, 1, 0), tags=("GID-1_x",)))
    server.resource_manager.figures = Figures(allocated_mb=5, resource_requests=({"numContainers": 1},))
    answers = [ask(server.app, PATHS[operation]), ask(server.app, PATHS[operation].replace(NAME, "nobody"))]
    answers.append(ask(small(style(name), error=LauncherBusy()).app, PATHS[operation]))
    for answer, status in zip(answers, (200, 404, 500), strict=True):
        assert answer.status == status
        errors = list(registry.validator(OPERATION_IDS[operation], status, name).iter_errors(answer.json))
        assert errors == []


def test_only_what_needs_the_resource_manager_asks_it() -> None:
    asked = {}
    for name in STYLES:
        server = small(style(name))
        for operation, target in PATHS.items():
            ask(server.app, target)
            asked[name, operation] = len(server.resource_manager.asked)
            server.resource_manager.asked.clear()
    assert {key for key, count in asked.items() if count} == {
        ("documented", "attempt"),
        ("portal", "attempt"),
        ("portal", "framework"),
    }


def test_without_an_application_the_resource_manager_is_not_asked(server: Small) -> None:
    server.launcher.put(framework(application_id=None))
    info = ask(server.app, PATHS["attempt"]).json["frameworkInfo"]["jobStatus"]
    assert server.resource_manager.asked == []
    assert (info["appId"], info["allocatedMB"], info["amContainerLogs"]) == (None, 0, None)


def test_figures_come_from_the_application_of_the_attempt(server: Small) -> None:
    server.resource_manager.figures = Figures(allocated_mb=77, pending_containers=3, am_container_logs="http://log")
    info = ask(server.app, PATHS["attempt"]).json["frameworkInfo"]["jobStatus"]
    assert server.resource_manager.asked == [APPLICATION_ID]
    assert (info["allocatedMB"], info["pendingContaines"], info["amContainerLogs"]) == (77, 3, "http://log")


def test_the_request_id_goes_along_and_comes_back(server: Small) -> None:
    response = ask(server.app, PATHS["framework"], headers={"X-Request-Id": "abc-1"})
    assert response.headers["x-request-id"] == "abc-1"
    assert server.launcher.asks[-1].request_id == "abc-1"


@pytest.mark.parametrize("offered", ["", "a b", "a\nb", "é", "x" * 129])
def test_an_odd_request_id_is_replaced(server: Small, offered: str) -> None:
    response = ask(server.app, "/nowhere", headers={"X-Request-Id": offered})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_text_that_is_no_unicode_is_escaped_not_refused(server: Small) -> None:
    known = framework()
    server.launcher.put(replace(known, summary=replace(known.summary, user_name="half \ud83d and é")))
    response = ask(server.app, PATHS["framework"])
    assert response.json["jobStatus"]["username"] == "half \ud83d and é"
    response.body.decode("ascii")


def test_bodies_are_compact_utf8_with_exact_integers(server: Small) -> None:
    known = framework()
    task = replace(known.task_roles["worker"].tasks[0], container_gpus=2**63 - 1)
    role = replace(known.task_roles["worker"], tasks=(task,))
    server.launcher.put(replace(known, summary=replace(known.summary, user_name="用户"), task_roles={"worker": role}))
    body = ask(server.app, PATHS["framework"]).body
    assert '"username":"用户"'.encode() in body
    assert b'"containerGpus":9223372036854775807' in body
    assert body == json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()


@given(
    path=st.text(alphabet=st.sampled_from("/abz.~%25FfEe09 ?=&version\x00é"), max_size=40).map("/".__add__),
    method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "BREW"]),
    prefix=st.sampled_from(["", "/api/v2/jobs", "/api/v2/frameworks", f"/api/v2/frameworks/{NAME}/attempts"]),
)
def test_no_target_gets_anything_but_a_promised_answer(path: str, method: str, prefix: str) -> None:
    response = ask(small().app, prefix + path.encode().decode("latin-1"), method)
    assert response.status in (200, 204, 400, 404, 405)
    if response.status >= 400 and method != "HEAD":
        assert set(response.json) == {"code", "message"}
