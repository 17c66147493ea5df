"""From the flags of ``restserver proxy`` to a listening proxy, and from a signal to its summary and reports."""

import asyncio
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Final

import click

from contracts.clock import iso, real_now, uptime
from contracts.exit_codes import BROKEN, INTERRUPTED, UNREACHABLE
from contracts.harness.checking import contract_of, target_before
from contracts.harness.cli import FILES, Unusable
from contracts.harness.contract import Contract
from contracts.harness.names import Names
from contracts.harness.proxy.command import Options
from contracts.harness.proxy.gateway import Gateway
from contracts.harness.proxy.server_side import Failed, Server
from contracts.harness.proxy.summary import summary
from contracts.harness.proxy.watching import BAD_REQUESTS, PHASE, Watch
from contracts.harness.redacting import without
from contracts.harness.replaying import Replay
from contracts.harness.reports.writing import write_report
from contracts.harness.running import Outcome, Plan
from contracts.harness.transport import Client, Target

LONGEST_DRAIN: Final = 10.0
"""Seconds for what is under way when a signal comes."""


def run(options: Options) -> int:
    """The exit code. Raises ``click.ClickException``."""
    contract = contract_of(options.contract, options.style, [one for one in options.tolerate if one != BAD_REQUESTS])
    target = target_before(options.url, contract)
    if not (target.prefix.isascii() and target.prefix.isprintable() and " " not in target.prefix):
        raise Unusable(f"{options.url!r}: its path is not percent-encoded")
    keeps = bool({"har", "ndjson", "html"} & set(options.report))
    watch = Watch(contract, keeps, BAD_REQUESTS in options.tolerate)
    server = Server(target, options.timeout, options.insecure)
    began, started = real_now(), uptime()
    try:
        asyncio.run(_serve(options, Gateway(server, watch, options.errors)))
    except KeyboardInterrupt:
        return INTERRUPTED
    watch.end()
    outcome = _outcome(contract, target, watch, began, uptime() - started)
    replay = Replay(Client(target, insecure=options.insecure), None, (), 0, (PHASE,), None, None)
    secrets = sorted(watch.secrets, key=len, reverse=True)
    _say(summary(outcome, watch, replay), secrets)
    _report(options, outcome, replay, secrets)
    if outcome.findings.new and server.reached:
        return BROKEN
    if not server.reached:
        click.echo(f"restserver: {target.url} could never be reached", err=True)
        return UNREACHABLE
    return 0


async def _serve(options: Options, gateway: Gateway) -> None:
    """Until a signal comes. A second SIGINT does not wait for anybody."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def asked_to_stop() -> None:
        if stop.is_set():
            for task in asyncio.all_tasks():
                task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_stop)
    try:
        listening = await asyncio.start_server(gateway.client, options.host, options.port, backlog=1024)
    except OSError as error:
        raise Unusable(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}") from error
    await _probe(gateway.server, err=True)
    host, port = listening.sockets[0].getsockname()[:2]
    click.echo(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")
    try:
        await stop.wait()
        listening.close()
        await gateway.drain(LONGEST_DRAIN)
        await _probe(gateway.server, err=False)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        gateway.server.close()


async def _probe(server: Server, *, err: bool) -> None:
    """Whether somebody listens there; a server that comes up later is as good."""
    if server.reached:
        return
    try:
        server.keep(await server.connected())
    except Failed as failed:
        if err:
            click.echo(f"restserver: {server.target.url} does not answer yet: {failed.what}", err=True)


def _outcome(contract: Contract, target: Target, watch: Watch, began: int, seconds: float) -> Outcome:
    outcome = Outcome(
        target=target.url,
        contract=contract,
        plan=Plan(phases=(PHASE,)),
        names=Names((), ()),
        findings=watch.findings,
        meeting=watch.meeting,
        now=None,
        began=began,
        asked={PHASE: watch.of_api} if watch.of_api else {},
        seconds=seconds,
        exchanges=list(watch.exchanges),
        command=PHASE,
    )
    if watch.forgotten:
        since = iso(watch.exchanges[0].outcome.at) if watch.exchanges else "the end"
        outcome.notes.append(f"the reports hold the requests since {since}; {watch.forgotten} earlier ones had to go")
    return outcome


def _say(lines: Iterable[str], secrets: Sequence[str]) -> None:
    for line in lines:
        click.echo(without(line, secrets))
    sys.stdout.flush()


def _report(options: Options, outcome: Outcome, replay: Replay, secrets: Sequence[str]) -> None:
    if not options.report:
        return
    try:
        options.report_dir.mkdir(parents=True, exist_ok=True)
        for kind in options.report:
            path = options.report_dir / FILES[kind].replace("check", PHASE)
            write_report(kind, path, outcome, replay, secrets)
            click.echo(f"report: {path}")
    except OSError as error:
        raise Unusable(f"--report-dir: {options.report_dir} cannot be written: {error.strerror}") from error
