import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from contracts.launcher import resource_manager, wire
from contracts.launcher.exit_report import ExitReport, exit_report, wrap_exit_report
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Application, Figures
from tests.contracts import record_strategies
from tests.contracts.json_values import json_values
from tests.contracts.launcher_documents import answered, deployed

slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def recorded_applications() -> Iterator[Mapping[str, object]]:
    for exchange in answered():
        if exchange.source == "rm" and '{"app":{' in (exchange.response.body or "")[:10]:
            yield json.loads(exchange.response.body or "")["app"]


def read_one(app: object) -> Application:
    return resource_manager.decode_applications({"apps": {"app": [app]}})[0]


# --- applications ---------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
@slow
@given(record_strategies.applications)
def test_an_application_is_decoded_to_what_was_encoded(application: Application) -> None:
    document = resource_manager.encode_application(application, now=application.started_timestamp + 5)
    assert read_one(json.loads(json.dumps(document))) == application
    assert resource_manager.decode_figures({"app": document}) == application.figures


@pytest.mark.no_cover
def test_recorded_applications_are_written_again_key_by_key() -> None:
    number = 0
    for told in recorded_applications():
        application = read_one(told)
        started, elapsed = told["startedTime"], told["elapsedTime"]
        assert isinstance(started, int)
        assert isinstance(elapsed, int)
        again = resource_manager.encode_application(application, now=started + elapsed)
        assert list(again) == list(told)
        assert [key for key in again if again[key] != told[key]] == []
        number += 1
    assert number > 100


@pytest.mark.no_cover
def test_every_recorded_list_is_read() -> None:
    lists = [
        resource_manager.decode_applications(wire.parse((exchange.response.body or "").encode()))
        for exchange in answered()
        if exchange.source == "rm" and exchange.request.path.startswith("/ws/v1/cluster/apps?")
    ]
    assert () in lists
    assert any(
        resource_manager.framework_of(application.name) and resource_manager.exit_report(application.diagnostics)
        for applications in lists
        for application in applications
    )


@pytest.mark.parametrize("document", [{"apps": None}, {"apps": {"app": None}}, {"apps": {"app": []}}, {"apps": {}}])
def test_an_empty_list_is_empty(document: object) -> None:
    assert resource_manager.decode_applications(document) == ()


@pytest.mark.parametrize("document", [{}, [], None, {"apps": []}, {"apps": {"app": {}}}, {"apps": {"app": [{}]}}])
def test_a_list_of_something_else_is_unreadable(document: object) -> None:
    with pytest.raises(LauncherUnreadable):
        resource_manager.decode_applications(document)


def test_the_list_is_written_as_the_resource_manager_does() -> None:
    assert resource_manager.encode_applications([]) == {"apps": None}
    application = read_one(next(recorded_applications()))
    document = resource_manager.encode_applications([application, application])
    assert resource_manager.decode_applications(document) == (application, application)


def test_once_it_is_over_figures_do_not_apply_any_more() -> None:
    application = replace(
        read_one(next(recorded_applications())),
        state="FINISHED",
        tracking_url="http://rm/proxy/x/",
        figures=Figures(),
    )
    assert resource_manager.encode_application(application)["allocatedMB"] == -1
    rejected = replace(application, state="FAILED", tracking_url=None)
    document = resource_manager.encode_application(rejected)
    assert (document["allocatedMB"], document["trackingUI"]) == (0, "UNASSIGNED")
    assert "trackingUrl" not in document


# --- figures --------------------------------------------------------------------------------------------------------


def test_figures_of_every_deployed_answer_are_read() -> None:
    read = 0
    for told in deployed("private"):
        answers = told["rm"]
        assert isinstance(answers, dict)
        for answer in answers.values():
            if answer["status"] == 200:
                figures = resource_manager.decode_figures(answer["body"])
                assert min(figures.allocated_mb, figures.running_containers, figures.pending_containers) >= 0
                read += 1
    assert read > 10


def test_what_does_not_apply_is_zero() -> None:
    app = {
        "allocatedMB": -1,
        "allocatedVCores": None,
        "utilizationVmemMB": 77.5,
        "queueUsagePercentage": -1.0,
        "priority": -1,
        "memorySeconds": "not read",
        "resourceRequests": None,
        "applicationContainerAnalysis": -1,
    }
    assert resource_manager.decode_figures({"app": app}) == Figures(utilized_mb=77, priority=-1)


def test_resource_requests_are_kept_as_given_and_counted() -> None:
    one = {"priority": 1, "numContainers": 4}
    odd = [one, 5, {"numContainers": -2}, {"numContainers": "x"}, {}]
    figures = resource_manager.decode_figures({"app": {"resourceRequests": odd}})
    assert figures.resource_requests == (one, {"numContainers": -2}, {"numContainers": "x"}, {})
    assert figures.pending_containers == 4
    assert resource_manager.decode_figures({"app": {"resourceRequests": one}}).pending_containers == 4


