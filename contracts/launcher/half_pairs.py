r"""Half of a surrogate pair: ``"\ud800"`` is JSON and no text, for no UTF-8 can carry it further. It becomes U+FFFD.

Java cuts texts between the two halves, so a launcher may tell one; whatever keeps or repeats one fails when it is to be sent.
"""

import json
import re
from typing import Final

_MAY_HOLD_ONE: Final = re.compile(r"\\(?:u|U0000)[dD][89a-fA-F]|[\ud800-\udfff]")


def mended(value: object, source: str) -> object:
    """``source``: the JSON or YAML that ``value`` was read from. Most hold none, and their values are not looked through."""
    return _mended(value) if _MAY_HOLD_ONE.search(source) else value


def read_json(content: bytes) -> object:
    """JSON that somebody wrote, mended. Raises ``ValueError``, ``RecursionError``."""
    source = content.decode(json.detect_encoding(content), "surrogatepass")
    return mended(json.loads(source), source)


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
