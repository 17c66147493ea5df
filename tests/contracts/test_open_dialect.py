import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.launcher import open_dialect, open_request, wire
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.recordings import exchanges, files_of
from contracts.launcher.records import (
    AMType,
    AntiAffinityLevel,
    CompletionPolicy,
    DiskType,
    ExecutionType,
    Framework,
    FrameworkDescriptor,
    PlatformParameters,
    RetryPolicy,
    Summary,
)
from tests.contracts import record_strategies
from tests.contracts.json_values import GONE, Place, changed, json_values, places
from tests.contracts.launcher_documents import RECORDINGS, answered, deployed, framework_bodies

slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

RUNNING = "s01e-succeed-12tasks-2roles"


def a_document() -> dict[str, object]:
    """A framework with two roles of running and finished tasks."""
    body = [body for scenario, body in framework_bodies() if scenario == RUNNING and "CONTAINER_RUNNING" in body][-1]
    document = json.loads(body)
    assert isinstance(document, dict)
    return document


# --- the law --------------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
@slow
@given(record_strategies.frameworks)
def test_what_is_decoded_is_what_this_dialect_can_tell(framework: Framework) -> None:
    seen = open_dialect.seen(framework)
    document = json.loads(open_dialect.render(open_dialect.encode_framework(framework)))
    assert open_dialect.decode_framework(document) == seen
    assert open_dialect.seen(seen) == seen


@pytest.mark.no_cover
@slow
@given(st.lists(record_strategies.summaries, max_size=3))
def test_a_list_is_decoded_to_the_summaries_as_seen(summaries: list[Summary]) -> None:
    seen = tuple(open_dialect.seen_summary(summary) for summary in summaries)
    assert open_dialect.decode_summaries(open_dialect.encode_summaries(summaries)) == seen
    assert tuple(open_dialect.seen_summary(summary) for summary in seen) == seen


@pytest.mark.no_cover
@given(record_strategies.descriptors)
@slow
def test_a_submission_is_decoded_to_what_was_encoded(descriptor: FrameworkDescriptor) -> None:
    document = open_dialect.encode_descriptor(descriptor)
    unknown = '"UNKNOWN"' in open_dialect.render_compact(dict(document))
    if unknown:
        with pytest.raises(LauncherUnreadable):
            open_dialect.decode_descriptor(document)
    else:
        assert open_dialect.decode_descriptor(document) == descriptor


def test_a_framework_without_its_request_cannot_be_told() -> None:
    framework = replace(open_dialect.decode_framework(a_document()), request=None)
    with pytest.raises(ValueError, match="request"):
        open_dialect.encode_framework(framework)
    assert open_dialect.seen(framework).summary.total_cpu_number is None


# --- the recordings -------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_every_recorded_framework_is_written_again_byte_for_byte() -> None:
    bodies = [body for _, body in framework_bodies()]
    assert len(bodies) > 100
    for body in bodies:
        framework = open_dialect.decode_framework(wire.parse(body.encode()))
        assert open_dialect.render(open_dialect.encode_framework(framework)) == body
        assert open_dialect.seen(framework) == framework


def test_every_recorded_list_is_written_again_byte_for_byte() -> None:
    bodies = [
        exchange.response.body or ""
        for exchange in answered()
        if exchange.source == "launcher" and exchange.request.path.split("?")[0].rstrip("/") == "/v1/Frameworks"
    ]
    assert bodies
    for body in bodies:
        summaries = open_dialect.decode_summaries(wire.parse(body.encode()))
        assert open_dialect.render(open_dialect.encode_summaries(summaries)) == body


def test_every_document_given_to_a_deployed_server_is_read() -> None:
    documents = deployed("open")
    assert documents
    for told in documents:
        framework = open_dialect.decode_framework(told["body"])
        assert open_dialect.decode_framework(open_dialect.encode_framework(framework)) == framework


def test_the_summary_is_completed_from_the_rest_of_the_document() -> None:
    framework = open_dialect.decode_framework(a_document())
    summary = framework.summary
    assert framework.request is not None
    roles = framework.request.descriptor.task_roles.values()
    assert summary.application_id == framework.status.application_id
    assert summary.application_id is not None
    assert summary.application_progress == framework.status.application_progress
    assert summary.total_cpu_number == sum(r.task_number * r.task_service.resource.cpu_number for r in roles) == 12
    assert summary.total_memory_mb == sum(r.task_number * r.task_service.resource.memory_mb for r in roles)


