"""One answer judged: what is said of what, where it stands in the document, and that both validators agree."""

import copy
import json
import re
from typing import Any

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import registry
from contracts.harness.contract import Error, Response, our_contract
from contracts.harness.expectations import expectation
from contracts.harness.findings import Exchange, Finding
from contracts.harness.judging import Judge, allows
from contracts.harness.transport import Answered, Pairs, Request
from tests.contracts.told_jobs import NAME, detail, task
from tests.harness.scripted import BORN, example, whole

JSON: Pairs = (("Content-Type", "application/json"), ("Date", "Sun, 01 Mar 2026 16:00:00 GMT"))
API = (registry.FOLDER / "api.md").read_text().splitlines()
JOB = f"/api/v2/jobs/{NAME}"


def judged(
    target: str, status: int, body: object, headers: Pairs = JSON, style: str = "documented", method: str = "GET"
) -> list[Finding]:
    contract = our_contract(style)
    request = Request(method, target)
    expected = expectation(contract, request)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answered(status, "", headers, content, BORN, 0.0)
    verdict = Judge(contract).judge(Exchange(1, "examples", expected.operation, request, answer), expected)
    assert (verdict.body is None) == any(one.rule.startswith(("schema", "answer: not")) for one in verdict.findings)
    return list(verdict.findings)


def sound() -> dict[str, Any]:
    return whole(detail("ApplicationRunning", task()))


def test_a_sound_answer_is_not_objected_to() -> None:
    assert judged(JOB, 200, sound()) == []


@pytest.mark.parametrize(
    ("place", "value", "rule", "says"),
    [
        ("jobStatus.subState", "Running", "schema: enum", "  subState: SubState"),
        ("jobStatus.retryDetails.platform", -1, "schema: minimum", "    platform: integer >= 0"),
        ("jobStatus.appProgress", 2, "schema: maximum", "  appProgress: number 0..1 | null"),
        ("jobStatus.version", 2**40, "schema: maximum", "  version: int32"),
        ("jobStatus.createdTime", 1_700_000_000, "time: milliseconds", "  createdTime: milliseconds | 0"),
        ("jobStatus.createdTime", BORN * 1000, "time: milliseconds", "  createdTime: milliseconds | 0"),
        ("jobStatus.appExitCode", "1", "schema: type", "  appExitCode: integer | null"),
        ("jobStatus.appExitSpec", {"name": "x"}, "schema: required", "    code: integer"),
        ("taskRoles.worker.taskStatuses.0.taskState", "Run", "schema: enum", "  taskState: State"),
        ("taskRoles.worker.taskStatuses.0.containerPorts", {"ssh": 22}, "schema: type", "  containerPorts:"),
        ("taskRoles.worker.taskStatuses.0.retryDetails.user", "none", "schema: ", "    user: integer >= 0 | \"N/A\""),
        ("taskRoles.worker.extra", 1, "schema: additionalProperties", "taskRoles: { [role name]: TaskRole }"),
    ],
)  # fmt: skip
def test_a_finding_names_the_line_of_the_document(place: str, value: object, rule: str, says: str) -> None:
    body = sound()
    node: Any = body
    *path, last = place.split(".")
    for key in path:
        node = node[int(key)] if key.isdigit() else node[key]
    node[last] = value
    (found,) = judged(JOB, 200, body)
    assert found.rule.startswith(rule)
    assert found.line is not None
    assert says in API[found.line - 1]


ERROR = {"code": "NoJobError", "message": f"Job {NAME} is not found."}


@pytest.mark.parametrize(
    ("target", "status", "body", "rules"),
    [
        (JOB, 404, ERROR, []),
        (JOB, 404, {**ERROR, "message": "Job else is not found."}, ["echo: message"]),
        (JOB, 404, {**ERROR, "stack": "at x"}, ["schema: additionalProperties"]),
        (JOB, 404, [], ["schema: type"]),
        (JOB, 418, ERROR, ["status: undocumented"]),
        (JOB, 500, {"code": "UnknownError", "message": "The launcher is busy."}, []),
        (JOB, 500, {"code": "UnknownError", "message": ""}, ["schema: pattern"]),
        ("/api/v2/jobs/a%20b", 200, b"", ["status: unexpected", "answer: not JSON"]),
        ("/api/v2/jobs/a%20b", 404, {**ERROR, "message": "Job a b is not found."}, []),
        ("/nowhere", 404, {"code": "NoApiError", "message": "API /nowhere is not found."}, []),
        ("/nowhere", 404, {"code": "NoApiError", "message": "API /else is not found."}, ["echo: message"]),
        ("/nowhere", 200, b"hello", ["status: undocumented"]),
        ("/api/v2/frameworks/a/attempts/x", 400, {"code": "InvalidParametersError", "message": 'Parameter version is "x", but must be given once.'}, ["echo: message"]),
        ("/api/v2/frameworks/a/attempts?version=007", 200, {"FrameworkAttempts": [0, 2, 1]}, ["list: ascending"]),
        ("/api/v2/frameworks/a/versions", 200, {"FrameworkVersions": [1, 1]}, ["list: ascending"]),
        (JOB, 200, b'{"a": 1e999}', ["schema: required", "schema: additionalProperties"]),
        (JOB, 200, b"\xff", ["answer: charset"]),
        (JOB, 200, b"[" * 100_000, ["answer: not JSON"]),
    ],
)  # fmt: skip
def test_what_is_said_of_an_answer(target: str, status: int, body: object, rules: list[str]) -> None:
    contract = our_contract("documented")
    request = Request("GET", target)
    expected = expectation(contract, request)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answered(status, "", JSON, content, BORN, 0.0)
    verdict = Judge(contract).judge(Exchange(1, "examples", expected.operation, request, answer), expected)
    assert sorted({one.rule for one in verdict.findings}) == sorted(rules)


