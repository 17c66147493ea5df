"""Other OpenAPI documents of the same API: JSON or YAML, 3.0 or 3.1, with names of their own."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.harness.contract import BadContract, contract_of_file, our_contract
from contracts.harness.meeting import Meeting

THEIRS = """
openapi: 3.0.3
info: {title: theirs, version: "1"}
paths:
  /api/v2/jobs/{name}:
    parameters:
      - {$ref: '#/components/parameters/Name'}
    get:
      responses:
        "200":
          description: ok
          headers:
            X-Kept: {required: true, schema: {type: string}}
          content:
            application/json:
              schema:
                type: object
                properties:
                  queue: {type: string, nullable: true, enum: [a]}
                additionalProperties: false
        default: {description: no}
  /api/v2/frameworks/{name}/attempts/{id}:
    get:
      parameters:
        - {$ref: '#/components/parameters/Name'}
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses: {"200": {description: ok}}
  /api/v2/frameworks/{name}/attempts:
    get:
      parameters: [{$ref: '#/components/parameters/Name'}]
      responses: {"200": {description: ok}}
  /api/v2/frameworks/{name}/versions:
    get:
      parameters: [{$ref: '#/components/parameters/Name'}]
      responses: {"200": {description: ok}}
  /health: {get: {responses: {}}}
components:
  parameters:
    Name: {name: name, in: path, required: true, schema: {type: string}}
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.yaml"
    path.write_text(THEIRS)
    return path


def test_their_operations_are_known_by_their_paths(theirs: Path) -> None:
    contract = contract_of_file(theirs, "documented")
    assert set(contract.operations) == {"getJob", "getAttempt", "getAttempts", "getVersions"}
    assert contract.path_of("getAttempt", "a~b", "3") == "/api/v2/frameworks/a~b/attempts/3"
    attempt = contract.operations["getAttempt"].parameter("attempt")
    assert attempt is not None
    assert (attempt.allows("12"), attempt.allows("x"), attempt.allows("1\n")) == (True, False, False)
    assert contract.operations["getJob"].responses[200].required_headers == ("X-Kept",)


def test_nullable_means_null_too_and_extra_keys_may_be_tolerated(theirs: Path) -> None:
    strict = contract_of_file(theirs, "documented").operations["getJob"].responses[200].validator
    assert strict.is_valid({"queue": None})
    assert not strict.is_valid({"queue": "b"})
    assert not strict.is_valid({"more": 1})
    tolerant = contract_of_file(theirs, "documented", ("extra-keys",)).operations["getJob"].responses[200]
    assert tolerant.validator.is_valid({"more": 1})


def test_what_a_document_lacks_is_named(tmp_path: Path) -> None:
    document = json.loads(json.dumps(our_contract("documented").openapi))
    del document["paths"]["/frameworks/{frameworkName}/versions"]
    path = tmp_path / "less.json"
    path.write_text(json.dumps(document))
    with pytest.raises(BadContract, match="getVersions is missing"):
        contract_of_file(path, "documented")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"openapi": "2.0"}',
        '{"openapi": "3.1.0"}',
        "a: [",
        "openapi: 3.1.0\nday: 2027-02-30\n",
        '{"a":' * 100_000,
        '{"openapi": "3.1.0", "paths": {"/jobs/{x}": {"get": {}}}}',
    ],
)
def test_what_is_no_document_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "no"
    path.write_text(text)
    with pytest.raises(BadContract) as told:
        contract_of_file(path, "documented")
    assert "\n" not in str(told.value)


def _ours_but(change: Callable[[Any], None], tmp_path: Path) -> Path:
    document = json.loads(json.dumps(our_contract("documented").openapi))
    change(document)
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(document))
    return path


def test_references_lead_where_programs_that_bundle_files_let_them_lead(tmp_path: Path) -> None:
    def bundled(document: Any) -> None:
        responses = document["paths"]["/frameworks/{frameworkName}/versions"]["get"]["responses"]
        responses["404"] = {"$ref": "#/paths/~1jobs~1%7BjobName%7D/get/responses/404"}
        parameters = document["paths"]["/frameworks/{frameworkName}/attempts"]["get"]["parameters"]
        document["paths"]["/frameworks/{frameworkName}/versions"]["get"]["parameters"] = [
            {"$ref": "#/paths/~1frameworks~1%7BframeworkName%7D~1attempts/get/parameters/0"}
        ]
        assert parameters[0]["name"] == "frameworkName"

    contract = contract_of_file(_ours_but(bundled, tmp_path), "documented")
    versions, job = contract.response("getVersions", 404), contract.response("getJob", 404)
    assert versions is not None
    assert job is not None
    assert versions.schema == job.schema
    assert [one.name for one in contract.operations["getVersions"].parameters] == ["frameworkName"]


@pytest.mark.parametrize("reference", ["#/components/responses/Nowhere", "#/paths/~1circle", "other.yaml#/x"])
def test_a_reference_that_leads_nowhere_is_named(tmp_path: Path, reference: str) -> None:
    def dangling(document: Any) -> None:
        document["paths"]["/circle"] = {"$ref": "#/paths/~1circle"}
        document["paths"]["/jobs/{jobName}"]["get"]["responses"]["404"] = {"$ref": reference}

    with pytest.raises(BadContract, match=f"{re.escape(reference)} leads nowhere"):
        contract_of_file(_ours_but(dangling, tmp_path), "documented")


def test_a_type_may_hold_itself(tmp_path: Path) -> None:
    def nested(document: Any) -> None:
        schema = {
            "type": "object",
            "properties": {"cause": {"$ref": "#/components/schemas/Error"}, "why": {"type": "integer"}},
        }
        document["components"]["schemas"]["Error"] = schema
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        document["paths"]["/jobs/{jobName}"]["get"]["responses"]["404"]["content"] = content

    meeting = Meeting(contract_of_file(_ours_but(nested, tmp_path), "documented"))
    meeting.answered("getJob", 404, {"cause": {"why": 1}, "why": 2})
    assert any(item.status == 404 and item.place == "why" for item in meeting.met)
