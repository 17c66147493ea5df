"""First and last names of people, by locale, from Faker. The only module with Faker.

Those of the locales that the shipped profiles may name are drawn ahead and kept in ``people.json``: a world of theirs has the same
people on any machine, though Faker's own lists change from one release to the next, and its modules take longer to import
than everything else that a first answer needs. Any other locale of Faker's is drawn when a world first needs it, and is the
same wherever the same Faker is installed. ``python -m simulator.world.people`` draws the kept ones anew: every world gets other
people then, so it is done on purpose only.
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


class NoSuchLocale(Exception):
    """Faker has no people there."""


class Names(Struct, frozen=True):
    first: tuple[str, ...]
    last: tuple[str, ...]


@cache
def names_of(locale: str) -> Names:
    """Raises :class:`NoSuchLocale`."""
    return _kept().get(locale) or draw(locale)


@cache
def _kept() -> Mapping[str, Names]:
    drawn = json.loads(DRAWN.read_bytes())
    return {locale: Names(tuple(told["first"]), tuple(told["last"])) for locale, told in drawn.items()}


def draw(locale: str) -> Names:
    """As often as they are met: Faker weighs names where it knows how common they are. Raises :class:`NoSuchLocale`."""
    from faker.config import AVAILABLE_LOCALES
    from faker.generator import Generator  # its own factory loads two dozen providers; one is needed

    if locale not in AVAILABLE_LOCALES:
        raise NoSuchLocale(locale)
    try:
        provider = import_module(f"faker.providers.person.{locale}")
    except ModuleNotFoundError as error:
        raise NoSuchLocale(locale) from error
    generator = Generator()
    generator.add_provider(provider.Provider(generator))
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
