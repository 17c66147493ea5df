"""Changes as people and programs read them: what is the same change in many places is told once, with its places."""

import json
from collections.abc import Iterable, Iterator

from contracts.diff_facts import Change

SHOWN_PLACES = 4


def grouped(changes: Iterable[Change]) -> list[tuple[Change, list[Change]]]:
    """Breaking ones first; each with all changes that say the same of another place."""
    groups: dict[tuple[str, str, bool], list[Change]] = {}
    for one in changes:
        # Where a key is its own news, the last word of its path is what is the same elsewhere.
        news = one.detail or one.path.rpartition(".")[2]
        groups.setdefault((one.what, news, one.breaking), []).append(one)
    return sorted(((some[0], some) for some in groups.values()), key=lambda group: not group[0].breaking)


def text(changes: list[Change]) -> Iterator[str]:
    groups = grouped(changes)
    for first, some in groups:
        yield f"{'BREAKING' if first.breaking else 'fine':8} {first.what}{': ' if first.detail else ''}{first.detail}"
        places = list(dict.fromkeys(_place(one, some) for one in some))
        yield from (f"           {place}" for place in places[:SHOWN_PLACES])
        if len(places) > SHOWN_PLACES:
            yield f"           and {len(places) - SHOWN_PLACES} more places"
        yield f"         because {first.why}"
    breaking = sum(first.breaking for first, _ in groups)
    number = "1 change" if len(groups) == 1 else f"{len(groups)} changes"
    yield f"{number}, breaking: {breaking}" if groups else "nothing changed"


def machine_text(changes: list[Change]) -> str:
    found = [
        {
            "what": first.what,
            "detail": first.detail,
            "breaking": first.breaking,
            "why": first.why,
            "where": [
                {"operation": one.operation, "status": one.status, "style": one.style, "path": one.path} for one in some
            ],
        }
        for first, some in grouped(changes)
    ]
    return json.dumps(
        {"breaking": any(one.breaking for one in changes), "changes": found}, indent=2, ensure_ascii=False
    )


def _place(one: Change, some: list[Change]) -> str:
    styles = [other.style for other in some if _spot(other) == _spot(one) and other.style]
    parts = (one.operation, "" if one.status is None else str(one.status), one.path)
    words = " ".join(part for part in parts if part) or "the whole contract"
    return f"{words} ({', '.join(dict.fromkeys(styles))})" if styles else words


def _spot(one: Change) -> tuple[str, int | None, str]:
    return one.operation, one.status, one.path
