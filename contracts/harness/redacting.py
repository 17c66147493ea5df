"""Secrets never reach a report: values of headers that carry credentials are replaced, the authentication scheme is kept."""

from collections.abc import Iterable
from typing import Final

from contracts.harness.transport import Pairs

SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}
)
REDACTED: Final = "[redacted]"


def redacted(headers: Iterable[tuple[str, str]]) -> Pairs:
    return tuple((name, _shown(name, value)) for name, value in headers)


def secrets_in(headers: Iterable[tuple[str, str]]) -> list[str]:
    """Texts that must not stand in any report, longest first: a server may repeat what it was sent."""
    values = [value for name, value in headers if name.lower() in SECRET_HEADERS]
    parts = {part for value in values for part in (value, *value.split(" ", 1)[1:])}
    return sorted((part for part in parts if len(part) >= 4), key=len, reverse=True)


def without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


def _shown(name: str, value: str) -> str:
    if name.lower() not in SECRET_HEADERS:
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {REDACTED}" if space and name.lower().endswith("authorization") else REDACTED
