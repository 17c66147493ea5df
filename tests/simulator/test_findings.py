"""What was found out about a real launcher on Hadoop 2.9.0, finding by finding, in the order of the fact sheet they correct:
the simulated one does the same, or stands in ``DIFFERENT`` with the reason.

Three kinds of rows: what is answered over HTTP to one request, what becomes of one story, and what holds of every story.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from contracts.launcher import exits
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.open_dialect import encode_framework
from contracts.launcher.port import Ask
from contracts.launcher.records import (
    Application,
    CompletionPolicy,
    Framework,
    FrameworkDescriptor,
    PlatformParameters,
    Resource,
    RetryPolicy,
    RetryState,
    TaskRoleDescriptor,
)
from contracts.launcher.resource_manager import encode_application
from simulator.http.access import Access
from simulator.machine.story import (
    DEPLOYED,
    ApplicationFate,
    Behaviour,
    Cluster,
    ContainerFate,
    ContainerRule,
    Crashed,
    Delete,
    Killed,
    Lost,
    MasterFailed,
    Migrate,
    Operation,
    Rules,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from tests.simulator import test_http_recordings
from tests.simulator.engine.lives import STARVED
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    changes,
    descriptor,
    ends_with,
    role,
    states,
    story,
    treated,
)
from tests.simulator.test_http_server import Served, framework, served
from tests.simulator.wire_exchange import Sent, send

S = 1000
FANCY = RetryPolicy(fancy=True)
_F = FrameworkState

DIFFERENT: Mapping[str, str] = {
    # Hadoop's and Jetty's, not the launcher's.
    "Hadoop's own servlets (/conf, /jmx, /metrics, /stacks) answer on the launcher's port": (
        "404 here: none of the launcher's clients asks them, and they would tell of a Hadoop that is not there"
    ),
    "/ws/... is 404 on the launcher's port": "here the resource manager answers there, unless --rm-port gives it its own",
    "HTTP/1.0 is answered with a status line of HTTP/1.1": "the WSGI server answers in the version that was asked in",
    "a request that HTTP cannot read is 400 without a body": "the WSGI server says in a sentence what is wrong with it",
    "OPTIONS of a known path describes it in WADL": "the methods stand in Allow; nobody was seen to read the document",
    # Outages of the launcher's own parts.
    "a service that is restarted while an application is created loses it (-7350)": (
        "no part of the simulated launcher restarts; a story can tell of a lost application at any moment"
    ),
    "with the resource manager down a submission is accepted, and waits": "no part is ever down; a starved master waits so",
    "with ZooKeeper down a write blocks, and then all reads of requests": "the fault latency makes any call wait as long",
    "with HDFS down at a submission the whole service stops": "the fault unavailable refuses all connections",
    # Chance.
    "the order of several violations is not stable": "here it is that of the descriptor: one of the orders that were seen",
    "userContainerExitSpec.spec and status maps are in hash order": "here in the order of codes, and of submission",
    "siblings that end with the trigger in one heartbeat stay -7400": (
        "only where they end after it: containers are told of one by one, to the millisecond"
    ),
    "the list of 324 frameworks came in 3 ms, 200 writes in a second": "no behaviour; `make bench` measures ours",
}
"""Finding, and why the simulated launcher does otherwise."""


# --- over HTTP ------------------------------------------------------------------------------------------------------

Sees = Callable[[Sent], bool]
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
F = "/v1/Frameworks/alice~f"


def error(sent: Sent, name: str, says: str = "") -> bool:
    """The compact object, and what stands in the first line of its message."""
    told = json.loads(sent.body)
    compact = b"\n" not in sent.body and list(told) == ["exception", "message", "javaClassName"]
    return compact and told["exception"] == name and says in told["message"].split("\n")[0]


def kinds(sent: Sent) -> list[str]:
    return [re.sub(r"\s", "", value).lower() for value in sent.values("Content-Type")]


def stored(sent: Sent) -> bool:
    return sent.status == 202 and sent.body == b""


def puts(**changed: object) -> bytes:
    return json.dumps(framework(**changed)).encode()  # type: ignore[arg-type] # any key of a descriptor


def role_of_wire(tasks: int, **more: object) -> dict[str, object]:
    service = {"version": 1, "entryPoint": "x", "sourceLocations": ["/x"], "resource": {"cpuNumber": 1, "memoryMB": 1}}
    return {"taskNumber": tasks, "taskService": service, **more}


def role_with(**changed: object) -> dict[str, object]:
    role_told = role_of_wire(1)
    service = {**cast("dict[str, object]", role_told["taskService"]), **changed}
    return {"taskRoles": {"w": {**role_told, "taskService": service}}}


ACTIVE = b"Active at launcher.cluster.example: 192.0.2.2"
HTML, XML = "text/html;charset=iso-8859-1", "application/xml"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Asked(Struct, frozen=True):
    finding: str
    method: str
    path: str
    sees: Sees
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


def refused(name: str, says: str = "", status: int = 400) -> Sees:
    return lambda sent: sent.status == status and error(sent, name, says)


def page(status: int) -> Sees:
    return lambda sent: sent.status == status and kinds(sent) == [HTML] and b"<html" in sent.body.lower()


def empty(status: int) -> Sees:
    return lambda sent: (sent.status, sent.body) == (status, b"")


def first_line(sent: Sent) -> str:
    message: str = json.loads(sent.body)["message"]
    return message.split("\n")[0]


def not_converted(sent: Sent) -> bool:
    exceptions = ("JsonMappingException", "InvalidFormatException", "UnrecognizedPropertyException")
    return sent.status == 400 and json.loads(sent.body)["exception"] in exceptions


NOWHERE = "/v1/nowhere"
NONE = "/v1/Frameworks/none"
FULL = json.dumps(framework(taskRoles={f"w{n}": role_of_wire(50_000) for n in range(11)})).encode()
CONVENTION = "is not matched with naming convention regex"

ASKED = (
    # --- answers to the sheet's open questions
    Asked(
        "errors are not wrapped, compact, their three keys in order", "GET", NONE, refused("NotFoundException", "", 404)
    ),
    Asked("without Accept an error is JSON", "GET", NONE, lambda s: kinds(s) == ["application/json"], headers={}),
    Asked("for a browser, too", "GET", NONE, lambda s: kinds(s) == ["application/json"], headers=BROWSER),
    Asked(
        "who takes only XML gets 400 in XML of every GET, even of an unknown framework",
        "GET",
        NONE,
        lambda s: s.status == 400 and kinds(s) == [XML] and b"<exception>WebApplicationException" in s.body,
        headers={"Accept": XML},
    ),
    Asked(
        "and the error's own status in XML of a PUT",
        "PUT",
        "/v1/Frameworks/a@b",
        lambda s: s.status == 400 and kinds(s) == [XML] and b"<RemoteException>" in s.body,
        puts(),
        {**JSON, "Accept": XML},
    ),
    Asked("who takes only HTML gets Jetty's page", "GET", NONE, page(500), headers={"Accept": "text/html"}),
    Asked(
        "a wrong method on a known path is 400, and its message the class alone",
        "POST",
        F,
        lambda s: s.status == 400 and first_line(s) == "javax.ws.rs.WebApplicationException",
        b"{}",
    ),
    Asked(
        "so is a wrong content type",
        "PUT",
        F,
        refused("WebApplicationException"),
        b"<a/>",
        {"Content-Type": "text/xml"},
    ),
    Asked(
        "a body without a content type finds no reader",
        "PUT",
        F,
        lambda s: s.status == 400 and "message body reader" in first_line(s),
        b"{}",
        {},
    ),
    Asked(
        "a content type that is none is told in a sentence, as text",
        "PUT",
        F,
        lambda s: (
            s.status == 400 and kinds(s) == ["text/plain;charset=utf-8", "text/plain"] and s.body.startswith(b"Bad ")
        ),
        b"{}",
        {"Content-Type": "garbage"},
    ),
    *(Asked(f"{method} of an unknown path is Jetty's page", method, NOWHERE, page(404)) for method in ("GET", "POST")),
    *(
        Asked(f"{method} of an unknown path is {status}, and empty", method, NOWHERE, empty(status))
        for method, status in (("PUT", 405), ("DELETE", 405), ("TRACE", 405), ("PATCH", 501), ("OPTIONS", 200))
    ),
    Asked("OPTIONS of a known path is 200", "OPTIONS", F, lambda s: s.status == 200),
    Asked("HEAD is answered where GET is", "HEAD", "/v1/Frameworks", empty(200)),
    Asked(
        "an error of HEAD has an HTML content type and no body",
        "HEAD",
        NONE,
        lambda s: (s.status, s.body, kinds(s)) == (404, b"", [HTML]),
    ),
    *(
        Asked(f"{path} says where the service runs, bare", "GET", path, lambda s: s.body == ACTIVE)
        for path in ("/", "/v1", "/v1/")
    ),
    Asked("a number in quotes is a number", "PUT", F, stored, puts(version="7")),
    Asked("a fraction is cut off", "PUT", F, stored, puts(version=3.7)),
    Asked("a number is a text where one is wanted", "PUT", F, stored, puts(**role_with(entryPoint=5))),
    Asked("an enum goes by its number too", "PUT", F, stored, puts(executionType=1)),
    Asked(
        "an empty text for an integer is a null",
        "PUT",
        F,
        lambda s: s.status == 400 and "version: may not be null" in first_line(s),
        puts(version=""),
    ),
    *(
        Asked(f"{value!r} is no {key}", "PUT", F, not_converted, puts(**{key: value}))
        for key, value in (
            ("executionType", ""),
            ("executionType", "stop"),
            ("executionType", 2),
            ("version", True),
            ("version", [1]),
            ("version", 2**31),
        )
    ),
    Asked("what stands behind the first value is ignored", "PUT", F, stored, puts() + b" trailing"),
    Asked("a byte order mark is let pass", "PUT", F, stored, b"\xef\xbb\xbf" + puts()),
    Asked("of a key told twice the last counts", "PUT", F, stored, puts().replace(b"{", b'{"version": "x", ', 1)),
    # --- section 1 of the sheet: requests, headers, names, errors
    Asked(
        "a successful GET has two content types, text/plain first",
        "GET",
        "/v1/Frameworks",
        lambda s: kinds(s) == ["text/plain;charset=utf-8", "application/json"],
    ),
    Asked(
        "a successful PUT has one, no body, and the address as it was asked",
        "PUT",
        F,
        lambda s: (
            kinds(s) == ["text/plain;charset=utf-8"]
            and s.values("Content-Length") == ["0"]
            and s.values("Location") == [f"http://127.0.0.1:9086{F}"]
        ),
        puts(),
    ),
    Asked(
        "empty containers have a blank inside",
        "GET",
        "/v1/LauncherRequest",
        lambda s: b'"namespaceAcls" : { }' in s.body and b'"normalAdminUsers" : [ ]' in s.body,
    ),
    *(
        Asked(
            f"{client!r} is no LaunchClientType in a header",
            "PUT",
            F,
            refused("BadRequestException"),
            puts(),
            {**JSON, "LaunchClientType": client},
        )
        for client in ("", "web_ui")
    ),
    *(
        Asked(
            f"nor is {client!r} one in a query",
            "GET",
            f"/v1/Frameworks?LaunchClientType={client}",
            refused("BadRequestException"),
        )
        for client in ("", "web_ui")
    ),
    Asked(
        "parameters nobody knows, and ones in other letters, are ignored",
        "GET",
        "/v1/Frameworks?username=x&UNKNOWN=1",
        lambda s: len(json.loads(s.body)["summarizedFrameworkInfos"]) > 10,
    ),
    Asked("a malformed UserName is not looked at without lists", "PUT", F, stored, puts(), {**JSON, "UserName": "a b"}),
    Asked(
        "the name .. is what ZooKeeper refuses",
        "PUT",
        "/v1/Frameworks/..",
        refused("IllegalArgumentException", "/Launcher/Requests/.."),
        puts(),
    ),
    *(Asked(f"a lone {name} is a name", "PUT", f"/v1/Frameworks/{name}", stored, puts()) for name in "~-"),
    *(
        Asked(f"{name} is no name", "PUT", f"/v1/Frameworks/{name}", refused("BadRequestException", CONVENTION), puts())
        for name in ("a%2Fb", "a@b", "a:b", "a%20b", "%C3%A9")
    ),
    Asked("slashes at the end are let pass", "GET", "/v1/Frameworks/", lambda s: s.status == 200),
    Asked(
        "a log that is there is a packed file to be saved",
        "GET",
        "/v1/Logs/AllError.log",
        lambda s: (
            s.values("Content-Disposition") == ['attachment; filename="AllError.log.gz"']
            and b"AllError.log" in gzip.decompress(s.body)
        ),
    ),
    Asked("a log that is not there", "GET", "/v1/Logs/none.log", refused("FileNotFoundException", "", 404)),
    Asked(
        "NotFoundException has no text: its class stands alone, then a trace with tabs, and a line's end",
        "GET",
        NONE,
        lambda s: re.fullmatch(r"com\.\S+NotFoundException\n(\tat .*\n)+", json.loads(s.body)["message"]) is not None,
    ),
    Asked(
        "violations are listed behind the name of the Java class, each with path and reason",
        "PUT",
        F,
        lambda s: (
            "ConstraintViolationException: " in first_line(s)
            and "taskRoles[w].taskNumber: must be greater than or equal to 0" in first_line(s)
        ),
        puts(taskRoles={"w": role_of_wire(-1)}),
    ),
    *(
        Asked(f"what looks wrong is let in: {what}", "PUT", F, stored, body)
        for what, body in (
            ("a negative version", puts(version=-1)),
            ("scale units below 1", puts(taskRoles={"w": role_of_wire(1, scaleUnitNumber=-1)})),
            ("an empty queue", puts(platformSpecificParameters={"queue": ""})),
            ("a blank entry point", puts(**role_with(entryPoint=" "))),
            ("an empty source", puts(**role_with(sourceLocations=[""]))),
            ("a null source", puts(**role_with(sourceLocations=[None]))),
            ("the same source twice", puts(**role_with(sourceLocations=["/a", "/a"]))),
            (
                "more successes than tasks",
                puts(taskRoles={"w": role_of_wire(1, applicationCompletionPolicy={"minSucceededTaskCount": 9})}),
            ),
        )
    ),
    Asked(
        "more tasks than may be are 429, in the launcher's words",
        "PUT",
        F,
        lambda s: (
            s.status == 429
            and re.search(
                r"ThrottledRequestException: \[alice~f\]: setFrameworkRequest Rejected: Since the New Total TaskNumber 55\d{4}"
                r" will exceed the Max Total TaskNumber 500000$",
                first_line(s),
            )
            is not None
        ),
        FULL,
    ),
    # --- HTTP facts
    Asked(
        "there is no Server header, and no answer is to be kept or framed",
        "GET",
        "/v1/Frameworks",
        lambda s: (
            not s.values("Server")
            and s.values("Cache-Control") == s.values("Pragma") == ["no-cache"]
            and s.values("Expires") == s.values("Date")
            and s.values("X-Frame-Options") == ["DENY"]
        ),
    ),
    Asked(
        "the resource manager's may be framed by its own pages",
        "GET",
        "/ws/v1/cluster/apps",
        lambda s: s.values("X-Frame-Options") == ["SAMEORIGIN"],
    ),
    Asked(
        "whoever takes gzip gets it",
        "GET",
        "/v1/Frameworks",
        lambda s: s.values("Content-Encoding") == ["gzip"],
        headers={**JSON, "Accept-Encoding": "gzip"},
    ),
    Asked(
        "broken JSON is told with line and column in the second line",
        "PUT",
        F,
        lambda s: error(s, "JsonParseException") and "line: 1, column:" in json.loads(s.body)["message"].split("\n")[1],
        b"{x",
    ),
    *(
        Asked(f"a body of {body!r} is a null object", "PUT", F, refused("BadRequestException", "Object is null"), body)
        for body in (b"", b"null")
    ),
    # --- the resource manager
    Asked(
        "errors of the resource manager are wrapped",
        "GET",
        "/ws/v1/cluster/apps/application_1_0001",
        lambda s: s.status == 404 and list(json.loads(s.body)) == ["RemoteException"],
    ),
    Asked(
        "an empty list of applications is a null",
        "GET",
        "/ws/v1/cluster/apps?applicationTypes=SPARK",
        lambda s: json.loads(s.body) == {"apps": None},
    ),
)


@pytest.fixture(scope="module")
def launcher() -> Served:
    """Every request goes to the same one: none of them depends on another."""
    return served("open")


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.finding.replace("/", "|"))
def test_it_is_answered_as_the_real_one_was_found_to(asked: Asked, launcher: Served) -> None:
    sent = send(launcher.app, asked.method, asked.path, asked.headers, asked.body)
    assert asked.sees(sent), (sent.status, sent.headers, sent.body[:600])


def test_a_malformed_user_name_is_refused_where_the_access_lists_are_on() -> None:
    sent = send(served("open", Access()).app, "PUT", F, {**JSON, "UserName": "a b"}, puts())
    assert refused("BadRequestException", CONVENTION)(sent)


def test_ports_and_gpus_are_refused_in_words_of_their_own_where_hadoop_knows_none() -> None:
    app = test_http_recordings.server("s12c-validation")
    for resource, says in (({"gpuNumber": 1}, "GPU"), ({"portDefinitions": {"http": {"count": 1}}}, "port")):
        body = puts(**role_with(resource={"cpuNumber": 1, "memoryMB": 1, **resource}))
        sent = send(app, "PUT", F, JSON, body)
        assert sent.status == 400
        assert says.lower() in first_line(sent).lower()


# --- what is kept of a request -------------------------------------------------------------------------------------


def test_what_was_put_is_told_again_as_the_real_one_was_found_to() -> None:
    launcher = served("open")
    roles = {name: role_of_wire(0) for name in ("ps", "a", "worker")}
    launcher.put("/v1/Frameworks/a;b", framework(taskRoles=roles))
    request = launcher.told("/v1/Frameworks/a/FrameworkRequest")  # what follows a semicolon is cut off
    assert list(request["frameworkDescriptor"]["taskRoles"]) == ["ps", "a", "worker"]
    assert (request["launchClientHostName"], request["launchClientUserName"]) == ("127.0.0.1", "UNKNOWN")
    assert launcher.put("/v1/LauncherRequest/ClusterConfiguration", {}).status == 202
    assert launcher.told("/v1/LauncherRequest/ClusterConfiguration") == {"nodes": None}


def test_an_orphan_goes_with_the_delete_of_a_name_that_was_not_there() -> None:
    launcher = served("open")
    launcher.put("/v1/Frameworks/parent", framework())
    family = {"parentFrameworkName": "parent", "deleteOnParentDeleted": True}
    launcher.put("/v1/Frameworks/child", framework(parentFramework=family))
    launcher.delete("/v1/Frameworks/parent")
    assert launcher.get("/v1/Frameworks/child").status == 200
    launcher.delete("/v1/Frameworks/parent")
    assert launcher.get("/v1/Frameworks/child").status == 404


def test_a_kill_through_yarn_is_taken_on_and_told_where() -> None:
    launcher = served("open")
    app = launcher.told("/ws/v1/cluster/apps?states=RUNNING")["apps"]["app"][0]
    path = f"/ws/v1/cluster/apps/{app['id']}/state"
    sent = launcher.put(path, {"state": "KILLED"})
    assert (sent.status, json.loads(sent.body)) == (202, {"state": "KILLING"})
    assert sent.values("Location") == [f"http://127.0.0.1:9086{path}"]


# --- lives ----------------------------------------------------------------------------------------------------------


class Life(Struct, frozen=True):
    """What becomes of one story. By default it is looked at long after."""

    finding: str
    sees: Callable[[Timeline], bool]
    behaviour: Behaviour = Rules()
    wanted: FrameworkDescriptor = descriptor()
    then: tuple[Operation, ...] = ()
    cluster: Cluster = CLUSTER

    def told(self) -> Timeline:
        return plan(story(Submit(START, self.wanted), *self.then, behaviour=self.behaviour, cluster=self.cluster))


def at(timeline: Timeline, seconds: float) -> Framework:
    record = timeline.at(START + round(seconds * S))
    assert record is not None
    return record


def end(timeline: Timeline) -> Framework:
    return at(timeline, 3600)


def ends_as(code: int, *, progress: float | None = None, diagnostics: str | None = "", exact: bool = False) -> Any:
    """``diagnostics``: a part of the text, or ``None`` where there is none; ``exact``: all of it."""

    def sees(timeline: Timeline) -> bool:
        status = end(timeline).status
        text = status.application_exit_diagnostics
        says = text is None if diagnostics is None else text == diagnostics if exact else diagnostics in (text or "")
        return (
            status.application_exit_code == code
            and status.application_exit_type is exits.exit_type(code)
            and status.application_exit_description == exits.description(code)
            and progress in (None, status.application_progress)
            and says
        )

    return sees


def first_task(record: Framework) -> Any:
    return next(iter(tasks_of(record).values()))


def text_of_container(timeline: Timeline) -> str:
    return first_task(end(timeline)).container_exit_diagnostics or ""


def is_failed_container(timeline: Timeline) -> bool:
    text = text_of_container(timeline)
    stamp = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]"
    layout = (
        rf"{stamp}Exception from container-launch\.\nContainer id: container_\S+\nExit code: 5\n+"
        rf"(?s:.*){stamp}Container exited with a non-zero exit code 5\. Error file: prelaunch\.err\.\n"
        rf"Last 4096 bytes of prelaunch\.err :\nLast 4096 bytes of stderr :\nmine\n"
    )
    old = ("ExitCodeException exitCode=", "org.apache.hadoop.util.Shell.runCommand")
    return re.match(layout, text) is not None and text.count("stderr :\nmine") == 2 and not any(m in text for m in old)


def shown(timeline: Timeline, until: float = 600) -> list[str]:
    """The states in order, each once."""
    return [state for state in states(timeline, START + round(until * S)) if state != "404"]


def progresses(timeline: Timeline) -> list[float]:
    told = [record.status.application_progress for _, record in changes(timeline, START + 60 * S) if record is not None]
    return list(dict.fromkeys(progress for progress in told if progress is not None))


def back_off(timeline: Timeline) -> int:
    past, now = timeline.attempt(START + 200 * S, None, 0), end(timeline)
    assert past is not None
    return (now.status.application_launched_timestamp or 0) - (past.status.application_completed_timestamp or 0)


def counters(policy: RetryPolicy, code: int) -> tuple[Behaviour, FrameworkDescriptor]:
    return all_end_with(code), descriptor(retry=policy)


GANG_OF_TWO = descriptor(platform=GANG, worker=role(2))
FANCY_GANG = descriptor(retry=FANCY, platform=GANG, worker=role(2))
SLOW = replace(CLUSTER, intervals=DEPLOYED)
TOO_MUCH = 50_000


def label(**told: str) -> FrameworkDescriptor:
    return descriptor(platform=PlatformParameters(**told))  # type: ignore[arg-type] # labels and queues are texts


def _first(timeline: Timeline, *states: FrameworkState) -> float:
    """Seconds from the submission until one of them was shown."""
    seen = (at for at, record in changes(timeline, START + 600 * S) if record and record.status.state in states)
    return (next(seen) - START) / S


def _known(timeline: Timeline, seconds: float) -> Application:
    known = list(timeline.applications(START + round(seconds * S)))
    return known[-1]


def _with_sources(*sources: str) -> TaskRoleDescriptor:
    told = role()
    return replace(told, task_service=replace(told.task_service, source_locations=sources))


def _yarn(timeline: Timeline, seconds: float) -> tuple[str, object, object, str | None, object, bool]:
    """State and final status, progress, what kind of address, which address, memory, and whether its usage is told."""
    told = encode_application(_known(timeline, seconds), START + round(seconds * S))
    address = re.search(r"proxy|cluster/app", str(told["trackingUrl"])) if "trackingUrl" in told else None
    return (
        f"{told['state']}/{told['finalStatus']}",
        told["progress"],
        told["trackingUI"],
        None if address is None else address[0],
        told["allocatedMB"],
        "resourceInfo" in told,
    )


USUAL = descriptor(platform=PlatformParameters(am_resource=Resource(cpu_number=1, memory_mb=1024)))
STARVED_MASTER = ApplicationFate(am_start=None)

LIVES = (
    # --- 3.2: tasks
    Life(
        "a master that is started again changes nothing that anybody sees of what runs",
        lambda t: (
            (at(t, 8).status.application_id, tasks_of(at(t, 8)), at(t, 8).status.state)
            == (end(t).status.application_id, tasks_of(end(t)), end(t).status.state)
        ),
        treated(ApplicationFate(end=MasterFailed(-7250, "killed", 9 * S))),
    ),
    Life(
        "between two looks the diagnostics are always retrieved already, and a container's end is never shown",
        lambda t: (
            "APPLICATION_RETRIEVING_DIAGNOSTICS" not in shown(t)
            and not any(
                task.state is TaskState.CONTAINER_COMPLETED
                for _, record in changes(t, START + 60 * S)
                if record is not None
                for task in tasks_of(record).values()
            )
        ),
        all_end_with(1),
    ),
    Life(
        "a lost node ends its container with exactly these words",
        ends_as(-7111, diagnostics="Container released on a *lost* node", exact=True),
        all_end_with(-7111),
    ),
    # --- 3.3: diagnostics
    Life(
        "a failing container leaves the text of Hadoop 2.9, its stderr twice",
        is_failed_container,
        Rules(usual_container=ends_with(5, stderr="mine\n")),
    ),
    *(
        Life(
            f"a container ended by signal {code - 128} was killed on request",
            lambda t, code=code: (
                re.match(  # type: ignore[misc] # a default keeps the loop's value
                    rf"\[\S+ \S+\]Container killed on request\. Exit code is {code}\[\S+ \S+\]\n"
                    rf"\[\S+ \S+\]Container exited with a non-zero exit code {code}\.",
                    text_of_container(t),
                )
                is not None
            ),
            Rules(usual_container=ends_with(code, killed=True)),
        )
        for code in (137, 143)
    ),
    Life(
        "over its memory: the process, the limit, what is used, and the process tree",
        lambda t: (
            re.search(
                r"Container \[pid=\d+,containerID=container_\S+\] is running beyond physical memory limits\. Current usage: "
                r"(?s:.*)process-tree",
                text_of_container(t),
            )
            is not None
        ),
        all_end_with(-7122),
    ),
    Life(
        "an exit with 0 has an empty text, not none",
        lambda t: text_of_container(t) == "" and first_task(end(t)).container_exit_diagnostics == "",
        all_end_with(0),
    ),
    Life(
        "a task stopped with its application has no text",
        lambda t: (
            [(task.container_exit_code, task.container_exit_diagnostics) for task in tasks_of(end(t)).values()].count(
                (-7400, None)
            )
            == 1
        ),
        Rules(containers=(ContainerRule(ends_with(1), index=0),)),
        descriptor(worker=role(2)),
    ),
    Life(
        "a migrated one neither",
        lambda t: ends_as(-7153, diagnostics=None)(t) and first_task(end(t)).container_exit_diagnostics is None,
        then=(Migrate(START + 10 * S, "container_1795464678844_0001_01_000002"),),
    ),
    Life(
        "a master that crashes again and again: the pattern, a trace, and YARN's text in brackets",
        ends_as(-7353, progress=0.0, diagnostics="AMDiagnostics:"),
        treated(ApplicationFate(end=Crashed(9 * S))),
    ),
    Life(
        "killed through YARN while it runs: by whom, and from where",
        ends_as(-7303, progress=1.0, diagnostics="was killed by user hadoop at 192.0.2.9"),
        treated(ApplicationFate(end=Killed(9 * S, from_ip="192.0.2.9"))),
    ),
    Life(
        "or without where; and while the master still waits the progress is 0",
        lambda t: (
            ends_as(-7303, progress=0.0, diagnostics="was killed by user hadoop")(t)
            and " at " not in (end(t).status.application_exit_diagnostics or "")
        ),
        treated(ApplicationFate(am_start=None, end=Killed(9 * S))),
    ),
    # --- 3.5: delays
    Life(
        "at 20 s everywhere launched is what is shown first, after 16 to 40 s, and running about 20 s later",
        lambda t: (
            shown(t, 200)[:3] == ["FRAMEWORK_WAITING", "APPLICATION_LAUNCHED", "APPLICATION_RUNNING"]
            and 14 <= _first(t, _F.APPLICATION_LAUNCHED) <= 42
            and 18 <= _first(t, _F.APPLICATION_RUNNING) - _first(t, _F.APPLICATION_LAUNCHED) <= 22
        ),
        cluster=SLOW,
    ),
    Life(
        "a job of half a minute takes one more, and may jump over states on the way",
        lambda t: 45 <= _first(t, _F.FRAMEWORK_COMPLETED) <= 105,
        Rules(usual_container=ends_with(0, 30 * S)),
        cluster=SLOW,
    ),
    Life(
        "and a stop is visible 20 to 40 s later",
        lambda t: 0 < _first(t, _F.FRAMEWORK_COMPLETED) - 100 <= 45,
        then=(Stop(START + 100 * S),),
        cluster=SLOW,
    ),
    Life(
        "an application that the resource manager forgot: no text, the progress as it was",
        ends_as(-7350, progress=0.3, diagnostics=None),
        treated(ApplicationFate(end=Lost(30 * S))),
        then=(SetProgress(START + 10 * S, 0.3),),
    ),
    Life(
        "a gang that grows beyond the room has its timeout armed again, and loses all that runs",
        ends_as(-7252),
        Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=1),)),
        descriptor(platform=GANG, worker=role(1)),
        (SetTaskNumber(START + 10 * S, "worker", 2),),
    ),
    Life(
        "a container that a gang holds too long expires, in these words",
        ends_as(-7112, diagnostics="Container expired since it was unused", exact=True),
        Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=1),)),
        GANG_OF_TWO,
        cluster=replace(CLUSTER, intervals=replace(CLUSTER.intervals, container_expiry=20 * S)),
    ),
    Life(
        "an upgrade during back-off: the pending retry never comes",
        lambda t: end(t).status.version == 2 and t.attempts(START + 600 * S, 1) == (0,),
        STARVED,
        FANCY_GANG,
        (Submit(START + 40 * S, descriptor(2)),),
    ),
    Life(
        "nor after a delete",
        lambda t: t.at(START + 600 * S) is None and len(list(t.applications(START + 600 * S))) == 1,
        STARVED,
        FANCY_GANG,
        (Delete(START + 40 * S),),
    ),
    Life(
        "a plain policy retries a timeout of a gang at once",
        lambda t: back_off(t) < 5 * S,
        STARVED,
        descriptor(retry=RetryPolicy(max_retry_count=1), platform=GANG, worker=role(2)),
    ),
    Life(
        "the first back-off is the floor to the second", lambda t: 20 * S <= back_off(t) < 22 * S, STARVED, FANCY_GANG
    ),
    Life(
        "status and tasks are looked at apart: launched, while a task has ended already",
        lambda t: any(
            record.status.state is _F.APPLICATION_LAUNCHED
            and any(task.state is TaskState.TASK_COMPLETED for task in tasks_of(record).values())
            for _, record in changes(t, START + 100 * S)
            if record is not None
        ),
        Rules(usual_container=ends_with(0, 0)),
        cluster=SLOW,
    ),
    # --- 4: retry and completion
    Life(
        "where one failure and one success are each enough, what is reported first decides",
        ends_as(3),
        Rules(containers=(ContainerRule(ends_with(3, 2990), index=0), ContainerRule(ends_with(0, 3000), index=1))),
        descriptor(worker=role(2, completion=CompletionPolicy(1, 1))),
    ),
    Life(
        "counters count retries made",
        lambda t: end(t).status.retries == RetryState(total=2, retried=2, unknown=2),
        *counters(RetryPolicy(max_retry_count=2), 7),
    ),
    Life(
        "fancy and not transient: it completes with all zeros",
        lambda t: end(t).status.retries == RetryState(),
        *counters(RetryPolicy(fancy=True, max_retry_count=2), 194),
    ),
    Life(
        "without tasks it waits for ever; its role has an empty list after the first push, and is not there before",
        lambda t: (
            end(t).status.state is _F.APPLICATION_WAITING
            and end(t).task_roles["worker"].tasks == ()
            and at(t, 1.5).task_roles == {}
        ),
        wanted=descriptor(worker=role(0)),
    ),
    Life(
        "until it gets some",
        ends_as(0),
        all_end_with(0),
        descriptor(worker=role(0)),
        (SetTaskNumber(START + 60 * S, "worker", 1),),
    ),
    # --- 5: exit codes
    Life("what exits with a code nobody was told of is UNKNOWN", ends_as(5), all_end_with(5)),
    Life(
        "a task too large for any node is refused, it never waits",
        ends_as(-7200),
        wanted=descriptor(worker=role(memory_mb=TOO_MUCH)),
    ),
    Life(
        "a master too large is refused when it is submitted: never launched, no address",
        lambda t: (
            ends_as(-7300, progress=0.0)(t)
            and end(t).status.application_launched_timestamp is None
            and end(t).status.application_tracking_url is None
        ),
        wanted=descriptor(
            platform=PlatformParameters(am_resource=replace(PlatformParameters().am_resource, memory_mb=TOO_MUCH))
        ),
    ),
    Life(
        "an unknown queue",
        ends_as(-7300),
        wanted=label(queue="none"),
        cluster=replace(CLUSTER, queues=frozenset({"default"})),
    ),
    Life(
        "an unknown label of a task",
        ends_as(-7200),
        wanted=label(task_node_label="none"),
        cluster=replace(CLUSTER, node_labels=frozenset()),
    ),
    Life(
        "an unknown label of the master",
        ends_as(-7300),
        wanted=label(am_node_label="none"),
        cluster=replace(CLUSTER, node_labels=frozenset()),
    ),
    *(
        Life(f"sources {sources} cannot be used", ends_as(-7251), wanted=descriptor(worker=_with_sources(*sources)))
        for sources in (("/a/x", "/b/x"), ("hdfs://[bad",))
    ),
    Life(
        "without the file of exit codes 193 is UNKNOWN",
        lambda t: end(t).status.application_exit_type.value == "UNKNOWN",  # type: ignore[union-attr] # it has ended
        all_end_with(193),
        cluster=replace(CLUSTER, user_exit_spec=False),
    ),
    # --- 6: operations
    Life(
        "stopped during back-off: the stop's code, no text, progress and launch of the ended application stay",
        lambda t: (
            ends_as(-7351, progress=1.0, diagnostics=None)(t)
            and end(t).status.application_launched_timestamp is not None
        ),
        STARVED,
        FANCY_GANG,
        (Stop(START + 40 * S),),
    ),
    Life(
        "a start right after a stop cancels it",
        lambda t: end(t).status.state is _F.APPLICATION_RUNNING,
        then=(Stop(START + 20_010), Start(START + 20_020)),
    ),
    Life(
        "deleted and put again within one look: the old end is back",
        lambda t: ends_as(4)(t) and end(t).status.created_timestamp != end(t).summary.first_request_timestamp,
        all_end_with(4),
        then=(Delete(START + 30_100), Submit(START + 30_200, descriptor())),
    ),
    Life(
        "no tasks any more: it waits, and does not complete; growing again works",
        lambda t: at(t, 28).status.state is _F.APPLICATION_WAITING and end(t).status.state is _F.APPLICATION_RUNNING,
        then=(SetTaskNumber(START + 20 * S, "worker", 0), SetTaskNumber(START + 30 * S, "worker", 1)),
    ),
    Life(
        "the last progress is 1 of what unregistered itself, failed or not", ends_as(1, progress=1.0), all_end_with(1)
    ),
    Life(
        "stopped: the last value",
        ends_as(-7351, progress=0.3, diagnostics=None),
        then=(SetProgress(START + 10 * S, 0.3), Stop(START + 20 * S)),
    ),
    Life(
        "the launcher takes no notice of progress below a tenth, the resource manager of each",
        lambda t: progresses(t) == [0.0, 0.3, 0.41] and _known(t, 16).progress == 35.0,
        then=tuple(SetProgress(START + (8 + 6 * n) * S, told) for n, told in enumerate((0.3, 0.35, 0.39, 0.41))),
    ),
    Life(
        "the same version with a role more gets it within a look; a role taken out keeps its tasks",
        lambda t: set(at(t, 18).task_roles) == set(end(t).task_roles) == {"worker", "extra"},
        then=(Submit(START + 10 * S, descriptor(worker=role(), extra=role())), Submit(START + 20 * S, descriptor())),
    ),
    # --- 7, 8: texts, and the resource manager
    *(
        Life(
            f"the resource manager tells an application that {what} so",
            lambda t, seconds=seconds, told=told: _yarn(t, seconds) == told,  # type: ignore[misc] # defaults keep the loop's values
            treated(fate) if isinstance(fate, ApplicationFate) else all_end_with(fate),
            wanted,
            cluster=replace(CLUSTER, queues=frozenset({"default"})),
        )
        for what, fate, wanted, seconds, told in (
            (
                "waits for its master",
                STARVED_MASTER,
                USUAL,
                60,
                ("ACCEPTED/UNDEFINED", 0.0, "UNASSIGNED", None, 0, True),
            ),
            (
                "runs",
                ApplicationFate(),
                USUAL,
                60,
                ("RUNNING/UNDEFINED", 0.0, "ApplicationMaster", "proxy", 1152, True),
            ),
            ("succeeded", 0, USUAL, 60, ("FINISHED/SUCCEEDED", 100.0, "History", "proxy", -1, False)),
            ("failed", 1, USUAL, 60, ("FINISHED/FAILED", 100.0, "History", "proxy", -1, False)),
            (
                "was killed while it ran",
                ApplicationFate(end=Killed(9 * S)),
                USUAL,
                60,
                ("KILLED/KILLED", 100.0, "History", "cluster/app", -1, False),
            ),
            (
                "crashed",
                ApplicationFate(end=Crashed(9 * S)),
                USUAL,
                60,
                ("FAILED/FAILED", 0.0, "History", "cluster/app", -1, False),
            ),
            (
                "was rejected",
                ApplicationFate(),
                label(queue="none"),
                60,
                ("FAILED/FAILED", 0.0, "UNASSIGNED", None, 0, False),
            ),
        )
    ),
    Life(
        "after a kill the resource manager has another address, the launcher keeps its first",
        lambda t: (
            (_known(t, 60).tracking_url or "").endswith(f"/cluster/app/{end(t).status.application_id}")
            and (end(t).status.application_tracking_url or "").endswith(f"/proxy/{end(t).status.application_id}/")
        ),
        treated(ApplicationFate(end=Killed(20 * S))),
    ),
    Life(
        "right after the master's goodbye it is FINISHED, and still has figures for a second",
        lambda t: any(
            _known(t, tenth / 10).state == "FINISHED" and _known(t, tenth / 10).figures.allocated_mb > 0
            for tenth in range(50, 200)
        ),
        all_end_with(0),
    ),
    Life(
        "the final status may be there while it is still RUNNING",
        lambda t: any(
            (_known(t, look / 200).state, _known(t, look / 200).final_status) == ("RUNNING", "SUCCEEDED")
            for look in range(1000, 4000)
        ),
        all_end_with(0),
    ),
)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.finding.replace("/", "|"))
def test_it_becomes_of_it_what_became_of_the_real_one(life: Life) -> None:
    told = life.told()
    assert life.sees(told), encode_framework(end(told)) if told.at(START + 3600 * S) else shown(told)


# --- what held of every recorded document ---------------------------------------------------------------------------


def everything() -> Iterator[Framework]:
    """Every life above, whenever it changes, and the default profile's jobs."""
    for life in LIVES:
        yield from (record for _, record in changes(life.told(), START + 300 * S) if record is not None)
    world = served("open").simulation.launcher
    for summary in world.summaries(Ask()):
        yield world.framework(summary.name, Ask()).value


