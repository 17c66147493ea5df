"""Schemathesis over the derived OpenAPI document of each style, against the application over a simulated world.

Random names only ever meet 404, so half of the requests are given names, versions and attempts that exist; a hook around
the launcher provokes the 500. The test fails unless every documented status of every operation was met.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from contracts import registry
from contracts.clock import VirtualClock, from_iso
from contracts.launcher.port import Answer, Around, Ask, Call, LauncherUnavailable
from restserver.app import Application, Backend, create_app
from restserver.setting_values import Allowance
from restserver.settings import Settings
from simulator.launcher import simulated
from tests.promises.judging import objection
from tests.restserver.wsgi_client import ask

pytestmark = pytest.mark.no_cover

INSTANT = from_iso("2026-03-01T12:00:00Z")
BROKEN = "broken-launcher"
"""A name for which the launcher cannot be reached."""
EXAMPLES = [60, pytest.param(400, marks=pytest.mark.proof)]
Case: TypeAlias = "schemathesis.Case[Any]"


@cache
def backend() -> Backend:
    clock = VirtualClock(INSTANT, frozen=True)
    launcher, resource_manager = simulated(1, 60, clock)

    def hook(call: Call, asked: Ask, proceed: Callable[[Ask], Any]) -> Any:
        if call.name == BROKEN:
            raise LauncherUnavailable("The launcher refused the connection.")
        return proceed(asked)

    return Backend(Around(launcher, hook), resource_manager, clock)


@cache
def real_attempts() -> list[tuple[str, int, int]]:
    """(name, version, attempt) of everything that can be asked for."""
    launcher = backend().launcher
    found = []
    for summary in launcher.summaries(Ask()):
        versions: Answer[tuple[int, ...]] = launcher.versions(summary.name, Ask())
        for version in versions.value:
            attempts = launcher.attempts(summary.name, version, Ask()).value
            found += [(summary.name, version, attempt) for attempt in attempts]
    return found


def operations(style: str, application: Application) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(registry.openapi(style))))

    def plain(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # asked in process, nobody unpacks what is packed
        return application(environ, start_response)

    schema.app = plain
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        yield result.ok()


def _with_real_values(case: Case, dice: Random) -> None:
    """Half of the time what exists, now and then what the launcher fails at, else what was generated."""
    name, version, attempt = dice.choice(real_attempts())
    path = dict(case.path_parameters or {})
    key = "jobName" if "jobName" in path else "frameworkName"
    throw = dice.random()
    if throw < 0.5:
        path[key] = name
        if "frameworkAttemptId" in path:
            path["frameworkAttemptId"] = str(attempt)
        if case.query and "version" in case.query and dice.random() < 0.8:
            case.query = {**case.query, "version": str(version)}
    elif throw < 0.6:
        path[key] = BROKEN
        if "frameworkAttemptId" in path:
            path["frameworkAttemptId"] = "0"
        case.query = {}
    case.path_parameters = path


@pytest.mark.parametrize("style", registry.STYLES)
@pytest.mark.parametrize("operation_id", registry.OPERATIONS)
@pytest.mark.parametrize("examples", EXAMPLES)
def test_every_answer_is_a_documented_one_and_every_documented_one_is_met(
    style: str, operation_id: str, examples: int
) -> None:
    application = create_app(backend(), replace(Settings(), style=style))
    (operation,) = (one for one in operations(style, application) if one.definition.raw["operationId"] == operation_id)
    met: set[int] = set()

    @given(case=operation.as_strategy(), seed=st.integers(0, 1 << 32))
    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def every_answer_is_promised(case: Case, seed: int) -> None:
        _with_real_values(case, Random(f"{style}/{seed}"))  # hypothesis' own dice fall on the same side too often
        response = case.call()
        case.validate_response(response, excluded_checks=[not_a_server_error] if is_provoked(case) else [])
        body = response.json()
        assert objection(operation_id, response.status_code, style, body) is None
        met.add(response.status_code)

    every_answer_is_promised()
    met |= _met_by_hand(application, operation_id, style)
    assert met == set(registry.statuses(operation_id))


def is_provoked(case: Case) -> bool:
    """Whether the 500 is one that this test asks for; any other is Schemathesis' to report."""
    return BROKEN in (case.path_parameters or {}).values()


PATHS = {
    "getJob": "/api/v2/jobs/{name}",
    "getAttempt": "/api/v2/frameworks/{name}/attempts/{attempt}",
    "getAttempts": "/api/v2/frameworks/{name}/attempts",
    "getVersions": "/api/v2/frameworks/{name}/versions",
}


def _met_by_hand(application: Application, operation_id: str, style: str) -> set[int]:
    """What chance may miss or never sends: the launcher's failure, another method, a target too long, no version."""
    name, _, attempt = real_attempts()[0]
    path = PATHS[operation_id].format(name=name, attempt=attempt)
    broken = PATHS[operation_id].format(name=BROKEN, attempt=0)
    token = create_app(backend(), Settings(style=style, read_tokens=("sesame",)))
    limit = create_app(backend(), Settings(style=style, rate_limit=Allowance(1, 1_000)))
    assert ask(limit, path).status == 200
    asked = {
        500: (application, broken, "GET"),
        405: (application, path, "DELETE"),
        414: (application, f"{path}?x={'x' * 9000}", "GET"),
        400: (application, f"{path}?version=one", "GET"),
        401: (token, path, "GET"),
        429: (limit, path, "GET"),
    }
    met = set()
    for status, (asked_one, target, method) in asked.items():
        if status in registry.statuses(operation_id):
            response = ask(asked_one, target, method)
            assert response.status == status
            registry.validator(operation_id, status, style).validate(response.json)
            met.add(status)
    return met
