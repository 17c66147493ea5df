import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.launcher import open_dialect, private_dialect, wire
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import ExecutionType, ExitType, Framework, Summary
from tests.contracts import record_strategies
from tests.contracts.json_values import GONE, Place, changed, json_values, places
from tests.contracts.launcher_documents import deployed, recorded_frameworks

slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SUMMARY = "SummarizedFrameworkInfo"
STATUS: Place = ("AggregatedFrameworkStatus", "FrameworkStatus")
ROLES: Place = ("AggregatedFrameworkStatus", "AggregatedTaskRoleStatuses")


def a_document() -> object:
    return deployed("private")[0]["body"]


def a_task(document: object) -> Place:
    role = next(iter(private_dialect.decode_framework(document).task_roles))
    return (*ROLES, role, "TaskStatuses", "TaskStatusArray", 0)


# --- the law --------------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
@slow
@given(record_strategies.frameworks | record_strategies.frameworks_without_request)
def test_what_is_decoded_is_what_this_dialect_can_tell(framework: Framework) -> None:
    seen = private_dialect.seen(framework)
    document = json.loads(private_dialect.render(private_dialect.encode_framework(framework)))
    assert private_dialect.decode_framework(document) == seen
    assert private_dialect.seen(seen) == seen


@pytest.mark.no_cover
@slow
@given(st.lists(record_strategies.summaries, max_size=3))
def test_a_list_is_decoded_to_the_summaries_as_seen(summaries: list[Summary]) -> None:
    seen = tuple(private_dialect.seen_summary(summary) for summary in summaries)
    assert private_dialect.decode_summaries(private_dialect.encode_summaries(summaries)) == seen
    assert tuple(private_dialect.seen_summary(summary) for summary in seen) == seen


@given(st.sets(st.integers(-(2**31), 2**31 - 1), max_size=5))
def test_versions_and_attempts_come_back_ascending(numbers: set[int]) -> None:
    ascending = tuple(sorted(numbers))
    assert private_dialect.decode_versions(private_dialect.encode_versions(numbers)) == ascending
    assert private_dialect.decode_attempts(private_dialect.encode_attempts(numbers)) == ascending


def test_elements_of_the_lists_are_numbers_or_numeric_strings() -> None:
    assert private_dialect.decode_versions({"FrameworkVersions": ["10", 9, "9"]}) == (9, 10)
    assert private_dialect.decode_attempts({"FrameworkAttempts": ["2", "0", 1]}) == (0, 1, 2)


@pytest.mark.parametrize("document", [{}, {"FrameworkVersions": None}, {"FrameworkVersions": ["a"]}, [1], None])
def test_a_list_of_something_else_is_unreadable(document: object) -> None:
    with pytest.raises(LauncherUnreadable):
        private_dialect.decode_versions(document)


# --- documents of a deployed server ---------------------------------------------------------------------------------


def test_every_document_given_to_a_deployed_server_is_read() -> None:
    documents = [told["body"] for told in deployed("private")]
    assert len(documents) > 20
    for document in documents:
        framework = private_dialect.decode_framework(document)
        assert private_dialect.seen(framework) == framework
        assert private_dialect.decode_framework(private_dialect.encode_framework(framework)) == framework


def test_what_the_first_document_says() -> None:
    framework = private_dialect.decode_framework(a_document())
    summary, status = framework.summary, framework.status
    assert summary.execution_type is ExecutionType.STOP
    assert summary.first_request_timestamp == 1_552_862_098_000
    assert summary.completed_timestamp is None
    assert (summary.total_cpu_number, summary.total_memory_mb, summary.total_gpu_number) == (4, 2048, None)
    assert summary.tags == ("gid-865",)
    assert status.state is FrameworkState.APPLICATION_RUNNING
    assert status.application_exit_code == -170000
    assert status.application_exit_type is None
    first, second = framework.task_roles["ps"].tasks
    assert first.container_host == "NODE1069.ap.gbl"
    assert first.container_ip == "10.176.76.143"
    assert (first.container_ports, first.container_gpus) == (None, None)
    assert second.retries is not None
    assert second.retries.total == 41
    assert second.container_exit_type is ExitType.SUCCEEDED


def test_the_launchers_own_total_is_kept_even_where_it_is_not_the_sum() -> None:
    document = changed(a_document(), (SUMMARY, "FrameworkRetryPolicyState", "TotalRetriedCount"), 7)
    assert private_dialect.decode_framework(document).summary.retries.total == 7


