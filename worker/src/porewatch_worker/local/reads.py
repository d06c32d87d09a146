"""Local files and folders as a sealed manifest: named, fully checked, digested.

The same files give the same manifest, so that a repeated screen resumes.
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

OnProgress = Callable[[Progress], None]


def check_reads(
    reads: Sequence[Path],
    sample_sheet: Path | None,
    bundle: str,
    on_progress: OnProgress,
    threads: int = 1,
    *,
    lab: Path | None = None,
    on_note: Callable[[str], None] = lambda _note: None,
) -> tuple[RunManifest, dict[str, Path]]:
    """A sealed manifest of fully checked files, and the path of each file.

    `threads` files are checked at a time. `on_note` gets notes that need no correction. Raises what
    `porewatch submit` raises for the same input.
    """
    if not reads:
        raise InputRefused("no reads were given.", remedy="name .fastq.gz, .bam or .pod5 files.")

    def on_file(path: Path) -> None:
        on_progress(Progress(phase=Phase.QUALITY_CONTROL, note=f"checking {path.name}"))

    folder = look_into(reads, sample_sheet, lab)
    for note in folder.understood.notes():
        on_note(note)
    checked = check_all(folder, threads=threads, heard=on_file)
    latest = max(path.stat().st_mtime for path in checked.sources.values())
    manifest = seal(
        checked.files,
        run_id=_run_id(next(iter(checked.sources.values()))),
        created_at=datetime.fromtimestamp(int(latest), UTC),  # the same files, the same manifest
        created_by="porewatch screen",
        samples=checked.samples,
        sequencing=checked.sequencing,
        laboratory=folder.understood.laboratory,
        bundle=bundle,
        left_out=checked.left_out,
    )
    return manifest, checked.sources


def _run_id(first: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", first.name.split(".")[0]).strip("-_")
    return stem[:48] or "reads"
