"""Positions of given k-mers in a text of bases: all positions of many reads at once.

Each k-mer of up to 16 bases is one number, two bits a base, made by doubling (2, 4, 8 bases ...).
The two bits are those by which A, C, G and T (or U) differ in ASCII, in either case. Other letters
read as one of the four: a hit is a hint that the caller verifies.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[Any]

_NOT_CASE_NOR_THIRD_BIT = np.uint8(0b11011011)
"""What is left of C, G, c and g under it is C; of no other letter."""


def coded(text: bytes, size: int) -> NDArray[np.uint32]:
    """The number of the k-mer of `size` bases that starts at each position."""
    if len(text) < size:
        return np.zeros(0, dtype=np.uint32)
    letters = np.frombuffer(text, dtype=np.uint8)
    powers: list[tuple[int, Codes]] = [(1, (letters >> np.uint8(1)) & np.uint8(3))]
    while 2 * powers[-1][0] <= size:
        width, kmer = powers[-1]
        powers.append((2 * width, _joined(kmer[:-width], width, kmer[width:], width)))
    done, made = powers.pop()
    for width, kmer in reversed(powers):
        if done + width <= size:
            made = _joined(made[: len(text) - done - width + 1], done, kmer[done:], width)
            done += width
    return made.astype(np.uint32)


def _joined(left: Codes, before: int, right: Codes, after: int) -> Codes:
    """K-mers of `before` bases with the `after` bases behind, in the smallest integer type that
    fits."""
    bits = 2 * (before + after)
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    made: Codes = np.left_shift(left.astype(kind), 2 * after) | right
    return made


def gc_bases(sequence: str) -> int:
    """How many bases are G or C.

    >>> gc_bases('GATTACA')
    2
    """
    letters = np.frombuffer(sequence.encode(), dtype=np.uint8)
    return int(np.count_nonzero((letters & _NOT_CASE_NOR_THIRD_BIT) == ord("C")))


def numbers_of(kmers: Iterable[str]) -> list[int]:
    """The numbers of the k-mers."""
    return [int(coded(kmer.encode(), len(kmer))[0]) for kmer in kmers]
