"""Numbers with their noun, in English; reports have message catalogues."""

from __future__ import annotations


def plural(number: int, noun: str, several: str | None = None) -> str:
    """
    >>> plural(1, "file"), plural(1200, "file"), plural(0, "entry", "entries")
    ('1 file', '1,200 files', '0 entries')
    """
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"
