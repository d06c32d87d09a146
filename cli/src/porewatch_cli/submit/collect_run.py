"""Collect and check a run: nothing is uploaded unless every file is valid.

Order: find the files (one file, a folder, a MinKNOW output folder) -> check every byte of them
(the same checks as in the cloud) -> seal the manifest with the sample sheet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.errors import BasecallerMissing
from porewatch.domain.runs import InputFile, ReadKind, ReadLimits, RunManifest
from porewatch.domain.sealing import seal
from porewatch.reads.check import check_file
from porewatch.reads.checked import Check, check_all
from porewatch.reads.folder import Folder, look_into
from porewatch.reads.naming import kind_of

Checked = Callable[[Path], None]
"""Called with each file after its check."""


@dataclass(frozen=True)
class Gathered:
    """A run that is ready to upload: its manifest, and the local path of each file."""

    manifest: RunManifest
    sources: dict[str, Path]
    reads: int
    bases: int
    left_out: tuple[str, ...]


def find(path: Path, sample_sheet: Path | None = None, lab: Path | None = None) -> Folder:
    """All files of a run below `path`. Raises InputRefused when the path does not exist."""
    return look_into([path], sample_sheet, lab)


def collect_run(
    path: Path,
    *,
    run_id: str | None = None,
    sample_sheet: Path | None = None,
    lab: Path | None = None,
    profile: str = "default",
    bundle: str | None = None,
    release_policy: str = "default",
    read_limits: ReadLimits | None = None,
    basecalling: bool = True,
    checked: Checked = lambda _path: None,
    check: Check = check_file,
) -> Gathered:
    """Check everything below `path` and seal it.

    Raises Refused: SeveralRefused lists every invalid file; BasecallerMissing when there is raw
    signal and the stack has no basecaller.
    """
    found = find(path, sample_sheet, lab)
    _refuse_signal(found, basecalling)
    content = check_all(found, heard=checked, check=check)
    manifest = seal(
        content.files,
        run_id=run_id or _name(path, content.files),
        created_at=now(),
        created_by="porewatch submit",
        samples=content.samples,
        sequencing=content.sequencing,
        laboratory=found.understood.laboratory,
        profile=profile,
        bundle=bundle,
        release_policy=release_policy,
        left_out=content.left_out,
        read_limits=read_limits,
    )
    return Gathered(
        manifest=manifest,
        sources=content.sources,
        reads=content.reads,
        bases=content.bases,
        left_out=(
            *(aside.sentence() for aside in content.left_out),
            *found.understood.notes(),
        ),
    )


def _refuse_signal(found: Folder, basecalling: bool) -> None:
    signal = [f for f in found.reads if kind_of(f) is ReadKind.POD5]
    if signal and not basecalling:
        raise BasecallerMissing(
            f"{len(signal)} of {len(found.reads)} files hold raw signal, and this stack has no "
            "basecaller.",
            file=str(found.reads[signal[0]]),
            remedy="send the basecalled reads (.fastq.gz or .bam), or deploy with "
            "Basecalling=enabled and a GPU image that holds dorado.",
        )


def _name(path: Path, files: Sequence[InputFile]) -> str:
    """The same files give the same run id, so submitting twice is idempotent."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.name.split(".")[0]).strip("-_") or "run"
    digest = hashlib.sha256("".join(sorted(f.sha256 or "" for f in files)).encode())
    return f"{stem[:48]}-{digest.hexdigest()[:8]}"
