"""A name carries its index: which job a name means, and that it means none, is known without any table.

The last part of a simulated name is the index, enciphered with the seed so that neighbours do not look alike. Whoever reads
it back makes the whole name of that index anew and compares: a right code behind wrong words is an unknown name.
"""

import hashlib

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""32 signs that are not easily misread for each other (no i, l, o, u)."""

_VALUE_OF_SIGN = {sign: value for value, sign in enumerate(ALPHABET)}
_BITS_OF_SIGN = 5
_ROUNDS = 4
LENGTHS = (4, 6, 8, 10)
"""Even, so that a code is two halves; the shortest that holds the index is taken. Ten signs outlast the year 9999."""


def code(seed: int, index: int) -> str:
    """The enciphered index. Raises ``ValueError`` for an index no code can hold."""
    if index < 0:
        raise ValueError(f"{index} is no index")
    length = next((length for length in LENGTHS if index < 1 << _BITS_OF_SIGN * length), None)
    if length is None:
        raise ValueError(f"{index} is too large for a code")
    value = _encipher(seed, length, index)
    return "".join(
        ALPHABET[value >> shift & (len(ALPHABET) - 1)]
        for shift in range(_BITS_OF_SIGN * (length - 1), -1, -_BITS_OF_SIGN)
    )


def index_of(seed: int, text: str) -> int | None:
    """The index that code means; ``None`` if no index has it."""
    if len(text) not in LENGTHS or not all(sign in _VALUE_OF_SIGN for sign in text):
        return None
    value = 0
    for sign in text:
        value = value << _BITS_OF_SIGN | _VALUE_OF_SIGN[sign]
    index = _decipher(seed, len(text), value)
    return index if code(seed, index) == text else None


def _encipher(seed: int, length: int, value: int) -> int:
    half, mask = _halves(length)
    left, right = value >> half, value & mask
    for turn in range(_ROUNDS):
        left, right = right, left ^ _round(seed, length, turn, right) & mask
    return left << half | right


def _decipher(seed: int, length: int, value: int) -> int:
    half, mask = _halves(length)
    left, right = value >> half, value & mask
    for turn in reversed(range(_ROUNDS)):
        left, right = right ^ _round(seed, length, turn, left) & mask, left
    return left << half | right


def _halves(length: int) -> tuple[int, int]:
    half = _BITS_OF_SIGN * length // 2
    return half, (1 << half) - 1


def _round(seed: int, length: int, turn: int, half: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{length}/{turn}/{half}".encode(), digest_size=4).digest(), "big")
