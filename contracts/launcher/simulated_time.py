"""What time it is for a launcher that is simulated: each of its answers tells, and its clock may run at any rate.

What such a launcher says is full of instants of its own clock; whoever sets them against when he heard of them must go by the
same clock. A real launcher tells no such thing, and there the clock of the machine serves.
"""

import re
from collections.abc import Iterable
from typing import Final

from contracts.clock import Instant, from_iso

HEADER: Final = "x-simulated"
_NOW: Final = re.compile(r"\bnow=([^\s;]+)")


def simulated_now(headers: Iterable[tuple[str, str | list[str]]]) -> Instant | None:
    """From the headers of an answer; ``None``: it is no simulated one, or does not tell."""
    told = next((value for name, value in headers if name.lower() == HEADER), "")
    found = _NOW.search(told) if isinstance(told, str) else None
    try:
        return None if found is None else from_iso(found[1])
    except (ValueError, OverflowError):
        return None
