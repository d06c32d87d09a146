"""Limits of what others send: how long, how many, how old. One place, used at every door.

What is beyond them was written by no sequencer, basecaller or laboratory, and would cost memory or
break what reads it later. docs/limits.md lists them for people.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from porewatch.domain.errors import ManifestRefused

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years that a moment may lie in. Clocks that were never set say 1970; nothing says more than 2199,
and near year 1 and 9999 a change of time zone has no answer."""

MOST_TEXT = 5 * 2**20
"""Bytes of a sample sheet, final summary or lab.toml."""
MOST_MANIFEST = 32 * 2**20
"""Bytes of a `run.json`: 50,000 files with long names take 15 MiB."""

LONGEST_HEADER = 16 * 2**20
"""Bytes of a read's header. Tags of methylation and moves grow with the read: 4.2 Mb need 10 MB."""
MOST_FIELDS = 1_000
"""Fields of a read's header; basecallers write up to thirty."""
LONGEST_VALUE = 1_000
"""Characters of a value that is kept: read id, run id, flow cell, model, sample."""
MOST_DIGITS = 9
"""Digits of a number in a header. Channels have four."""
MOST_COUNT = 10**15
"""Of reads, bases, bytes, files, units. More is in no run, and a division of larger whole numbers
may raise OverflowError."""
LEAST_AMOUNT, MOST_AMOUNT = 1e-18, 1e18
"""Of a volume, of copies, of a mass, of a share: what is computed with them stays finite."""
HIGHEST_QUALITY = 93
"""Phred values beyond have no letter in FASTQ."""
MOST_EXTENDED = 64 * 2**10
"""Bytes of an extended header of a tar (pax records, long names)."""
MOST_EXTENDED_IN_A_ROW = 16
"""Extended headers before one member; tools write up to three."""
BOMB_WINDOW = 64 * 2**20
MOST_GZIP_RATIO = 200
"""Reads compress 2 to 5 times, repeats of one base perhaps 50; bombs about 1000. Judged over each
BOMB_WINDOW bytes of text, so that noise before a bomb hides nothing."""


def moment(value: datetime) -> datetime:
    """In UTC; without a zone it is meant so. Raises ValueError outside of FIRST_YEAR to LAST_YEAR:
    pydantic and our parsers make a sentence with file and field of it."""
    if FIRST_YEAR - 1 <= value.year <= LAST_YEAR + 1:  # beyond, it has no UTC perhaps
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(
            f"the year {value.year} is outside of {FIRST_YEAR} to {LAST_YEAR}: "
            "the clock was wrong, or the time was damaged"
        )
    return value


def number(text: str) -> int | None:
    """A whole number of at most MOST_DIGITS ASCII digits, else None.

    >>> number('12'), number('１２'), number('1e3')
    (12, None, None)
    """
    plain = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if plain else None


def refuse_controls(path: str) -> None:
    """Raises ValueError for a path that holds a control character, a line break or half a
    character: it would do something where it is shown, or could not be stored."""
    if path.isprintable():  # holds none of them, and is asked a hundred times faster
        return
    for place, character in enumerate(path, 1):
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            shown = f"U+{ord(character):04X}"
            raise ValueError(f"character {place} of the path is a control character ({shown})")


def refuse_long(file: str, size: int) -> None:
    """Raises ManifestRefused for a document (sheet, summary, lab.toml, run.json) that is too long
    to be one, before it is read."""
    most = MOST_MANIFEST if file.rpartition("/")[2] == "run.json" else MOST_TEXT
    if size > most:
        raise ManifestRefused(
            f"has {size:,} bytes; a document of this kind may have {most:,}.",
            file=file,
            remedy="send the file that was meant.",
        )
