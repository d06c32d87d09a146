"""What is answered about something that is not there, or not for the one who asks: the same words,
so that nobody learns which of the two it is."""

from __future__ import annotations

from porewatch.domain.errors import NotFound


def absent(what: str, its_id: str) -> NotFound:
    """`what`: `user`, `project`, `group`, `token`, `session`, `invitation`, `link`.

    >>> str(absent("group", "g-1"))
    "there is no group 'g-1'."
    """
    return NotFound(f"there is no {what} {its_id[:80]!r}.")
