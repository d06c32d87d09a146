"""Hashes of 21-mers, equal to sourmash's, and the smallest of them (FracMinHash).

sourmash (Irber et al. 2024, JOSS 9:6830) hashes the lesser of a k-mer and its reverse complement,
as letters, with MurmurHash3 x64 128, seed 42, of which it keeps the first half. Importing it takes
three seconds, so the pass hashes with numpy (a chunk of reads at once) and sourmash is imported
only where there are sketches to compare with; a test checks that both are equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

K = 21
SEED = 42
ONE_IN = 100
LARGEST = (1 << 64) // ONE_IN

Hashes = NDArray[np.uint64]

_BITS = np.full(256, 255, dtype=np.uint8)
_BITS[np.frombuffer(b"ACGTacgt", dtype=np.uint8)] = (0, 1, 2, 3, 0, 1, 2, 3)
_LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8).astype(np.uint64)


def _four_letters() -> Hashes:
    """Four bases (8 bits, the first highest) -> their letters, the first in the lowest byte."""
    bits = np.arange(256, dtype=np.uint64)
    places = [(bits >> np.uint64(6 - 2 * i)) & np.uint64(3) for i in range(4)]
    parts = [_LETTERS[p] << np.uint64(8 * i) for i, p in enumerate(places)]
    letters: Hashes = parts[0] | parts[1] | parts[2] | parts[3]
    return letters


_FOUR = _four_letters()


def sampled(text: bytes) -> tuple[Hashes, NDArray[np.int64]]:
    """(hash, position) of every 21-mer of `text` whose hash is below LARGEST, without those with
    other letters than ACGT."""
    bits = _BITS[np.frombuffer(text, dtype=np.uint8)]
    count = len(bits) - K + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    good = np.convolve(bits == 255, np.ones(K, dtype=np.int64), "valid") == 0
    two = (bits & 3).astype(np.uint64)
    forward, backward = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    for i in range(K):
        base = two[i : i + count]
        forward = (forward << np.uint64(2)) | base
        backward |= (np.uint64(3) - base) << np.uint64(2 * i)
    hashes = murmur(np.minimum(forward, backward))
    starts = np.flatnonzero(good & (hashes < np.uint64(LARGEST)))
    return hashes[starts], starts


def murmur(packed: Hashes) -> Hashes:
    """First half of MurmurHash3 x64 128 (Appleby 2011, public domain) of the 21 letters of k-mers
    packed two bits a base, the first base highest."""
    one, two = _mixed(_eight(packed, 34)), _mixed(_eight(packed, 18), second=True)
    last = _FOUR[(packed >> np.uint64(2)) & np.uint64(255)]
    last = last | (_LETTERS[packed & np.uint64(3)] << np.uint64(32))
    h1 = np.full(packed.shape, SEED, dtype=np.uint64) ^ one
    h1 = (_turned(h1, 27) + np.uint64(SEED)) * np.uint64(5) + np.uint64(0x52DCE729)
    h2 = _turned(np.uint64(SEED) ^ two, 31) + h1
    h2 = h2 * np.uint64(5) + np.uint64(0x38495AB5)
    h1 = (h1 ^ _mixed(last)) ^ np.uint64(K)
    h2 = h2 ^ np.uint64(K)
    h1 = h1 + h2
    h2 = h2 + h1
    return _final(h1) + _final(h2)


def _eight(packed: Hashes, shift: int) -> Hashes:
    """Letters of the eight bases of which the first four begin at bit `shift`."""
    first: Hashes = _FOUR[(packed >> np.uint64(shift)) & np.uint64(255)]
    second: Hashes = _FOUR[(packed >> np.uint64(shift - 8)) & np.uint64(255)]
    return first | (second << np.uint64(32))


def _mixed(part: Hashes, *, second: bool = False) -> Hashes:
    factors = (np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F))
    if second:
        return _turned(part * factors[1], 33) * factors[0]
    return _turned(part * factors[0], 31) * factors[1]


def _turned(value: Hashes, bits: int) -> Hashes:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


def _final(value: Hashes) -> Hashes:
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))
