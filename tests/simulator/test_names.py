import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.names import ALPHABET, LENGTHS, code, index_of

indexes = st.integers(0, 2 ** (5 * LENGTHS[-1]) - 1)


@given(st.integers(0, 2**63), indexes)
def test_a_code_gives_its_index_back(seed: int, index: int) -> None:
    assert index_of(seed, code(seed, index)) == index


@given(st.integers(0, 3), st.text(ALPHABET, min_size=1, max_size=12))
def test_a_code_that_no_index_has_is_known_to_be_unknown(seed: int, text: str) -> None:
    index = index_of(seed, text)
    assert index is None or code(seed, index) == text


@pytest.mark.parametrize("text", ["", "abc", "abcde", "ABCD", "ilou", "zzzzzzzzzzzz", "é123", "12 4"])
def test_what_does_not_look_like_a_code_is_none(text: str) -> None:
    assert index_of(1, text) is None


@pytest.mark.parametrize("index", [-1, 2 ** (5 * LENGTHS[-1])])
def test_an_index_no_code_can_hold_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match=r"index|too large"):
        code(1, index)


def test_every_index_has_a_code_of_its_own() -> None:
    assert len({code(7, index) for index in range(5_000)}) == 5_000


def test_codes_are_as_they_have_always_been() -> None:
    assert [code(1, index) for index in (0, 1, 2**20, 2**30)] == ["5vbh", "9ez3", "75ax28", "8m01d1mx"]


def test_another_seed_gives_other_codes() -> None:
    assert code(1, 4711) != code(2, 4711)
