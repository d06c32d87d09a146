"""Split lists into batches that AWS accepts (itertools.batched comes with Python 3.12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Up to `size` items at a time, in order; none for an empty list."""
    return (items[start : start + size] for start in range(0, len(items), size))
