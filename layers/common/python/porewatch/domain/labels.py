"""Words that people give (names, addresses, identities): one line, bounded, nothing invisible.

Control, bidirectional and other unseen characters are refused by name, because a report that shows
one text and stores another can be about the wrong animal. All text is kept in NFC.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 120
UNSEEN = {
    "Cc": "a control character",
    "Cf": "a character that cannot be seen",
    "Cs": "half a character",
    "Co": "a character of private use",
    "Cn": "a character that Unicode does not define",
    "Zl": "a line break",
    "Zp": "a paragraph break",
}
"""General categories that no label may hold, and what they are to a person."""

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that Unicode lets every font leave out (Default_Ignorable_Code_Point, less the
categories above)."""


def label(text: str) -> str:
    """One line of text in NFC, without blanks at its ends. Raises ValueError: what is wrong."""
    clean = plain_blanks(unicodedata.normalize("NFC", text)).strip()
    refuse_unseen(clean)
    if not clean:
        raise ValueError("it is empty; leave it out.")
    if len(clean) > LONGEST:
        raise ValueError(f"it has {len(clean)} characters; at most {LONGEST} fit a report.")
    return clean


def plain_blanks(text: str) -> str:
    """Every kind of blank (no-break, ideographic, thin) as the plain one."""
    return "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)


def unseen(character: str) -> str | None:
    """What a character that cannot be seen is to a person; None for one that can."""
    ignorable = UNSEEN["Cf"] if _IGNORABLE.match(character) else None
    return UNSEEN.get(unicodedata.category(character), ignorable)


def refuse_unseen(text: str) -> None:
    """Raises ValueError that names the first character which cannot be seen, and its place."""
    for place, character in enumerate(text, 1):
        if what := unseen(character):
            raise ValueError(f"character {place} is {what} ({named(character)}); delete it.")


def named(character: str) -> str:
    """`U+202E RIGHT-TO-LEFT OVERRIDE`."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".strip()


Label = Annotated[
    str,
    AfterValidator(label),
    Field(min_length=1, max_length=LONGEST, json_schema_extra={"format": "label"}),
]
"""A line of free text: an accession, a person, a client."""