def test_large_figures_stay_exact() -> None:
    assert resource_manager.decode_figures({"app": {"allocatedMB": 2**60 + 1}}).allocated_mb == 2**60 + 1


def test_an_application_that_began_after_all_calendars_is_unreadable() -> None:
    (app, *_) = recorded_applications()
    (read,) = resource_manager.decode_applications({"apps": {"app": [app]}})
    assert read.started_timestamp == app["startedTime"]
    for wrong in (10**20, "1", None):
        with pytest.raises(LauncherUnreadable):
            resource_manager.decode_applications({"apps": {"app": [{**app, "startedTime": wrong}]}})


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"RemoteException": {"message": "no such application"}}, "$.app"),
        ({"app": None}, "$.app"),
        ([], "$"),
        ({"app": {"allocatedMB": "many"}}, "$.app.allocatedMB"),
        ({"app": {"amContainerLogs": 1}}, "$.app.amContainerLogs"),
    ],
)
def test_what_is_no_application_is_unreadable(document: object, path: str) -> None:
    with pytest.raises(LauncherUnreadable) as caught:
        resource_manager.decode_figures(document)
    assert caught.value.path == path


@given(json_values)
def test_no_document_raises_anything_else(value: object) -> None:
    for decode in (resource_manager.decode_figures, resource_manager.decode_applications):
        for document in (value, {"app": value}, {"apps": value}, {"apps": {"app": [value]}}):
            try:
                decode(document)
            except LauncherUnreadable as unreadable:
                assert unreadable.path.startswith("$")  # noqa: PT017  # either outcome is fine; this is what one looks like


# --- names, paths ---------------------------------------------------------------------------------------------------


@given(record_strategies.names, record_strategies.versions)
def test_the_name_of_an_application_tells_framework_and_version(framework: str, version: int) -> None:
    name = resource_manager.application_name(framework, version, "CLI", "10.0.0.1", "UNKNOWN")
    assert resource_manager.framework_of(name) == (framework, version)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "[a]_[1]",
        "[a]_[x]_[CLI]_[h]_[u]",
        "[a b]_[1]_[CLI]",
        "[a]_[٣]_[CLI]_[h]_[u]",
        f"[a]_[{2**31}]_[CLI]_[h]_[u]",
    ],
)
def test_a_name_that_no_launcher_gave_tells_nothing(name: str) -> None:
    assert resource_manager.framework_of(name) is None


def test_the_name_is_the_recorded_one() -> None:
    assert (
        resource_manager.application_name("alice~mnist", 10, "UNKNOWN", "10.0.0.1", "UNKNOWN")
        == "[alice~mnist]_[10]_[UNKNOWN]_[10.0.0.1]_[UNKNOWN]"
    )
    assert all(resource_manager.framework_of(str(app["name"])) for app in recorded_applications())


def test_the_paths() -> None:
    assert resource_manager.application_path("application_1_2") == "/ws/v1/cluster/apps/application_1_2"
    assert resource_manager.application_path("../x") == "/ws/v1/cluster/apps/..%2Fx"
    assert resource_manager.applications_path(5) == "/ws/v1/cluster/apps?applicationTypes=LAUNCHER&startedTimeBegin=5"


# --- exit reports ---------------------------------------------------------------------------------------------------


@given(record_strategies.reports)
def test_a_report_is_found_in_what_surrounds_it(report: ExitReport) -> None:
    wrapped = wrap_exit_report(report)
    assert exit_report(wrapped) == report
    assert exit_report(f"before {wrapped} after") == report


def test_recorded_reports_are_written_again_byte_for_byte() -> None:
    texts = {str(app["diagnostics"]) for app in recorded_applications()}
    reports = {text: report for text in texts if (report := exit_report(text))}
    assert len(reports) > 20
    assert {wrap_exit_report(report) for report in reports.values()} == set(reports)
    assert any("was killed by user" in text for text in texts - set(reports))


def test_a_report_may_quote_the_landmark() -> None:
    report = ExitReport(1, None, "<LAUNCHER_AM_DIAGNOSTICS_END>", None)
    assert exit_report(wrap_exit_report(report)) == report


@pytest.mark.parametrize(
    "diagnostics",
    [
        "",
        "Application application_1_0001 was killed by user hadoop",
        "<LAUNCHER_AM_DIAGNOSTICS_START>{",
        "<LAUNCHER_AM_DIAGNOSTICS_START>{<LAUNCHER_AM_DIAGNOSTICS_END>",
        "<LAUNCHER_AM_DIAGNOSTICS_START>{}<LAUNCHER_AM_DIAGNOSTICS_END>",
        '<LAUNCHER_AM_DIAGNOSTICS_START>{"applicationExitCode": "x"}<LAUNCHER_AM_DIAGNOSTICS_END>',
    ],
)
def test_without_a_readable_report_nothing_is_invented(diagnostics: str) -> None:
    assert exit_report(diagnostics) is None
