"""Where given words stand in a text of bases: all places of many reads at once.

Each word of up to 16 bases is one number, two bits a base, made by doubling (2, 4, 8 bases ...).
Other letters than ACGT read as A: a hit is a hint, and whoever asks looks again.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_BITS = np.zeros(256, dtype=np.uint32)
_BITS[np.frombuffer(b"CGTU", dtype=np.uint8)] = (1, 2, 3, 3)
_BITS[np.frombuffer(b"cgtu", dtype=np.uint8)] = (1, 2, 3, 3)


def coded(text: bytes, size: int) -> NDArray[np.uint32]:
    """The number of the word of `size` bases that starts at each place."""
    if len(text) < size:
        return np.zeros(0, dtype=np.uint32)
    powers = [(1, _BITS[np.frombuffer(text, dtype=np.uint8)])]
    while 2 * powers[-1][0] <= size:
        width, word = powers[-1]
        powers.append((2 * width, (word[:-width] << np.uint32(2 * width)) | word[width:]))
    done, made = powers.pop()
    for width, word in reversed(powers):
        if done + width <= size:
            made = (made[: len(text) - done - width + 1] << np.uint32(2 * width)) | word[done:]
            done += width
    return made


def numbers_of(words: Iterable[str]) -> list[int]:
    """The numbers of the words."""
    return [int(coded(word.encode(), len(word))[0]) for word in words]
