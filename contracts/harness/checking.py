"""From the flags of ``restserver check`` to a check and its reports; what is wrong with the flags is one line and exit 2."""

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import click

from contracts.clock import Instant, pause, uptime
from contracts.exit_codes import BROKEN, INTERRUPTED
from contracts.harness.cli import (
    DEFAULT_TIMEOUT,
    FILES,
    NamesOfLauncher,
    NoLauncher,
    Options,
    Unreachable,
    Unusable,
)
from contracts.harness.contract import BadContract, Contract, contract_of_file, our_contract
from contracts.harness.control import ControlPlane, NoControl
from contracts.harness.findings import BadBaseline, read_baseline
from contracts.harness.names import BadNames, Names, gathered
from contracts.harness.observations import GET_JOB
from contracts.harness.redacting import redacted, secrets_in, without
from contracts.harness.replaying import Replay
from contracts.harness.reports import terminal
from contracts.harness.reports.writing import write_report
from contracts.harness.running import Check, Outcome, Plan
from contracts.harness.transport import REFUSED, Answered, BadUrl, Client, Request, Target, Unanswered, target_of

BETWEEN_TRIES: Final = 0.2


def check(options: Options, names_of_launcher: NamesOfLauncher | None) -> int:
    """The exit code. Raises ``click.ClickException``."""
    contract = contract_of(options.contract, options.style, options.tolerate)
    target = target_before(options.url, contract)
    client = Client(target, options.timeout, options.header, options.insecure)
    accepted = _accepted(options.baseline)
    with _writing(options):  # first of all: nobody wants to hear of it at the end
        if options.report:
            options.report_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_clients, _ended_as_interrupted():
        open_clients.enter_context(closing(client))
        return _with(options, contract, client, accepted, names_of_launcher, open_clients)


