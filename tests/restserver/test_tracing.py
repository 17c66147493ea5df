"""Traces: off, they are not there; on, a request and its calls are one trace, and the launcher is told which."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from contracts.launcher import private_dialect
from restserver.app import Application
from restserver.assembling import application, backends
from restserver.assembling.backends import Built
from restserver.commands.history import archive
from restserver.settings import BadSetting, Settings
from restserver.stand_ins import Stage
from tests.restserver.small_launcher import framework
from tests.restserver.wsgi_client import ask
from tests.stand_ins import served

TRACE = "0af7651916cd43dd8448eb211c80319c"
CLIENT = "b7ad6b7169203331"
GIVEN = {"traceparent": f"00-{TRACE}-{CLIENT}-01", "tracestate": "theirs=1", "X-Request-Id": "mine-1"}
JOB = "/api/v2/jobs/alice~mnist"


class Collector:
    """Takes spans as a real one does."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()

    def named(self, name: str) -> Span:
        (found,) = (span for span in self.spans if span.name == name)
        return found


@contextmanager
def collecting() -> Iterator[tuple[str, Collector]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            request = ExportTraceServiceRequest()
            request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in request.resource_spans:
                collector.services |= {
                    one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
                }
                collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", collector
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def traced(launcher_url: str, endpoint: str | None, **others: object) -> Iterator[tuple[Built, Application]]:
    settings = Settings(backend="launcher", launcher_url=launcher_url, otlp_endpoint=endpoint, **others)  # type: ignore[arg-type]  # settings of any type
    with application.built_backend(settings) as built:
        yield built, application.application(built, settings)


def attributes(span: Span) -> dict[str, object]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


WHOLE = served.Reply(200, json.dumps(private_dialect.encode_framework(framework())).encode())


def test_a_request_and_its_call_are_one_trace_and_the_launcher_is_told() -> None:
    with collecting() as (endpoint, collector), served.serving(lambda asked: WHOLE) as launcher:
        with traced(launcher.url, endpoint) as (_, app):
            assert ask(app, JOB, headers=GIVEN).status == 200
            assert ask(app, JOB).status == 200  # a copy: no call of its own
            assert ask(app, "/nowhere").status == 404
        request, call = collector.spans[0], collector.spans[0]
        call = collector.named("launcher framework")
        (request,) = (
            span for span in collector.spans if span.trace_id.hex() == TRACE and span.kind == Span.SPAN_KIND_SERVER
        )
        assert request.name == "GET /api/v2/jobs/{name:segment}"
        assert request.parent_span_id.hex() == CLIENT
        assert (call.trace_id, call.parent_span_id, call.kind) == (
            request.trace_id,
            request.span_id,
            Span.SPAN_KIND_CLIENT,
        )
        (asked,) = launcher.asked
        assert asked.header("traceparent") == f"00-{TRACE}-{call.span_id.hex()}-01"
        assert asked.header("tracestate") == "theirs=1"
        assert asked.header("x-request-id") == "mine-1"
        told = attributes(request)
        assert (told["restserver.request_id"], told["http.response.status_code"]) == ("mine-1", 200)
        assert attributes(call) == {"restserver.name": "alice~mnist"}
        assert len(collector.spans) == 4
        assert collector.named("GET unknown").status.code == Status.STATUS_CODE_UNSET
        assert collector.services == {"restserver"}


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (served.Reply(404), 404, Status.STATUS_CODE_UNSET),
        (served.Reply(500), 500, Status.STATUS_CODE_ERROR),
        (served.Reply(200, b"{"), 500, Status.STATUS_CODE_ERROR),
    ],
)
def test_what_went_wrong_shows_and_what_is_not_there_is_no_failure(reply: served.Reply, status: int, code: int) -> None:
    with collecting() as (endpoint, collector), served.serving(lambda asked: reply) as launcher:
        with traced(launcher.url, endpoint) as (_, app):
            assert ask(app, JOB).status == status
        spans = {span.kind: span for span in collector.spans}
        assert {span.status.code for span in spans.values()} == {code}
        assert attributes(spans[Span.SPAN_KIND_CLIENT])["error.type"]
        assert not [event for span in collector.spans for event in span.events], "no stack traces"


def test_a_poll_of_an_archiver_is_one_trace_and_the_launcher_is_told(tmp_path: Path) -> None:
    with collecting() as (endpoint, collector), Stage() as stage:
        url = stage.launcher(dialect="open", jobs=3).url
        arguments = ["--launcher-url", url, "--rm-url", url, "--dialect", "open", "--data-dir", str(tmp_path)]
        done = CliRunner().invoke(archive, [*arguments, "--once", "--otlp-endpoint", endpoint])
        assert done.exit_code == 0, done.output
    poll = collector.named("archiver poll")
    fetches = [span for span in collector.spans if span.name == "launcher framework"]
    assert len(fetches) > 3
    assert collector.named("launcher summaries").parent_span_id == poll.span_id
    assert {span.parent_span_id for span in fetches} == {poll.span_id}
    assert {span.trace_id for span in collector.spans} == {poll.trace_id}


def test_who_is_turned_away_leaves_no_span() -> None:
    with collecting() as (endpoint, collector):
        with traced("http://127.0.0.1:1", endpoint, read_tokens=("sesame",)) as (_, app):
            assert ask(app, JOB, headers=GIVEN).status == 401
            assert ask(app, f"{JOB}?x={'x' * 9000}", headers=GIVEN).status == 414
        assert collector.spans == []


def test_a_collector_that_is_away_costs_no_request_and_no_stop() -> None:
    with served.serving(lambda asked: WHOLE) as launcher, traced(launcher.url, "http://127.0.0.1:1") as (_, app):
        assert ask(app, JOB).status == 200


def test_off_the_launcher_is_told_nothing_of_traces() -> None:
    with served.serving(lambda asked: WHOLE) as launcher, traced(launcher.url, None) as (built, app):
        assert built.tracing is None
        assert ask(app, JOB, headers=GIVEN).status == 200
        assert launcher.asked[0].header("traceparent") is None


OFF = """
import sys
from restserver.assembling import application
from restserver.assembling import backends
from restserver.commands.history import archive
from restserver.settings import Settings
settings = Settings(backend="launcher", launcher_url="http://127.0.0.1:1")
with application.built_backend(settings) as built:
    application.application(built, settings)
print(*(name for name in sys.modules if name.startswith("opentelemetry")))
"""


def test_off_nothing_of_it_is_even_imported() -> None:
    done = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_without_the_extra_it_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "restserver.seeing.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(BadSetting, match=r"otlp-endpoint: .*pip install 'restserver\[tracing\]'"):
        backends.BACKENDS["launcher"](
            Settings(backend="launcher", launcher_url="http://127.0.0.1:1", otlp_endpoint="http://c:4318")
        )
