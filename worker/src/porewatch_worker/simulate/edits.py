"""Sequences as arrays of base codes, and the three ways in which one turns into another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
"""Bases as 0..3 for A, C, G, T."""

Marks = NDArray[np.bool_]

_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_CODE_OF = np.zeros(256, np.uint8)
_CODE_OF[_LETTERS] = np.arange(4, dtype=np.uint8)


def to_bytes(codes: Codes) -> bytes:
    return _LETTERS[codes].tobytes()


def to_codes(sequence: bytes) -> Codes:
    """The inverse of `to_bytes`; any other letter than A, C, G, T becomes A."""
    return _CODE_OF[np.frombuffer(sequence, np.uint8)]


def random_codes(length: int, rng: np.random.Generator, gc: float = 0.5) -> Codes:
    """Independent random bases with the given share of G and C."""
    at = (1 - gc) / 2
    return rng.choice(4, length, p=[at, gc / 2, gc / 2, at]).astype(np.uint8)


def reverse_complement(codes: Codes) -> Codes:
    return (3 - codes[::-1]).astype(np.uint8)


def edit(
    codes: Codes, changed: Marks, deleted: Marks, inserted: Marks, rng: np.random.Generator
) -> tuple[Codes, NDArray[np.int64]]:
    """Apply edits where marked: another base, no base, one random base more after this one.

    Returns the new sequence and how many bases (0, 1, 2) replace each old one.
    """
    before = codes.copy()
    where = np.flatnonzero(changed)
    before[where] = (before[where] + rng.integers(1, 4, len(where), np.uint8)) & 3
    counts = 1 - deleted.astype(np.int64) + inserted
    after = np.repeat(before, counts)
    new = np.cumsum(counts)[inserted] - 1
    after[new] = rng.integers(0, 4, len(new), np.uint8)
    return after, counts


def diverge(codes: Codes, rate: float, rng: np.random.Generator) -> Codes:
    """A relative: a share `rate` of positions differs, nine tenths of them by another base."""
    drawn = rng.random(len(codes), np.float32)
    changed = drawn < 0.9 * rate
    deleted = (drawn >= 0.9 * rate) & (drawn < 0.95 * rate)
    inserted = (drawn >= 0.95 * rate) & (drawn < rate)
    return edit(codes, changed, deleted, inserted, rng)[0]
