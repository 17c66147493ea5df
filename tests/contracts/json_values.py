"""Generated JSON, and documents with one place changed."""

from collections.abc import Iterator

from hypothesis import strategies as st

json_values: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)

Place = tuple[str | int, ...]
GONE = object()


def places(document: object, here: Place = ()) -> Iterator[Place]:
    """Every place of a document but the whole."""
    if isinstance(document, dict):
        for key, item in document.items():
            yield (*here, key)
            yield from places(item, (*here, key))
    elif isinstance(document, list):
        for index, item in enumerate(document):
            yield (*here, index)
            yield from places(item, (*here, index))


def changed(document: object, place: Place, value: object) -> object:
    """A copy with another value at that place; ``GONE``: without it."""
    if not place:
        return value
    step, *rest = place
    if isinstance(document, dict):
        if not rest and value is GONE:
            return {key: item for key, item in document.items() if key != step}
        return {key: changed(item, tuple(rest), value) if key == step else item for key, item in document.items()}
    assert isinstance(document, list)
    if not rest and value is GONE:
        return [item for index, item in enumerate(document) if index != step]
    return [changed(item, tuple(rest), value) if index == step else item for index, item in enumerate(document)]
