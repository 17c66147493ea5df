"""Golden pairs: what a launcher told (``launcher.json``), and what this server answers to it (``answer.json``).

Each folder of ``fixtures/cases`` is one case, found by glob. ``pytest --update-fixtures`` rewrites the answers; the
difference is then reviewed as a change of behaviour. Where a case came from a deployed server, ``deployed.json`` is what
that server answered, and the two may differ only where a ruling says so: :data:`RULED`.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contracts import registry
from contracts.clock import VirtualClock
from restserver.answers.exit_spec import ExitSpec
from restserver.app import Backend, create_app
from restserver.settings import Settings
from tests.restserver.documents import LAUNCHERS, ManagerDocuments
from tests.restserver.wsgi_client import Response, ask

CASES = Path(__file__).parents[2] / "fixtures" / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/launcher.json"))
PUBLIC_URL = "https://apigw.test.pai:4431"
MISSING = "(missing)"


def read(name: str, file: str) -> Any:
    return json.loads((CASES / name / file).read_text(encoding="utf-8"))


def answered(name: str) -> Response:
    case = read(name, "launcher.json")
    settings = Settings(public_url=PUBLIC_URL, style=case["style"], **case["site"])
    if "exit_spec" in case:
        settings = replace(settings, exit_spec=ExitSpec({row["code"]: row for row in case["exit_spec"]}))
    launcher = LAUNCHERS[case["dialect"]](case["launcher"])
    backend = Backend(launcher, ManagerDocuments(case["rm"]), VirtualClock(0, frozen=True))
    return ask(create_app(backend, settings), case["path"])


def test_there_are_cases_of_both_dialects_and_both_styles() -> None:
    kinds = {(case["dialect"], case["style"]) for case in (read(name, "launcher.json") for name in NAMES)}
    assert kinds >= {("open", "documented"), ("open", "portal"), ("private", "portal"), ("private", "documented")}


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_the_one_reviewed(name: str, request: pytest.FixtureRequest) -> None:
    response = answered(name)
    answer = {"status": response.status, "body": response.json}
    if request.config.getoption("--update-fixtures"):
        text = json.dumps(answer, ensure_ascii=False, indent=1) + "\n"
        (CASES / name / "answer.json").write_text(text, encoding="utf-8")
    assert answer == read(name, "answer.json")


OPERATIONS = [("/jobs/", "framework"), ("/versions", "versions"), ("/attempts/", "attempt"), ("/attempts", "attempts")]


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_validates_against_the_schema_of_its_style(name: str) -> None:
    case, answer = read(name, "launcher.json"), read(name, "answer.json")
    path = re.sub(r"\?.*", "", case["path"])
    template = next(
        item["get"]["operationId"]
        for shape, item in registry.openapi(case["style"])["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", shape), path)
        or re.fullmatch("/api/v2" + re.sub(r"\{\w+\}", "[^/]+", shape), path)
    )
    assert [*registry.validator(template, answer["status"], case["style"]).iter_errors(answer["body"])] == []


# --- against deployed servers ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ruled:
    """A difference the rulings cause: at which paths, and what must hold of ours and theirs."""

    path: str
    holds: Callable[[Any, Any], bool]
    why: str


_INFO = r"\.frameworkInfo\.jobStatus\."
_ANY_JOB_STATUS = r".*\.jobStatus\."
_TASK = r".*\.taskStatuses\[\d+\]\."

RULED_PORTAL = [
    Ruled(rf"{_TASK}(containerPorts|containerGpus)", lambda ours, theirs: not theirs, "constants there"),
    Ruled(
        rf"{_ANY_JOB_STATUS}(appExitSpec(\..*)?|appExitMessages\..*|appTag)",
        lambda ours, theirs: theirs in (None, "", MISSING),
        "constants there",
    ),
    Ruled(rf"{_INFO}(appTrackingUrl|appExitDiagnostics)", lambda ours, theirs: theirs == "", "constants there"),
    Ruled(
        r"\.jobStatus\.(allocatedMB|allocatedVCores|priority)",
        lambda ours, theirs: theirs == 0,
        "it asked the resource manager for apps/undefined in job details",
    ),
    Ruled(rf"{_TASK}taskState", lambda ours, theirs: (ours, theirs) == ("WAITING", "UNKNOWN"), "CONTAINER_LAUNCHED"),
    Ruled(
        rf"({_ANY_JOB_STATUS}\w+Time|{_TASK}container\w+Timestamp)",
        lambda ours, theirs: ours == 0 and theirs is None,
        "a time that has not happened is 0",
    ),
    Ruled(
        rf"{_ANY_JOB_STATUS}createdTime",
        lambda ours, theirs: theirs in range(1_517_356_800_000, 1_517_529_600_001),
        "it falls back to the first of February 2018",
    ),
    Ruled(".*", lambda ours, theirs: theirs == MISSING and ours is None, "every key is always there"),
    Ruled(
        rf"{_INFO}\w+",
        lambda ours, theirs: (
            ours in (0, [], {}) and (theirs in (None, MISSING) or (isinstance(theirs, int | float) and theirs < 0))
        ),
        "figures that are absent, null or negative are 0",
    ),
    Ruled(rf"{_INFO}utilized\w+", lambda ours, theirs: isinstance(ours, int) and 0 < theirs - ours < 1, "integers"),
    Ruled(
        r".*\.applicationProgress",
        lambda ours, theirs: (
            (ours, theirs) == ("0%", "NaN%")
            or (abs(float(ours[:-1]) - float(theirs[:-1])) < 1e-9 and len(ours) < len(theirs))
        ),
        "float noise, and what is absent is 0",
    ),
]

# The public platform's older server shares only these with our job detail; its retry numbers follow another formula.
SHARED_JOB_STATUS = [
    "username",
    "state",
    "executionType",
    "retryDetails.platform",
    "retryDetails.resource",
    "createdTime",
    "completedTime",
    "appId",
    "appProgress",
    "appTrackingUrl",
    "appLaunchedTime",
    "appExitCode",
    "appExitSpec",
    "appExitDiagnostics",
    "appExitMessages",
    "appExitTriggerMessage",
    "appExitTriggerTaskRoleName",
    "appExitTriggerTaskIndex",
    "virtualCluster",
]
RULED_OLDER = [
    *RULED_PORTAL,
    Ruled(
        r"\.jobStatus\.appExitMessages\.container",
        lambda ours, theirs: theirs in (None, MISSING),
        "it knows only the marks of older Hadoop",
    ),
    Ruled(
        r"\.jobStatus\.appExitSpec.*", lambda ours, theirs: ours == MISSING or theirs == MISSING, "the fallback rows"
    ),
]


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(ours.get(key, MISSING), theirs.get(key, MISSING), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield path, ours, theirs


def unruled(ours: Any, theirs: Any, ruled: list[Ruled]) -> list[tuple[str, Any, Any]]:
    return [
        (path, mine, other)
        for path, mine, other in differences(ours, theirs)
        if not any(re.fullmatch(one.path, path, re.DOTALL) and one.holds(mine, other) for one in ruled)
    ]


def deployed(prefix: str) -> list[str]:
    return [name for name in NAMES if name.startswith(prefix) and (CASES / name / "deployed.json").exists()]


@pytest.mark.parametrize("name", deployed("private-"))
def test_the_deployed_server_differs_only_where_ruled(name: str) -> None:
    ours, theirs = read(name, "answer.json"), read(name, "deployed.json")
    assert unruled(ours, theirs, [replace(one, path=rf"\.body{one.path}") for one in RULED_PORTAL]) == []


@pytest.mark.parametrize("name", deployed("open-"))
def test_the_older_server_agrees_in_what_it_shares_with_ours(name: str) -> None:
    ours, theirs = read(name, "answer.json")["body"], read(name, "deployed.json")["body"]
    tasks = {role: [set(task) for task in told["taskStatuses"]] for role, told in theirs["taskRoles"].items()}
    shared = {
        "jobStatus": {key: value for key, value in ours["jobStatus"].items() if key in SHARED_JOB_STATUS},
        "taskRoles": {
            role: {
                **told,
                "taskStatuses": [
                    {key: value for key, value in task.items() if key in keys}
                    for task, keys in zip(told["taskStatuses"], tasks.get(role, []), strict=False)
                ],
            }
            for role, told in ours["taskRoles"].items()
        },
    }
    known = {
        "jobStatus": {key: value for key, value in theirs["jobStatus"].items() if key in SHARED_JOB_STATUS},
        "taskRoles": theirs["taskRoles"],
    }
    assert unruled(shared, known, RULED_OLDER) == []


def test_the_comparison_with_a_deployed_server_can_fail() -> None:
    ours, theirs = read("private-00", "answer.json")["body"], read("private-00", "deployed.json")["body"]
    theirs["jobStatus"]["username"] = "somebody else"
    assert unruled(ours, theirs, RULED_PORTAL) == [
        (".jobStatus.username", ours["jobStatus"]["username"], "somebody else")
    ]
