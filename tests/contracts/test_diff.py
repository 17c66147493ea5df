"""What changed between two contracts: the usual traps, each made in a copy of the document."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contracts import registry
from contracts.diff import diff
from contracts.diff_facts import Change
from contracts.diff_sides import Side, UnreadableSide, side
from contracts.pointers import DanglingReference

FOLDER = registry.FOLDER
TEXT = (FOLDER / "api.md").read_text(encoding="utf-8")
NO_JOB = "| 404 | both | `NoJobError` | `Job $jobName is not found.` |"


@cache
def ours() -> Side:
    return side(str(FOLDER / "api.md"), FOLDER)


def of_text(tmp_path: Path, text: str) -> Side:
    path = tmp_path / "api.md"
    path.write_text(text, encoding="utf-8")
    return side(str(path), FOLDER)


def edited(tmp_path: Path, *edits: tuple[str, str]) -> list[Change]:
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return diff(ours(), of_text(tmp_path, text))


def news(changes: list[Change]) -> set[tuple[str, str, bool]]:
    return {(one.what, one.path, one.breaking) for one in changes}


STATUS = "jobStatus."
TRAPS = [
    # edit of the document; what, where, breaking
    ("  username: string  ", "  userName: string  ", "key renamed", STATUS + "username", True),
    ("  username: string  ", "  username: integer ", "type changed", STATUS + "username", True),
    ("  username: string  ", "  username: string | integer ", "type widened", STATUS + "username", True),
    ("  username: string  ", "  username: string | null ", "null added", STATUS + "username", True),
    ("virtualCluster: string | null ", "virtualCluster: string ", "null removed", STATUS + "virtualCluster", False),
    ("appProgress: number 0..1 ", "appProgress: integer 0..1 ", "type narrowed", STATUS + "appProgress", False),
    ("  version: int32  ", "  version: number  ", "type widened", STATUS + "version", True),
    ("| `STOP` | to stop it |", "| `STOP` | to stop it |\n| `PAUSE` | to rest |", "value added", STATUS + "executionType", True),
    ("| `STOP` | to stop it |\n", "", "value removed", STATUS + "executionType", False),
    ("  attemptId: integer >= 0 ", "  attemptId: integer >= -1 ", "range widened", STATUS + "attemptId", True),
    ("  attemptId: integer >= 0 ", "  attemptId: integer >= 1 ", "range narrowed", STATUS + "attemptId", False),
    ("appProgress: number 0..1 ", "appProgress: number 0.5..2 ", "range changed", STATUS + "appProgress", True),
    ("createdTime: milliseconds | 0 ", "createdTime: milliseconds  ", "range narrowed", STATUS + "createdTime", False),
    ("  username: string  ", "  username: string /^[a-z]+$/ ", "pattern set", STATUS + "username", False),
    ("  username: string  ", "  nickname: string // new\n  username: string  ", "key added", STATUS + "nickname", True),
    ("    code: integer  ", "    code: integer // it\n    name: string  ", "key added to an open object", STATUS + "appExitSpec.name", False),
    ("runtime: { ... } | null", "runtime: { text: string } | null", "object closed", STATUS + "appExitMessages.runtime", False),
    ("who submitted it; e.g.", "whose it is; e.g.", "words changed", STATUS + "username", False),
    (NO_JOB, NO_JOB.replace("NoJobError", "NoSuchJobError"), "code changed", "NoJobError", True),
    (NO_JOB, NO_JOB.replace("is not", "was not"), "message changed", "NoJobError", True),
    (NO_JOB, NO_JOB + " x |\n" + NO_JOB.replace("NoJobError", "GoneError"), "code added", "GoneError", True),
    (NO_JOB, NO_JOB + " x |\n" + NO_JOB.replace("is not", "was never"), "message added", "NoJobError", True),
    (r"`/-?[0-9]{1,10}\|unknown/`", r"`/-?[0-9]{1,9}\|unknown/`", "message pattern changed", "NoJobAttemptError", True),
    ("{1,10}$/` | a version", "{1,8}$/` | a version", "pattern changed", "version", True),
    ("| `ETag` | 200 | string |", "| `Etag2` | 200 | string |", "header removed", "ETag", True),
    ("*Operation*: `getVersions`", "*Operation*: `listVersions`", "operation renamed", "", False),
    ("/api/v2", "/api/v3", "base path changed", "", True),
    ("**The versions of a framework.**", "**Its versions.**", "words changed", "", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "what", "where", "breaking"), TRAPS, ids=[f"{t[2]}: {t[1]}"[:60] for t in TRAPS]
)
def test_each_trap_is_seen_and_judged(
    tmp_path: Path, old: str, new: str, what: str, where: str, breaking: bool
) -> None:
    assert (what, where, breaking) in news(edited(tmp_path, (old, new)))


def test_a_change_of_one_thing_is_told_of_that_thing_only(tmp_path: Path) -> None:
    changes = edited(tmp_path, ("| `STOP` | to stop it |", "| `STOP` | to stop it |\n| `PAUSE` | to rest |"))
    assert {(one.what, one.detail) for one in changes} == {("value added", "'PAUSE'")}
    assert {one.path.rpartition(".")[2] for one in changes} == {"executionType"}
    assert {one.style for one in changes} == {"documented", "portal"}
    assert all(one.why for one in changes)


def test_a_change_in_one_style_is_told_of_that_style(tmp_path: Path) -> None:
    changes = edited(tmp_path, ("moduleName: string ", "moduleName: string | null "))
    assert {(one.style, one.what, one.path) for one in changes} == {
        ("portal", "null added", path) for path in ("jobStatus.moduleName", "frameworkInfo.jobStatus.moduleName")
    }


def test_the_same_document_has_no_changes_whichever_way_it_is_written(tmp_path: Path) -> None:
    assert edited(tmp_path) == []
    assert edited(tmp_path, ("createdTime: milliseconds | 0 ", "createdTime: integer >= 0 ")) == []


def test_what_breaks_one_way_is_fine_the_other_way(tmp_path: Path) -> None:
    wider = of_text(tmp_path, TEXT.replace("  attemptId: integer >= 0 ", "  attemptId: integer | null "))
    assert all(one.breaking for one in diff(ours(), wider))
    assert news(diff(wider, ours())) >= {("range narrowed", "jobStatus.attemptId", False), ("null removed", "jobStatus.attemptId", False)}  # fmt: skip


@pytest.fixture
def document() -> dict[str, Any]:
    return deepcopy(registry.openapi("documented"))


def compared(new: dict[str, Any]) -> set[tuple[str, str, bool]]:
    return news(diff({"documented": registry.openapi("documented")}, {"documented": new}))


ATTEMPTS = "/frameworks/{frameworkName}/attempts"


def test_operations_statuses_and_parameters_are_compared(document: dict[str, Any]) -> None:
    paths = document["paths"]
    del paths["/frameworks/{frameworkName}/versions"]
    paths["/jobs"] = {"get": {"operationId": "getJobs", "responses": {}}}
    attempts = paths[ATTEMPTS]["get"]
    attempts["parameters"][1]["required"] = True
    attempts["parameters"] += [{"name": "a", "in": "query", "required": True}, {"name": "b", "in": "query"}]
    attempts["responses"]["418"] = {"description": "a teapot"}
    attempts["responses"]["414"] = attempts["responses"].pop("405")
    attempt = paths[ATTEMPTS + "/{frameworkAttemptId}"]["get"]
    attempt["parameters"].pop()
    attempt["responses"]["200"]["headers"]["Age"] = {}
    del attempt["responses"]["200"]["headers"]["ETag"]
    attempt["responses"]["404"]["description"] = "Not there."
    paths["/jobs/{name}"] = paths.pop("/jobs/{jobName}")
    paths["/jobs/{name}"]["get"]["parameters"][0] |= {"name": "name", "description": "whichever"}
    del paths["/jobs/{name}"]["get"]["responses"]["200"]
    assert compared(document) >= {
        ("operation removed", "", True),
        ("operation added", "", False),
        ("parameter required", "version", True),
        ("required parameter added", "a", True),
        ("parameter added", "b", False),
        ("parameter removed", "version", True),
        ("status added", "", True),
        ("status removed", "", False),
        ("success removed", "", True),
        ("code changed", "UriTooLongError", True),
        ("header added", "Age", False),
        ("header removed", "ETag", True),
        ("words changed", "", False),
        ("words changed", "jobName", False),
    }


def test_a_status_that_comes_with_a_setting_breaks_nobody(document: dict[str, Any]) -> None:
    responses = document["paths"][ATTEMPTS]["get"]["responses"]
    responses["418"] = {"description": "a teapot", "x-only-with": "--tea"}
    del responses["429"]["x-only-with"]
    responses["404"]["x-only-with"] = "--honest"
    assert compared(document) == {
        ("status added, with a setting", "", False),
        ("status with every setting", "", True),
        ("status only with a setting", "", False),
    }


def test_a_parameter_of_the_path_may_be_named_otherwise(document: dict[str, Any]) -> None:
    attempt = document["paths"].pop(ATTEMPTS + "/{frameworkAttemptId}")
    attempt["get"]["parameters"][1]["name"] = "id"
    document["paths"][ATTEMPTS + "/{id}"] = attempt
    assert compared(document) == set()


def test_an_operation_that_moved_is_the_same_operation(document: dict[str, Any]) -> None:
    document["paths"]["/tasks/{jobName}"] = document["paths"].pop("/jobs/{jobName}")
    assert compared(document) == {("operation moved", "", True)}


def test_what_callers_may_send_is_judged_the_other_way_round(document: dict[str, Any]) -> None:
    version = document["paths"][ATTEMPTS]["get"]["parameters"][1]
    version["required"] = False
    version["schema"] = {"type": "string"}
    assert compared(document) >= {("pattern dropped", "version", False)}
    assert {(w, p, b) for w, p, b in news(diff({"": document}, {"": registry.openapi("documented")}))} >= {
        ("pattern set", "version", True)
    }


def test_keys_that_may_be_missing_and_open_objects_are_wider(document: dict[str, Any]) -> None:
    body = document["paths"][ATTEMPTS]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    body |= {"required": [], "additionalProperties": True}
    assert compared(document) == {("key may be missing", "FrameworkAttempts", True), ("object opened", "", True)}
    assert {(one.what, one.breaking) for one in diff({"": document}, {"": registry.openapi("documented")})} == {
        ("key always there", False),
        ("object closed", False),
    }


def test_a_reference_that_leads_nowhere_is_an_error(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["State"]
    with pytest.raises(DanglingReference, match="State"):
        compared(document)


def test_documents_of_different_styles_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSide, match="style"):
        diff({"documented": registry.openapi("documented")}, {"portal": registry.openapi("portal")})
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps({k: v for k, v in registry.openapi("portal").items() if k != "x-answer-style"}))
    changes = diff(side(str(path), FOLDER), {"portal": registry.openapi("portal")})
    assert changes == []
