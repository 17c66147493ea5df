"""Traces, for who collects them: a span for every request or poll, one for every call really made, and the launcher told which (OpenTelemetry).

The extra ``restserver[tracing]``. Without an endpoint to send to, nothing of this is imported, and no request passes through
it. A trace that a client began is taken up, and goes on to the launcher, as the W3C's ``traceparent`` has it. Spans go out in
batches from a thread of their own; a collector that is away costs them, and nothing else. What the endpoint's own variables
say besides (``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER``, ``OTEL_EXPORTER_OTLP_HEADERS``, ...) is read by the library.

Requests that are turned away for want of a token, or for being too many, have no span: nobody outside fills a collector. A poll of
an archiver is a trace of its own, its calls below it. The simulated launcher does not trace: what it was told stands in its journal of
requests, and spans of a pretended server would only look like those of a real one.
"""

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import falcon

from contracts.launcher.port import Ask, Call, Hook, LauncherError

try:
    from opentelemetry import context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    raise ModuleNotFoundError("tracing needs what is not installed: pip install 'restserver[tracing]'") from error

UNKNOWN_ROUTE: Final = "unknown"
LONGEST_EXPORT: Final = 2.0
"""Seconds for one batch, tries again included: so long a collector that is away may hold up a stop."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def sending_to(endpoint: str) -> "Tracing":
    """``endpoint``: the base of a collector that speaks OTLP over HTTP, such as ``http://localhost:4318``."""
    return Tracing(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=LONGEST_EXPORT)))


class Tracing:
    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource({"service.name": "restserver"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("restserver")

    def close(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()

    def hook(self, side: str) -> Hook:
        """Around a launcher (``side`` says which): a span for each call, which the launcher is told."""

        def traced(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
            told = {"name": call.name, "version": call.version, "attempt": call.attempt}
            attributes = {f"restserver.{key}": value for key, value in told.items() if value is not None}
            with self._tracer.start_as_current_span(
                f"{side} {call.operation}",
                kind=SpanKind.CLIENT,
                attributes=attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                headers: dict[str, str] = {}
                _PROPAGATOR.inject(headers)
                try:
                    return proceed(Ask(ask.deadline, ask.request_id, tuple(headers.items())))
                except LauncherError as error:
                    span.set_attribute("error.type", type(error).__name__)
                    if not type(error).__name__.startswith("NoSuch"):  # "no such framework" is an answer
                        span.set_status(Status(StatusCode.ERROR, str(error)))
                    raise

        return traced

    @contextmanager
    def poll(self) -> Iterator[None]:
        """The span of one poll of an archiver, current while it lasts."""
        with self._tracer.start_as_current_span("archiver poll", kind=SpanKind.INTERNAL, record_exception=False):
            yield

    def requests(self) -> "Requests":
        return Requests(self._tracer.start_span)


class Requests:
    """Falcon middleware: the span of a request, current while it is answered."""

    def __init__(self, start_span: Callable[..., Span]) -> None:
        self._start_span = start_span

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        span = self._start_span(
            req.method,
            context=_PROPAGATOR.extract(_carrier(req)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": req.method, "url.path": req.path, "url.scheme": req.scheme},
        )
        request_id = resp.get_header("X-Request-Id")
        if request_id is not None:
            span.set_attribute("restserver.request_id", request_id)
        req.context.span = span, context.attach(set_span_in_context(span))

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del resource, succeeded
        kept = getattr(req.context, "span", None)
        if kept is None:
            return
        span, token = kept
        context.detach(token)
        route = req.uri_template or UNKNOWN_ROUTE
        span.update_name(f"{req.method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", resp.status_code)
        if resp.status_code >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _carrier(req: falcon.Request) -> MutableMapping[str, str]:
    given = {name: req.env.get(f"HTTP_{name.upper()}") for name in _PROPAGATOR.fields}
    return {name: value for name, value in given.items() if value is not None}
