"""Values and places of an answer as reports print them: one line, plain ASCII, not too long."""

import json
from collections.abc import Sequence
from typing import Final

LONGEST_SHOWN: Final = 160


def place_of(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the body"


def shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
