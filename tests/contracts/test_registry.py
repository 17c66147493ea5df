"""The registry: what programs are told of the promises."""

import subprocess
import sys

import pytest

from contracts import registry
from contracts.document import read
from contracts.model import STYLES
from contracts.validators import EcmaValidator

JOB_ADDITIONS = [
    "appCompletedTime",
    "moduleName",
    "totalGpuNumber",
    "totalTaskNumber",
    "totalTaskRoleNumber",
    "jobType",
    "jobDetailLink",
    "runningDataCenter",
    "appTag",
    "allocatedMB",
    "allocatedVCores",
    "priority",
    "groupId",
    "applicationProgress",
]
INFO_ADDITIONS = [
    "moduleName",
    "subState",
    "retryDetails.unknown",
    "resourceRequests",
    "resourceRequests[]",
    "preemptedMemorySeconds",
    "preemptedVcoreSeconds",
    "utilizedVmemorySeconds",
    "utilizedPmemorySeconds",
    "utilizedVcoreSeconds",
    "containerAnalysis",
]


def test_the_operations_and_styles_are_those_of_the_document() -> None:
    document = read(registry.FOLDER / "api.md")
    assert tuple(o.id for o in document.operations) == registry.OPERATIONS
    assert registry.STYLES == STYLES


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("getJob", (200, 401, 404, 405, 414, 429, 500)),
        ("getAttempt", (200, 400, 401, 404, 405, 414, 429, 500)),
        ("getAttempts", (200, 400, 401, 404, 405, 414, 429, 500)),
        ("getVersions", (200, 401, 404, 405, 414, 429, 500)),
        ("anyPath", (400, 401, 404, 405, 414, 429, 500)),
    ],
)
def test_every_operation_promises_its_statuses(operation: str, statuses: tuple[int, ...]) -> None:
    assert registry.statuses(operation) == statuses
    settings = {status: setting for status in statuses if (setting := registry.only_with(operation, status))}
    assert settings == {401: "--read-token", 429: "--rate-limit"}


def test_what_is_not_promised_is_a_key_error() -> None:
    for ask in (
        lambda: registry.statuses("postJob"),
        lambda: registry.schema("getJob", 400, "documented"),
        lambda: registry.schema("getJob", 200, "loud"),
        lambda: registry.openapi("loud"),
        lambda: registry.openapi_text("loud"),
    ):
        with pytest.raises(KeyError):
            ask()


def test_a_validator_is_made_once() -> None:
    assert registry.validator("getJob", 200, "portal") is registry.validator("getJob", 200, "portal")


def test_the_lists_have_the_names_of_their_style() -> None:
    assert registry.field_paths("getAttempts", "documented") == ("FrameworkAttempts", "FrameworkAttempts[]")
    assert registry.field_paths("getAttempts", "portal") == ("attempts", "attempts[]")
    assert registry.field_paths("getVersions", "documented") == ("FrameworkVersions", "FrameworkVersions[]")
    assert registry.field_paths("getVersions", "portal") == ("versions", "versions[]")


def test_the_portal_adds_exactly_the_ruled_keys_to_a_job() -> None:
    added = set(registry.field_paths("getJob", "portal")) - set(registry.field_paths("getJob", "documented"))
    assert added == {f"jobStatus.{name}" for name in JOB_ADDITIONS}


def test_the_portal_adds_exactly_the_ruled_keys_to_an_attempt() -> None:
    added = set(registry.field_paths("getAttempt", "portal")) - set(registry.field_paths("getAttempt", "documented"))
    assert added == {
        "frameworkFullDetail.jobStatus.appCompletedTime",
        *(f"frameworkInfo.jobStatus.{name}" for name in INFO_ADDITIONS),
    }


def test_the_documented_full_detail_has_the_keys_of_the_job_detail() -> None:
    detail = {f"frameworkFullDetail.{path}" for path in registry.field_paths("getJob", "documented")}
    whole = registry.field_paths("getAttempt", "documented")
    assert {path for path in whole if path.startswith("frameworkFullDetail.")} == detail


def test_maps_and_lists_are_paths_too() -> None:
    paths = registry.field_paths("getJob", "documented")
    assert "taskRoles.*.taskStatuses[].containerPorts.*" in paths
    assert len(set(paths)) == len(paths)


def test_the_codes_of_a_404_are_those_of_the_style() -> None:
    codes = {
        style: [registry.messages(operation, style)[404][0].code for operation in registry.OPERATIONS]
        for style in registry.STYLES
    }
    assert codes == {
        "documented": ["NoJobError", "NoJobAttemptError", "NoJobAttemptsError", "NoJobVersionsError"],
        "portal": ["NoJobError", "NoFrameworkAttemptError", "NoFrameworkAttemptsError", "NoFrameworkVersionsError"],
    }


def test_a_message_is_told_with_its_placeholders() -> None:
    (message,) = registry.messages("anyPath", "documented")[404]
    assert (message.code, message.template) == ("NoApiError", "API $path is not found.")
    assert message.pattern == r"^API (?:[\s\S]*) is not found\.$"


def test_the_openapi_text_is_the_committed_file() -> None:
    assert registry.openapi_text("portal") == (registry.FOLDER / "openapi.portal.json").read_bytes()


def test_serving_needs_no_reader_and_no_validator() -> None:
    program = (
        "import sys; from contracts import registry, docs_page; registry.openapi('portal'); docs_page.docs_page('portal');"
        "print(sorted({'lark', 'markdown_it', 'jsonschema'} & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=registry.FOLDER.parent
    )
    assert out.stdout.strip() == "[]"


def test_a_message_ends_where_it_ends() -> None:
    body = {"code": "NoJobError", "message": "Job a is not found."}
    judge = registry.validator("getJob", 404, "documented")
    assert judge.is_valid(body)
    assert not judge.is_valid({**body, "message": "Job a is not found.\n"})


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^a\$", "a$\n", True),
        ("^[$]$", "$", True),
        ("^(?!a$)", "a\n", True),
    ],
)
def test_the_end_of_a_text_is_no_line_feed_earlier(pattern: str, text: str, fits: bool) -> None:
    assert EcmaValidator({"pattern": pattern}).is_valid(text) is fits
