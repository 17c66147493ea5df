"""What a framework may be called; there is no framework of any other name (rulings 1.10, launcher fact sheet 1.5)."""

import re
from typing import Final

PATTERN: Final = r"[A-Za-z0-9\-._~]{1,256}"
_NAME: Final = re.compile(PATTERN)
_DOTS: Final = frozenset({".", ".."})
"""They match, but in a path they mean something else."""


def is_framework_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in _DOTS
