"""Pages of a list: page size, start, and the cursor of the next page."""

from __future__ import annotations

import base64
import re

from porewatch.domain.bounds import number
from porewatch.domain.errors import MessageRefused

MOST = 200
USUAL = 50
LONGEST_CURSOR = 2_000


def cursor_of(place: str) -> str:
    """A place in a list, encoded for a URL."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str | None, pattern: re.Pattern[str]) -> str:
    """The place of a cursor; empty without a cursor. Raises MessageRefused for a cursor that is
    invalid or of another list (`pattern` matches the places of this one)."""
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
    """Page size: 1 to MOST, USUAL by default. Raises MessageRefused."""
    if text is None:
        return USUAL
    if (requested := number(text)) is not None and 1 <= requested <= MOST:
        return requested
    remedy = f"use a number from 1 to {MOST}."
    raise MessageRefused(f"limit {text[:20]!r} is refused.", remedy=remedy)