# --- a launcher that lies -------------------------------------------------------------------------------------------


@slow
@given(st.data())
def test_one_wrong_place_is_either_tolerated_or_named(data: st.DataObject) -> None:
    document = a_document()
    place: Place = data.draw(st.sampled_from(list(places(document))))
    value = data.draw(json_values | st.just(GONE))
    named = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    path = unreadable_at(changed(document, place, value))
    assert path is None or path.startswith(named) or named.startswith(path)


def unreadable_at(document: object) -> str | None:
    try:
        open_dialect.decode_framework(document)
    except LauncherUnreadable as unreadable:
        return unreadable.path
    return None


PROMISED: list[Place] = [
    ("summarizedFrameworkInfo",),
    ("summarizedFrameworkInfo", "frameworkName"),
    ("summarizedFrameworkInfo", "frameworkState"),
    ("summarizedFrameworkInfo", "frameworkRetryPolicyState"),
    ("summarizedFrameworkInfo", "frameworkRetryPolicyState", "unKnownRetriedCount"),
    ("aggregatedFrameworkRequest",),
    ("aggregatedFrameworkRequest", "frameworkRequest"),
    ("aggregatedFrameworkRequest", "frameworkRequest", "frameworkDescriptor", "taskRoles"),
    ("aggregatedFrameworkStatus",),
    ("aggregatedFrameworkStatus", "frameworkStatus"),
    ("aggregatedFrameworkStatus", "frameworkStatus", "frameworkState"),
    ("aggregatedFrameworkStatus", "aggregatedTaskRoleStatuses"),
    ("aggregatedFrameworkStatus", "aggregatedTaskRoleStatuses", "a", "taskStatuses"),
    ("aggregatedFrameworkStatus", "aggregatedTaskRoleStatuses", "a", "taskStatuses", "taskStatusArray"),
    ("aggregatedFrameworkStatus", "aggregatedTaskRoleStatuses", "a", "taskStatuses", "taskStatusArray", 0, "taskState"),
]


@pytest.mark.parametrize("place", PROMISED)
@pytest.mark.parametrize(("value", "found"), [(GONE, "nothing"), (None, "null"), (True, "a truth value")])
def test_a_promised_part_that_is_missing_or_of_another_type_is_unreadable(
    place: Place, value: object, found: str
) -> None:
    with pytest.raises(LauncherUnreadable) as caught:
        open_dialect.decode_framework(changed(a_document(), place, value))
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    assert (caught.value.path, caught.value.found) == (path, found)


_ROLE: Place = ("aggregatedFrameworkRequest", "frameworkRequest", "frameworkDescriptor", "taskRoles", "a")
_RESOURCE: Place = (*_ROLE, "taskService", "resource")


@pytest.mark.parametrize(
    ("place", "value", "found"),
    [
        ((*_ROLE, "taskNumber"), -1, "a number below 0"),
        ((*_RESOURCE, "cpuNumber"), -1, "a number below 0"),
        ((*_RESOURCE, "memoryMB"), -(2**63), "a number below 0"),
        (("aggregatedFrameworkStatus", "frameworkStatus", "applicationProgress"), 1.5, "a number not from 0 to 1"),
        (("aggregatedFrameworkStatus", "frameworkStatus", "applicationProgress"), -0.5, "a number not from 0 to 1"),
    ],
)
def test_a_number_that_no_answer_may_hold_is_unreadable(place: Place, value: object, found: str) -> None:
    with pytest.raises(LauncherUnreadable) as caught:
        open_dialect.decode_framework(changed(a_document(), place, value))
    assert (caught.value.path, caught.value.found) == ("$" + "".join(f".{step}" for step in place), found)


@pytest.mark.parametrize("document", [None, [], "x", 1, True])
def test_a_document_that_is_no_object_is_unreadable(document: object) -> None:
    for decode in (open_dialect.decode_framework, open_dialect.decode_summaries, open_dialect.decode_descriptor):
        with pytest.raises(LauncherUnreadable) as caught:
            decode(document)
        assert caught.value.path == "$"


