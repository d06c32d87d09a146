"""A whole folder, tar or run put together: what is read, what is left out and why, every fault.

Order: each path is classified -> the sheet is chosen and read -> of several kinds of the same reads
one is kept -> barcodes, aliases and folders say whose each file is -> what could merge two animals
into one sample, or lose one, is refused. Nothing here opens a file: doors hand in sizes, texts and
first bytes. All faults are gathered, so that the sender sees them at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from porewatch.domain.bounds import refuse_long
from porewatch.domain.completeness import LeftOut, Why, left_out
from porewatch.domain.errors import InputRefused, Refused, SeveralRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.final_summary import FinalSummary, parse_final_summary
from porewatch.domain.inputs.landing import (
    copies,
    owners,
)
from porewatch.domain.inputs.landing.first_bytes import (
    ENOUGH,
    flow_cell_in,
    holds_nothing,
)
from porewatch.domain.inputs.landing.laboratories import read_laboratory
from porewatch.domain.inputs.landing.run_paths import run_paths
from porewatch.domain.inputs.landing.sheets import choose
from porewatch.domain.inputs.sheet.sample_sheet import read_sheet
from porewatch.domain.inputs.sheet.table_text import Encoding
from porewatch.domain.runs import Sample

MOST_ALIKE = 20
"""Unreadable files of one shape that are named one by one; the rest are counted."""

_PLAIN_REASONS = {
    Landed.FAILED: Why.FAILED,
    Landed.INDEX: Why.INDEX,
    Landed.LEFTOVER: Why.LEFTOVER,
    Landed.TABLE: Why.TABLE,
    Landed.UNKNOWN: Why.UNKNOWN,
}


@dataclass(frozen=True)
class Door:
    """What a door can show of the files that lie there. `sizes`: path -> bytes; `text` gives a
    small file whole; `head` gives up to the first ENOUGH bytes, or None where nothing may be read.
    `sheet`, `lab`: one that was named by hand, which then is the only one."""

    sizes: Mapping[str, int]
    text: Callable[[str], bytes]
    head: Callable[[str], bytes] | None = None
    sheet: tuple[str, bytes] | None = None
    lab: tuple[str, bytes] | None = None


@dataclass
class Understood:
    """What was made of it. `reads`: path as it lies -> path in the run; `barcodes`: path as it lies
    -> barcode or None."""

    reads: dict[str, str] = field(default_factory=dict)
    barcodes: dict[str, str | None] = field(default_factory=dict)
    samples: tuple[Sample, ...] | None = None
    sheet: str | None = None
    encoding: Encoding | None = None
    summary: FinalSummary | None = None
    laboratory: Laboratory | None = None
    manifest: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    faults: list[Refused] = field(default_factory=list)

    def notes(self) -> tuple[str, ...]:
        """What a sender should know, though nothing is wrong."""
        if self.encoding is not Encoding.CP932:
            return ()
        return (f"{self.sheet}: not UTF-8, so it was read as {self.encoding}.",)

    def refuse(self, more: Iterable[Refused] = ()) -> None:
        """Raises what is wrong, `more` with it: one fault as it is, several as SeveralRefused."""
        faults = [*self.faults, *more]
        if len(faults) == 1:
            raise faults[0]
        if faults:
            raise SeveralRefused(faults)


def sort_out(door: Door) -> Understood:
    """Everything that is known without reading whole files. Never raises for bad input:
    `faults` holds it."""
    found = Understood()
    door = replace(door, text=_limited(door))
    by_what = _by_what(door.sizes)
    aside: dict[Why, set[str]] = {
        why: set(by_what.get(what, ())) for what, why in _PLAIN_REASONS.items()
    }
    aside |= {why: aside.get(why, set()) for why in Why}
    aside[Why.HIDDEN] = {_top_hidden(path) for path in by_what.get(Landed.HIDDEN, ())}
    found.manifest = next(iter(by_what.get(Landed.MANIFEST, ())), None)
    with _gathering(found):
        found.summary = _summary(by_what.get(Landed.SUMMARY, ()), door)
    with _gathering(found):
        labs = by_what.get(Landed.LABORATORY, ())
        found.laboratory = read_laboratory(labs, door.text, door.lab)
    reads = _with_reads(by_what.get(Landed.READS, []), door, aside)
    with _gathering(found):
        _read_sheet(by_what.get(Landed.SHEET, ()), door, found, aside, reads)
    _sort_kinds(reads, by_what, door, found, aside)
    found.left_out = left_out(aside)
    return found


def _limited(door: Door) -> Callable[[str], bytes]:
    """`door.text` for documents that are no longer than one may be."""

    def text(path: str) -> bytes:
        refuse_long(path, door.sizes[path])
        return door.text(path)

    return text


def _sort_kinds(
    reads: list[str],
    by_what: Mapping[Landed, list[str]],
    door: Door,
    found: Understood,
    aside: dict[Why, set[str]],
) -> None:
    fast5 = by_what.get(Landed.SIGNAL_OLD, [])
    barcodes, faults = owners.barcodes_of([*reads, *fast5], found.samples)
    kept, copied, more = copies.one_kind(reads, fast5, barcodes)
    found.faults += [*faults, *more, *_unreadable(by_what.get(Landed.UNREADABLE, ()))]
    aside[Why.SECOND_COPY] |= set(copied)
    found.barcodes = {path: barcodes.get(path) for path in kept}
    if not kept and not found.faults:
        found.faults.append(_no_reads(aside))
    few, strays = owners.strays(door.sizes, found.barcodes, found.samples, found.sheet)
    aside[Why.STRAY] = set(few)
    found.faults += [*owners.merged(kept, found.barcodes, found.samples, found.sheet), *strays]
    with _gathering(found):
        found.reads = run_paths(kept, found.samples or ())


class _gathering:  # noqa: N801 - used like the function it stands for
    """Refusals inside become faults of what was found."""

    def __init__(self, found: Understood) -> None:
        self._found = found

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> bool:
        if isinstance(error, Refused):
            self._found.faults.append(error)
            return True
        return False


def _by_what(sizes: Mapping[str, int]) -> dict[Landed, list[str]]:
    found: dict[Landed, list[str]] = {}
    for path in sorted(sizes):
        found.setdefault(classify(path), []).append(path)
    return found


def _top_hidden(path: str) -> str:
    """The hidden folder itself: what lies below is its owner's."""
    parts = PurePosixPath(path).parts
    for depth in range(1, len(parts)):
        if classify("/".join((*parts[:depth], "x.fastq"))) is Landed.HIDDEN:
            return "/".join(parts[:depth]) + "/"
    return path


