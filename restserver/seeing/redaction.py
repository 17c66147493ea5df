"""Secrets do not get into logs: neither by the name they go under nor, where they are known, by their value.

The names are those that people's tools redact (authorization, cookies, API keys). The scheme of an authorization is kept,
so that it can be seen which kind was sent.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

REDACTED: Final = "[redacted]"

_NAMES: Final = "proxy-authorization|authorization|set-cookie|cookie|x-api-key|api-key|x-auth-token"
_HEADER: Final = re.compile(
    rf"""\b({_NAMES})(["']?\s*[:=,]\s*["']?)((?:basic|bearer|digest|negotiate|token)\s+)?([^\s"',;)}}\]]+)""",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(
    r"([?&;](?:[a-z_.\-]*(?:token|secret|passw(?:or)?d|signature)|api[-_]?key|key|auth|authorization)=)[^&;#\s'\"]+",
    re.IGNORECASE,
)
SHORTEST: Final = 6
"""Characters: a shorter value would blacken innocent text, and is no secret worth the name."""


def redacted_target(target: str) -> str:
    """The target of a request, without the values of parameters that are named like secrets."""
    return _PARAMETER.sub(rf"\1{REDACTED}", target) if "=" in target else target


def redaction(secrets: Iterable[str]) -> Callable[[str], str]:
    """What makes a text fit for the log; ``secrets`` are values that must not occur in it, under whatever name."""
    words = sorted((secret for secret in secrets if len(secret) >= SHORTEST), key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, words))) if words else None

    def redacted(text: str) -> str:
        if known is not None:
            text = known.sub(REDACTED, text)
        return redacted_target(_HEADER.sub(_kept_scheme, text))

    return redacted


def _kept_scheme(found: re.Match[str]) -> str:
    name, between, scheme, _ = found.groups()
    return f"{name}{between}{scheme or ''}{REDACTED}"
