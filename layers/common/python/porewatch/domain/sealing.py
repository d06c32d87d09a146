"""From a list of files to the manifest that seals a run.

Order: `landing` says what each file is -> `inputs.final_summary` reads what the sequencer knows ->
`seal` puts both together with the sample sheet. Shared by all doors, so that one folder gives one
manifest however it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from porewatch.domain.completeness import Expected, LeftOut, LostFile
from porewatch.domain.errors import InputRefused, ManifestRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.inputs.barcodes_in_paths import barcode_of
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.runs import (
    InputFile,
    ReadLimits,
    RunManifest,
    Sample,
    Sequencing,
)
from porewatch.domain.validation_text import say

MOST_FILE_BYTES = 30 * 2**30
"""Bytes of one file: a function must read it through within 15 minutes."""


def input_file(
    path: str,
    size: int,
    sha256: str | None = None,
    *,
    barcode: str | None = None,
    at: str | None = None,
) -> InputFile:
    """One file of the manifest. `path` is relative to the run, `size` in bytes. `barcode`: what is
    known of it from elsewhere; else read from the path. `at`: where it lies, if not at its path."""
    kind = kind_of(path)
    folder = path.partition("/")[0]
    if folder != kind.value:
        raise InputRefused(
            f"a {kind.value} file lies in {folder}/.", file=path, remedy=f"put it in {kind.value}/."
        )
    if size == 0:
        raise InputRefused(
            "the file is empty.", file=path, remedy="send it again, or leave it out."
        )
    if size > MOST_FILE_BYTES:
        shown = min(size, 1 << 60)  # a stranger's number may be larger than any float
        raise InputRefused(
            f"the file has {shown / 2**30:.1f} GiB; one file may have {MOST_FILE_BYTES // 2**30}.",
            file=path,
            remedy="split it: `seqkit split2 --by-size 1000000` (reads), or as the sequencer does.",
        )
    known = barcode or barcode_of(path)
    try:
        place = None if at == path else at
        return InputFile(path=path, kind=kind, size=size, sha256=sha256, barcode=known, at=place)
    except ValidationError as e:
        raise InputRefused(say(e), file=path) from e


def seal(
    files: Sequence[InputFile],
    *,
    run_id: str,
    created_at: datetime,
    created_by: str = "porewatch",
    samples: Sequence[Sample] | None = None,
    sequencing: Sequencing | None = None,
    profile: str = "default",
    bundle: str | None = None,
    release_policy: str = "default",
    laboratory: Laboratory | None = None,
    left_out: Sequence[LeftOut] = (),
    lost: Sequence[LostFile] = (),
    expected: Sequence[Expected] = (),
    read_limits: ReadLimits | None = None,
) -> RunManifest:
    """The manifest of a run; equal inputs give an equal digest, whatever the files' order.

    Without a sample sheet, every barcode among the files is a sample of that name; without
    barcodes, the run is one sample. Raises ManifestRefused.
    """
    if not files:
        raise ManifestRefused(
            f"run {run_id} has no reads.", remedy="send .pod5, .fastq, .fastq.gz or .bam first."
        )
    try:
        return RunManifest(
            run_id=run_id,
            created_at=created_at,
            created_by=created_by,
            profile=profile,
            bundle=bundle,
            release_policy=release_policy,
            files=tuple(sorted(files, key=lambda f: f.path)),
            samples=tuple(samples) if samples else samples_of(files, run_id, lost),
            sequencing=sequencing or Sequencing(),
            laboratory=laboratory,
            left_out=tuple(left_out),
            lost=tuple(lost),
            expected=tuple(expected),
            read_limits=read_limits,
        )
    except ValidationError as e:
        raise ManifestRefused(say(e), file="run.json", remedy="correct it and seal again.") from e


def samples_of(
    files: Sequence[InputFile], run_id: str, lost: Sequence[LostFile] = ()
) -> tuple[Sample, ...]:
    """The samples of files without a sample sheet: one for each barcode; without barcodes, the run.
    A barcode all of whose files were lost stays a sample: it was sequenced."""
    sequenced = {f.barcode for f in files} | {f.barcode for f in lost}
    barcodes = sorted(barcode for barcode in sequenced if barcode)
    return tuple(Sample(name=b, barcode=b) for b in barcodes) or (Sample(name=run_id),)


def parse_manifest(content: bytes, *, run_id: str | None = None) -> RunManifest:
    """`run.json` as it was sent; `run_id` = the run it lies in, when that is known.

    Raises ManifestRefused: field, value and remedy in a sentence.
    """
    try:
        manifest = RunManifest.model_validate_json(content, extra="forbid")
    except ValidationError as e:
        raise ManifestRefused(
            say(e),
            file="run.json",
            remedy="write it with `porewatch submit`, or correct the field.",
        ) from e
    if run_id is not None and manifest.run_id != run_id:
        raise ManifestRefused(
            f"the manifest is for run {manifest.run_id!r}, but lies in the folder of {run_id!r}.",
            file="run.json",
            remedy="put it into its own run's folder.",
        )
    for file in manifest.files:
        if input_file(file.path, file.size).kind is not file.kind:
            raise ManifestRefused(
                f"{file.path} is called {file.kind.value}.",
                file="run.json",
                remedy="name the kind that the file's suffix says.",
            )
    return manifest
