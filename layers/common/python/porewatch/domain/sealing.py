"""From a list of files to the manifest that seals a run.

Order: `landing` says what each file is -> MinKNOW's final summary tells what the sequencer knows
(`parse_final_summary`) -> `seal` puts both together with the sample sheet. Shared by all doors, so
that one folder gives one manifest however it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from porewatch.domain.base import Model, Moment
from porewatch.domain.bounds import moment
from porewatch.domain.bounds import number as whole_number
from porewatch.domain.completeness import Expected, LeftOut, LostFile
from porewatch.domain.errors import InputRefused, ManifestRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.inputs.barcodes_in_paths import barcode_of
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.runs import (
    InputFile,
    ReadKind,
    ReadLimits,
    RunManifest,
    Sample,
    Sequencing,
)
from porewatch.domain.validation_text import say

KIT = re.compile(r"^(SQK|VSK|EXP)-[A-Z0-9-]+$")
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
    known of it from elsewhere; else the path tells it. `at`: where it lies, if not at its path."""
    kind = kind_of(path)
    folder = path.split("/", 1)[0]
    if folder != kind.value:
        raise InputRefused(
            f"a {kind.value} file lies in {folder}/.", file=path, remedy=f"put it in {kind.value}/."
        )
    if size == 0:
        raise InputRefused(
            "the file is empty.", file=path, remedy="send it again, or leave it out."
        )
    if size > MOST_FILE_BYTES:
        told = min(size, 1 << 60)  # a stranger's number may be larger than any float
        raise InputRefused(
            f"the file has {told / 2**30:.1f} GiB; one file may have {MOST_FILE_BYTES // 2**30}.",
            file=path,
            remedy="split it: `seqkit split2 --by-size 1000000` (reads), or as the sequencer does.",
        )
    known = barcode or barcode_of(path)
    try:
        place = None if at == path else at
        return InputFile(path=path, kind=kind, size=size, sha256=sha256, barcode=known, at=place)
    except ValidationError as e:
        raise InputRefused(say(e), file=path) from e


class FinalSummary(Model):
    """What MinKNOW writes when a run has ended. `files` counts by kind, passed and failed."""

    acquisition_id: str
    started_at: Moment
    stopped_at: Moment | None = None
    instrument: str | None = None
    flow_cell: str | None = None
    sample_id: str | None = None
    protocol: str | None = None
    files: dict[ReadKind, int] = {}

    def sequencing(self) -> Sequencing:
        kits = [part for part in (self.protocol or "").split(":") if KIT.match(part)]
        return Sequencing(
            instrument=self.instrument,
            flow_cell=self.flow_cell,
            kit=kits[0] if kits else None,
            started_at=self.started_at,
            acquisition_id=self.acquisition_id,
        )


def parse_final_summary(content: bytes | str, *, file: str) -> FinalSummary:
    """`final_summary_*.txt`: lines of `key=value`. Raises ManifestRefused when it is not one."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    values: dict[str, str] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        key, equals, value = line.partition("=")
        if line.strip() and (not equals or not re.fullmatch(r"\s*[A-Za-z0-9_]+\s*", key)):
            raise _no_summary(f"{line.strip()[:60]!r} is not key=value.", file, number)
        values[key.strip()] = value.strip()
    for needed in ("acquisition_run_id", "started"):
        if not values.get(needed):
            raise _no_summary(f"it has no {needed}.", file)
    try:
        return _summary(values)
    except ValueError as e:  # pydantic's error is one, too
        what = say(e) if isinstance(e, ValidationError) else str(e)
        raise _no_summary(what, file) from e


def _summary(values: dict[str, str]) -> FinalSummary:
    counts = {k: values.get(f"{k.value}_files_in_final_dest", "") for k in ReadKind}
    stopped = values.get("acquisition_stopped")
    return FinalSummary(
        acquisition_id=values["acquisition_run_id"],
        started_at=_moment("started", values["started"]),
        stopped_at=_moment("acquisition_stopped", stopped) if stopped else None,
        instrument=values.get("instrument") or None,
        flow_cell=values.get("flow_cell_id") or None,
        sample_id=values.get("sample_id") or None,
        protocol=values.get("protocol") or None,
        files={kind: n for kind, text in counts.items() if (n := whole_number(text))},
    )


def _moment(key: str, text: str) -> datetime:
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError as e:
        raise ValueError(f"{key} {text[:80]!r} is not a time ({e}).") from e


def _no_summary(problem: str, file: str, line: int | None = None) -> ManifestRefused:
    return ManifestRefused(
        f"this is not a MinKNOW final summary: {problem}",
        file=file,
        line=line,
        remedy="send the untouched final_summary_*.txt, or seal the run with `porewatch submit`.",
    )


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
            samples=tuple(samples) if samples else _samples_of(files, lost, run_id),
            sequencing=sequencing or Sequencing(),
            laboratory=laboratory,
            left_out=tuple(left_out),
            lost=tuple(lost),
            expected=tuple(expected),
            read_limits=read_limits,
        )
    except ValidationError as e:
        raise ManifestRefused(say(e), file="run.json", remedy="mend it and seal again.") from e


def _samples_of(
    files: Sequence[InputFile], lost: Sequence[LostFile], run_id: str
) -> tuple[Sample, ...]:
    """A barcode all of whose files were lost stays a sample: it was sequenced."""
    told = {f.barcode for f in files} | {f.barcode for f in lost}
    barcodes = sorted(barcode for barcode in told if barcode)
    return tuple(Sample(name=b, barcode=b) for b in barcodes) or (Sample(name=run_id),)


def parse_manifest(content: bytes, *, run_id: str | None = None) -> RunManifest:
    """`run.json` as it was sent; `run_id` = the run it lies in, when that is known.

    Raises ManifestRefused: field, value and remedy in a sentence.
    """
    try:
        manifest = RunManifest.model_validate_json(content, extra="forbid")
    except ValidationError as e:
        raise ManifestRefused(
            say(e), file="run.json", remedy="write it with `porewatch submit`, or mend the field."
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
