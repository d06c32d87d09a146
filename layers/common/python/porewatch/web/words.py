"""What pages say: `messages/web.<language>.json`, on top of the words for reasons."""

from __future__ import annotations

from functools import cache

from porewatch.domain.reasons.catalogue import (
    REASONS,
    Catalogue,
    read,
)


@cache
def words(language: str) -> Catalogue:
    """Of a language that has a catalogue."""
    return Catalogue({**read(REASONS, language), **read("web", language)}, read("panel", language))
