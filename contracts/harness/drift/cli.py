"""``restserver drift``. Exit 0: nothing drifted; 1: something did; 2: usage; 3: the launcher cannot be reached.

Simulator, server and launcher come in from outside, since this package knows none: see :func:`drift_command`.
"""

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from contracts import registry
from contracts.clock import Milliseconds
from contracts.harness.cli import Header, Unreachable, Unusable
from contracts.harness.lengths import Length

if TYPE_CHECKING:
    from contracts.harness.drift.sides import Real, Simulated
    from contracts.harness.drift.watching import Live
    from contracts.harness.observations import Observation


@dataclass(frozen=True)
class Options:
    """The flags of ``drift``."""

    recordings: Path | None
    launcher_url: str | None
    rm_url: str | None
    dialect: str
    launcher_header: tuple[tuple[str, str], ...]
    launcher_ca: Path | None
    watch_for: Milliseconds
    poll_interval: Milliseconds
    timeout: float
    profile: str | None
    seed: int
    waivers: Path | None
    as_json: bool
    folder: Path


class Sides(Protocol):
    """What the command needs from outside."""

    def simulated(self, profile: str | None, seed: int) -> "Simulated":
        """Raises ``ValueError`` for a profile that is none."""

    def present(self, real: "Real", style: str) -> "Sequence[Observation]": ...

    def live(self, options: Options) -> "Live":
        """Raises ``ValueError`` for an address that no call can be made with."""


_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_FLAGS: Final[Sequence[tuple[tuple[str, ...], Mapping[str, Any]]]] = (
    (("--recordings",), {"type": click.Path(exists=True, path_type=Path), "help": "A folder of recordings (or one) of a real launcher."}),
    (("--launcher-url",), {"metavar": "URL", "help": "A live launcher instead; it is only read."}),
    (("--rm-url",), {"metavar": "URL", "help": "Its resource manager."}),
    (("--dialect",), {"type": click.Choice(("private", "open")), "default": "private", "help": "How that launcher speaks."}),
    (("--launcher-header",), {"type": Header(), "multiple": True, "metavar": "'NAME: VALUE'", "help": "Sent with every request to it."}),
    (("--launcher-ca",), {"type": _FILE, "help": "Certificates to trust toward it."}),
    (("--for", "watch_for"), {"type": Length(0, 3_600_000), "default": "20s", "metavar": "DURATION", "help": "How long it is watched: 20, 20s, 5m, PT5M."}),
    (("--poll-interval",), {"type": Length(100, 600_000), "default": "1s", "metavar": "DURATION", "help": "From look to look."}),
    (("--timeout",), {"type": click.FloatRange(0, min_open=True), "default": 10.0, "metavar": "SECONDS", "help": "For one answer of it."}),
    (("--profile",), {"metavar": "NAME|FILE", "help": "The simulator's mix of jobs; its intervals are then the only ones the real side may have. [default: default, any known intervals]"}),
    (("--seed",), {"type": click.IntRange(0), "default": 1, "help": "Of the simulated world."}),
    (("--waivers",), {"type": _FILE, "help": "YAML: findings to live with, each with a pattern, a reason and a day it ends."}),
    (("--json", "as_json"), {"is_flag": True, "help": "For programs."}),
    (("--folder",), {"type": click.Path(exists=True, file_okay=False, path_type=Path), "default": registry.FOLDER, "show_default": False, "help": "Where api.md and what is derived from it are. [default: this package]"}),
)  # fmt: skip


def drift_command(sides: Sides) -> click.Command:
    """The command over what only others know."""

    def drift(**flags: Any) -> int:
        """Document, schemas, simulator and a real launcher (live, or recorded) against each other."""
        return _drift(Options(**flags), sides)

    command: Callable[..., Any] = drift
    for names, settings in reversed(_FLAGS):
        command = click.option(*names, **{"show_default": "default" in settings, **settings})(command)
    made: click.Command = click.command(context_settings={"help_option_names": ["--help"]})(command)
    return made


def _drift(options: Options, sides: Sides) -> int:
    if options.recordings is not None and options.launcher_url is not None:
        raise Unusable("--recordings or --launcher-url: one real side at a time")
    if options.rm_url is not None and options.launcher_url is None:
        raise Unusable("--rm-url needs --launcher-url")
    if any(importlib.util.find_spec(module) is None for module in ("jsonschema_rs", "hypothesis")):
        raise Unusable("drift needs what is not installed: pip install 'restserver[check]'")
    from contracts.clock import real_now  # only now: what these need is there
    from contracts.harness.drift import report
    from contracts.harness.drift.comparing import compare
    from contracts.harness.drift.waivers import BadWaivers, read_waivers

    try:
        waivers = () if options.waivers is None else read_waivers(options.waivers)
        simulated = sides.simulated(options.profile, options.seed)
    except BadWaivers as error:
        raise Unusable(f"--waivers: {error}") from error
    except ValueError as error:
        raise Unusable(f"--profile: {error}") from error
    drift = compare(options.folder, simulated, _real(options, sides), sides.present, waivers, real_now())
    if options.as_json:
        click.echo(json.dumps(report.document(drift), indent=1))
    else:
        for line in report.page(drift):
            click.echo(line)
    return 1 if drift.found else 0


def _real(options: Options, sides: Sides) -> "Real | None":
    from contracts.clock import SystemClock
    from contracts.harness.drift.recorded import recorded
    from contracts.harness.drift.watching import NoAnswer, watch
    from contracts.launcher.recordings import RecordingsError

    if options.recordings is not None:
        try:
            return recorded(options.recordings)
        except RecordingsError as error:
            raise Unusable(f"--recordings: {error}") from error
    if options.launcher_url is None:
        return None
    try:
        with closing(sides.live(options)) as live:
            return watch(live, SystemClock(), options.watch_for, options.poll_interval)
    except NoAnswer as error:
        raise Unreachable(f"--launcher-url: {error}") from error
    except ValueError as error:
        raise Unusable(f"--launcher-url, --rm-url, --launcher-header or --launcher-ca: {error}") from error
