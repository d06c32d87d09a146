"""Where given words stand in a text of bases: all places of many reads at once.

Each word of up to 16 bases is one number, two bits a base, made by doubling (2, 4, 8 bases ...).
The two bits are those by which A, C, G and T (or U) differ in ASCII, in either case. Other letters
read as one of the four: a hit is a hint, and whoever asks looks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[Any]

_NOT_CASE_NOR_THIRD_BIT = np.uint8(0b11011011)
"""What is left of C, G, c and g under it is C; of no other letter."""


def coded(text: bytes, size: int) -> NDArray[np.uint32]:
    """The number of the word of `size` bases that starts at each place."""
    if len(text) < size:
        return np.zeros(0, dtype=np.uint32)
    letters = np.frombuffer(text, dtype=np.uint8)
    powers: list[tuple[int, Words]] = [(1, (letters >> np.uint8(1)) & np.uint8(3))]
    while 2 * powers[-1][0] <= size:
        width, word = powers[-1]
        powers.append((2 * width, _joined(word[:-width], width, word[width:], width)))
    done, made = powers.pop()
    for width, word in reversed(powers):
        if done + width <= size:
            made = _joined(made[: len(text) - done - width + 1], done, word[done:], width)
            done += width
    return made.astype(np.uint32)


def _joined(left: Words, before: int, right: Words, after: int) -> Words:
    """Words of `before` bases with the `after` bases behind, in the smallest numbers that do."""
    bits = 2 * (before + after)
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    made: Words = np.left_shift(left.astype(kind), 2 * after) | right
    return made


def gc_bases(sequence: str) -> int:
    """How many bases are G or C.

    >>> gc_bases('GATTACA')
    2
    """
    letters = np.frombuffer(sequence.encode(), dtype=np.uint8)
    return int(np.count_nonzero((letters & _NOT_CASE_NOR_THIRD_BIT) == ord("C")))


def numbers_of(words: Iterable[str]) -> list[int]:
    """The numbers of the words."""
    return [int(coded(word.encode(), len(word))[0]) for word in words]
