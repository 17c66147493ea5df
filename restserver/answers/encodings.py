"""Which encoding of a body a client wants, by its ``Accept-Encoding`` (RFC 9110, 12.5.3)."""

import re
from functools import lru_cache
from typing import Final

GZIP: Final = "gzip"

_WISH: Final = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9a-z]+)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?")
_NAMES: Final = {"x-gzip": GZIP}
"""The older name (8.4.1.3)."""


@lru_cache(maxsize=64)
def takes_gzip(accepted: str) -> bool:
    """Whether gzip suits at least as well as the plain body. What is no wish by the grammar counts as none.

    Who names only other encodings gets the plain body, as does who refuses both: the standard would have that answered too.
    """
    weights: dict[str, float] = {}
    for wish in accepted.lower().split(","):
        if match := _WISH.fullmatch(wish):
            weights[_NAMES.get(match[1], match[1])] = float(match[2] or 1)
    packed = weights.get(GZIP, weights.get("*", 0.0))
    return packed > 0 and packed >= weights.get("identity", 0.0)