def _with_reads(reads: list[str], door: Door, aside: dict[Why, set[str]]) -> list[str]:
    """Without sound files that hold no reads, which are left out and reported."""
    empty = {path for path in reads if _is_empty(path, door)}
    aside[Why.EMPTY] = empty
    return [path for path in reads if path not in empty]


def _is_empty(path: str, door: Door) -> bool:
    size = door.sizes[path]
    if size == 0 or (door.head and size <= ENOUGH):
        head = door.head(path) if door.head and size else b""
        return holds_nothing(path, head, size)
    return False


def _summary(names: Iterable[str], door: Door) -> FinalSummary | None:
    """The latest; of two flow cells they are refused elsewhere, by the same rule as files."""
    found = [parse_final_summary(door.text(name), file=name) for name in names]
    cells = sorted({s.flow_cell for s in found if s.flow_cell})
    if len(cells) > 1:
        raise owners.several_flow_cells(cells, next(iter(names)))
    return max(found, key=lambda s: s.started_at, default=None)


def _read_sheet(
    names: Iterable[str],
    door: Door,
    found: Understood,
    aside: dict[Why, set[str]],
    reads: Iterable[str],
) -> None:
    if door.sheet is not None:
        aside[Why.TABLE] |= set(names)
        chosen: tuple[str, bytes] | None = door.sheet
    else:
        sheets = choose(names, door.text)
        aside[Why.MINKNOW_SHEET] = set(sheets.records)
        aside[Why.SECOND_COPY] |= set(sheets.copies)
        chosen = sheets.chosen
    cells = owners.flow_cells(reads, found.summary)
    if len(cells) > 1:
        found.faults.append(owners.several_flow_cells(cells, next(iter(reads))))
    if chosen is None:
        return
    found.sheet, content = chosen
    cell = cells[0] if len(cells) == 1 else _cell_of_first(reads, door)
    sheet = read_sheet(content, file=found.sheet, flow_cell=cell)
    found.samples, found.encoding = sheet.samples or None, sheet.encoding
    found.faults += sheet.faults


def _cell_of_first(reads: Iterable[str], door: Door) -> str | None:
    first = next(iter(reads), None)
    return flow_cell_in(first, door.head(first)) if first and door.head else None


def _unreadable(paths: Iterable[str]) -> Iterator[Refused]:
    """One fault a file, beyond MOST_ALIKE of one shape one for the rest."""
    seen: Counter[str] = Counter()
    for path in paths:
        shape = PurePosixPath(path).suffix.lower()
        seen[shape] += 1
        if seen[shape] <= MOST_ALIKE:
            yield refusal_of(path)
    for shape, number in seen.items():
        if number > MOST_ALIKE:
            yield InputRefused(f"{number - MOST_ALIKE} more files end in {shape}.")


def refusal_of(path: str) -> Refused:
    """Why a file of reads in another shape is not read, with the remedy."""
    try:
        kind_of(path)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"{path} is read")


def _no_reads(aside: Mapping[Why, Iterable[str]]) -> Refused:
    only = "; ".join(found.sentence() for found in left_out(aside))
    return InputRefused(
        f"there are no reads in this folder{f' ({only})' if only else ''}.",
        remedy="name a folder with .fastq.gz, .bam or .pod5 files in it.",
    )
