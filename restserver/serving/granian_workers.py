"""Runs the application under granian, the extra ``restserver[fast]``: HTTP is spoken in Rust, by as many processes as are wanted.

Granian's own process looks after worker processes, and each of them builds an application of its own: nothing that has
threads or connections is carried over a fork. What they have to tell each other goes two ways. A worker tells when it has
built its application, or what is wrong with the settings; the main process tells when the end is near, so that ``/readyz``
says so before anything stops.

SIGTERM ends it with 0, once what was asked is answered. SIGHUP has every worker replaced by one that reads configuration and
secrets anew, one after the other, while the others answer; settings that are wrong are told, and nothing is replaced.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from ctypes import c_bool
from dataclasses import dataclass, field
from multiprocessing.util import Finalize
from threading import Thread, Timer
from types import FrameType
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from contracts.clock import pause
from contracts.exit_codes import INTERRUPTED, USAGE
from restserver.serving import waitress_server
from restserver.serving.strict_granian import strictly
from restserver.settings import BadSetting

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

    from granian.server.common import AbstractServer

logger = logging.getLogger(__name__)

Served = AbstractContextManager[tuple[waitress_server.Stoppable, WSGIApplication]]
"""The application, and what stands around it; on leaving, what it holds is closed."""

KILLED_AFTER = waitress_server.LONGEST_DRAIN + 5
"""Seconds a worker has to finish what is in flight; after that it is killed."""


class NotInstalled(Exception):
    """Granian is an extra."""

    def __init__(self) -> None:
        super().__init__("'granian' needs what is not installed: pip install 'restserver[fast]'")


def require_granian() -> None:
    """Raises :class:`NotInstalled`."""
    try:
        import granian  # noqa: F401  # whether it is there
    except ImportError as error:
        raise NotInstalled from error


def reserved_port(host: str, port: int) -> tuple[socket.socket, str]:
    """A port that workers can share, held until they do; and its address. Raises :class:`waitress_server.PortTaken`."""
    # Sockets that share a port never find it taken, so one that does not share looks first.
    with waitress_server.listening_socket(host, port) as first:
        family, address = first.family, first.getsockname()
    held = socket.socket(family, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        held.bind(address)
    except OSError as error:
        held.close()
        raise waitress_server.PortTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return held, waitress_server.url_of(held)


@dataclass
class _Loader:
    """Builds the application in a worker; picklable, for systems whose processes do not fork."""

    make: Callable[[], Served]
    told: "SimpleQueue[str | None]"
    stopping: "c_bool"
    """Shared by all processes, and looked at now and then: multiprocessing's events hang once a process that waits dies."""

    def __call__(self) -> WSGIApplication:
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
        ):  # a fork has its parent's; granian takes them over when it serves
            signal.signal(number, signal.SIG_DFL)
        _forget_headers()
        served = self.make()
        try:
            application, around = served.__enter__()
        except BadSetting as error:
            self.told.put(str(error))
            self._wait()  # the main process ends this one, without calling it a crash
            sys.exit(USAGE)
        Finalize(None, served.__exit__, args=(None, None, None), exitpriority=1)
        Thread(target=self._tell, args=(application,), name="stopping", daemon=True).start()
        self.told.put(None)
        return strictly(around)

    def _wait(self) -> None:
        while not self.stopping.value:
            pause(0.1)

    def _tell(self, application: waitress_server.Stoppable) -> None:
        self._wait()
        application.stopping = True


def _forget_headers() -> None:
    """Granian puts the process's environment under that of each request, where such variables would pass for headers."""
    for name in [name for name in os.environ if name.startswith("HTTP_") or name == "REQUEST_URI"]:
        del os.environ[name]


