"""References inside a document, as JSON pointers write them (RFC 6901): ``#/components/schemas/Job``, ``#/paths/~1jobs/get``.

Programs that put the files of a document together write pointers of the second kind, percent-encoded where a path has braces.
"""

from typing import Any
from urllib.parse import unquote

from contracts.registry import Schema


class DanglingReference(Exception):
    def __init__(self, reference: object) -> None:
        super().__init__(f"{reference} leads nowhere")


def followed(node: Schema, whole: Schema) -> Schema:
    """What the references of a node lead to; what stands beside one counts too. Raises :class:`DanglingReference`, also for
    one that leads back to itself."""
    seen: set[str] = set()
    while "$ref" in node:
        reference = str(node["$ref"])
        target = _at(reference, whole)
        if reference in seen or not isinstance(target, dict):
            raise DanglingReference(reference)
        seen.add(reference)
        node = target | {key: value for key, value in node.items() if key != "$ref"}
    return node


def _at(reference: str, whole: Schema) -> Any:
    found: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = {str(index): item for index, item in enumerate(found)}
        if not isinstance(found, dict) or key not in found:
            raise DanglingReference(reference)
        found = found[key]
    return found
