"""The control plane's own contract: an OpenAPI 3.1 document, made here, so that it says what this server can do."""

from collections.abc import Mapping
from typing import Any

from simulator.admin.fault_schemas import fault_wanted
from simulator.admin.job_list import LARGEST_PAGE, ORDERS, STATES
from simulator.journal import MOST_ENTRIES
from simulator.simulation import MOST_JOBS, MOST_SEED

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
INSTANT: Schema = {"type": "string", "format": "date-time"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_ATTEMPT: Mapping[str, Schema] = {"version": {"type": "integer"}, "attemptId": COUNT}


def _object(required: Mapping[str, Schema], **more: Any) -> Schema:
    return {"type": "object", "required": list(required), "properties": dict(required), **more}


def _span(facts: Mapping[str, Schema]) -> Schema:
    return _object({"from": COUNT, "to": MAYBE_COUNT, **facts})


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


DROPPED = {"dropped": {**COUNT, "description": "Later entries of the journal that are gone: a new future begins."}}

SCHEMAS: Mapping[str, Schema] = {
    "Problem": _object({"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT}),
    "Clock": _object({"now": INSTANT, "rate": {"type": "number", "exclusiveMinimum": 0}, "frozen": FLAG}),
    "ClockAction": {
        "oneOf": [
            _object({"action": {"enum": ["freeze", "resume", "reset"]}}, additionalProperties=False),
            _object({"action": {"const": "advance"}, "by": {"type": ["string", "number"]}}, additionalProperties=False),
            _object({"action": {"const": "set"}, "to": INSTANT}, additionalProperties=False),
            _object({"action": {"const": "scale"}, "rate": {"type": "number"}}, additionalProperties=False),
        ]
    },
    "Job": _object(
        {
            "name": TEXT,
            "username": TEXT,
            "state": {"enum": list(STATES)},
            "subState": TEXT,
            "version": {"type": "integer"},
            "attemptId": COUNT,
            "executionType": TEXT,
            "createdTime": COUNT,
            "completedTime": COUNT,
            "appExitCode": {"type": ["integer", "null"]},
            "virtualCluster": MAYBE_TEXT,
            "totalTaskNumber": COUNT,
            "totalTaskRoleNumber": COUNT,
        }
    ),
    "Jobs": _object(
        {"jobs": _list(_ref("Job")), "cursor": MAYBE_TEXT, "scanned": COUNT, "total": {"type": ["integer", "null"]}}
    ),
    "JobAndMore": {
        "allOf": [_ref("Job"), _object({"done": _list({"type": "object"})})],
        "description": "With what people did to it; a told story says what it is about, its steps, and where it stands.",
    },
    "Life": _object(
        {
            "name": TEXT,
            "forgotten": {**MAYBE_COUNT, "description": "When the launcher forgets it."},
            "whole": {**FLAG, "description": "Whether it is told from its beginning."},
            "states": _list(_span({"state": {"enum": list(STATES)}, "subState": TEXT, **_ATTEMPT})),
            "attempts": _list(
                _span(
                    {
                        **_ATTEMPT,
                        "exitCode": {"type": ["integer", "null"]},
                        "exitType": MAYBE_TEXT,
                        "exitDescription": MAYBE_TEXT,
                    }
                )
            ),
            "tasks": _list(
                _object(
                    {
                        "role": TEXT,
                        "index": COUNT,
                        "spans": _list(
                            _span(
                                {
                                    "state": {"enum": list(STATES)},
                                    "subState": TEXT,
                                    "attemptId": COUNT,
                                    "host": MAYBE_TEXT,
                                    "exitCode": {"type": ["integer", "null"]},
                                }
                            )
                        ),
                    }
                )
            ),
            "taskCount": {**COUNT, "description": "There may be more tasks than are told."},
            "operations": _list(_object({"at": COUNT, "do": TEXT})),
            "nextChange": MAYBE_COUNT,
        },
        description="States, attempts and tasks over time, in milliseconds since the epoch: up to now as it was, after now as it comes if nobody does anything.",
    ),
    "Done": _object({"name": TEXT, **DROPPED}),
    "Made": _object({"name": TEXT, "job": TEXT, **DROPPED}),
    "Story": {"type": "object", "description": "As in a scenario file: see the schema of stories."},
    "SubmitBody": {"type": "object", "required": ["taskRoles"], "description": "As the launcher takes it."},
    "Scenario": _object(
        {
            "name": TEXT,
            "file": TEXT,
            "state": MAYBE_TEXT,
            "jobs": _list(
                _object(
                    {
                        "name": TEXT,
                        "about": TEXT,
                        "state": MAYBE_TEXT,
                        "steps": _list(_object({"name": TEXT, "manual": FLAG})),
                    }
                )
            ),
            "problem": {**MAYBE_TEXT, "description": "Why the file as it is now is not used."},
        }
    ),
    "Scenarios": _object({"scenarios": _list(_ref("Scenario"))}),
    "ScenarioState": {
        "type": "object",
        "required": ["state"],
        "additionalProperties": False,
        "properties": {"state": TEXT, "job": TEXT},
    },
    "State": _object(
        {
            "version": {"const": 1},
            "seed": {"type": "integer", "minimum": 0, "maximum": MOST_SEED},
            "jobs": {"type": "integer", "minimum": 1, "maximum": MOST_JOBS},
            "profile": TEXT,
            "profileIdentity": TEXT,
            "start": _ref("Clock"),
            "clock": _ref("Clock"),
            "journal": {**_list({"type": "object"}), "maxItems": MOST_ENTRIES},
        },
        description="What it has besides (`faults`, what the launcher was told) may be missing: then there is none.",
    ),
    "Settings": _object(
        {"seed": COUNT, "jobs": COUNT, "profile": TEXT, "profileProblem": MAYBE_TEXT, "watch": FLAG, "started": INSTANT}
    ),
    "SettingsChange": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "seed": {"type": "integer", "minimum": 0, "maximum": MOST_SEED},
            "jobs": {"type": "integer", "minimum": 1, "maximum": MOST_JOBS},
            "profile": TEXT,
            "watch": FLAG,
        },
    },
    "Request": _object(
        {
            "id": TEXT,
            "request": _object(
                {
                    "method": TEXT,
                    "url": TEXT,
                    "headers": {"type": "object"},
                    "loggedDate": COUNT,
                    "loggedDateString": INSTANT,
                }
            ),
            "response": _object({"status": {"type": "integer"}}),
        }
    ),
    "Requests": _object({"requests": _list(_ref("Request"))}),
    "Matcher": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(("method", "url", "urlPath", "urlPattern", "urlPathPattern"), TEXT),
            "status": {"type": "integer"},
            "headers": {"type": "object", "additionalProperties": _ref("ValueMatcher")},
            "queryParameters": {"type": "object", "additionalProperties": _ref("ValueMatcher")},
        },
    },
    "ValueMatcher": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {**dict.fromkeys(("equalTo", "contains", "matches", "doesNotMatch"), TEXT), "absent": FLAG},
    },
    "Count": _object({"count": COUNT}),
    "Verification": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "request": _ref("Matcher"),
            "times": {
                "oneOf": [
                    COUNT,
                    {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": False,
                        "properties": {"atLeast": COUNT, "atMost": COUNT},
                    },
                ],
                "description": "How often it must have been asked: at least once, if nothing is said.",
            },
        },
    },
    "Removed": _object({"removed": COUNT}),
    "Fault": _object(
        {
            "id": TEXT,
            "kind": TEXT,
            "side": {"enum": ["launcher", "api"]},
            "probability": {"type": "number", "minimum": 0, "maximum": 1},
            "seed": COUNT,
            "until": MAYBE_TEXT,
            "contract": {"enum": ["within", "outside"]},
        }
    ),
    "FaultWanted": fault_wanted(),
    "FaultKind": _object(
        {
            "kind": TEXT,
            "sides": _list(TEXT),
            "keys": _list(TEXT),
            "within": {**_list(TEXT), "description": "The sides on which it is within the contract."},
        }
    ),
    "Faults": _object({"faults": _list(_ref("Fault")), "kinds": _list(_ref("FaultKind"))}),
    "Health": _object({"status": {"const": "healthy"}}),
    "Version": _object({"version": TEXT}),
    "Dropped": _object(DROPPED),
}

NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT}


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _operation(
    what: str,
    answer: str,
    takes: str | None = None,
    also: tuple[int, ...] = (),
    status: int = 200,
    parameters: tuple[Mapping[str, Any], ...] = (),
) -> dict[str, Any]:
    def told(schema: str, media_type: str = "application/json") -> dict[str, Any]:
        return {"description": schema, "content": {media_type: {"schema": _ref(schema)}}}

    problems = {str(code): told("Problem", "application/problem+json") for code in (400, 401, 403, 413, *also)}
    operation: dict[str, Any] = {"summary": what, "responses": {str(status): told(answer), **problems}}
    if parameters:
        operation["parameters"] = list(parameters)
    if takes is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(takes)}}}
    return operation


_JOBS = (
    _query("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    _query("offset", COUNT),
    _query("cursor", TEXT),
    _query("order", {"enum": list(ORDERS)}),
    _query("state", {"enum": list(STATES)}),
    _query("user", TEXT),
    _query("name", {**TEXT, "description": "How the names begin."}),
)


def _make() -> dict[str, Any]:
    made = _operation(
        "Makes a job, from a story or from a submit body; a submit body for a name that is there updates or upgrades it",
        "Made",
        "Story",
        (409, 507),
        201,
        (_query("name", TEXT),),
    )
    made["responses"]["200"] = made["responses"]["201"]
    made["requestBody"]["content"] = {
        "application/json": {"schema": {"anyOf": [_ref("Story"), _ref("SubmitBody")]}},
        "application/yaml": {"schema": _ref("Story")},
    }
    return made


WISHES = """What is done here is done to everybody. A request of the API may also wish for itself, in the header `Prefer`:
`code=404` (a status that the operation promises), `fault=throttled` (a fault of the launcher's side that is within the
contract), `example=out-of-memory` (what is told of that job or story, under the name asked for), `delay=2` (seconds, or an
ISO 8601 duration, of at most a minute) and `dynamic=true`. `Preference-Applied` names what was heeded; the rest is ignored."""

PATHS: Mapping[str, Mapping[str, Any]] = {
    "/health": {"get": _operation("Whether it lives", "Health")},
    "/version": {"get": _operation("Which program this is", "Version")},
    "/clock": {
        "get": _operation("The clock", "Clock"),
        "put": _operation("Freezes, resumes, advances, sets, scales or resets it", "Clock", "ClockAction", (507,)),
    },
    "/jobs": {"get": _operation("A page of jobs", "Jobs", parameters=_JOBS), "post": _make()},
    "/jobs/{name}": {
        "parameters": [NAME],
        "get": _operation("One job, and what people did to it", "JobAndMore", also=(404,)),
        "delete": _operation("Deletes it", "Done", also=(404, 507)),
    },
    "/jobs/{name}/life": {
        "parameters": [NAME],
        "get": _operation("Its states, attempts and tasks over time, and what is to come", "Life", also=(404,)),
    },
    **{
        f"/jobs/{{name}}/{word}": {
            "parameters": [NAME],
            "post": _operation(what, "Done", also=(404, 409, 507) if word == "advance" else (404, 507)),
        }
        for word, what in (
            ("stop", "Stops it"),
            ("start", "Takes a stop back that the launcher has not seen yet"),
            ("advance", "Leaves the step of its story that waits for a hand"),
        )
    },
    "/scenarios": {"get": _operation("The scenario files and where their stories stand", "Scenarios")},
    "/scenarios/{name}/state": {
        "parameters": [NAME],
        "put": _operation("Moves a step that waits for a hand", "Scenario", "ScenarioState", (404, 409, 507)),
    },
    "/requests": {
        "get": _operation("What the API was asked, newest first", "Requests", parameters=(_query("limit", COUNT),)),
        "delete": _operation("Forgets it", "Removed"),
    },
    "/requests/find": {"post": _operation("The requests that fit", "Requests", "Matcher")},
    "/requests/count": {"post": _operation("How many fit", "Count", "Matcher")},
    "/requests/verify": {
        "post": _operation("Fails with 406 if not as many fit as are said", "Count", "Verification", (406,))
    },
    "/faults": {
        "get": _operation("The faults there are", "Faults"),
        "post": _operation("Makes one", "Fault", "FaultWanted", (507,), 201),
        "delete": _operation("Removes all", "Removed", also=(507,)),
    },
    "/faults/{fault_id}": {
        "parameters": [{**NAME, "name": "fault_id"}],
        "delete": _operation("Removes one", "Removed", also=(404, 507)),
    },
    "/state": {
        "get": _operation("The whole world as one document", "State"),
        "put": _operation("Becomes the world of that document", "State", "State", (507,)),
    },
    "/settings": {
        "get": _operation("What can be changed while it runs, and when it started", "Settings"),
        "patch": _operation("Changes some of it", "Settings", "SettingsChange", (507,)),
    },
    "/reset": {"post": _operation("Back to the beginning", "Dropped", also=(507,))},
    "/openapi.json": {"get": {"summary": "This document", "responses": {"200": {"description": "OpenAPI 3.1"}}}},
}


def document(prefix: str) -> dict[str, Any]:
    from importlib.metadata import version  # not at every start

    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control plane of a simulated launcher",
            "version": version("restserver"),
            "description": WISHES,
        },
        "paths": {f"{prefix}{path}": dict(item) for path, item in PATHS.items()},
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
