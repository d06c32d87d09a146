"""From what the user points at to a checked run: nothing is uploaded before all of it is sound.

Order: find the files (one file, a folder, a MinKNOW output folder) -> check every byte of every
one (the same checks the cloud makes) -> seal the manifest with the sample sheet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.errors import (
    BasecallerMissing,
    InputRefused,
    Refused,
    SampleSheetRefused,
)
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample, Sequencing
from porewatch.domain.sample_sheet import parse_sample_sheet
from porewatch.domain.sealing import input_file, parse_final_summary, run_path, seal
from porewatch.reads.check import check_file
from porewatch.reads.folder import look_into
from porewatch.reads.naming import kind_of
from porewatch.reads.summary import ReadsSummary

Checked = Callable[[Path], None]
"""Told about each file once its check is over."""


@dataclass(frozen=True)
class Found:
    """What lies at the path the user named. `reads` maps the path in the run to the local file."""

    reads: dict[str, Path]
    sheet: Path | None = None
    summary: Path | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """A run that is ready to go: its manifest, and where each file lies on this machine."""

    manifest: RunManifest
    sources: dict[str, Path]
    reads: int
    bases: int
    left_out: tuple[str, ...]


class SeveralRefused(Refused):
    """More than one file is bad; `faults` holds one error for each."""

    def __init__(self, faults: list[InputRefused]) -> None:
        self.faults = faults
        super().__init__(
            f"{len(faults)} files cannot be used; nothing was uploaded.",
            remedy="mend or leave out the files named above, then submit again.",
        )


def find(path: Path) -> Found:
    """All files of a run below `path`. Raises InputRefused when there are no reads."""
    if not path.exists():
        raise InputRefused("there is no such file or folder.", file=str(path))
    if path.is_file():
        kind_of(path.name)
        return Found(reads={run_path(path.name): path})
    there = look_into(path)
    reads: dict[str, Path] = {}
    for relative, file in there.reads.items():
        target = run_path(relative)
        if target in reads:
            raise InputRefused(
                f"it would take the same place in the run ({target}) as {reads[target]}.",
                file=str(file),
                remedy="give the two files different names.",
            )
        reads[target] = file
    return Found(reads, there.sheet, there.summary, there.left_out)


def gather(
    path: Path,
    *,
    run_id: str | None = None,
    sample_sheet: Path | None = None,
    profile: str = "default",
    bundle: str | None = None,
    release_policy: str = "default",
    basecalling: bool = True,
    checked: Checked = lambda _path: None,
) -> Gathered:
    """Check everything below `path` and seal it.

    Raises Refused: SeveralRefused lists every bad file at once; BasecallerMissing when there is
    raw signal and the stack has no basecaller.
    """
    found = find(path)
    _refuse_signal(found, basecalling)
    sheet = sample_sheet or found.sheet
    samples = parse_sample_sheet(sheet.read_bytes(), file=str(sheet)) if sheet else None
    summaries = _check_all(found.reads, checked)
    files = [
        input_file(target, summaries[target].size, summaries[target].sha256)
        for target in found.reads
    ]
    if samples:
        _refuse_unlisted(files, samples, sheet)
    manifest = seal(
        files,
        run_id=run_id or _name(path, files),
        created_at=now(),
        created_by="porewatch submit",
        samples=samples,
        sequencing=_sequencing(found, summaries),
        profile=profile,
        bundle=bundle,
        release_policy=release_policy,
    )
    return Gathered(
        manifest=manifest,
        sources=found.reads,
        reads=sum(s.reads for s in summaries.values()),
        bases=sum(s.bases for s in summaries.values()),
        left_out=found.left_out,
    )


def _refuse_signal(found: Found, basecalling: bool) -> None:
    signal = [f for f in found.reads if kind_of(f) is ReadKind.POD5]
    if signal and not basecalling:
        raise BasecallerMissing(
            f"{len(signal)} of {len(found.reads)} files hold raw signal, and this stack has no "
            "basecaller.",
            file=str(found.reads[signal[0]]),
            remedy="send the basecalled reads (.fastq.gz or .bam), or deploy with "
            "Basecalling=enabled and a GPU image that holds dorado.",
        )


def _check_all(reads: dict[str, Path], checked: Checked) -> dict[str, ReadsSummary]:
    summaries: dict[str, ReadsSummary] = {}
    faults: list[InputRefused] = []
    for target, file in reads.items():
        try:
            summaries[target] = check_file(file)
        except InputRefused as fault:
            faults.append(fault)
        checked(file)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise SeveralRefused(faults)
    return summaries


def _refuse_unlisted(
    files: list[InputFile], samples: tuple[Sample, ...], sheet: Path | None
) -> None:
    """A whole file of a barcode that no sample claims is a mistake, not crosstalk."""
    listed = {s.barcode for s in samples}
    for file in files:
        if file.barcode and listed != {None} and file.barcode not in listed:
            raise SampleSheetRefused(
                f"{file.path} belongs to {file.barcode}, which no sample has.",
                file=str(sheet),
                remedy=f"add a row for {file.barcode}, or leave its files out.",
            )


def _sequencing(found: Found, summaries: dict[str, ReadsSummary]) -> Sequencing:
    """What the reads' headers say, and over it what the final summary says."""
    first = next(iter(summaries.values())).sequencing
    if found.summary is None:
        return first
    summary = parse_final_summary(found.summary.read_bytes(), file=str(found.summary))
    told = summary.sequencing().model_dump(exclude_none=True)
    return first.model_copy(update=told)


def _name(path: Path, files: list[InputFile]) -> str:
    """The same files give the same run id, so that submitting twice is submitting once."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.name.split(".")[0]).strip("-_") or "run"
    digest = hashlib.sha256("".join(sorted(f.sha256 or "" for f in files)).encode())
    return f"{stem[:48]}-{digest.hexdigest()[:8]}"
