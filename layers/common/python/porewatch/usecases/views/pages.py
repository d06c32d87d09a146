"""Pages of a list: how many, from where on, and the cursor that says where the next one begins."""

from __future__ import annotations

import base64
import re

from porewatch.domain.bounds import number
from porewatch.domain.errors import MessageRefused

MOST = 200
USUAL = 50
LONGEST_CURSOR = 2_000


def cursor_of(place: str) -> str:
    """A place in a list as text for an address."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str | None, pattern: re.Pattern[str]) -> str:
    """The place that a cursor names; empty without a cursor. Raises MessageRefused where it is none
    of ours, or of another list (`pattern` fits the places of this one)."""
    if cursor is None:
        return ""
    if len(cursor) <= LONGEST_CURSOR and cursor.isascii():
        try:
            place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        except ValueError:
            place = ""
        if pattern.fullmatch(place) and cursor_of(place) == cursor:
            return place
    raise MessageRefused(
        f"cursor {cursor[:20]!r} is refused.", remedy="use `next` of the page before, as it is."
    )


def limit_of(text: str | None) -> int:
    """How many a page may hold: 1 to MOST, USUAL when nothing is said. Raises MessageRefused."""
    if text is None:
        return USUAL
    if (requested := number(text)) is not None and 1 <= requested <= MOST:
        return requested
    remedy = f"use a number from 1 to {MOST}."
    raise MessageRefused(f"limit {text[:20]!r} is refused.", remedy=remedy)