# --- what may be missing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        (SUMMARY, "Tags"),
        (SUMMARY, "Queue"),
        (SUMMARY, "LastRequestTimestamp"),
        (SUMMARY, "TotalCpuNumber"),
        (*STATUS, "ApplicationExitType"),
        (*STATUS, "FrameworkCreatedTimestamp"),
        (*STATUS, "ApplicationTrackingUrl"),
        ROLES,
        (*ROLES, "ps", "TaskRoleStatus"),
    ],
)
@pytest.mark.parametrize("value", [GONE, None])
def test_what_the_consumer_never_needed_may_be_absent_or_null(place: Place, value: object) -> None:
    private_dialect.decode_framework(changed(a_document(), place, value))


@pytest.mark.parametrize("value", [GONE, None])
def test_a_task_may_have_no_retry_state(value: object) -> None:
    document = a_document()
    told = private_dialect.decode_framework(changed(document, (*a_task(document), "TaskRetryPolicyState"), value))
    assert told.task_roles["ps"].tasks[0].retries is None


def test_what_the_summary_tells_the_status_need_not_repeat() -> None:
    document = a_document()
    whole = private_dialect.decode_framework(document)
    for key in ("FrameworkName", "FrameworkVersion", "FrameworkState", "FrameworkRetryPolicyState"):
        document = changed(document, (*STATUS, key), GONE)
    for place in [(*ROLES, "ps", "TaskRoleStatus"), (*a_task(a_document()), "TaskRoleName")]:
        document = changed(document, place, GONE)
    assert private_dialect.decode_framework(document) == whole


def test_counters_that_the_consumer_never_reads_may_be_absent() -> None:
    document = a_document()
    for key in ("RetriedCount", "SucceededRetriedCount"):
        document = changed(document, (SUMMARY, "FrameworkRetryPolicyState", key), GONE)
    retries = private_dialect.decode_framework(document).summary.retries
    assert (retries.retried, retries.succeeded) == (0, 0)


@pytest.mark.parametrize("moment", [None, 0, GONE, -62135596800])
def test_no_time_means_not_happened(moment: object) -> None:
    document = changed(a_document(), (*STATUS, "ApplicationLaunchedTimestamp"), moment)
    assert private_dialect.decode_framework(document).status.application_launched_timestamp is None


def test_fractions_of_a_second_are_understood() -> None:
    document = changed(a_document(), (*STATUS, "ApplicationLaunchedTimestamp"), 1552862375.25)
    assert private_dialect.decode_framework(document).status.application_launched_timestamp == 1_552_862_375_250


# --- a launcher that lies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        (SUMMARY,),
        (SUMMARY, "FrameworkName"),
        (SUMMARY, "FrameworkState"),
        (SUMMARY, "FrameworkRetryPolicyState"),
        (SUMMARY, "FrameworkRetryPolicyState", "TotalRetriedCount"),
        ("AggregatedFrameworkStatus",),
        STATUS,
        (*ROLES, "ps"),
        (*ROLES, "ps", "TaskStatuses"),
        (*ROLES, "ps", "TaskStatuses", "TaskStatusArray"),
        (*ROLES, "ps", "TaskStatuses", "TaskStatusArray", 0, "TaskState"),
    ],
)
@pytest.mark.parametrize(("value", "found"), [("x", "a string"), (True, "a truth value")])
def test_a_promised_part_of_another_type_is_unreadable(place: Place, value: object, found: str) -> None:
    if place == (SUMMARY, "FrameworkName") and value == "x":
        value, found = 1, "a number"
    with pytest.raises(LauncherUnreadable) as caught:
        private_dialect.decode_framework(changed(a_document(), place, value))
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    assert (caught.value.path, caught.value.found) == (path, found)


@pytest.mark.parametrize(
    "place",
    [(SUMMARY,), (SUMMARY, "FrameworkState"), ("AggregatedFrameworkStatus",), STATUS, (*ROLES, "ps", "TaskStatuses")],
)
def test_a_promised_part_that_is_missing_is_unreadable(place: Place) -> None:
    with pytest.raises(LauncherUnreadable, match="nothing"):
        private_dialect.decode_framework(changed(a_document(), place, GONE))


