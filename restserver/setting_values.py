"""How the text of a setting is read. Each parser gives the value or raises ``ValueError`` with what is wrong, put so that it
reads on after the value: ``'99999' is not between 0 and 65535``.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from contracts.clock import FASTEST, Instant, Milliseconds, from_iso
from restserver.answers.exit_spec import BadExitSpec, ExitSpec, read_exit_spec

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

Network: TypeAlias = "IPv4Network | IPv6Network"

_HEADER: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)", re.DOTALL)
_WORDS: Final = {
    "on": True,
    "true": True,
    "1": True,
    "yes": True,
    "off": False,
    "false": False,
    "0": False,
    "no": False,
}


class Allowance(NamedTuple):
    """So many requests a period, at once if need be."""

    requests: int
    period: Milliseconds

    def __str__(self) -> str:
        """``600 requests a minute``"""
        return f"{self.requests} request{'' if self.requests == 1 else 's'} {_PERIODS[self.period]}"


_PERIODS: Final = {1_000: "a second", 60_000: "a minute", 3_600_000: "an hour"}


def text(value: str) -> str:
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"is not one of {', '.join(allowed)}")
        return value

    return parse


def integer(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,20}", value):
            raise ValueError("is not an integer")
        number = int(value)
        if not least <= number <= most:
            raise ValueError(f"is not between {least} and {most}")
        return number

    return parse


def on_off(value: str) -> bool:
    if value.lower() not in _WORDS:
        raise ValueError("is neither on nor off")
    return _WORDS[value.lower()]


def seconds(value: str) -> float:
    number = _number(value.removesuffix("s").strip())
    if not 0 < number <= 3600:
        raise ValueError("is not a number of seconds above 0 and at most 3600")
    return number


def seconds_or_none(value: str) -> float:
    """0 is none."""
    number = _number(value.removesuffix("s").strip())
    if not 0 <= number <= 3600:
        raise ValueError("is not a number of seconds between 0 and 3600")
    return number


def rate(value: str) -> float:
    number = _number(value)
    if not 0 < number <= FASTEST:
        raise ValueError(f"is not above 0 and at most {FASTEST:.0f}")
    return number


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ValueError("is not a number") from None
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return number


def allowance(value: str) -> Allowance:
    found = re.fullmatch(r"([1-9][0-9]{0,6})/([smh])", value)
    if found is None:
        raise ValueError("is not a number of requests a second, minute or hour, such as 20/s or 600/m")
    return Allowance(int(found[1]), {"s": 1_000, "m": 60_000, "h": 3_600_000}[found[2]])


def instant(value: str) -> Instant:
    try:
        return from_iso(value)
    except ValueError:
        raise ValueError("is not an instant such as 2026-03-01T12:00:00Z") from None


def url(value: str) -> str:
    """Without a trailing slash: paths are put behind it."""
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that cannot be
        fine = False
    else:
        fine = fine and not parts.query and not parts.fragment and value.isprintable() and " " not in value
    if not fine:
        raise ValueError("is not an http or https address")
    return value.rstrip("/")


def origin(value: str) -> str:
    """As a browser spells it; a port may be ``*``, and ``*`` alone is every origin."""
    if value != "*" and not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]*[a-z0-9\]](:[0-9]{1,5}|:\*)?", value):
        raise ValueError("is not an origin such as https://portal.example or http://localhost:*, in small letters")
    return value


def database_url(value: str) -> str:
    """Only its form: what stands behind it is asked later. It may hold a password, so it may stand in a file."""
    if value.startswith("@"):
        value = secret(value)
    if not re.fullmatch(r"(sqlite|postgres(ql)?)(\+[a-z0-9_]+)?://\S*", value):
        raise ValueError("is not an address such as sqlite:///FILE or postgresql://USER@HOST/NAME")
    return value


def network(value: str) -> Network:
    """An address alone is a network of one."""
    import ipaddress  # few people name one

    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("is not an address such as 10.0.0.7 or a network such as 10.0.0.0/8") from None


def folder_to_be(value: str) -> Path:
    path = Path(value).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError("is not a folder")
    return path


def existing_file(value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise ValueError("is not a file that exists")
    return path


def file_to_be(value: str) -> Path:
    """A file that exists, or can."""
    path = Path(value)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError("is not a file in a folder that exists")
    return path


def existing_folder(value: str) -> Path:
    path = Path(value)
    if not path.is_dir():
        raise ValueError("is not a folder that exists")
    return path


def exit_spec(value: str) -> ExitSpec:
    path = existing_file(value)
    try:
        return read_exit_spec(path)
    except BadExitSpec as error:
        raise ValueError(f"is no exit specification: {error}") from error
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error


def secret(value: str) -> str:
    """The text, or with ``@FILE`` what the file holds."""
    if value.startswith("@"):
        path = Path(value[1:])
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"names a file that cannot be read: {path}") from None
    if not value:
        raise ValueError("is empty")
    if not value.isprintable():
        raise ValueError("holds characters that cannot be printed")
    return value


def header(value: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(value)
    if found is None:
        raise ValueError("is not of the form 'Name: value'")
    return found[1], secret(found[2].strip())
