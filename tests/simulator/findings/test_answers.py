"""What was found out about a real launcher on Hadoop 2.9.0, finding by finding, in the order of the fact sheet they correct: what is answered
to one request, and what is kept of it.
"""

import gzip
import json
import re

import pytest

from simulator.http.access import Access
from tests.simulator import test_http_recordings
from tests.simulator.findings.asked import (
    ACTIVE,
    BROWSER,
    CONVENTION,
    FULL,
    HTML,
    JSON,
    NONE,
    NOWHERE,
    XML,
    Asked,
    F,
    empty,
    error,
    first_line,
    kinds,
    not_converted,
    page,
    puts,
    refused,
    role_of_wire,
    role_with,
    stored,
)
from tests.simulator.test_http_server import Served, framework, served
from tests.wire_exchange import send

pytestmark = pytest.mark.no_cover

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
