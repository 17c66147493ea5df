"""A proxy on a thread of its own, and raw bytes to and from it."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from contracts.harness.contract import our_contract
from contracts.harness.proxy.gateway import Gateway
from contracts.harness.proxy.server_side import Server
from contracts.harness.proxy.watching import Watch
from contracts.harness.transport import target_of


@dataclass
class Proxied:
    port: int
    watch: Watch
    gateway: Gateway

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rules(self) -> list[str]:
        return [finding.rule for finding in self.watch.findings.new]


@contextmanager
def proxied(
    url: str, *, errors: bool = False, timeout: float = 5.0, style: str = "documented", tolerate: Sequence[str] = ()
) -> Iterator[Proxied]:
    watch = Watch(our_contract(style), keeps=True, tolerates_bad_requests="bad-requests" in tolerate)
    gateway = Gateway(Server(target_of(url), timeout, insecure=True), watch, errors)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(gateway.client, "127.0.0.1", 0)

    async def end() -> None:
        listening.close()
        await gateway.drain(2.0)
        gateway.server.close()
        for _ in range(10):  # what was closed is taken leave of in one of the next turns
            await asyncio.sleep(0)

    listening = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield Proxied(listening.sockets[0].getsockname()[1], watch, gateway)
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        watch.end()


def said(port: int, request: bytes, *, until: bytes | None = None) -> bytes:
    """Everything that comes back, up to the end of the connection or ``until``."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request)
        received = b""
        while until is None or until not in received:
            piece = sock.recv(1 << 16)
            if not piece:
                break
            received += piece
    return received


def get(path: str, *headers: str, method: str = "GET", close: bool = True) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: proxy", *headers, *(["Connection: close"] if close else [])]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