INVARIANTS: Mapping[str, Callable[[Framework], bool]] = {
    "the summary's state is the status's": lambda r: r.summary.state is r.status.state,
    "tasks are numbered without gaps from 0": lambda r: all(
        [task.index for task in each.tasks] == list(range(len(each.tasks))) for each in r.task_roles.values()
    ),
    "running exactly when a container is": lambda r: (
        r.status.state not in (_F.APPLICATION_WAITING, _F.APPLICATION_RUNNING)
        or (r.status.state is _F.APPLICATION_RUNNING)
        is any(task.state is TaskState.CONTAINER_RUNNING for task in tasks_of(r).values())
    ),
    "completed: an application id, all tasks completed, and 0 to 18 ms after the application": lambda r: (
        r.status.state is not _F.FRAMEWORK_COMPLETED
        or (
            r.status.application_id is not None
            and all(task.state is TaskState.TASK_COMPLETED for task in tasks_of(r).values())
            and 0 <= (r.status.completed_timestamp or 0) - (r.status.application_completed_timestamp or 0) <= 18
        )
    ),
    "the task that triggered the end has its code, type and text": lambda r: _trigger_agrees(r),
    "a task stopped with its application ended with it": lambda r: all(
        task.completed_timestamp == r.status.application_completed_timestamp
        and (task.container_completed_timestamp is None) is (task.container_id is None)
        for task in tasks_of(r).values()
        if task.container_exit_code == exits.STOP_TASK
    ),
    "retried is the sum under a plain policy, and what is unknown or succeeded under a fancy one": lambda r: (
        r.request is None
        or r.request.descriptor.version != r.status.version
        or r.status.retries.retried
        == (
            r.status.retries.unknown + r.status.retries.succeeded
            if r.request.descriptor.retry_policy.fancy
            else r.status.retries.total
        )
    ),
}


def _trigger_agrees(record: Framework) -> bool:
    status = record.status
    if status.application_exit_trigger_task_role_name is None:
        return True
    task = tasks_of(record).get(
        (status.application_exit_trigger_task_role_name, status.application_exit_trigger_task_index or 0)
    )
    return task is None or (task.container_exit_code, task.container_exit_type) == (
        status.application_exit_code,
        status.application_exit_type,
    )


def test_what_held_of_every_recorded_document_holds_of_every_simulated_one() -> None:
    seen = list(everything())
    assert len(seen) > 400
    for finding, holds in INVARIANTS.items():
        assert [encode_framework(record) for record in seen if not holds(record)][:1] == [], finding


def test_each_finding_stands_once() -> None:
    findings = [*(asked.finding for asked in ASKED), *(life.finding for life in LIVES), *INVARIANTS, *DIFFERENT]
    assert len(findings) == len(set(findings))
    assert all(DIFFERENT.values())
