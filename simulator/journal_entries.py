"""What stands in the journal: who was meant, when, and what was done; and how an entry is written down as JSON.

Beside the operations of a story there are two: a story was told for a name (it begins then), and a step of a story that
waits for a hand was left.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, from_iso, iso
from contracts.launcher.open_request import decode_descriptor, encode_descriptor
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import LaunchClientType
from simulator.machine.story import Delete, Kill, Migrate, Operation, SetProgress, SetTaskNumber, Start, Stop, Submit


class Tell(Struct, frozen=True):
    """A story was told for the name; it begins at that instant."""

    at: Instant
    story: Mapping[str, Any]
    """As a scenario file has it."""


class Advance(Struct, frozen=True):
    """A step that waits for a hand was left."""

    at: Instant
    step: str


Deed: TypeAlias = Operation | Tell | Advance


class Entry(Struct, frozen=True):
    name: str
    deed: Deed

    @property
    def at(self) -> Instant:
        return self.deed.at


class BadEntry(ValueError):
    """What is written down is no entry."""


def encode(entry: Entry) -> dict[str, object]:
    deed = entry.deed
    word = word_of(deed)
    return {"at": iso(entry.at), "name": entry.name, "do": word, **KINDS[word].facts(deed)}


def word_of(deed: Deed) -> str:
    return next(word for word, kind in KINDS.items() if isinstance(deed, kind.type))


def decode(document: object) -> Entry:
    """Raises BadEntry."""
    if not isinstance(document, Mapping):
        raise BadEntry("an entry is an object")
    try:
        kind = KINDS[document["do"]]
        name, at = document["name"], from_iso(document["at"])
        facts = {key: value for key, value in document.items() if key not in ("at", "name", "do")}
        if not isinstance(name, str):
            raise BadEntry("the name of an entry is a text")
        return Entry(name, kind.deed(at, **facts))
    except (KeyError, TypeError, ValueError, OverflowError, LauncherUnreadable) as error:
        raise BadEntry(f"{document.get('do')!r} at {document.get('at')!r}: {error!r}") from error


class _Kind(Struct, frozen=True):
    type: type
    facts: Callable[[Any], dict[str, object]]
    deed: Callable[..., Deed]


def _nothing(_: object) -> dict[str, object]:
    return {}


def _submit(
    at: Instant,
    descriptor: object,
    client_type: str,
    client_host: str | None,
    client_user: str | None,
    tags: Sequence[object] = (),
) -> Submit:
    told = replace(decode_descriptor(descriptor), tags=tuple(map(str, tags)))
    return Submit(at, told, LaunchClientType(client_type), client_host, client_user)


def _submit_facts(deed: Submit) -> dict[str, object]:
    return {
        "descriptor": encode_descriptor(deed.descriptor),
        "client_type": deed.client_type.value,
        "client_host": deed.client_host,
        "client_user": deed.client_user,
        **({"tags": list(deed.descriptor.tags)} if deed.descriptor.tags else {}),
    }


KINDS: Mapping[str, _Kind] = {
    "submit": _Kind(Submit, _submit_facts, _submit),
    "stop": _Kind(Stop, _nothing, lambda at: Stop(at)),
    "start": _Kind(Start, _nothing, lambda at: Start(at)),
    "delete": _Kind(Delete, _nothing, lambda at: Delete(at)),
    "set_task_number": _Kind(
        SetTaskNumber,
        lambda deed: {"role": deed.role, "number": deed.number},
        lambda at, role, number: SetTaskNumber(at, str(role), int(number)),
    ),
    "set_progress": _Kind(
        SetProgress,
        lambda deed: {"progress": deed.progress},
        lambda at, progress: SetProgress(at, float(progress)),
    ),
    "migrate": _Kind(
        Migrate,
        lambda deed: {"container_id": deed.container_id},
        lambda at, container_id: Migrate(at, str(container_id)),
    ),
    "kill": _Kind(
        Kill,
        lambda deed: {"application_id": deed.application_id, "by": deed.by, "from_ip": deed.from_ip},
        lambda at, application_id, by, from_ip: Kill(at, application_id, str(by), from_ip),
    ),
    "tell": _Kind(Tell, lambda deed: {"story": deed.story}, lambda at, story: Tell(at, dict(story))),
    "advance": _Kind(Advance, lambda deed: {"step": deed.step}, lambda at, step: Advance(at, str(step))),
}
"""By the word it is written down with."""
