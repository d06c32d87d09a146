"""Check every file of a folder to its last byte, and report every fault of the folder at once.

For submit and screen: both refuse, and leave out, the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.completeness import LeftOut, Why, with_more
from porewatch.domain.errors import InputRefused, Refused
from porewatch.domain.inputs.landing.contents import (
    Headers,
    faults_of,
    once,
)
from porewatch.domain.runs import InputFile, Sample, Sequencing
from porewatch.domain.sealing import input_file
from porewatch.reads.check import check_file
from porewatch.reads.folder import Folder
from porewatch.reads.summary import ReadsSummary

Check = Callable[[Path], ReadsSummary]
"""Reads one file to its last byte. Raises InputRefused."""


@dataclass(frozen=True)
class Checked:
    """Sound files, each content once. `sources`: path in the run -> local file."""

    files: tuple[InputFile, ...]
    sources: dict[str, Path]
    samples: tuple[Sample, ...] | None
    sequencing: Sequencing
    left_out: tuple[LeftOut, ...]
    reads: int
    bases: int


def check_all(
    folder: Folder,
    *,
    threads: int = 1,
    heard: Callable[[Path], None] = lambda _path: None,
    check: Check = check_file,
) -> Checked:
    """Raises every fault of the folder and of its files: one as it is, several as SeveralRefused
    in the order of the files."""

    def judged(path: Path) -> ReadsSummary | InputRefused:
        try:
            return check(path)
        except InputRefused as fault:
            return fault
        finally:
            heard(path)

    with ThreadPoolExecutor(threads) as pool:
        found = dict(zip(folder.reads, pool.map(judged, folder.reads.values()), strict=True))
    summaries = {name: s for name, s in found.items() if isinstance(s, ReadsSummary)}
    faults: list[Refused] = [f for f in found.values() if isinstance(f, InputRefused)]
    files, more = _files(summaries, folder)
    kept, copies, doubled = once(files)
    faults += [*more, *doubled, *_header_faults(summaries, folder)]
    folder.understood.refuse(faults)
    mine = [summaries[file.path] for file in kept]
    return Checked(
        files=tuple(kept),
        sources={file.path: folder.reads[file.path] for file in kept},
        samples=folder.understood.samples,
        sequencing=_sequencing(folder, mine),
        left_out=with_more(folder.understood.left_out, Why.SECOND_COPY, copies),
        reads=sum(s.reads for s in mine),
        bases=sum(s.bases for s in mine),
    )


def _files(
    summaries: dict[str, ReadsSummary], folder: Folder
) -> tuple[list[InputFile], list[Refused]]:
    files: list[InputFile] = []
    faults: list[Refused] = []
    for name, found in summaries.items():
        try:
            barcode = folder.barcodes[name]
            files.append(input_file(name, found.size, found.sha256, barcode=barcode))
        except InputRefused as fault:
            faults.append(fault)
    return files, faults


def _header_faults(summaries: dict[str, ReadsSummary], folder: Folder) -> Iterable[Refused]:
    headers = {name: Headers(s.sequencing.flow_cell, s.barcodes) for name, s in summaries.items()}
    barcoded = any(sample.barcode for sample in folder.understood.samples or ())
    return faults_of(headers, folder.barcodes, samples=barcoded)


def _sequencing(folder: Folder, summaries: list[ReadsSummary]) -> Sequencing:
    """What the reads' headers say, and over it what the final summary says."""
    first = summaries[0].sequencing
    summary = folder.understood.summary
    if summary is None:
        return first
    return first.model_copy(update=summary.sequencing().model_dump(exclude_none=True))
