"""Other OpenAPI documents of the same API: JSON or YAML, 3.0 or 3.1, with names of their own."""

import json
from pathlib import Path

import pytest

from contracts.harness.contract import BadContract, contract_of_file, our_contract

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
