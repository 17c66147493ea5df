"""``restserver check URL``. Exit 0: the contract is kept; 1: it is broken; 2: usage; 3: nobody answers; 130: interrupted.

A launcher to ask for names comes in from outside, since this package knows none: see :func:`check_command`.
"""

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from contracts import registry
from contracts.clock import Instant, from_iso
from contracts.exit_codes import UNREACHABLE, USAGE

if TYPE_CHECKING:
    from contracts.harness.control import ListedJob

DEFAULT_TIMEOUT: Final = 10.0
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
REPORTS: Final = ("junit", "har", "ndjson", "html")
FILES: Final = {"junit": "junit.xml", "har": "requests.har", "ndjson": "check.ndjson", "html": "check.html"}

NamesOfLauncher = Callable[[str, str], Iterable["ListedJob"]]
"""What a launcher lists, by its URL and dialect. Raises :class:`NoLauncher`."""


class NoLauncher(Exception):
    """The launcher cannot be asked for names. One line."""


class Unusable(click.ClickException):
    """One line, exit 2."""

    exit_code = USAGE


class Unreachable(click.ClickException):
    """One line, exit 3."""

    exit_code = UNREACHABLE


class OneOf(click.ParamType[tuple[str, ...]]):
    """Several words of a list, separated by commas."""

    name = "list"

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        del param, ctx
        return ",".join(self._words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        given = tuple(word.strip() for word in str(value).split(",") if word.strip())
        wrong = [word for word in given if word not in self._words]
        if wrong or not given:
            self.fail(f"{value!r} is not some of {', '.join(self._words)}", param, ctx)
        return given


class At(click.ParamType[Instant]):
    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        try:
            return from_iso(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no instant: 2026-03-01T12:00:00Z is", param, ctx)


class Header(click.ParamType[tuple[str, str]]):
    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, colon, content = str(value).partition(":")
        printable = value.isprintable() and name.isascii() and name.strip() and " " not in name.strip()
        if not colon or not printable:
            self.fail("a header is 'Name: value'", param, ctx)  # the value may be a secret
        return name.strip(), content.strip()


class Rate(click.ParamType[float]):
    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number, _, unit = str(value).partition("/")
        seconds = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
        try:
            rate = float(number) / seconds[unit]
        except (ValueError, KeyError):
            rate = 0.0
        if not 0 < rate < 1e9:
            self.fail(f"{value!r} is no rate: 100/s and 600/m are", param, ctx)
        return rate


@dataclass(frozen=True)
class Options:
    """The flags of ``check``."""

    url: str
    style: str
    contract: Path | None
    names: Path | None
    launcher_url: str | None
    dialect: str
    recordings: Path | None
    admin_url: str | None
    phases: tuple[str, ...]
    seed: int
    at: Instant | None
    max_examples: int
    max_time: float | None
    timeout: float
    workers: int
    rate_limit: float | None
    header: tuple[tuple[str, str], ...]
    insecure: bool
    wait_for: float
    tolerate: tuple[str, ...]
    baseline: Path | None
    fail_under: float | None
    report: tuple[str, ...]
    report_dir: Path


_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

_FLAGS: Final[Sequence[tuple[tuple[str, ...], Mapping[str, Any]]]] = (
    (("--style",), {"type": click.Choice(registry.STYLES), "default": "documented", "help": "How the server names its answers."}),
    (("--contract",), {"type": _FILE, "help": "Another OpenAPI 3 document of the same API to judge by."}),
    (("--names",), {"type": _FILE, "help": "Real names of jobs, one a line."}),
    (("--launcher-url",), {"metavar": "URL", "help": "A launcher that lists real names."}),
    (("--dialect",), {"type": click.Choice(("private", "open")), "default": "private", "help": "How that launcher speaks."}),
    (("--recordings",), {"type": click.Path(exists=True, path_type=Path), "help": "Recordings that hold real names."}),
    (("--admin-url",), {"metavar": "URL|off", "help": "Where a control plane is, the server's or its launcher's: lists names, breaks the launcher; the server's own clock is moved; all is put back. [default: the same server, if it has one]"}),
    (("--phases",), {"type": OneOf(PHASES), "default": ",".join(PHASES), "show_default": False, "help": "Which phases run. [default: all]"}),
    (("--seed",), {"type": click.IntRange(0), "default": 1, "help": "What is asked; the same seed asks the same."}),
    (("--at",), {"type": At(), "metavar": "INSTANT", "help": "The control plane's clock stands there during the check."}),
    (("-n", "--max-examples"), {"type": click.IntRange(1), "default": 1000, "help": "Requests over all phases, about."}),
    (("--max-time",), {"type": click.FloatRange(0, min_open=True), "metavar": "SECONDS", "help": "Ends the check after that long."}),
    (("--timeout",), {"type": click.FloatRange(0, min_open=True), "default": DEFAULT_TIMEOUT, "metavar": "SECONDS", "help": "For one whole answer."}),
    (("-w", "--workers"), {"type": click.IntRange(1, 64), "default": 1, "help": "Requests at a time."}),
    (("--rate-limit",), {"type": Rate(), "metavar": "N/s|N/m", "help": "Requests a second or minute, at most."}),
    (("--header",), {"type": Header(), "multiple": True, "metavar": "'NAME: VALUE'", "help": "Sent with every request to the server and its control plane."}),
    (("--insecure",), {"is_flag": True, "help": "Takes any TLS certificate."}),
    (("--wait-for",), {"type": click.FloatRange(0), "default": 0.0, "metavar": "SECONDS", "help": "Waits that long for the server to come up."}),
    (("--tolerate",), {"type": click.Choice(("extra-keys",)), "multiple": True, "help": "What is no finding."}),
    (("--baseline",), {"type": _FILE, "help": "Fingerprints of findings that are known, one a line: they fail nothing."}),
    (("--fail-under",), {"type": click.FloatRange(0, 100), "metavar": "PERCENT", "help": "Fails if less of the contract was met."}),
    (("--report",), {"type": OneOf(REPORTS), "default": (), "show_default": False, "help": "Reports to write besides."}),
    (("--report-dir",), {"type": click.Path(file_okay=False, path_type=Path), "default": Path("check-report"), "help": "Where they go."}),
)  # fmt: skip


def check_command(names_of_launcher: NamesOfLauncher | None = None) -> click.Command:
    """The command; ``--launcher-url`` needs what asks a launcher."""

    def check(**flags: Any) -> int:
        """Tests a running server against the contract: its words, its values, its laws over time."""
        return _check(Options(**flags), names_of_launcher)

    command: Any = check
    for names, settings in reversed(_FLAGS):
        command = click.option(*names, **{"show_default": "default" in settings, **settings})(command)
    made: click.Command = click.command(context_settings={"help_option_names": ["--help"]})(
        click.argument("url", metavar="URL")(command)
    )
    return made


def _check(options: Options, names_of_launcher: NamesOfLauncher | None) -> int:
    if any(importlib.util.find_spec(module) is None for module in ("schemathesis", "hypothesis", "jsonschema_rs")):
        raise Unusable("check needs what is not installed: pip install 'restserver[check]'")
    from contracts.harness.checking import check  # only now: what it needs is there

    return check(options, names_of_launcher)
