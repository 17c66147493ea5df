"""A server of one job whose answers follow a script, with a control plane: what one law forbids can be shown alone."""

import copy
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from contracts import registry
from contracts.clock import Instant, VirtualClock, from_iso, iso
from restserver.serving.waitress_server import serving
from tests.contracts import told_jobs
from tests.harness.served_app import INSTANT

BORN: Instant = INSTANT
MINUTE = 60_000
NOW = BORN + 240 * MINUTE
TIMES = (
    "createdTime",
    "completedTime",
    "appLaunchedTime",
    "containerLaunchedTimestamp",
    "containerCompletedTimestamp",
)
Body = dict[str, Any]


def example(operation: str) -> Body:
    """The body that the document itself shows."""
    for item in registry.openapi("documented")["paths"].values():
        if item["get"]["operationId"] == operation:
            return copy.deepcopy(item["get"]["responses"]["200"]["content"]["application/json"]["example"])
    raise KeyError(operation)


def whole(told: Body) -> Body:
    """A told job detail with every promised key, its instants in minutes after :data:`BORN`."""
    shown = example("getJob")
    (role,) = shown["taskRoles"].values()
    (a_task,) = role["taskStatuses"]
    quiet = {"appExitSpec": None, "appExitTriggerMessage": None, "appExitTriggerTaskRoleName": None}
    tasks = [_in_time({**a_task, **one}) for one in told["taskRoles"]["worker"]["taskStatuses"]]
    return {
        "jobStatus": _in_time({**shown["jobStatus"], **quiet, **told["jobStatus"]}),
        "taskRoles": {"worker": {**role, "taskStatuses": tasks}},
    }


def _in_time(body: Body) -> Body:
    moved = {key: BORN + (body[key] - told_jobs.CREATED) * MINUTE for key in TIMES if body.get(key)}
    return {**body, **moved}


@dataclass
class Scripted:
    """``said``: from which minute on the job is told so; ``None``: it is not there."""

    said: Sequence[tuple[int, Body | None]]
    attempts: Sequence[tuple[int, list[int]]] = ()
    """From which minute on the list says so; by default it is what it should be."""
    versions: Sequence[int] = ()
    unanswered_attempts: frozenset[int] = frozenset()
    versions_without_attempts: frozenset[int] = frozenset()
    current_attempt: Body = field(default_factory=dict)
    """What the detail of the current attempt says otherwise."""
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW, frozen=True))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, body = self._answer(environ)
        headers = [("Content-Type", "application/json"), ("X-Simulated", f"seed=1; now={iso(self.clock.now())}")]
        start_response(f"{status} Said", headers)
        return [json.dumps(body).encode()]

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, Body]:
        path: str = environ["PATH_INFO"]
        parts = path.strip("/").split("/")
        asked = parse_qs(environ["QUERY_STRING"]).get("version")
        version = None if asked is None else int(asked[0])
        job = self._now(self.said)
        match parts:
            case ["__admin", "clock"]:
                return 200, self._clock(environ)
            case ["__admin", "jobs"]:
                return 200, {"jobs": [{"name": told_jobs.NAME, "createdTime": BORN}], "cursor": None}
            case ["api", "v2", "jobs", told_jobs.NAME] if job:
                return 200, whole(job)
            case ["api", "v2", "frameworks", told_jobs.NAME, "versions"] if job:
                return 200, {"FrameworkVersions": list(self.versions or [job["jobStatus"]["version"]])}
            case ["api", "v2", "frameworks", told_jobs.NAME, "attempts"] if job and self._is_known(version):
                return 200, {"FrameworkAttempts": self._listed(job)}
            case ["api", "v2", "frameworks", told_jobs.NAME, "attempts", attempt] if job:
                return self._detail(job, int(attempt), version)
        return 404, _not_found(parts, version)

    def _clock(self, environ: WSGIEnvironment) -> Body:
        if environ["REQUEST_METHOD"] == "PUT":
            change = json.loads(environ["wsgi.input"].read())
            if change["action"] == "set":
                self.clock.set(from_iso(change["to"]))
        return {"now": iso(self.clock.now()), "rate": 1.0, "frozen": True}

    def _now(self, script: Sequence[tuple[int, Any]]) -> Any:
        minutes = (self.clock.now() - BORN) / MINUTE
        return next((said for since, said in reversed(script) if since <= minutes), None)

    def _is_known(self, version: int | None) -> bool:
        return version not in self.versions_without_attempts

    def _listed(self, job: Body) -> list[int]:
        found: list[int] | None = self._now(self.attempts)
        return list(range(job["jobStatus"]["attemptId"] + 1)) if found is None else found

    def _detail(self, job: Body, attempt: int, version: int | None) -> tuple[int, Body]:
        current = job["jobStatus"]["attemptId"]
        if attempt in self.unanswered_attempts or attempt > current:
            return 404, _not_found(["frameworks", told_jobs.NAME, "attempts", str(attempt)], version)
        told = copy.deepcopy(job)
        if attempt < current:
            first = {"user": 0, "platform": attempt, "resource": 0, "unknown": 0}
            ended = {"subState": "ApplicationCompleted", "state": "WAITING", "attemptState": "FAILED", "appExitCode": 1}
            past = {"attemptId": attempt, "retries": attempt, "retryDetails": first, "completedTime": 0}
            told["jobStatus"] |= ended | past | {"appId": f"application_1_{attempt + 1:04}"}
            told["taskRoles"]["worker"]["taskStatuses"] = []
        else:
            told["jobStatus"] |= self.current_attempt
        if version is not None:
            told["jobStatus"]["version"] = version
        full = whole(told)
        info = example("getAttempt")["frameworkInfo"]["jobStatus"]
        repeated = {key: value for key, value in full["jobStatus"].items() if key in info and key != "retryDetails"}
        counters = {key: value for key, value in full["jobStatus"]["retryDetails"].items() if key != "unknown"}
        texts = {key: repeated[key] or "" for key in ("appTrackingUrl", "appExitDiagnostics")}
        url = f"http://x/api/v2/jobs/{told_jobs.NAME}"
        status = info | repeated | texts | {"retryDetails": counters, "jobFullDetailUrl": url}
        return 200, {"frameworkFullDetail": full, "frameworkInfo": {"jobStatus": status}}


def _not_found(parts: Sequence[str], version: int | None) -> Body:
    shown = "unknown" if version is None else version
    match parts:
        case [*_, "jobs", name]:
            return {"code": "NoJobError", "message": f"Job {name} is not found."}
        case [*_, name, "attempts", attempt]:
            message = f"[Version: {shown}][AttemptId: {attempt}] attempt of job {name} is not found."
            return {"code": "NoJobAttemptError", "message": message}
        case [*_, name, "attempts"]:
            return {"code": "NoJobAttemptsError", "message": f"No list of versions found for framework {name}."}
        case [*_, name, "versions"]:
            message = f"[Version: {shown}] the atempt list of job {name} is not found."
            return {"code": "NoJobVersionsError", "message": message}
        case _:
            return {"code": "NoApiError", "message": f"API /{'/'.join(parts)} is not found."}


@contextmanager
def scripted(script: Scripted) -> Iterator[str]:
    with serving(script) as url:
        yield url
