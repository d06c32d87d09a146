"""Months beside one another, for links between pages."""

from __future__ import annotations


def beside(month: str, newest: str) -> tuple[str, str | None]:
    """The months before and after this one, if there is one after it.

    >>> beside("2026-01", "2026-03"), beside("2026-12", "2026-12")
    (('2025-12', '2026-02'), ('2026-11', None))
    """
    count = int(month[:4]) * 12 + int(month[5:]) - 1
    before, after = (f"{n // 12:04d}-{n % 12 + 1:02d}" for n in (count - 1, count + 1))
    return before, after if month < newest else None