@contextmanager
def beside_a_worker(application: WSGIApplication, host: str, ports: Sequence[int]) -> Iterator[None]:
    """Serves what looks after one worker on the first of the ports that is free: there are as many as workers.

    A worker that replaces another waits for its port while it serves already.
    """
    ended = threading.Event()

    def serve_once_free() -> None:
        warned = False
        while not ended.is_set():
            for port in ports:
                with (
                    suppress(waitress_server.PortTaken),
                    waitress_server.serving(application, waitress_server.listening_socket(host, port)) as url,
                ):
                    logger.info("management on %s", url)
                    ended.wait()
                    return
            if not warned:
                logger.warning(
                    "no port of %d to %d is free for the management of a worker: waiting", ports[0], ports[-1]
                )
            warned = True
            ended.wait(0.2)

    thread = Thread(target=serve_once_free, name="management")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass
class _Main:
    """The main process: its signals, and what workers told it."""

    server: "AbstractServer[Any]"
    loader: _Loader
    announce: Callable[[], None]
    judge: Callable[[], str]
    stop_delay: float
    received: list[int] = field(default_factory=list)
    wrong: str | None = None

    def stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        first = not self.received
        self.received.append(number)
        self.loader.stopping.value = True
        if first and number == signal.SIGTERM and self.stop_delay:
            delayed = Timer(self.stop_delay, self.end)
            delayed.daemon = True
            delayed.start()
        else:
            self.end()

    def end(self) -> None:
        self.server.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian's own has no types

    def reload(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        try:
            changed = self.judge()
        except BadSetting as error:
            logger.error("not reloaded: %s", error)
        else:
            logger.info("reloading; %s", changed)
            self.server.signal_handler_reload()  # type: ignore[no-untyped-call]  # granian's own has no types

    def take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self.reload)

    def listen_to_workers(self, address: tuple[str, int]) -> None:
        """Until the process ends. The first that is ready is announced, once it can be reached."""
        announced = False
        while True:
            self.wrong = self.loader.told.get()
            if self.wrong is not None and not announced:
                logging.getLogger("_granian").disabled = True  # one line says it all, and it is not granian's
                self.loader.stopping.value = True
                self.end()
                return
            if self.wrong is not None:
                logger.error("a worker could not be replaced: %s", self.wrong)
            elif not announced:
                while not _reachable(address):
                    pause(0.01)
                self.announce()
                announced = True


def _reachable(address: tuple[str, int]) -> bool:
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


def serve(
    make: Callable[[], Served],
    held: socket.socket,
    announce: Callable[[], None],
    judge: Callable[[], str],
    workers: int,
    stop_delay: float,
) -> int:
    """Serves on the port ``held`` until SIGTERM (0) or SIGINT (130); the exit code. Raises what a worker found wrong.

    ``judge`` tells what a reload changes, and raises BadSetting where it would fail.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    host, port = held.getsockname()[:2]
    context = multiprocessing.get_context()
    loader = _Loader(make, context.SimpleQueue(), context.RawValue(c_bool, False))
    server = Server(
        "restserver",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=waitress_server.THREADS,
        backpressure=waitress_server.CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=waitress_server.LONGEST_ARRIVAL * 1000, max_buffer_size=waitress_server.LONGEST_HEAD
        ),
        websockets=False,
        log_level=LogLevels.error,  # below that it warns of the number of threads, which are for waiting for launchers
        log_dictconfig=_TO_THE_SERVERS_LOG,
        respawn_failed_workers=True,
        workers_kill_timeout=KILLED_AFTER,
    )
    main = _Main(server, loader, announce, judge, stop_delay)
    server.on_startup(main.take_signals)
    Thread(target=main.listen_to_workers, args=((host, port),), name="workers", daemon=True).start()
    code: Any = 0
    try:
        server.serve(target_loader=loader, wrap_loader=False)
    except SystemExit as ended:
        code = ended.code
    if main.wrong is not None and not main.received:
        key, _, reason = main.wrong.partition(": ")
        raise BadSetting(key, reason)
    if main.received:
        return INTERRUPTED if main.received[0] == signal.SIGINT else 0
    return int(code or 0)


_TO_THE_SERVERS_LOG = {
    "formatters": {},
    "handlers": {},
    "loggers": {
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": False},
    },
}
