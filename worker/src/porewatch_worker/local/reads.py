"""Files and folders on this machine as a sealed manifest: named, checked whole, digested.

The same files give the same manifest, so that the same screen carries on where it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import RunManifest
from porewatch.domain.sealing import seal
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.reads.checked import check_all
from porewatch.reads.folder import look_into

Heard = Callable[[Progress], None]


def check_reads(
    reads: Sequence[Path],
    sample_sheet: Path | None,
    bundle: str,
    progress: Heard,
    threads: int = 1,
    *,
    lab: Path | None = None,
    noted: Callable[[str], None] = lambda _note: None,
) -> tuple[RunManifest, dict[str, Path]]:
    """A sealed manifest of files that were checked to the last byte, and where each file lies.

    `threads` files are checked at a time; `noted` hears what the sender should know, though nothing
    is wrong. Raises what `porewatch submit` raises for the same
    input.
    """
    if not reads:
        raise InputRefused("no reads were given.", remedy="name .fastq.gz, .bam or .pod5 files.")

    def heard(path: Path) -> None:
        progress(Progress(phase=Phase.QUALITY_CONTROL, note=f"checking {path.name}"))

    folder = look_into(reads, sample_sheet, lab)
    for note in folder.understood.notes():
        noted(note)
    there = check_all(folder, threads=threads, heard=heard)
    latest = max(path.stat().st_mtime for path in there.sources.values())
    manifest = seal(
        there.files,
        run_id=_run_id(next(iter(there.sources.values()))),
        created_at=datetime.fromtimestamp(int(latest), UTC),  # the same files, the same manifest
        created_by="porewatch screen",
        samples=there.samples,
        sequencing=there.sequencing,
        laboratory=folder.understood.laboratory,
        bundle=bundle,
        left_out=there.left_out,
    )
    return manifest, there.sources


def _run_id(first: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", first.name.split(".")[0]).strip("-_")
    return stem[:48] or "reads"
