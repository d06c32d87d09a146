"""Files and folders on this machine, interpreted by the rules that every way of submission shares.

Order: walk (links are followed once, a dangling one is a fault, hidden folders are not entered) ->
`landing.sorting.sort_out`. Only sheets, summaries and the first bytes of small files are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from porewatch.domain.bounds import refuse_long
from porewatch.domain.completeness import Why, with_more
from porewatch.domain.errors import InputRefused
from porewatch.domain.inputs.barcodes_in_paths import normal_barcode
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.first_bytes import ENOUGH
from porewatch.domain.inputs.landing.sorting import (
    Door,
    Understood,
    sort_out,
)
from porewatch.reads.walk import Walk

_USED = (
    Landed.READS,
    Landed.UNREADABLE,
    Landed.SIGNAL_OLD,
    Landed.SHEET,
    Landed.SUMMARY,
    Landed.LABORATORY,
)


@dataclass(frozen=True)
class Folder:
    """`reads`: path in the run -> local file. `understood` has the rest, faults too. `files`: all
    that were looked at, by their paths as they lie."""

    reads: dict[str, Path]
    barcodes: dict[str, str | None]
    understood: Understood
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for people about each sort of file that is not screened."""
        return tuple(found.sentence() for found in self.understood.left_out)


def look_into(paths: Sequence[Path], sheet: Path | None = None, lab: Path | None = None) -> Folder:
    """Everything at and below `paths`. Raises InputRefused when one of them is not there; what is
    wrong with the files stands in `understood.faults`."""
    found = Walk(_counts)
    for path in paths:
        if not path.exists():
            raise InputRefused("there is no such file or folder.", file=str(path))
    for name, path in _named(paths):
        if path.is_dir():
            found.enter(path, name)
        else:
            kind_of(path.name)
            found.take(name or path.name, path)
    found.follow()
    understood = sort_out(
        Door(
            sizes={name: path.stat().st_size for name, path in found.files.items()}
            | dict.fromkeys(found.hidden, 0),
            text=lambda name: found.files[name].read_bytes(),
            head=lambda name: _head(found.files[name]),
            sheet=_read(sheet),
            lab=_read(lab),
        )
    )
    understood.faults[:0] = found.faults
    understood.left_out = with_more(understood.left_out, Why.SECOND_COPY, found.twice)
    reads = {place: found.files[name] for name, place in understood.reads.items()}
    barcodes = {place: understood.barcodes[name] for name, place in understood.reads.items()}
    return Folder(reads, barcodes, understood, dict(found.files))


def _named(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Each path under the name that tells it from the others; a single folder needs none."""
    if len(paths) == 1:
        path = paths[0].absolute()
        barcoded = path.is_file() and normal_barcode(path.parent.name)
        yield (f"{path.parent.name}/{path.name}" if barcoded else ""), paths[0]
        return
    whole = [path.absolute() for path in paths]
    above = Path(os.path.commonpath([path.parent for path in whole]))
    for path in whole:
        yield path.relative_to(above).as_posix(), path


def _read(named: Path | None) -> tuple[str, bytes] | None:
    if named is None:
        return None
    refuse_long(str(named), named.stat().st_size)
    return str(named), named.read_bytes()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(ENOUGH)


def _counts(name: str) -> bool:
    return classify(name) in _USED
