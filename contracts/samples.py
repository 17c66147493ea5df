"""Examples of bodies, made of the examples the document gives key by key; and of messages, made of their placeholders."""

from contracts.body import ELSEWHERE, NO_EXAMPLE, Array, Field, Literal, Map, Notes, Object, Ref, Scalar, Type, Union
from contracts.model import PLACEHOLDER, Document, Failure

EXAMPLE_OF_SCALAR: dict[str, object] = {"string": "", "integer": 0, "number": 0, "null": None}


def sample(document: Document, found: Type, style: str) -> object:
    """A value of that type, as the document's examples tell it; where it gives none, the emptiest one."""
    match found:
        case Scalar():
            return found.minimum if found.minimum is not None else EXAMPLE_OF_SCALAR[found.word]
        case Literal():
            return found.value
        case Ref():
            return _sample_of_name(document, found.name, style)
        case Object():
            return {key: field_sample(document, entry, style) for key, entry in document.fields(found, style)}
        case Map():
            return {}
        case Array():
            return [sample(document, found.items, style)]
        case Union():
            return (
                None
                if Scalar("null", 0) in map(_anywhere, found.options)
                else sample(document, found.options[0], style)
            )


def field_sample(document: Document, entry: Field, style: str) -> object:
    example = entry.notes.example
    if example is NO_EXAMPLE:
        return sample(document, entry.type, style)
    if isinstance(entry.type, Map) and isinstance(example, dict):
        value = entry.type.value
        return {key: sample(document, value, style) if e == ELSEWHERE else e for key, e in example.items()}
    return example


def has_own_example(notes: Notes) -> bool:
    """Whether the example stands as written, without the example of another type inside."""
    example = notes.example
    return example is not NO_EXAMPLE and not (isinstance(example, dict) and ELSEWHERE in example.values())


def error_sample(document: Document, failure: Failure) -> dict[str, object]:
    text = PLACEHOLDER.sub(lambda m: str(document.placeholders[m.group()].notes.example), failure.message)
    return {"code": failure.code, "message": text}


def _sample_of_name(document: Document, name: str, style: str) -> object:
    named = document.types[name]
    if named.notes.example is not NO_EXAMPLE:
        return named.notes.example
    return sample(document, named.type, style) if named.type else next(iter(named.values))


def _anywhere(found: Type) -> Type:
    return Scalar("null", 0) if isinstance(found, Scalar) and found.word == "null" else found
