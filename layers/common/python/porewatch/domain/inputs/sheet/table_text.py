"""A table as spreadsheets and sequencers save it -> its text, then its rows.

Encodings are tried in a strict order, and the first that decodes every byte is the one:

1. what a byte order mark says: UTF-8, or UTF-16 of either order;
2. UTF-8;
3. Shift-JIS as Windows writes it (cp932), which is what Excel saves as CSV in Japan.

Nothing else is read. Western code pages (cp1252) decode as cp932 now and then, and would give other
words in silence: bytes that read as a Western word are refused, and so is every private character.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.labels import plain_blanks
from porewatch.domain.reasons.reason import RefusalCode, because


class Encoding(StrEnum):
    """How the bytes of a sheet were read."""

    UTF8 = "UTF-8"
    UTF8_MARK = "UTF-8 with byte order mark"
    UTF16 = "UTF-16"
    CP932 = "Shift-JIS (cp932)"


class Decoded(NamedTuple):
    text: str
    encoding: Encoding


class Row(NamedTuple):
    """`line`: where it begins in the file, from 1."""

    line: int
    cells: list[str]


_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_MARKS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SAVE = "save it as CSV (UTF-8); in Excel: Save As, CSV UTF-8 (Comma delimited)."
_HIGH = re.compile(rb"[\x80-\xff]+")
_WESTERN = re.compile(
    rb"(?:(?<=[A-Za-z])[\xc0-\xff\x8a\x8e\x9a\x9e]|[\xc0-\xff\x8a\x8e\x9a\x9e](?=[a-z])"
    rb"|(?<=[A-Za-z])\x92(?=[A-Za-z]))(?![\x80-\xff])"
)
"""One byte that is an accented letter (or an apostrophe) of cp1252 beside plain letters."""


def decode(content: bytes, file: str) -> Decoded:
    """The text of a table. Raises SampleSheetRefused that names what it is instead, with line."""
    if content.startswith(_WORKBOOKS):
        raise SampleSheetRefused(because(RefusalCode.SHEET_IS_WORKBOOK), file=file, remedy=_SAVE)
    if content.startswith(_UTF32_MARKS):
        raise SampleSheetRefused(because(RefusalCode.SHEET_IS_UTF32), file=file, remedy=_SAVE)
    if content.startswith(_UTF16_MARKS):
        return Decoded(_strict(content, "utf-16", "UTF-16", file), Encoding.UTF16)
    if content.startswith(_UTF8_MARK):
        text = _strict(content, "utf-8-sig", "UTF-8", file)
        return Decoded(text, Encoding.UTF8_MARK)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as e:
        return Decoded(_japanese(content, e.start, file), Encoding.CP932)
    if "\0" in text:
        zeros = because(RefusalCode.SHEET_ZERO_BYTES)
        raise SampleSheetRefused(zeros, file=file, remedy=_SAVE)
    return Decoded(text, Encoding.UTF8)


def _strict(content: bytes, codec: str, name: str, file: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as e:
        why = because(RefusalCode.SHEET_DOES_NOT_DECODE, encoding=name, byte=e.start + 1)
        raise SampleSheetRefused(why, file=file, remedy=_SAVE) from e


def _japanese(content: bytes, first: int, file: str) -> str:
    line = content[:first].count(b"\n") + 1
    try:
        text = content.decode("cp932")
    except UnicodeDecodeError:
        text = ""
    if not text or any(unicodedata.category(c) == "Co" for c in text):
        unknown = because(RefusalCode.SHEET_UNKNOWN_ENCODING)
        raise SampleSheetRefused(unknown, file=file, line=line, remedy=_SAVE)
    if all(_WESTERN.match(content, run.start()) for run in _HIGH.finditer(content)):
        western = content.splitlines()[line - 1].decode("cp1252", "replace").strip()[:40]
        raise SampleSheetRefused(
            because(RefusalCode.SHEET_AMBIGUOUS_ENCODING, western=western),
            file=file,
            line=line,
            remedy=_SAVE,
        )
    return text


def rows_of(text: str, file: str) -> list[Row]:
    """Every line that says something, the header first. Cells are without blanks around them; lines
    that begin with `#`, and Excel's `sep=;`, are for people and programs and left out. Raises
    SampleSheetRefused for what is not CSV."""
    content = text.removeprefix("\ufeff")
    reader = csv.reader(
        io.StringIO(content, newline=""), delimiter=_delimiter(content), strict=True
    )
    rows, begins = [], 1
    try:
        for cells in reader:
            clean = [plain_blanks(cell).strip(" \t\r\n") for cell in cells]
            if any(clean) and not _is_aside(clean):
                rows.append(Row(begins, clean))
            begins = reader.line_num + 1
    except csv.Error as e:
        raise SampleSheetRefused(
            because(RefusalCode.SHEET_NOT_CSV, text=str(e)),
            file=file,
            line=reader.line_num,
            remedy="close every quotation mark, or save the sheet as CSV again.",
        ) from e
    if not rows:
        raise SampleSheetRefused(
            because(RefusalCode.SHEET_EMPTY),
            file=file,
            remedy="a header with name and barcode, then rows.",
        )
    return rows


def heading(cell: str) -> str:
    """A column's name as it is compared: ` Sample Name ` -> `sample_name`.

    >>> heading(' Spike Copies ')
    'spike_copies'
    """
    plain = unicodedata.normalize("NFKC", cell).strip().lower()
    return plain.replace(" ", "_").replace("-", "_")


def _delimiter(text: str) -> str:
    for line in text.splitlines():
        if sep := _SEP.fullmatch(line.strip()):
            return sep[1]
        if line.strip() and not line.lstrip(' \t"').startswith("#"):
            return next((d for d in "\t;" if d in line), ",")
    return ","


_SEP = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)


def _is_aside(cells: list[str]) -> bool:
    return cells[0].startswith("#") or bool(re.fullmatch(r"(?i)sep=.?", cells[0]))
