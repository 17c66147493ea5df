"""Source locations that a master cannot use. It finds out when it is about to start the first container (recording s15h)."""

import re
from collections.abc import Sequence

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def unusable(locations: Sequence[str | None]) -> str | None:
    """What the master's exception says; ``None``: nothing is wrong with them as they are spelled.

    The unclosed bracket's text is recorded; the others are composed in its manner.
    """
    names: set[str] = set()
    for location in locations:
        wrong = _misspelled(location)
        if wrong is not None or location is None:
            return wrong
        name = location.rstrip("/").rpartition("/")[2]
        if name in names:
            return f"Duplicate base name of source locations: {name}"
        names.add(name)
    return None


def _misspelled(location: str | None) -> str | None:
    if location is None:
        return "java.lang.IllegalArgumentException: Can not create a Path from a null string"
    if not location:
        return "java.lang.IllegalArgumentException: Can not create a Path from an empty string"
    scheme = _SCHEME.match(location)
    rest = location if scheme is None else location[scheme.end() :]
    if scheme is not None and not rest.startswith("/"):
        return f"java.net.URISyntaxException: Relative path in absolute URI: {location}"
    authority = rest[2:].partition("/")[0] if rest.startswith("//") else ""
    if authority.startswith("[") and "]" not in authority:
        at = location.index("[") + len(authority)
        return f"java.net.URISyntaxException: Expected closing bracket for IPv6 address at index {at}: {location}"
    return None
