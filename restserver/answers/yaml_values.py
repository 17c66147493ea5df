"""YAML from people we do not know, as plain JSON values, in bounded time and memory; or nothing.

Used on text that any job may print, so a text that is long, deep, full of aliases, tagged or not YAML at all is simply not
read: :class:`NotPlainYaml`. The YAML library is imported when the first text asks for it, to keep the start quick.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

LONGEST: Final = 8 * 1024
"""Characters. The blocks come from the tail of a log, of which YARN itself keeps four KiB."""
DEEPEST: Final = 24
MOST_EVENTS: Final = 2_000


class NotPlainYaml(ValueError):
    """The text cannot be told as JSON, or would cost too much to find out."""


def plain_value(text: str, *, longest: int = LONGEST, most_events: int = MOST_EVENTS) -> object:
    """The one document in the text, as JSON values. Raises :class:`NotPlainYaml`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(text) > longest:
        raise NotPlainYaml(f"longer than {longest} characters")
    try:
        # The library loads by recursion, so depth and aliases are judged on its flat event stream first.
        _judge(YAML(typ="safe", pure=True).parse(text), most_events)
        value = YAML(typ="safe", pure=True).load(text)
    except NotPlainYaml:
        raise
    except (YAMLError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, AssertionError) as error:
        # Besides its own errors the library lets those of its scalar constructors through: the 31st of February, 1e999 ...
        raise NotPlainYaml("not YAML") from error
    return _plain(value)


def _judge(events: Iterable[object], most_events: int) -> None:
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

    depth = 0
    for count, event in enumerate(events):
        if count > most_events:
            raise NotPlainYaml(f"more than {most_events} events")
        if isinstance(event, AliasEvent):
            raise NotPlainYaml("an alias")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            raise NotPlainYaml(f"deeper than {DEEPEST} levels")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    raise NotPlainYaml(f"a {type(value).__name__}")


def _key(key: object) -> str:
    """As JSON spells the scalar: ``true``, ``null``, ``7``."""
    plain = _plain(key)
    if isinstance(plain, str):
        return plain
    if plain is None or isinstance(plain, bool):
        return {None: "null", True: "true", False: "false"}[plain]
    if isinstance(plain, int | float):
        return str(plain)
    raise NotPlainYaml("a collection as a key")
