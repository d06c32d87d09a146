"""The head of an audit trail that somebody has kept, as `porewatch audit --head` is given it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from porewatch.domain.errors import InputRefused

HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
REMEDY = "give the 64 characters that `porewatch audit` or the sign-off printed, or a file of them."


def kept_head(given: str) -> str:
    """The head of `--head`: the hash itself, or the one in a file (output of `porewatch audit`, an
    earlier report.json, a note). Raises InputRefused for none, or several."""
    if HASH.fullmatch(given.strip().lower()):
        return given.strip().lower()
    path = Path(given)
    if not path.is_file():
        raise InputRefused("not a head, and not a file.", file=given, remedy=REMEDY)
    text = path.read_text(encoding="utf-8", errors="replace")
    named = _in_json(text)
    heads: dict[str, None] = dict.fromkeys(HASH.findall(text.lower()) if named is None else named)
    if len(heads) != 1:
        raise InputRefused(
            f"the file holds {len(heads)} heads." if heads else "the file holds no head.",
            file=given,
            remedy=REMEDY,
        )
    return next(iter(heads))


def _in_json(text: str) -> list[str] | None:
    """Heads in a report (its trail) or in the output of `porewatch audit --json`, whose other
    hashes are no heads; None for other text."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    trail = document.get("audit")
    head = trail.get("head") if isinstance(trail, dict) else document.get("head")
    return HASH.findall(head) if isinstance(head, str) else []