@slow
@given(st.data())
def test_one_wrong_place_is_tolerated_or_unreadable_and_nothing_else(data: st.DataObject) -> None:
    document = a_document()
    place = data.draw(st.sampled_from(list(places(document))))
    value = data.draw(json_values | st.just(GONE))
    try:
        told = private_dialect.decode_framework(changed(document, place, value))
    except LauncherUnreadable as unreadable:
        assert unreadable.path.startswith("$.")  # noqa: PT017  # both outcomes are fine; this is what one of them must look like
    else:
        assert private_dialect.seen(told) == told


@pytest.mark.parametrize("document", [None, [], "x", 1, {SUMMARY: 1, "AggregatedFrameworkStatus": {}}])
def test_something_else_is_unreadable(document: object) -> None:
    with pytest.raises(LauncherUnreadable):
        private_dialect.decode_framework(document)


def test_unknown_numbers_are_unknown() -> None:
    document = a_document()
    for place, number in [
        ((SUMMARY, "FrameworkState"), 8),
        ((SUMMARY, "ExecutionType"), 2),
        ((*STATUS, "FrameworkState"), -1),
        ((*a_task(document), "TaskState"), 99),
    ]:
        document = changed(document, place, number)
    framework = private_dialect.decode_framework(document)
    assert framework.summary.state is framework.status.state is FrameworkState.UNKNOWN
    assert framework.summary.execution_type is ExecutionType.UNKNOWN
    assert framework.task_roles["ps"].tasks[0].state is TaskState.UNKNOWN


@pytest.mark.parametrize(
    ("number", "exit_type"), [(0, "SUCCEEDED"), (3, "NON_TRANSIENT"), (4, "UNKNOWN"), (5, None), (-1, None)]
)
def test_an_exit_type_beyond_the_table_is_none_at_all(number: int, exit_type: str | None) -> None:
    document = changed(a_document(), (*STATUS, "ApplicationExitType"), number)
    assert private_dialect.decode_framework(document).status.application_exit_type == exit_type


# --- between the dialects -------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_a_stop_is_told_in_this_launchers_own_codes() -> None:
    stopped = next(
        framework
        for _, framework in recorded_frameworks()
        if framework.status.application_exit_code == -7351
        and any(task.container_exit_code == -7400 for role in framework.task_roles.values() for task in role.tasks)
    )
    told = private_dialect.decode_framework(private_dialect.encode_framework(stopped))
    assert told.summary.application_exit_code == told.status.application_exit_code == -170090
    assert {task.container_exit_code for role in told.task_roles.values() for task in role.tasks} >= {-170091}
    assert -7351 not in (told.summary.application_exit_code, told.status.application_exit_code)


@pytest.mark.no_cover
def test_every_recorded_framework_can_be_told_in_this_dialect_too() -> None:
    for _, framework in recorded_frameworks()[::10]:
        told = private_dialect.decode_framework(private_dialect.encode_framework(framework))
        assert told == private_dialect.seen(open_dialect.seen(framework))


# --- paths and errors -----------------------------------------------------------------------------------------------


def test_the_paths_of_this_dialect() -> None:
    assert private_dialect.framework_path("a~b/c") == "/v1/SummaryFrameworks/a~b%2Fc"
    assert private_dialect.versions_path("a") == "/v1/SummaryFrameworks/a/Versions"
    assert private_dialect.attempts_path("a", -3) == "/v1/SummaryFrameworks/a/Versions/-3/Attempts"
    assert private_dialect.attempt_path("a", 3, 0) == "/v1/SummaryFrameworks/a/Versions/3/Attempts/0"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "no such framework"}', "no such framework"),
        (b'{"exception": "E", "message": "m"}', "m"),
        (b'{"message": 1}', None),
        (b'{"message": ""}', None),
        (b"{}", None),
        (b"[]", None),
        (b"<h1>404</h1>", None),
    ],
)
def test_the_message_of_an_error_is_the_launchers_own(body: bytes, message: str | None) -> None:
    assert private_dialect.decode_error(body) == message


def test_an_error_is_written_so_that_it_is_read() -> None:
    body = private_dialect.render_compact(private_dialect.encode_error("E", "m", "x.E")).encode()
    assert private_dialect.decode_error(body) == "m"
    assert wire.parse(body) == {"exception": "E", "message": "m", "javaClassName": "x.E"}