@pytest.mark.parametrize(
    ("headers", "rules"),
    [
        ((("content-type", "application/json; charset=UTF-8"),), []),
        ((("content-type", 'application/json; charset="latin1"'),), ["answer: charset"]),
        ((("content-type", "text/json"),), ["answer: content type"]),
        ((), ["answer: content type"]),
    ],
)
def test_what_is_said_of_its_headers(headers: Pairs, rules: list[str]) -> None:
    assert [one.rule for one in judged(JOB, 404, ERROR, headers)] == rules


@pytest.mark.parametrize(("allow", "rule"), [("POST", "header: wrong"), (None, "header: missing"), ("HEAD,get", None)])
def test_a_405_says_what_is_allowed(allow: str | None, rule: str | None) -> None:
    body = {"code": "MethodNotAllowedError", "message": f"Method PUT is not allowed for API {JOB}."}
    headers = JSON if allow is None else (*JSON, ("Allow", allow))
    assert [one.rule for one in judged(JOB, 405, body, headers, method="PUT")] == ([rule] if rule else [])


def test_an_attempt_must_be_the_one_that_was_asked_for() -> None:
    body = example("getAttempt")
    target = f"/api/v2/frameworks/{NAME}/attempts/7?version=3"
    places = {one.where.rpartition("/")[2] for one in judged(target, 200, body) if one.rule.startswith("echo")}
    assert places == {"name", "attemptId", "version", "jobFullDetailUrl"}
    assert judged(f"/api/v2/frameworks/{NAME}/attempts/x", 200, body)[0].rule == "status: unexpected"


BODIES = {
    (item["get"]["operationId"], style): item["get"]["responses"]["200"]["content"]["application/json"]["example"]
    for style in registry.STYLES
    for item in registry.openapi(style)["paths"].values()
}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.sampled_from(["RUNNING", "N/A", "UNKNOWN", "100%", "1.5%\n", 0, 1, 2**31, -(2**31), 1.0, 0.5]),
)  # fmt: skip


@pytest.mark.no_cover
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_compiled_validator_agrees_with_the_judge(data: st.DataObject) -> None:
    operation, style = data.draw(st.sampled_from(sorted(BODIES)))
    body: Any = copy.deepcopy(BODIES[operation, style])
    assert allows(our_contract(style).operations[operation].responses[200], body)
    node: Any = body
    while True:
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(node[key], dict | list) and node[key]) or data.draw(st.integers(0, 9)) == 0:
            break
        node = node[key]
    if isinstance(node, dict) and data.draw(st.booleans()):
        del node[key]
    else:
        node[key] = data.draw(VALUES)
    response = our_contract(style).operations[operation].responses[200]
    if allows(response, body):  # what it refuses is judged again
        assert list(response.validator.iter_errors(body)) == []


ERRORS = [
    (response, error)
    for style in registry.STYLES
    for contract in [our_contract(style)]
    for responses in [*(operation.responses for operation in contract.operations.values()), contract.any_path]
    for response in responses.values()
    for error in response.errors
]
ENDS = st.sampled_from(["", "\n", "\r", ".", " ", "\u2028", "\x00", "\ud800", "é"])


@settings(max_examples=150, deadline=None)
@hypothesis.example(ERRORS[0], "x", "", "\n", False)
@given(st.sampled_from(ERRORS), st.text(max_size=6), ENDS, ENDS, st.booleans())
def test_the_compiled_validator_agrees_about_messages(
    error: tuple[Response, Error], value: str, begin: str, end: str, more: bool
) -> None:
    response, promised = error
    message = re.sub(r"\$[A-Za-z]+", lambda found: value, promised.template)
    body = {"code": promised.code, "message": f"{begin}{message}{end}", **({"more": 1} if more else {})}
    if allows(response, body):
        assert list(response.validator.iter_errors(body)) == []
    if response.validator.is_valid(body) and "\ud800" not in begin + end:
        assert allows(response, body)