def _with(
    options: Options,
    contract: Contract,
    client: Client,
    accepted: frozenset[str],
    names_of_launcher: NamesOfLauncher | None,
    open_clients: ExitStack,
) -> int:
    _await(client, options.wait_for)
    control = _control(options, client, open_clients)
    if options.at is not None and control is None:
        raise Unusable("--at needs a control plane, and there is none that answers")
    clock_of = control if control is not None and _lives_by_a_clock(client, contract) else None
    if options.at is not None and clock_of is None:
        raise Unusable("--at: the server does not live by the clock of that control plane")
    secrets = secrets_in(options.header)

    def say(lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(without(line, secrets))

    outcome: Outcome | None = None
    try:
        with ExitStack() as clock:
            now, note = _held(options, clock_of, clock)
            # Names first now: what is listed depends on the time it is.
            names = _names(options, control, names_of_launcher)
            say(terminal.heading(client.target.url, contract.source, names.sources, contract.style))
            keeps = bool({"har", "ndjson", "html"} & set(options.report))
            run = Check(client, contract, _plan(options, accepted), names, control, now, keeps, progress=_progress())
            outcome = run.run()
            outcome.notes += note
    except NoControl as error:
        if outcome is None:
            raise Unusable(f"the control plane failed: {error}") from error
        outcome.notes.append(f"the clock could not be put back: {error}")
    steered = None if control is None else control.client
    replay = Replay(client, steered, _command(options), options.seed, options.phases, outcome.now, outcome.simulated)
    say(terminal.report(outcome, replay, options.fail_under))
    with _writing(options):
        for kind in options.report:
            path = options.report_dir / FILES[kind]
            write_report(kind, path, outcome, replay, secrets)
            say([f"report: {path}"])
    if outcome.interrupted:
        return INTERRUPTED
    too_little = options.fail_under is not None and outcome.meeting.percent() < options.fail_under
    return BROKEN if outcome.findings.new or too_little else 0


@contextmanager
def _writing(options: Options) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unusable(f"--report-dir: {options.report_dir} cannot be written: {error.strerror}") from error


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """A CI server ends a job with SIGTERM: what was changed is then put back, too, as after Ctrl-C.

    Either may come while the interpreter is where nothing can be raised (in a callback of the garbage collector, say): it would only
    tell that it ignored it. Then it comes again in a moment.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    def ignored(what: "sys.UnraisableHookArgs") -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            again.append(threading.Timer(0.05, signal.raise_signal, [signal.SIGTERM]))
            again[-1].start()
        else:
            told_by(what)

    again: list[threading.Timer] = []
    before, told_by = signal.signal(signal.SIGTERM, interrupt), sys.unraisablehook
    sys.unraisablehook = ignored
    try:
        yield
    finally:
        for timer in again:
            timer.cancel()
        sys.unraisablehook = told_by
        signal.signal(signal.SIGTERM, before)


def _plan(options: Options, accepted: frozenset[str]) -> Plan:
    return Plan(
        phases=options.phases,
        seed=options.seed,
        max_examples=options.max_examples,
        max_time=options.max_time,
        workers=options.workers,
        per_second=options.rate_limit,
        accepted=accepted,
    )


def _progress() -> Callable[[str], None]:
    if sys.stderr.isatty():
        return lambda phase: click.echo(f"{phase} ...", err=True)
    return lambda phase: None


def contract_of(file: Path | None, style: str, tolerate: Sequence[str]) -> Contract:
    """Ours, or that of ``--contract``."""
    if file is None:
        return our_contract(style, tolerate)
    try:
        return contract_of_file(file, style, tolerate)
    except (BadContract, OSError, UnicodeDecodeError) as error:
        raise Unusable(f"--contract: {error}") from error


def target_before(url: str, contract: Contract) -> Target:
    """Where the server is; the base path of the API may be in the URL or not."""
    target = _target(url)
    if contract.base and target.prefix.endswith(contract.base):
        return Target(target.scheme, target.host, target.port, target.prefix.removesuffix(contract.base))
    return target


def _target(url: str) -> Target:
    try:
        return target_of(url)
    except BadUrl as error:
        raise Unusable(str(error)) from error


def _accepted(path: Path | None) -> frozenset[str]:
    if path is None:
        return frozenset()
    try:
        return read_baseline(path)
    except (BadBaseline, OSError, UnicodeDecodeError) as error:
        raise Unusable(f"--baseline: {error}") from error


def _await(client: Client, seconds: float) -> None:
    """Returns once somebody listens. A server that listens and says nothing is a finding, not this."""
    until = uptime() + seconds
    while True:
        answer = client.ask(Request("HEAD", "/"))
        silent = isinstance(answer, Unanswered) and answer.kind == REFUSED
        if not silent:
            return
        if uptime() >= until:
            assert isinstance(answer, Unanswered)  # noqa: S101 - that is what silent means
            waited = f" within {seconds:g} s" if seconds else ""
            raise Unreachable(f"{client.target.url} cannot be reached{waited}: {answer.what}")
        pause(BETWEEN_TRIES)


def _control(options: Options, client: Client, open_clients: ExitStack) -> ControlPlane | None:
    """The control plane that is named, or that of the server itself if it has one that can be used."""
    if options.admin_url == "off":
        return None
    # A client of its own: what the server does to the connections of the check must not reach its control plane.
    where = client.target if options.admin_url is None else _target(options.admin_url)
    other = Client(where, options.timeout, options.header, options.insecure)
    control = ControlPlane(open_clients.enter_context(closing(other)))
    try:
        control.clock()
    except NoControl as error:
        if options.admin_url is not None:
            raise Unusable(f"--admin-url: {error}") from error
        return None
    return control


def _lives_by_a_clock(client: Client, contract: Contract) -> bool:
    """Whether the server itself lives by a clock that can be held.

    One that only asks a simulated launcher does not: its clock may be held there, but not turned back, for the server may
    keep what it heard, and remember it.
    """
    answer = client.ask(Request("GET", contract.path_of(GET_JOB, "no-such-job~0")))
    return isinstance(answer, Answered) and any(answer.header(name) for name in ("x-simulated", "x-recorded"))


def _held(options: Options, control: ControlPlane | None, clock: ExitStack) -> tuple[Instant | None, list[str]]:
    """Where the clock of the control plane now stands still, and what is to be said about it.

    A clock that was found by chance and cannot be held is left alone; one that was asked for must do as it is told.
    """
    if control is None:
        return None, []
    try:
        reading = clock.enter_context(control.held(options.at))
    except NoControl as error:
        if options.admin_url is not None or options.at is not None:
            raise
        return None, [f"time is real: {error}"]
    return reading.now, []


def _names(options: Options, control: ControlPlane | None, names_of_launcher: NamesOfLauncher | None) -> Names:
    launcher = None
    if options.launcher_url is not None:
        if names_of_launcher is None:
            raise Unusable("--launcher-url: nothing here can ask a launcher")
        launcher = partial(names_of_launcher, options.launcher_url, options.dialect)
    try:
        return gathered(control, launcher, options.names, options.recordings)
    except (BadNames, NoLauncher) as error:
        raise Unusable(str(error)) from error


def _command(options: Options) -> tuple[str, ...]:
    """The call again, without phases, seed and instant; of a secret header only the name and the scheme."""
    words = ["restserver", "check", options.url]
    plain = {
        "--style": options.style if options.style != "documented" else None,
        "--contract": options.contract,
        "--names": options.names,
        "--launcher-url": options.launcher_url,
        "--dialect": options.dialect if options.launcher_url else None,
        "--recordings": options.recordings,
        "--admin-url": options.admin_url,
        "-n": options.max_examples,
        "--timeout": options.timeout if options.timeout != DEFAULT_TIMEOUT else None,
    }
    for flag, value in plain.items():
        if value is not None:
            words += [flag, str(value)]
    for tolerated in options.tolerate:
        words += ["--tolerate", tolerated]
    for name, value in redacted(options.header):
        words += ["--header", f"{name}: {value}"]
    return (*words, *(["--insecure"] if options.insecure else []))