def test_unknown_words_are_unknown_and_unknown_keys_are_tolerated() -> None:
    document: object = a_document()
    role: Place = ("aggregatedFrameworkStatus", "aggregatedTaskRoleStatuses", "a", "taskStatuses", "taskStatusArray", 0)
    request: Place = ("aggregatedFrameworkRequest", "frameworkRequest")
    for place, value in [
        (("aggregatedFrameworkStatus", "frameworkStatus", "frameworkState"), "FRAMEWORK_FROZEN"),
        (("summarizedFrameworkInfo", "executionType"), "PAUSE"),
        ((*role, "taskState"), "TASK_DREAMING"),
        ((*request, "launchClientType"), "ROBOT"),
        ((*request, "frameworkDescriptor", "platformSpecificParameters", "amType"), "TWINS"),
        (("aggregatedFrameworkStatus",), {**document["aggregatedFrameworkStatus"], "more": [1]}),  # type: ignore[index]  # a document
    ][::-1]:
        document = changed(document, place, value)
    framework = open_dialect.decode_framework(document)
    assert framework.status.state is FrameworkState.UNKNOWN
    assert framework.summary.execution_type is ExecutionType.UNKNOWN
    assert framework.task_roles["a"].tasks[0].state is TaskState.UNKNOWN
    assert framework.request is not None
    assert framework.request.launch_client_type == "UNKNOWN"
    assert framework.request.descriptor.platform.am_type is AMType.UNKNOWN


# --- submissions ----------------------------------------------------------------------------------------------------

SUBMITTED = {
    "version": "3",
    "taskRoles": {
        "worker": {
            "taskNumber": 2.9,
            "taskService": {
                "version": 0,
                "entryPoint": 5,
                "sourceLocations": ["/x", None],
                "resource": {"cpuNumber": 1, "memoryMB": 2, "diskType": 1, "portDefinitions": {"ssh": {"count": 1}}},
            },
            "applicationCompletionPolicy": {"minFailedTaskCount": None},
        }
    },
}


def test_a_submission_gets_its_defaults() -> None:
    descriptor = open_dialect.decode_descriptor(SUBMITTED)
    role = descriptor.task_roles["worker"]
    assert descriptor.version == 3
    assert descriptor.user_name == "default"
    assert descriptor.platform == PlatformParameters()
    assert descriptor.retry_policy == role.task_retry_policy == RetryPolicy()
    assert role.task_number == 2
    assert role.completion_policy == CompletionPolicy(None, None)
    assert role.task_service.entry_point == "5"
    assert role.task_service.source_locations == ("/x", None)
    assert role.task_service.resource.disk_type is DiskType.SSD
    assert role.task_service.resource.port_definitions["ssh"].start == 0


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("version",), GONE),
        (("version",), None),
        (("taskRoles",), GONE),
        (("taskRoles",), None),
        (("taskRoles", "worker"), None),
        (("taskRoles", "worker", "taskService", "resource", "memoryMB"), GONE),
        (("taskRoles", "worker", "taskService", "resource", "diskType"), "NVME"),
        (("executionType",), None),
        (("user",), None),
        (("retryPolicy",), {"maxRetryCount": None}),
        (("platformSpecificParameters",), {"queue": None}),
    ],
)
def test_a_submission_that_leaves_out_what_it_must_say_is_unreadable(place: Place, value: object) -> None:
    document = {"executionType": "START", "user": {}, "retryPolicy": {}, "platformSpecificParameters": {}, **SUBMITTED}
    open_dialect.decode_descriptor(document)
    with pytest.raises(LauncherUnreadable) as caught:
        open_dialect.decode_descriptor(changed(document, place, value))
    assert caught.value.path.startswith("$." + ".".join(str(step) for step in place))


def test_the_small_bodies_are_read() -> None:
    assert open_request.decode_task_number({"taskNumber": "4"}) == 4
    assert open_request.decode_execution_type({"executionType": "STOP"}) is ExecutionType.STOP
    assert open_request.decode_execution_type({"executionType": 0}) is ExecutionType.START
    assert open_request.decode_progress({"applicationProgress": 0.25}) == 0.25
    assert open_request.decode_migrate_task({}) is AntiAffinityLevel.ANY
    assert open_request.decode_migrate_task({"antiAffinityLevel": "RACK"}) is AntiAffinityLevel.RACK
    with pytest.raises(LauncherUnreadable):
        open_request.decode_execution_type({"executionType": "UNKNOWN"})


