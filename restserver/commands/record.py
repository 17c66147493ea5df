"""``restserver record``, with what the recorder cannot know itself: how a launcher is asked over HTTP."""

import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from contracts.clock import Milliseconds, SystemClock
from contracts.exit_codes import INTERRUPTED, UNREACHABLE, USAGE
from contracts.harness.lengths import Length
from restserver.commands.options import options_of
from restserver.settings import BadSetting, Settings, from_process

if TYPE_CHECKING:
    from contracts.harness.recording.following import Ask
    from contracts.harness.recording.running import Recorded

_SETTINGS: Final = (
    "launcher_url",
    "rm_url",
    "dialect",
    "launcher_headers",
    "launcher_ca",
    "launcher_timeout",
    "config",
)


class Unreachable(click.ClickException):
    """The launcher never answered."""

    exit_code = UNREACHABLE


class NotRecorded(click.ClickException):
    """What is heard cannot be written, or what was written cannot be gone on from."""

    exit_code = USAGE


@click.command()
@options_of(_SETTINGS)
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of the recordings; what is there already is gone on from.",
)
@click.option(
    "--poll-interval",
    type=Length(100, 86_400_000),
    default="10s",
    show_default=True,
    metavar="DURATION",
    help="From look to look: 10, 10s, 1m, PT1M.",
)
@click.option(
    "--names",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Follows only these frameworks, a name a line, and asks for no list.",
)
@click.option(
    "--for",
    "lasting",
    type=Length(),
    metavar="DURATION",
    help="Ends after that long: 90, 90s, 30m, 12h, 7d, PT30M.  [default: when it is stopped]",
)
@click.option(
    "--anonymise",
    is_flag=True,
    help="Tells names, users, hosts, addresses and free texts by stable pseudonyms; their key lies beside the folder.",
)
def record(
    output: Path,
    poll_interval: Milliseconds,
    names: Path | None,
    lasting: Milliseconds | None,
    anonymise: bool,
    **flags: object,
) -> int:
    """Records what a launcher and its resource manager say, changes only, until it is stopped. It only ever asks.

    Secrets are never written: credentials in headers and URLs, and values that go by the name of a password, token or key.
    """
    from contracts.harness.recording.files import NotWritten
    from contracts.harness.recording.running import Plan
    from contracts.harness.recording.running import record as recording
    from contracts.launcher.recordings import RecordingsError

    settings = from_process({**flags, "backend": "launcher"})
    plan = Plan(
        folder=output,
        dialect=settings.dialect,
        interval=poll_interval / 1000,
        lasting=lasting,
        headers=settings.launcher_headers,
        names=None if names is None else _names(names),
        asks_resource_manager=settings.rm_url is not None,
        anonymise=anonymise,
    )
    stop, received = threading.Event(), list[int]()

    def stopped(number: int, frame: FrameType | None) -> None:
        del frame
        if number in received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)
        stop.set()

    def began(recorded: "Recorded") -> None:
        click.echo(f"recording {settings.launcher_url} into {output}")
        if recorded.key is not None:
            click.echo(f"the key of the pseudonyms is {recorded.key}; whoever has it can undo them", err=True)

    with ExitStack() as stack:
        ask = asking(settings, stack)
        for number in (signal.SIGTERM, signal.SIGINT):
            stack.callback(signal.signal, number, signal.signal(number, stopped))
        try:
            recorded = recording(plan, ask, stop, began=began, warn=lambda text: click.echo(text, err=True))
        except (NotWritten, RecordingsError) as error:
            raise NotRecorded(str(error)) from error
    click.echo(
        f"{recorded.written} answers written in {recorded.looks} looks; {recorded.unanswered} questions got no answer"
    )
    if recorded.looks and not recorded.answered:
        raise Unreachable(f"{settings.launcher_url} never answered")
    return INTERRUPTED if received[:1] == [signal.SIGINT] else 0


def asking(settings: Settings, stack: ExitStack) -> "Ask":
    """Whatever is asked is answered, if only by the reason why not."""
    from contracts.launcher.port import Ask as Deadline
    from contracts.launcher.port import LauncherError
    from contracts.launcher.recordings import LAUNCHER, RESOURCE_MANAGER, Response
    from restserver.launchers.target import BadTarget
    from restserver.launchers.transport import Transport

    urls = {
        LAUNCHER: (settings.launcher_url, "The launcher"),
        RESOURCE_MANAGER: (settings.rm_url, "The resource manager"),
    }
    try:
        transports = {
            source: stack.enter_context(
                Transport(
                    url,
                    clock=SystemClock(),
                    timeout=round(settings.launcher_timeout * 1000),
                    who=who,
                    headers=settings.launcher_headers,
                    ca_file=None if settings.launcher_ca is None else str(settings.launcher_ca),
                )
            )
            for source, (url, who) in urls.items()
            if url is not None
        }
    except BadTarget as error:
        raise BadSetting("launcher-url, rm-url, launcher-header or launcher-ca", str(error)) from error

    def ask(source: str, path: str) -> Response:
        try:
            reply = transports[source].get(path, Deadline())
        except LauncherError as error:
            return Response(None, str(error), {}, None)
        headers: dict[str, str | list[str]] = {}
        for name, value in reply.headers:
            before = headers.get(name)
            headers[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
        return Response(reply.status, reply.reason, headers, reply.body.decode("utf-8", "surrogateescape"))

    return ask


def _names(path: Path) -> tuple[str, ...]:
    from contracts.launcher.framework_name import is_framework_name

    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting("names", f"{path} cannot be read: {error}") from error
    names = tuple(dict.fromkeys(line for line in lines if line))
    wrong = next((name for name in names if not is_framework_name(name)), None)
    if wrong is not None or not names:
        raise BadSetting(
            "names", f"{path} has no name in it" if wrong is None else f"{wrong!r} in {path} is no name of a framework"
        )
    return names
