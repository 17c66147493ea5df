"""Runs an application under waitress: without collapse under many connections, and with a stop that cuts nobody off.

Waitress answers from several threads, but Python runs one at a time. On two processors the threads take the interpreter
lock from each other across processors, and under many connections most of the time goes into that. Choices, all measured
in the same minutes on two (shared) processors with 32 connections asking for a job of 8 KB, as medians of three rounds and
relative to stock waitress (4 threads, no pinning); worst round against worst round in brackets:

* 16 threads, nothing else: 0.97 (1.24)
* 16 threads, switch interval of 0.1 ms: 1.15 (0.85)
* pinned to one processor, 4 threads: 1.39 (2.05); 8 threads: 0.96 (1.44); 16 threads: 1.40 (1.83)

So the process is pinned, and has 16 threads: they cost nothing, and each may have to wait for a slow launcher. One
connection alone is as fast either way. Pinning holds for every thread and child of the process; several servers on one
machine spread over its processors by their process ids. Where a process cannot be pinned (macOS, Windows) the shorter
switch interval is used instead: it helps less, but it starts everywhere.

Limits that are waitress's own: it answers requests it cannot parse itself (plain text 400, 431), and takes several slashes at the
start of a path for one.
"""

import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING, Protocol, Self, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress import wasyncore

from contracts.clock import pause, uptime
from contracts.exit_codes import INTERRUPTED
from restserver.serving.at_once import AtOnceServer
from restserver.serving.strict_http import StrictServer

if TYPE_CHECKING:
    from waitress.channel import HTTPChannel
    from waitress.parser import HTTPRequestParser

logger = logging.getLogger(__name__)

THREADS = 16
CONNECTIONS = 1000
IDLE_SECONDS = 120
LONGEST_HEAD = 64 * 1024
"""Bytes of request line and headers; the application itself answers a target over 8 KiB, so it must get that far."""
LONGEST_ARRIVAL = 30
"""Seconds a client may take over one request, however busily it sends; who takes longer is let go."""
LARGEST_BODY = 64 * 1024
"""Bytes. Nothing of a production server reads a body."""
SWITCH_SECONDS = 1e-4
LONGEST_DRAIN = 30
"""Seconds that a stop, or a reload, waits for what is being answered."""


class Stoppable(Protocol):
    """An application that says, once it is stopping, that it is not ready."""

    stopping: bool

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, /) -> Iterable[bytes]: ...


