"""Stable pseudonyms: the same word is always told by the same other word, for one key, wherever it stands and in whatever file.

A text is taken apart into words; the words the launcher and its cluster themselves use (``vocabulary.txt``) stay, and so do
digits, punctuation and the marks that texts are cut at. Every other word becomes one of the same length and the same capitals,
so what hangs together by name still does: a framework in its path, its log addresses, its application's name. No two words
become the same one: words of one length are shuffled among themselves (a Feistel network over their numbers, as in
format-preserving encryption; FIPS 800-38G is its serious relative). IPv4 addresses are shuffled likewise, private ones within
their network, loopback stays.

What this is not: it does not hide how many, how long and when; a word that happens to be in the vocabulary stays; and whoever
has the key, or knows a word that must occur, can find others out.
"""

import hashlib
import ipaddress
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

VOCABULARY: Final = Path(__file__).with_name("vocabulary.txt")
ROUNDS: Final = 8
LETTERS: Final = 26
LONGEST_WORD: Final = 64
"""A longer one is told by its digest."""

_PARTS: Final = re.compile(
    r"""
    (?P<kept> \\[a-zA-Z] | %[0-9A-Fa-f]{2} | \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?        # escapes, instants
            | \bcontainer_e\d+_\d+(?:_\d+)* )                                                  # YARN's ids
  | (?P<address> (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w) )
  | (?P<mixed> [A-Za-z]*\d+[A-Za-z]+\d[A-Za-z0-9]* )                                           # a3f9c2: a digest, an id
  | (?P<word> [A-Z]+(?![a-z]) | [A-Z]?[a-z]+ )                                                 # one of camelCase
  | (?P<foreign> [^\W\d_]+ )
    """,
    re.VERBOSE,
)


@cache
def vocabulary() -> frozenset[str]:
    """In lower case."""
    lines = VOCABULARY.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


class Pseudonyms:
    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()
        self._kept = vocabulary()
        self._pseudonym = lru_cache(maxsize=100_000)(self._shuffled)

    def text(self, text: str) -> str:
        return _PARTS.sub(self._part, text)

    def _part(self, found: re.Match[str]) -> str:
        part = found[0]
        match found.lastgroup:
            case "address":
                return self._address(part)
            case "word":
                return part if part.lower() in self._kept else _as_written(part, self._pseudonym(part.lower()))
            case "mixed":
                return _as_written(part, self._pseudonym(part.lower()))
            case "foreign":
                return self._digest(part, max(8, len(part)))
            case _:
                return part

    def _shuffled(self, word: str) -> str:
        """Again, until it is no word that would have stayed: so no two become the same."""
        if len(word) > LONGEST_WORD:
            return self._digest(word, len(word))
        bases = [LETTERS if letter.isalpha() else 10 for letter in word]
        size = 1
        for base in bases:
            size *= base
        label = "".join("a" if base == LETTERS else "0" for base in bases)
        number = _number(word, bases)
        while True:
            number = self._permuted(number, size, label)
            shuffled = _word(number, bases)
            if shuffled not in self._kept or not word.isalpha():
                return shuffled

    def _permuted(self, number: int, size: int, label: str) -> int:
        """A permutation of the numbers below ``size``: a Feistel network over enough bits, walked until it is back below."""
        half = (max(size - 1, 1).bit_length() + 1) // 2
        mask = (1 << half) - 1
        while True:
            left, right = number >> half, number & mask
            for turn in range(ROUNDS):
                left, right = right, left ^ (self._noise(f"{label} {turn} {right}") & mask)
            number = left << half | right
            if number < size:
                return number

    def _noise(self, text: str) -> int:
        return int.from_bytes(hashlib.blake2b(text.encode(), key=self._key, digest_size=40).digest())

    def _digest(self, text: str, length: int) -> str:
        number = self._noise(f"text {text}")
        return "".join(chr(97 + (number := self._noise(str(number))) % LETTERS) for _ in range(length))

    def _address(self, text: str) -> str:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            return text
        if address.is_loopback or address.is_unspecified:
            return text
        network = next((one for one in _PRIVATE if address in one), ipaddress.IPv4Network("0.0.0.0/0"))
        first = int(network.network_address)
        number = int(address) - first
        while True:
            number = self._permuted(number, network.num_addresses, str(network))
            found = ipaddress.IPv4Address(first + number)
            if network.prefixlen or not (
                found.is_loopback or found.is_unspecified or any(found in one for one in _PRIVATE)
            ):
                return str(found)


_PRIVATE: Final = tuple(ipaddress.IPv4Network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def _number(word: str, bases: list[int]) -> int:
    number = 0
    for letter, base in zip(word, bases, strict=True):
        number = number * base + (ord(letter) - (97 if base == LETTERS else 48))
    return number


def _word(number: int, bases: list[int]) -> str:
    letters = []
    for base in reversed(bases):
        number, digit = divmod(number, base)
        letters.append(chr(digit + (97 if base == LETTERS else 48)))
    return "".join(reversed(letters))


def _as_written(written: str, word: str) -> str:
    """With the capitals of another."""
    if written.islower():
        return word
    return "".join(new.upper() if old.isupper() else new for old, new in zip(written, word, strict=True))
