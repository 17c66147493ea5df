"""The journal's content as one frozen value: entries in time order, and what is known of each name because of them."""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from itertools import takewhile

from msgspec import Struct, field

from contracts.clock import Instant
from simulator.journal_entries import Entry, Tell, encode
from simulator.machine.story import Submit


class Page(Struct, frozen=True):
    """What stands about one name."""

    entries: tuple[Entry, ...] = ()
    digest: str = ""
    """Equal digests, equal entries."""
    slots: tuple[int, ...] = ()
    """Of each life that began by hand: its place among all such lives, of whichever name."""


NOTHING = Page()


class Ledger(Struct, frozen=True):
    entries: tuple[Entry, ...] = ()
    pages: Mapping[str, Page] = field(default_factory=dict)
    lives: int = 0
    """How many began by hand."""

    def plus(self, entry: Entry) -> "Ledger":
        page = self.pages.get(entry.name, NOTHING)
        begins = isinstance(entry.deed, Tell) or (isinstance(entry.deed, Submit) and not page.slots)
        written = json.dumps(encode(entry), sort_keys=True)
        after = Page(
            entries=(*page.entries, entry),
            digest=blake2b(f"{page.digest}{written}".encode(), digest_size=12).hexdigest(),
            slots=(*page.slots, self.lives) if begins else page.slots,
        )
        return Ledger((*self.entries, entry), {**self.pages, entry.name: after}, self.lives + begins)

    def until(self, instant: Instant) -> "Ledger":
        """Without what was done later than that."""
        if not self.entries or self.entries[-1].at <= instant:
            return self
        return ledger_of(takewhile(lambda entry: entry.at <= instant, self.entries))


def ledger_of(entries: Iterable[Entry]) -> Ledger:
    """In time order."""
    ledger = Ledger()
    for entry in entries:
        ledger = ledger.plus(entry)
    return ledger