def test_the_request_side_is_read_alone_as_the_launcher_serves_it() -> None:
    document = a_document()
    framework = open_dialect.decode_framework(document)
    assert open_request.decode_request(document["aggregatedFrameworkRequest"]) == framework.request


# --- paths, errors, printing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("alice~mnist-1._", "/v1/Frameworks/alice~mnist-1._"),
        ("a/b", "/v1/Frameworks/a%2Fb"),
        ("a;b?c#d%", "/v1/Frameworks/a%3Bb%3Fc%23d%25"),
        ("é", "/v1/Frameworks/%C3%A9"),
    ],
)
def test_no_name_can_leave_its_place_in_the_path(name: str, path: str) -> None:
    assert open_dialect.framework_path(name) == path


TRACE = "x.y.NotFoundException: no such thing\n\tat x.y.Z.run(Z.java:1)\n\tat x.y.Main.main(Main.java:2)\n"


@pytest.mark.parametrize("wrapping", ["{}", '{{"RemoteException": {} }}'])
def test_the_error_object_is_known_wrapped_or_not(wrapping: str) -> None:
    error = open_dialect.render_compact(open_dialect.encode_error("NotFoundException", TRACE, "x.y.NotFoundException"))
    assert open_dialect.decode_error(wrapping.format(error).encode()) == TRACE
    assert open_dialect.plain(TRACE) == "x.y.NotFoundException: no such thing"


def test_an_exception_without_a_text_has_its_name() -> None:
    assert open_dialect.decode_error(b'{"exception": "E", "message": null}') == "E"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>404</html>",
        b"[]",
        b"{}",
        b'"NotFoundException"',
        b'{"exception": "E"}',
        b'{"exception": 1, "message": "m"}',
        b'{"message": "m"}',
        b'{"RemoteException": {"message": "m"}}',
        b'{"RemoteException": 1}',
    ],
)
def test_anything_else_is_not_the_error_object(body: bytes) -> None:
    assert open_dialect.decode_error(body) is None


def test_every_recorded_error_of_the_launcher_is_known() -> None:
    messages = {
        open_dialect.plain(message)
        for exchange in recorded_errors()
        if (message := open_dialect.decode_error(exchange)) is not None
    }
    assert "com.microsoft.frameworklauncher.common.exceptions.NotFoundException" in messages
    assert all("\tat " not in message for message in messages)


def recorded_errors() -> list[bytes]:
    return [
        (exchange.response.body or "").encode()
        for path in files_of(RECORDINGS)
        if path.name.startswith(("s12", "s21", "s07"))
        for exchange in exchanges(path, print)
        if exchange.source == "launcher" and (exchange.response.status or 0) >= 400
    ]


@pytest.mark.parametrize(
    ("message", "plain"),
    [("one sentence", "one sentence"), ("two\nlines", "two\nlines"), ("", ""), ("\n x \n at y", "x")],
)
def test_only_a_stack_trace_is_cut(message: str, plain: str) -> None:
    assert open_dialect.plain(message) == plain


def test_the_printer_writes_as_a_real_launcher_does() -> None:
    document = {"a": {}, "b": [], "c": ["x", 1, None], "d": [{"e": True}, {"f": False}], "g": 'é"\\\n\t\x1b/\x7f'}
    assert open_dialect.render(document) == (
        '{\n  "a" : { },\n  "b" : [ ],\n  "c" : [ "x", 1, null ],\n  "d" : [ {\n    "e" : true\n  }, {\n    "f" : false\n  } ],\n'
        '  "g" : "é\\"\\\\\\n\\t\\u001B/\x7f"\n}'
    )
    assert open_dialect.render_compact({"a": {}, "b": [1, {"c": 0.5}]}) == '{"a":{},"b":[1,{"c":0.5}]}'


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (1.0, "1.0"),
        (0.33333334, "0.33333334"),
        (0.001, "0.001"),
        (1e-4, "1.0E-4"),
        (-1.25e-5, "-1.25E-5"),
        (1e7, "1.0E7"),
    ],
)
def test_numbers_are_written_as_java_does(number: float, text: str) -> None:
    assert open_dialect.render(number) == text


@given(json_values)
def test_both_printers_write_what_the_value_says(value: object) -> None:
    assert wire.parse(open_dialect.render(value).encode()) == value
    assert wire.parse(open_dialect.render_compact(value).encode()) == value


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (object(), TypeError)])
def test_what_is_no_json_value_cannot_be_written(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_dialect.render([value])
