"""What is derived: closed schemas, exact codes and texts, examples that fit, and files that are as the document says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from contracts import derive, registry
from contracts.body import BadDocument, read_type
from contracts.document import read, read_text
from contracts.model import STYLES, Document
from contracts.openapi import openapi
from contracts.outline import outline
from contracts.samples import sample

API = (registry.FOLDER / "api.md").read_text(encoding="utf-8")
PROMISES = [
    (operation, status, style)
    for operation in (*registry.OPERATIONS, registry.ANY_PATH)
    for status in registry.statuses(operation)
    for style in STYLES
]


@pytest.fixture(scope="module")
def document() -> Document:
    return read(registry.FOLDER / "api.md")


def test_the_committed_files_are_as_the_document_says(document: Document) -> None:
    assert derive.stale(document, registry.FOLDER) == {}


def test_deriving_twice_gives_the_same_bytes(document: Document) -> None:
    assert derive.derived_files(document) == derive.derived_files(read(registry.FOLDER / "api.md"))


def test_there_is_a_schema_for_every_operation_status_and_style(document: Document) -> None:
    assert {(o, s) for o, s, _ in PROMISES} == set(derive.promised(document))


@pytest.mark.parametrize(("operation", "status", "style"), PROMISES)
def test_every_schema_is_valid_and_complete_in_itself(operation: str, status: int, style: str) -> None:
    schema = registry.schema(operation, status, style)
    Draft202012Validator.check_schema(schema)
    for found in refs(schema):
        assert found.removeprefix("#/$defs/") in schema["$defs"]
    assert set(schema.get("$defs", ())) == {found.removeprefix("#/$defs/") for found in refs(schema)}


@pytest.mark.parametrize(("operation", "status", "style"), PROMISES)
def test_objects_are_closed_but_for_the_ruled_ones(operation: str, status: int, style: str) -> None:
    opened = {path for path, node in objects(registry.schema(operation, status, style), "") if is_open(node)}
    allowed = {"appExitSpec", "runtime", "resourceRequests[]", "containerAnalysis"}
    assert {path.rpartition(".")[2] for path in opened} <= allowed
    for path, node in objects(registry.schema(operation, status, style), ""):
        assert set(node.get("required", ())) == set(node.get("properties", {})), path


def test_the_exit_spec_is_open_and_has_an_integer_code() -> None:
    spec = dict(objects(registry.schema("getJob", 200, "documented"), ""))["jobStatus.appExitSpec"]
    assert spec["additionalProperties"] is True
    assert spec["properties"]["code"]["type"] == "integer"
    assert spec["type"] == ["object", "null"]


@pytest.mark.parametrize("style", STYLES)
def test_every_example_validates(style: str) -> None:
    document = registry.openapi(style)
    for item in document["paths"].values():
        operation = item["get"]
        for status, response in operation["responses"].items():
            content = response["content"]["application/json"]
            examples = content.get("examples", {"": {"value": content.get("example")}})
            for example in examples.values():
                registry.validator(operation["operationId"], int(status), style).validate(example["value"])
        for parameter in operation["parameters"]:
            schema = {**parameter["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(parameter["example"])


@pytest.mark.parametrize("style", STYLES)
def test_the_openapi_document_is_accepted_by_its_specification(style: str) -> None:
    document = registry.openapi(style)
    OpenAPIV31SpecValidator(document).validate()
    ids = {item["get"]["operationId"] for item in document["paths"].values()}
    assert ids == set(registry.OPERATIONS)
    assert document["servers"][0]["url"] == "/api/v2"


@pytest.mark.parametrize("style", STYLES)
def test_the_openapi_document_and_the_schemas_say_the_same(style: str) -> None:
    document = registry.openapi(style)
    for item in document["paths"].values():
        operation = item["get"]
        assert {int(s) for s in operation["responses"]} == set(registry.statuses(operation["operationId"]))
        for status, response in operation["responses"].items():
            single = dict(registry.schema(operation["operationId"], int(status), style))
            inline = response["content"]["application/json"]["schema"]
            definitions = single.pop("$defs", {})
            for key in ("$schema", "$id", "title"):
                del single[key]
            assert single.pop(registry.ONLY_WITH, None) == response.get(registry.ONLY_WITH)
            if status == "200":
                del single["description"]
            assert json.loads(json.dumps(single).replace("#/$defs/", "#/components/schemas/")) == inline
            for name, found in definitions.items():
                same = json.loads(json.dumps(found).replace("#/$defs/", "#/components/schemas/"))
                assert document["components"]["schemas"][name] == same


@pytest.mark.parametrize(
    ("operation", "style", "message"),
    [
        ("getJob", "documented", "Job a b is not found."),
        ("getJob", "portal", "Job  is not found."),
        ("getAttempt", "documented", "[Version: -3][AttemptId: 0] attempt of job x is not found."),
        ("getAttempt", "portal", "[Version: unknown][AttemptId: 12] attempt of job x is not found."),
        ("getAttempts", "documented", "No list of versions found for framework x."),
        ("getAttempts", "portal", "[Version: 7] No list of attempts found for framework x."),
        ("getVersions", "documented", "[Version: unknown] the atempt list of job x is not found."),
        ("getVersions", "portal", "No list of versions found for framework x."),
    ],
)
def test_promised_messages_are_accepted_letter_by_letter(operation: str, style: str, message: str) -> None:
    (promised,) = registry.messages(operation, style)[404]
    validator = registry.validator(operation, 404, style)
    validator.validate({"code": promised.code, "message": message})
    assert not validator.is_valid({"code": promised.code, "message": message.replace(".", "!")})
    assert not validator.is_valid({"code": promised.code, "message": f"{message} "})
    assert not validator.is_valid({"code": promised.code.lower(), "message": message})
    assert not validator.is_valid({"code": promised.code, "message": message, "status": 404})
    assert not validator.is_valid({"message": message})


def test_an_attempt_that_is_named_none_is_not_accepted() -> None:
    message = "[Version: None][AttemptId: 0] attempt of job x is not found."
    assert not registry.validator("getAttempt", 404, "documented").is_valid(
        {"code": "NoJobAttemptError", "message": message}
    )


@pytest.mark.parametrize(
    ("message", "fits"),
    [
        ("The launcher did not answer within 10 s.", True),
        ("first line\nsecond line", True),
        ("", False),
        ("java.io.IOException: gone\n\tat org.example.Main.run(Main.java:3)\n", False),
    ],
)
def test_a_stack_trace_is_no_promised_message(message: str, fits: bool) -> None:
    body = {"code": "UnknownError", "message": message}
    assert registry.validator("getJob", 500, "documented").is_valid(body) is fits


@pytest.mark.parametrize(
    ("name", "fits"),
    [("a", True), ("alice~m.n_o-1", True), ("...", True), ("a" * 256, True)]
    + [(bad, False) for bad in (".", "..", "", "a/b", "a b", "ü", "a" * 257)],
)
def test_the_pattern_of_names_is_the_ruled_one(name: str, fits: bool) -> None:
    schema = registry.openapi("documented")["components"]["schemas"]["Name"]
    assert Draft202012Validator(schema).is_valid(name) is fits


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("version", [-(2**31), 2**31 - 1], [2**31, "1", None, 1.5]),
        ("attemptId", [0, 5], [-1, "0"]),
        ("appProgress", [0, 0.5, 1, None], [1.01, -0.1, "0.5"]),
        ("completedTime", [0, 1795464000000], [-1, None, "0"]),
        ("state", ["WAITING", "UNKNOWN"], ["waiting", "", None]),
        ("appExitSpec", [None, {"code": 1, "name": "x"}], [{"name": "x"}, {"code": "1"}, {}]),
        ("appExitCode", [None, -7351], ["1"]),
        ("virtualCluster", ["", None], [0]),
    ],
)
def test_a_field_takes_what_is_ruled_and_nothing_else(path: str, good: list[object], bad: list[object]) -> None:
    example = registry.openapi("documented")["paths"]["/jobs/{jobName}"]["get"]["responses"]["200"]
    body = json.loads(json.dumps(example["content"]["application/json"]["example"]))
    validator = registry.validator("getJob", 200, "documented")
    for values, fits in ((good, True), (bad, False)):
        for value in values:
            body["jobStatus"][path] = value
            assert validator.is_valid(body) is fits, value


def test_descriptions_are_kept() -> None:
    schema = registry.schema("getVersions", 200, "portal")
    assert schema["properties"]["versions"]["description"].startswith("the versions, ascending")
    assert "succeeded" not in schema["description"]


def test_a_status_with_several_codes_and_messages_takes_each_with_its_own() -> None:
    text = API.replace(
        "| 404 | both | `NoJobError` | `Job $jobName is not found.` |",
        "| 404 | both | `NoJobError` | `Gone: $jobName.` | Left. |\n| 404 | both | `OtherError` | `Other.` | Else. |\n"
        "| 404 | both | `NoJobError` | `Job $jobName is not found.` |",
    )
    found = derive.schema(read_text(text), "getJob", 404, "documented")
    validator = Draft202012Validator(found)
    assert validator.is_valid({"code": "NoJobError", "message": "Gone: x."})
    assert validator.is_valid({"code": "NoJobError", "message": "Job x is not found."})
    assert validator.is_valid({"code": "OtherError", "message": "Other."})
    assert not validator.is_valid({"code": "OtherError", "message": "Gone: x."})
    responses: Any = openapi(read_text(text), "documented")["paths"]
    content = responses["/jobs/{jobName}"]["get"]["responses"]["404"]["content"]["application/json"]
    assert len(content["examples"]) == 3
    shown = list(outline(found))
    assert "or" in shown
    assert '  code: "OtherError"' in shown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('username: string                            // who submitted it; e.g. "alice"', "username: string // e.g. 1"),
        (
            "integer >= 1` | an instant: milliseconds since 1970-01-01T00:00:00Z; e.g. 1795464000000",
            "integer >= 1` | an instant; e.g. 0",
        ),
        ('name of the job, its `~` namespace included; e.g. "alice~mnist" |', 'name; e.g. "a b" |'),
        (
            "FrameworkAttempts: [ integer >= 0 ]         // portal: attempts;",
            "FrameworkAttempts: [ string ]  // portal: attempts;",
        ),
    ],
)
def test_an_example_that_does_not_fit_is_an_error_with_its_line(old: str, new: str) -> None:
    assert old in API
    line = API.count("\n", 0, API.index(old)) + 1
    with pytest.raises(BadDocument, match="does not fit") as caught:
        derive.check_examples(read_text(API.replace(old, new, 1)))
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("integer >= 3", 3),
        ("number", 0),
        ("string", ""),
        ("null", None),
        ("0 | string", 0),
        ("string | null", None),
        ('"N/A"', "N/A"),
        ("{ [name]: string }", {}),
        ("[ State ]", ["RUNNING"]),
        ("Name", "alice~mnist"),
    ],
)
def test_without_an_example_of_its_own_a_type_shows_its_emptiest(
    document: Document, text: str, example: object
) -> None:
    assert sample(document, read_type(text, 1), "documented") == example


def test_a_type_without_an_example_shows_its_first_value() -> None:
    told = 'State of a job, of one attempt, or of a task; e.g. "RUNNING"'
    assert told in API
    document = read_text(API.replace(told, "State of something").replace('; e.g. "25%"', ""))
    assert sample(document, read_type("State", 1), "portal") == "WAITING"
    assert sample(document, read_type("Percentage", 1), "portal") == ""


def test_our_own_examples_fit(document: Document) -> None:
    derive.check_examples(document)


def test_writing_repairs_what_is_stale_missing_and_extra(document: Document, tmp_path: Path) -> None:
    derive.write(document, tmp_path)
    assert derive.stale(document, tmp_path) == {}
    (tmp_path / "openapi.portal.json").write_text("{}")
    (tmp_path / "schemas/portal/getJob.404.json").unlink()
    (tmp_path / "schemas/portal/getJob.418.json").write_text("{}")
    wrong = {
        "openapi.portal.json": "stale",
        "schemas/portal/getJob.404.json": "missing",
        "schemas/portal/getJob.418.json": "extra",
    }
    assert derive.stale(document, tmp_path) == wrong
    assert derive.write(document, tmp_path) == list(wrong)
    assert derive.stale(document, tmp_path) == {}


def refs(node: Any) -> list[str]:
    return re.findall(r'"\$ref": "([^"]+)"', json.dumps(node))


def objects(node: Any, at: str) -> list[tuple[str, dict[str, Any]]]:
    """Every schema of an object below, with the path of keys that leads to it."""
    found: list[tuple[str, dict[str, Any]]] = []
    if "object" in node.get("type", ()) and "additionalProperties" in node:
        found.append((at, node))
    for key, inner in node.get("properties", {}).items():
        found += objects(inner, f"{at}.{key}".strip("."))
    for option in node.get("anyOf", ()):
        found += objects(option, at)
    if "items" in node:
        found += objects(node["items"], f"{at}[]")
    for name, inner in node.get("$defs", {}).items():
        found += objects(inner, name)
    return found


def is_open(node: dict[str, Any]) -> bool:
    return node["additionalProperties"] is True
