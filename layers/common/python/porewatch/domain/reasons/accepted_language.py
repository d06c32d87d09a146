"""Which of our languages somebody reads."""

from __future__ import annotations

from porewatch.domain.reasons.catalogue import SOURCE, languages


def language_of(chosen: str | None, accepted: str) -> str:
    """The language that somebody chose, else the one his browser prefers (`Accept-Language`), else
    the source language.

    >>> language_of(None, "de, ja;q=0.8, en;q=0.5"), language_of("en", "ja"), language_of("x", "")
    ('ja', 'en', 'en')
    """
    known = languages()
    if chosen in known:
        return str(chosen)
    wanted = [part.strip().partition(";") for part in accepted[:200].split(",")]
    ranked = sorted(wanted, key=lambda one: -_weight(one[2]))
    for name, _, _ in ranked:
        if (short := name.split("-")[0].lower()) in known:
            return short
    return SOURCE


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=")) if text else 1.0
    except ValueError:
        return 0.0
