"""First and last names of people, by locale: drawn once with Faker, and kept in ``people.json``.

A world has the same people wherever it is started; Faker's own lists change from one release to the next. And its modules
take longer to import than everything else that a first answer needs. ``python -m simulator.world.people`` draws anew: every
world gets other people then, so it is done on purpose only.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from msgspec import Struct

DRAWN = Path(__file__).with_name("people.json")
MOST_NAMES = 200
"""Of each kind in a locale."""
_TRIES = 20_000


class Names(Struct, frozen=True):
    first: tuple[str, ...]
    last: tuple[str, ...]


def names_of(locale: str) -> Names:
    """Raises KeyError for a locale of which none were drawn."""
    return _kept()[locale]


@cache
def _kept() -> Mapping[str, Names]:
    drawn = json.loads(DRAWN.read_bytes())
    return {locale: Names(tuple(told["first"]), tuple(told["last"])) for locale, told in drawn.items()}


def draw(locale: str) -> Names:
    """As often as they are met: Faker weighs names where it knows how common they are."""
    from faker.generator import Generator  # its own factory loads two dozen providers; one is needed

    generator = Generator()
    generator.add_provider(import_module(f"faker.providers.person.{locale}").Provider(generator))
    generator.seed_instance(locale)
    return Names(_distinct(generator.get_formatter("first_name")), _distinct(generator.get_formatter("last_name")))


def _distinct(roll: Callable[[], str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for _ in range(_TRIES):
        names[roll()] = None
        if len(names) == MOST_NAMES:
            break
    return tuple(names)


def main() -> None:
    from simulator.world.sayings import SAYINGS_OF_LOCALE

    drawn = {locale: draw(locale) for locale in SAYINGS_OF_LOCALE}
    lines = [
        f"{json.dumps(locale)}: {json.dumps({'first': names.first, 'last': names.last}, ensure_ascii=False)}"
        for locale, names in drawn.items()
    ]
    DRAWN.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
