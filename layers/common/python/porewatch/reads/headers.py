"""Read headers in both dialects that basecallers write.

Old (Guppy, MinKNOW): `id runid=… ch=5 start_time=2017-03-03T02:22:25Z barcode=barcode07`.
New (dorado, `samtools fastq -T '*'`): tab-separated SAM tags, `id\tch:i:783\tst:Z:…\tRG:Z:…`.
The same tags stand in BAM records, so `from_tags` serves both.

What is not understood is unknown (None). What is understood and beyond the limits of
`domain.bounds` raises OutOfBounds: nothing downstream has to expect it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from porewatch.domain.bounds import LONGEST_VALUE, moment, number
from porewatch.domain.runs import Sequencing

UNCLASSIFIED = "unclassified"

_BARCODE = re.compile(r"(barcode(?:\d{2}|[1-9]\d{2,3})[a-d]?)(?![0-9A-Za-z])")
_IN_HEADER = re.compile(
    rb"[\s:=_](barcode(?:\d{2}|[1-9]\d{2,3})[a-d]?|unclassified)(?![0-9A-Za-z])"
)
_GROUP = re.compile(r"^([0-9a-fA-F]{8,40}(?:-[0-9a-fA-F-]+)?)_([a-z]+_r\S+?@v[0-9.]+)")
_PAIR = re.compile(r"(\w+)=(\S+)")
_TAG = re.compile(r"^([A-Za-z][A-Za-z0-9]):[AifZ]:(.*)$")


TAGS = ("RG", "BC", "st", "ch", "dx")
"""The tags that are read; no others are looked at."""


class OutOfBounds(ValueError):
    """A header says something that no sequencer says; the text is the sentence for people."""


@dataclass(frozen=True)
class ReadHeader:
    """What a header says of its read. Unknown fields are None."""

    id: str
    barcode: str | None = None
    start_time: datetime | None = None
    channel: int | None = None
    acquisition_id: str | None = None
    basecall_model: str | None = None
    flow_cell: str | None = None
    alias: str | None = None
    """The name that the demultiplexer gave the read for its barcode, by its sample sheet."""
    duplex: int | None = None
    """1: made of two strands; 0: of one; -1: one of the strands of a duplex read in the same
    set."""

    def sequencing(self) -> Sequencing:
        """The run's metadata as far as one read knows it (not the run's start time)."""
        return Sequencing(
            flow_cell=self.flow_cell,
            basecall_model=self.basecall_model,
            acquisition_id=self.acquisition_id,
        )


def parse_header(text: str) -> ReadHeader:
    """A FASTQ header without its '@'. Unknown fields are ignored. Raises OutOfBounds."""
    if "\t" in text:
        name, *fields = text.split("\t")
        found = (_TAG.match(field) for field in fields)
        return from_tags(name.split(" ", 1)[0], {m[1]: m[2] for m in found if m})
    name, _, rest = text.partition(" ")
    pairs = dict(_PAIR.findall(rest))
    return ReadHeader(
        id=_kept("read name", name) or "",
        barcode=read_barcode(pairs.get("barcode")),
        start_time=read_time(pairs.get("start_time")),
        channel=_number(pairs.get("ch")),
        acquisition_id=_kept("runid", pairs.get("runid")),
        basecall_model=_kept(
            "model", pairs.get("basecall_model_version_id") or pairs.get("model_version_id")
        ),
        flow_cell=_kept("flow_cell_id", pairs.get("flow_cell_id")),
        alias=_alias(pairs.get("barcode_alias")),
        duplex=_duplex(name, pairs.get("dx")),
    )


def from_tags(name: str, tags: Mapping[str, object]) -> ReadHeader:
    """SAM tags as dorado writes them: st, ch, RG (`<run>_<model>[_<barcode>]`), BC.
    Raises OutOfBounds."""
    group = _kept("RG", str(tags.get("RG", ""))) or ""
    parts = _GROUP.match(group)
    return ReadHeader(
        id=_kept("read name", name) or "",
        barcode=read_barcode(tags.get("BC")) or read_barcode(group),
        start_time=read_time(tags.get("st")),
        channel=_number(tags.get("ch")),
        acquisition_id=parts[1] if parts else None,
        basecall_model=parts[2] if parts else None,
        alias=_alias(tags.get("BC")) or _alias(group[parts.end() :].lstrip("_") if parts else None),
        duplex=_duplex(name, tags.get("dx")),
    )


def _alias(value: object) -> str | None:
    """What stands in a barcode's place and is none."""
    text = _kept("barcode", str(value or "")) or ""
    return None if not text or read_barcode(text) else text


def _duplex(name: str, tag: object) -> int | None:
    """dorado's `dx` tag; without it, a name of two ids (`template;complement`) says duplex."""
    if tag is not None and str(tag) in ("-1", "0", "1"):
        return int(str(tag))
    return 1 if ";" in name else None


def read_barcode(value: object) -> str | None:
    """`barcodeNN` or `unclassified` inside a value such as `SQK-RBK114-24_barcode07`."""
    if not value:
        return None
    text = str(value)
    found = _BARCODE.search(text)
    if found:
        return found[1]
    return UNCLASSIFIED if text.endswith(UNCLASSIFIED) else None


def barcode_in(header: bytes) -> str | None:
    """The barcode of a raw header line, quickly: most headers have none."""
    if b"barcode" not in header and b"unclassified" not in header:
        return None
    found = _IN_HEADER.search(header)
    return found[1].decode() if found else None


def read_time(value: object) -> datetime | None:
    """An ISO 8601 moment in UTC; None when missing or unreadable. Raises OutOfBounds."""
    if not value:
        return None
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    try:
        return moment(read)
    except ValueError as e:
        raise OutOfBounds(f"The start time {value} is impossible: {e}.") from e


def _kept(what: str, value: str | None) -> str | None:
    if value is not None and len(value) > LONGEST_VALUE:
        raise OutOfBounds(
            f"The {what} has {len(value):,} characters; {LONGEST_VALUE:,} may be there."
        )
    return value


def _number(value: object) -> int | None:
    return None if value is None else number(str(value))
