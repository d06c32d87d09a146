"""What a sample may be called: letters and digits of any script, so that a laboratory can write its
animals' names as it does everywhere else.

A name is kept in NFC with plain blanks; nothing in it is invisible, leaves a folder, or turns text
around. What stands for it in paths: `sample_keys`.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from porewatch.domain.labels import named, plain_blanks, refuse_unseen

LONGEST = 63
RULE = "1 to 63 letters and digits of any script, blanks, '.', '_', '-'; first a letter or digit."
"""The whole rule in a sentence, for remedies."""

_SIGNS = frozenset(" ._-")
_FIRST = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl"})
_MARKS = frozenset({"Mn", "Mc"})
MOST_MARKS = 4
"""Marks on one letter: every script that is written needs fewer; more run over other lines."""

_LOOKS_LIKE = str.maketrans(
    "АВЕЗКМНОРСТХУЅІЈаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABE3KMHOPCTXYSIJaeopcyxijsABEZHIKMNOPTYXo",
)
"""Cyrillic and Greek letters that print as Latin ones."""


def sample_name(text: str) -> str:
    """`text` as it is kept. Raises ValueError: which character, and what may stand there."""
    name = plain_blanks(unicodedata.normalize("NFC", text))
    refuse_unseen(name)
    if not name:
        raise ValueError("it is empty.")
    if len(name) > LONGEST:
        raise ValueError(f"it has {len(name)} characters; {LONGEST} may be.")
    if name != name.strip():
        raise ValueError("it begins or ends with a blank.")
    for place, character in enumerate(name, 1):
        if not _may_stand(character, first=place == 1):
            where = "first" if place == 1 else f"at place {place}"
            raise ValueError(f"{character!r} ({named(character)}) cannot stand {where}.")
    if _most_marks(name) > MOST_MARKS:
        raise ValueError(f"more than {MOST_MARKS} marks stand on one letter.")
    return name


def _may_stand(character: str, *, first: bool) -> bool:
    category = unicodedata.category(character)
    if first:
        return category in _FIRST
    return category in _FIRST or category in _MARKS or character in _SIGNS


def _most_marks(name: str) -> int:
    kinds = ("m" if unicodedata.category(c) in _MARKS else " " for c in name)
    return max(map(len, "".join(kinds).split()), default=0)


def folded_name(name: str) -> str:
    """Equal for names that differ only in how they were typed or stored: composed or not, wide or
    narrow, capital or small. A folder is found by this.

    >>> folded_name('Donor-1') == folded_name('donor-1')
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def as_seen(name: str) -> str:
    """Equal for names that look the same in print: wide and narrow forms, and letters
    of other alphabets that print alike. Capital and small letters stay different."""
    return unicodedata.normalize("NFKC", name).translate(_LOOKS_LIKE)


SampleName = Annotated[str, AfterValidator(sample_name), Field(min_length=1, max_length=LONGEST)]