class PortTaken(Exception):
    """The address cannot be listened on. Tells which, and why."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound and listening. Raises :class:`PortTaken`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
    except UnicodeError as error:  # a label that is empty or too long
        raise PortTaken(f"cannot listen on {host}:{port}: no name of a host") from error
    try:
        if os.name == "posix":  # elsewhere this would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def settle_process() -> None:
    """Makes this process serve well under many connections; see the top of this module."""
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    else:
        sys.setswitchinterval(SWITCH_SECONDS)


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server:
    """One application on one socket. ``run`` returns after ``stop``, once what was asked for is answered; then ``close``."""

    def __init__(
        self,
        application: WSGIApplication,
        listener: socket.socket,
        *,
        at_once: bool = False,
        largest_body: int | None = None,
    ) -> None:
        """``at_once``: the application never waits where it must not (:mod:`restserver.serving.at_once`). A request whose body has
        more bytes than ``largest_body`` (or :data:`LARGEST_BODY`) does not reach it.
        """
        self.url = url_of(listener)
        self._map: dict[int, socket.socket] = {}
        self._waitress = (AtOnceServer if at_once else StrictServer)(
            application,
            map=self._map,
            _sock=listener,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
            sockets=[listener],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            max_request_header_size=LONGEST_HEAD,
            max_request_body_size=(largest_body or LARGEST_BODY) + 1,
            ident=None,
            # Read by nobody but ``restserver.guarding.forwarded``, and there only of proxies that are named.
            clear_untrusted_proxy_headers=False,
        )
        self._stops_at: float | None = None
        self._arriving: dict[HTTPRequestParser, float] = {}
        """Requests that have not arrived in full, and since when they are known."""
        self._looked = uptime()

    def stop(self, delay: float = 0.0) -> None:
        """After so many seconds of going on as before. May be called from any thread, and from a signal handler."""
        self._stops_at = uptime() + delay
        self._waitress.pull_trigger()

    def run(self) -> None:
        while (left := self._seconds_left()) > 0:
            self._turn(timeout=min(left, 1.0))
            self._let_go_of_the_slow()
        self._drain()

    def _seconds_left(self) -> float:
        return 1.0 if self._stops_at is None else self._stops_at - uptime()

    def _let_go_of_the_slow(self) -> None:
        """Waitress itself only ends connections on which nothing moves: a byte a minute would hold one for ever."""
        now = uptime()
        if now < self._looked + 1:
            return
        self._looked = now
        arriving = [(channel, channel.request) for channel in self._channels() if channel.request is not None]
        self._arriving = {request: self._arriving.get(request, now) for _, request in arriving}
        for channel, request in arriving:
            if now - self._arriving[request] > LONGEST_ARRIVAL:
                channel.handle_close()

    def answered(self) -> None:
        """Returns once what is asked now is answered. For another thread than the one that runs the server."""
        asked = [(channel, request) for channel in self._channels() for request in channel.requests]
        until = uptime() + LONGEST_DRAIN
        while any(channel.connected and request in channel.requests for channel, request in asked):
            if uptime() > until:
                return
            pause(0.02)

    def close(self) -> None:
        """Ends threads and connections, whatever they are doing."""
        self._waitress.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
        wasyncore.close_all(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, map=self._map, use_poll=hasattr(select, "poll"), count=1)
        if isinstance(self._waitress, AtOnceServer):
            self._waitress.answer()

    def _drain(self) -> None:
        """Takes no new connections; lets each open one go once what it asked is answered."""
        wasyncore.dispatcher.close(self._waitress)
        until = uptime() + LONGEST_DRAIN
        self._turn(timeout=0)  # what has arrived but was not read yet
        while self._let_go() and uptime() < until:
            self._turn(timeout=0.05)

    def _let_go(self) -> bool:
        """Closes the connections that wait for nothing; whether any is left."""
        channels = self._channels()
        busy = [channel for channel in channels if channel.requests or channel.total_outbufs_len]
        for channel in channels:
            if channel not in busy:
                channel.handle_close()
        return bool(busy)

    def _channels(self) -> "list[HTTPChannel]":
        return list(cast("dict[int, HTTPChannel]", self._waitress.active_channels).values())


def serve(
    application: Stoppable,
    listener: socket.socket,
    announce: Callable[[], None],
    served: WSGIApplication | None = None,
    stop_delay: float = 0.0,
    reload: "Callable[[Callable[[], None]], None] | None" = None,
    *,
    at_once: bool = False,
    largest_body: int | None = None,
) -> int:
    """Serves until SIGTERM (0) or SIGINT (130); the exit code. ``announce`` is called once it answers.

    ``served`` is what gets the requests, where something stands around the application. After SIGTERM it goes on for ``stop_delay`` seconds, but is not ready any more. A
    second SIGINT does not wait for anybody. On SIGHUP ``reload`` is called beside the server, one call after the other; what it
    gets returns once all that is asked by then is answered.
    """
    received: list[int] = []
    wanted = SimpleQueue[bool]()

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        if number in received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)
        application.stopping = True
        server.stop(stop_delay if received == [signal.SIGTERM] else 0.0)

    with Server(served or application, listener, at_once=at_once, largest_body=largest_body) as server:
        handlers = {signal.SIGTERM: stop, signal.SIGINT: stop}
        if reload is not None and hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = lambda *_: wanted.put(True)
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            with _beside(reload, wanted, server.answered) if reload else nullcontext():
                announce()
                server.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return INTERRUPTED if received[:1] == [signal.SIGINT] else 0


@contextmanager
def _beside(
    reload: Callable[[Callable[[], None]], None], wanted: "SimpleQueue[bool]", answered: Callable[[], None]
) -> Iterator[None]:
    """A thread that reloads whenever it is wanted, so that the server goes on meanwhile."""

    def reload_when_wanted() -> None:
        while wanted.get():
            try:
                reload(answered)
            except Exception:
                logger.exception("not reloaded")  # the server goes on as it was, and may be asked again

    thread = Thread(target=reload_when_wanted, name="reloading")
    thread.start()
    try:
        yield
    finally:
        wanted.put(False)
        thread.join()


@contextmanager
def serving(
    application: WSGIApplication,
    listener: socket.socket | None = None,
    *,
    at_once: bool = False,
    largest_body: int | None = None,
) -> Iterator[str]:
    """The application served from a thread, by default on a free port of this machine; its address. For what stands beside
    the server, and for tests and tools.
    """
    with (
        listener or listening_socket("127.0.0.1", 0) as on,
        Server(application, on, at_once=at_once, largest_body=largest_body) as server,
    ):
        thread = Thread(target=server.run, name="serving")
        thread.start()
        try:
            yield server.url
        finally:
            server.stop()
            thread.join()
