"""Every die the simulator rolls: named by what it decides, so that no roll depends on another, on its order or on the process.

``hash()`` differs from process to process and a shared generator from question to question; neither is ever used.
"""

import hashlib
import random


def dice(*name: object) -> random.Random:
    """A generator of its own for that name: ``dice(seed, "job", index)``."""
    return random.Random("/".join(map(str, name)))


def number(bits: int, *name: object) -> int:
    """One roll of up to 64 bits; ten times cheaper than a generator."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - bits)


def below(limit: int, *name: object) -> int:
    """One roll of 0 to ``limit - 1``."""
    return number(64, *name) * limit >> 64
