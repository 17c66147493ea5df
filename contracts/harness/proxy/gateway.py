"""Passes each request of a client on to the server and its answer back, and shows both to the watch.

An answer is read until it is whole, too large or too slow; then it is judged as far as it can be, marked, and sent on. From
then on it streams: neither body is ever kept whole beyond its bound, and whoever reads slowly slows down who sends.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import h11

from contracts.clock import uptime
from contracts.harness.findings import Exchange, Finding, Objection
from contracts.harness.judging import Verdict
from contracts.harness.proxy import marks
from contracts.harness.proxy.bodies import Copy, NotJudged
from contracts.harness.proxy.line import Line
from contracts.harness.proxy.passing_on import (
    Ambiguous,
    Raw,
    has_body,
    is_chunked,
    origin_form,
    passed_on,
    to_client,
    to_server,
)
from contracts.harness.proxy.server_side import Failed, Server
from contracts.harness.proxy.watching import Passing, Watch
from contracts.harness.transport import MALFORMED, RESET, Answered, Pairs, Request

T = TypeVar("T")

IDLE: Final = 120.0
"""Seconds a client may be silent, between requests and within one."""
LONGEST_HOLD: Final = 1.0
"""Seconds an answer is held back for its body to be whole."""
LARGE: Final = 256 * 1024
"""Bytes of a body that a thread judges."""
MOST_CLIENTS: Final = 1_000
LEFT_BEHIND: Final = 1024 * 1024
"""Bytes of a request that nobody wants which are still taken, so that the client reads why."""


class ClientGone(Exception):
    """Nobody waits for the answer any more, or nobody who speaks HTTP."""


@dataclass
class Gateway:
    server: Server
    watch: Watch
    errors: bool = False
    """Whether what breaks the contract is refused instead of marked."""
    stopping: bool = False
    _clients: set[asyncio.Task[None]] = field(default_factory=set)
    _idle: set[Line] = field(default_factory=set)

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, until either side has had enough."""
        line = Line(reader, writer, h11.SERVER)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one
        self._clients.add(task)
        try:
            if len(self._clients) > MOST_CLIENTS:
                return
            while await self._one(line) and not self.stopping:
                pass
        except (ClientGone, OSError, h11.ProtocolError):
            line.cut()
        finally:
            self._clients.discard(task)
            line.close()

    async def drain(self, seconds: float) -> None:
        """What is under way is finished, if that does not take too long."""
        self.stopping = True
        for line in self._idle:
            line.close()
        busy = set(self._clients)
        if busy:
            _, late = await asyncio.wait(busy, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _one(self, client: Line) -> bool:
        """One request; whether the connection can take another."""
        self._idle.add(client)
        try:
            head = await client.next(IDLE)
        except TimeoutError:
            return False
        except h11.RemoteProtocolError as error:
            if client.received and client.http.our_state is not h11.ERROR:
                status = error.error_status_hint if error.error_status_hint in (414, 431, 501) else 400
                await client.send(*marks.problem(status, f"This is no HTTP request: {error}.", ()))
            return False
        finally:
            self._idle.discard(client)
        if not isinstance(head, h11.Request):
            return False
        if head.method == b"CONNECT":
            await client.send(*marks.problem(501, "This is no proxy for tunnels.", ()))
            return False
        try:
            is_chunked(head.headers.raw_items())
        except Ambiguous as error:
            await client.send(*marks.problem(400, f"The request is ambiguous: {error}.", ()))
            return False
        await self._exchange(client, head)
        return client.again()

    async def _exchange(self, client: Line, head: h11.Request) -> None:
        passing = self.watch.asked(_as_judged(head))
        if self.errors and passing.findings:
            self.watch.findings.add(passing.findings)
            await self._sent(client, *marks.refusal(passing.expected, passing.findings))
            await _left_behind(client)
            return
        try:
            await self._passed(client, head, passing)
        except Failed as failed:
            found = self._unanswered(passing, failed)
            await self._sent(client, *marks.failure(failed.kind, failed.what, found))
            await _left_behind(client)

    async def _passed(self, client: Line, head: h11.Request, passing: Passing) -> None:
        """Raises :class:`Failed` only while nothing was sent to the client, :class:`ClientGone`."""
        headers = head.headers.raw_items()
        target = self.server.target.prefix.encode() + origin_form(head.target)
        onward = h11.Request(method=head.method, target=target, headers=to_server(headers, self._host))
        if has_body(headers):
            await self._passed_with_body(client, onward, passing)
            return
        await _from(client)  # the end of the request
        line, response = await self._asked(client, onward)
        try:
            await self._answer(client, line, response, passing)
        finally:
            self.server.keep(line)

    async def _passed_with_body(self, client: Line, onward: h11.Request, passing: Passing) -> None:
        """Sends and reads at the same time: a server may answer before it has read everything, or ask for the rest."""
        line = await self.server.connected()
        pump = asyncio.create_task(_pumped(client, line, onward))
        try:
            response = await self._head(client, line, pump)
            await self._answer(client, line, response, passing)
        except Failed as failed:
            if pump.done() and isinstance(pump.exception(), ClientGone):
                raise ClientGone from failed
            raise
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            self.server.keep(line)

    async def _asked(self, client: Line, onward: h11.Request) -> tuple[Line, h11.Response]:
        """On a kept connection if there is one. The server may close that at any time; it says nothing about this request."""
        kept = await self.server.kept()
        if kept is not None:
            try:
                return kept, await self._head_or_cut(client, kept, onward)
            except Failed as failed:
                if failed.kind != RESET or kept.received or onward.method not in _ASKED_AGAIN:
                    raise
        line = await self.server.connected()
        return line, await self._head_or_cut(client, line, onward)

    async def _head_or_cut(self, client: Line, line: Line, onward: h11.Request) -> h11.Response:
        """A line on which no answer began belongs to nobody, whatever kept it from coming."""
        try:
            return await self._head(client, line, onward)
        except BaseException:
            line.cut()
            raise

    async def _head(self, client: Line, line: Line, sent: "h11.Request | asyncio.Task[None]") -> h11.Response:
        """Where an answer begins; ``sent`` is the request, or what is sending it. Raises :class:`Failed`, :class:`ClientGone`."""
        try:
            if isinstance(sent, h11.Request):
                await line.send(sent, h11.EndOfMessage())
            while not isinstance(event := await self._early(line, sent), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise h11.RemoteProtocolError(f"{type(event).__name__} where an answer should begin")
                if client.http.their_http_version == b"1.1":
                    early = passed_on(event.headers.raw_items())
                    told = h11.InformationalResponse(status_code=event.status_code, headers=early, reason=event.reason)
                    await self._sent(client, told)
            is_chunked(event.headers.raw_items())
        except (OSError, TimeoutError, h11.ProtocolError, Ambiguous) as error:
            raise self.server.failure(error, line, None, 0) from error
        return event

    async def _early(self, line: Line, sent: "h11.Request | asyncio.Task[None]") -> h11.Event:
        """The next head of an answer, within the time-out; while a request is still being sent there is none."""
        until = uptime() + self.server.timeout
        while True:
            try:
                async with asyncio.timeout(max(0.0, until - uptime())):
                    return await line.next(None)
            except TimeoutError:
                if isinstance(sent, h11.Request) or sent.done():
                    raise
                until = uptime() + self.server.timeout

    async def _answer(self, client: Line, line: Line, response: h11.Response, passing: Passing) -> None:
        copy = Copy()
        try:
            end = await self._held(line, copy)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise self.server.failure(error, line, response.status_code, copy.size) from error
        if end is None:
            await self._streamed(client, line, response, passing, copy)
            return
        judged = await self._judged(passing, response, copy, line.spare)
        found = judged.findings
        if self.errors and found:
            what = "; ".join(one.what for one in found)[:1000]
            detail = f"The answer of the server breaks the contract and was not passed on: {what}"
            await self._sent(client, *marks.problem(marks.STATUS_OF_ANSWER, detail, found))
            return
        marked = [*marks.mark(found), *([(marks.NOT_JUDGED, judged.unjudged.encode())] if judged.unjudged else [])]
        trailers = end.headers.raw_items() if _takes_trailers(client, response, passing) else []
        await self._sent(
            client,
            _onward(response, marked),
            *(h11.Data(data=piece) for piece in copy.pieces),
            h11.EndOfMessage(headers=trailers),
        )
        await self._met(judged)

    async def _held(self, line: Line, copy: Copy) -> h11.EndOfMessage | None:
        """Reads the body into the copy; ``None``: there is more of it, and it is not waited for."""
        until = uptime() + (self.server.timeout if self.errors else min(LONGEST_HOLD, self.server.timeout))
        while not copy.too_large:
            left = until - uptime()
            try:
                event = await line.next(max(0.0, min(left, self.server.timeout)))
            except TimeoutError:
                if self.errors or self.server.timeout <= LONGEST_HOLD:
                    raise
                return None
            if isinstance(event, h11.EndOfMessage):
                return event
            assert isinstance(event, h11.Data)  # noqa: S101 - a body is made of nothing else
            copy.add(bytes(event.data))
        return None

    async def _streamed(self, client: Line, line: Line, response: h11.Response, passing: Passing, copy: Copy) -> None:
        """Passes an answer on as it comes. What breaks now can only be shown by breaking off."""
        exchange = passing.answered(response.status_code, _text(response.reason), _pairs(response), b"")
        found = [*passing.findings, *self.watch.judged_head(passing, exchange).findings]
        if self.errors and found:
            self.watch.heard(passing, exchange, self.watch.judged_head(passing, exchange))
            await self._sent(
                client, *marks.problem(marks.STATUS_OF_ANSWER, "The answer of the server breaks the contract.", found)
            )
            return
        trailing = _takes_trailers(client, response, passing)
        marked = marks.mark(found)
        if copy.too_large:
            marked.append((marks.NOT_JUDGED, b"too large to judge"))
        else:
            marked.append((marks.NOT_JUDGED, b"slow: see the trailer" if trailing else b"slow: see the report"))
            marked += [(b"Trailer", marks.VIOLATIONS)] if trailing else []
        await self._sent(client, _onward(response, marked))
        try:
            end = await self._rest(client, line, copy)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            self._unanswered(passing, self.server.failure(error, line, response.status_code, copy.size))
            client.cut()
            raise ClientGone from error
        judged = await self._judged(passing, response, copy, line.spare)
        trailers = [*end.headers.raw_items(), *marks.mark(judged.findings)] if trailing else []
        await self._sent(client, h11.EndOfMessage(headers=trailers))
        await self._met(judged)

    async def _rest(self, client: Line, line: Line, copy: Copy) -> h11.EndOfMessage:
        while True:
            pieces, copy.pieces = copy.pieces, []
            await self._sent(client, *(h11.Data(data=piece) for piece in pieces))
            event = await line.next(self.server.timeout)
            if isinstance(event, h11.EndOfMessage):
                return event
            assert isinstance(event, h11.Data)  # noqa: S101 - as above
            copy.add(bytes(event.data))

    async def _judged(self, passing: Passing, response: h11.Response, copy: Copy, spare: bool) -> "_Judged":
        headers, unjudged = _pairs(response), ""
        try:
            body = copy.whole(value for name, value in headers if name.lower() == "content-encoding")
        except NotJudged as reason:
            body, unjudged = b"", str(reason)
        exchange = passing.answered(response.status_code, _text(response.reason), headers, body)
        if unjudged:
            verdict = self.watch.judged_head(passing, exchange)
            self.watch.not_judged += passing.of_api
        else:
            verdict = await _aside(len(body), lambda: self.watch.judged(passing, exchange))
        if spare:
            more = Objection(f"answer: {MALFORMED}", "length", "more bytes came than Content-Length says", None)
            verdict = Verdict(verdict.body, (*verdict.findings, more.to(exchange)))
        found = self.watch.heard(passing, exchange, verdict)
        return _Judged(exchange, verdict, found, unjudged if passing.of_api else "")

    async def _met(self, judged: "_Judged") -> None:
        answer = judged.exchange.outcome
        size = len(answer.body) if isinstance(answer, Answered) else 0
        await _aside(size, lambda: self.watch.met(judged.exchange, judged.verdict))

    def _unanswered(self, passing: Passing, failed: Failed) -> tuple[Finding, ...]:
        exchange = passing.unanswered(failed.kind, failed.what)
        return self.watch.heard(passing, exchange, self.watch.judged(passing, exchange))

    async def _sent(self, client: Line, *events: h11.Event) -> None:
        try:
            await client.send(*events)
        except (OSError, TimeoutError, h11.LocalProtocolError) as error:
            raise ClientGone from error

    @property
    def _host(self) -> bytes:
        authority = self.server.target.url.partition("://")[2].partition("/")[0]
        return authority.encode("ascii" if authority.isascii() else "idna")


@dataclass(frozen=True, slots=True)
class _Judged:
    exchange: Exchange
    verdict: Verdict
    findings: tuple[Finding, ...]
    """Everything that is wrong."""
    unjudged: str
    """Why the body was not looked at, if so."""


async def _aside(size: int, work: Callable[[], T]) -> T:
    """Done here and now; in a thread where a large body would hold up everybody else."""
    return await asyncio.to_thread(work) if size > LARGE else work()


async def _pumped(client: Line, line: Line, onward: h11.Request) -> None:
    """The request with its body, as it comes. A server that stops reading may still answer."""
    await line.send(onward)
    while True:
        event = await _from(client, line)
        try:
            await line.send(event)
        except (OSError, TimeoutError, h11.LocalProtocolError):
            return
        if isinstance(event, h11.EndOfMessage):
            return


async def _from(client: Line, line: Line | None = None) -> h11.Data | h11.EndOfMessage:
    """The next part of a request's body."""
    try:
        event = await client.next(IDLE)
    except (OSError, TimeoutError, h11.RemoteProtocolError) as error:
        if line is not None:
            line.cut()  # the server must not take the half for the whole
        raise ClientGone from error
    assert isinstance(event, h11.Data | h11.EndOfMessage)  # noqa: S101 - nothing else comes before the end
    return event


async def _left_behind(client: Line) -> None:
    """Takes what the client is still sending."""
    taken = 0
    with contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
        while client.http.their_state is h11.SEND_BODY and taken < LEFT_BEHIND:
            event = await client.next(1.0)
            taken += len(event.data) if isinstance(event, h11.Data) else 0


def _as_judged(head: h11.Request) -> Request:
    """The request as a client's report shows it; what is about the connection alone is left out."""
    shown = [(name, value) for name, value in passed_on(head.headers.raw_items()) if name.lower() not in _FRAMING]
    headers = tuple((_text(name), _text(value)) for name, value in shown)
    return Request(_text(head.method), _text(origin_form(head.target)), headers)


_FRAMING: Final = (b"host", b"content-length", b"expect")
_ASKED_AGAIN: Final = (b"GET", b"HEAD", b"OPTIONS")


def _onward(response: h11.Response, marked: Raw) -> h11.Response:
    headers = [*to_client(response.headers.raw_items()), *marked]
    return h11.Response(status_code=response.status_code, headers=headers, reason=response.reason)


def _takes_trailers(client: Line, response: h11.Response, passing: Passing) -> bool:
    """Whether the answer goes to this client in chunks."""
    names = {name for name, _ in response.headers}
    bodiless = passing.request.method == "HEAD" or response.status_code in (204, 304)
    return client.http.their_http_version == b"1.1" and b"content-length" not in names and not bodiless


def _pairs(response: h11.Response) -> Pairs:
    return tuple((_text(name), _text(value)) for name, value in response.headers.raw_items())


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
