"""May a sealed run start? Its manifest against what lies in the bucket and what was found in it.

A file counts when the object that lies there now (by etag) is the one that was checked, and its
size and sha256 are the manifest's. Until then the run waits; what can never come right is refused,
all of it in one message. What was checked is what is screened: `as_checked` pins every file to the
checksum and the version of the object that the check read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from porewatch.domain.errors import (
    BasecallerMissing,
    InputRefused,
    ManifestRefused,
    Refused,
    SeveralRefused,
)
from porewatch.domain.inputs.landing.contents import (
    Headers,
    faults_of,
    once,
)
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import InputFile, ReadKind, RunManifest

SHOWN = 5


class Lying(Protocol):
    """An object as it lies in the bucket: `size` in bytes, `etag` without quotes."""

    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...


@dataclass(frozen=True)
class Ready:
    """`waiting_for` = paths whose check is not done yet; none means: start."""

    waiting_for: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.waiting_for


def refuse_without_basecaller(manifest: RunManifest, *, basecalling: bool) -> None:
    """Raises BasecallerMissing for raw signal where nothing can call bases."""
    if manifest.basecalled or basecalling:
        return
    signal = [f.path for f in manifest.files if f.kind is ReadKind.POD5]
    raise BasecallerMissing(
        f"{len(signal)} POD5 file(s) hold raw signal, and basecalling is not enabled here.",
        file=signal[0],
        remedy=(
            "call bases first and send the BAM or FASTQ, "
            "or deploy with Basecalling=enabled, a dorado image and GPU instances."
        ),
    )


def bytes_of(manifest: RunManifest, present: Mapping[str, Lying]) -> int:
    """Bytes of the manifest's files as they lie in the bucket, whatever it says of them."""
    lying = {file.lies_at: present.get(file.lies_at) for file in manifest.files}
    return sum(one.size for one in lying.values() if one is not None)


def check(
    manifest: RunManifest, present: Mapping[str, Lying], checked: Mapping[str, FileRecord]
) -> Ready:
    """All three by where files lie below the run's folder. Raises ManifestRefused naming every bad
    file."""
    waiting, problems = [], []
    for file in manifest.files:
        lying, record = present.get(file.lies_at), checked.get(file.lies_at)
        current = record is not None and lying is not None and record.etag == lying.etag
        found = list(_problems(file, lying, record, current=current))
        if found:
            problems.append(f"{file.path}: {found[0]}")
        elif not current:
            waiting.append(file.lies_at)
    if problems:
        raise _refused(problems)
    if not waiting:
        _refuse_mixed(manifest, checked)
    return Ready(tuple(waiting))


def as_checked(manifest: RunManifest, checked: Mapping[str, FileRecord]) -> RunManifest:
    """The manifest with what the check found of every file, whatever its sender said of it. For one
    that `check` finds ready."""
    return manifest.model_copy(
        update={"files": tuple(_as_read(f, checked[f.lies_at]) for f in manifest.files)}
    )


def _as_read(file: InputFile, record: FileRecord) -> InputFile:
    return file.model_copy(update={"sha256": record.sha256, "version": record.version})


def _refuse_mixed(manifest: RunManifest, checked: Mapping[str, FileRecord]) -> None:
    """What only content shows, and what a manifest written elsewhere may not know: two flow cells,
    two barcodes in one sample, the same bytes under two barcodes."""
    known = {f.path: checked[f.lies_at] for f in manifest.files}
    headers = {path: Headers(record.flow_cell, record.barcodes) for path, record in known.items()}
    barcodes = {f.path: f.barcode for f in manifest.files}
    by_barcode = any(sample.barcode for sample in manifest.samples)
    faults = [*_twice(manifest, checked), *faults_of(headers, barcodes, samples=by_barcode)]
    if faults:
        raise SeveralRefused(faults) if len(faults) > 1 else faults[0]


def _twice(manifest: RunManifest, checked: Mapping[str, FileRecord]) -> list[Refused]:
    """Content that would be screened as two samples', or twice where its sender could not know."""
    _, copies, faults = once(as_checked(manifest, checked).files)
    unknown = {file.path for file in manifest.files if file.sha256 is None}
    known = {fault.file for fault in faults}
    return faults + [
        InputRefused(
            "it holds the same bytes as another file of the run.",
            file=path,
            remedy="leave one of the two out, then seal again.",
        )
        for path in copies
        if path in unknown - known
    ]


def _problems(
    file: InputFile, lying: Lying | None, record: FileRecord | None, *, current: bool
) -> Iterator[str]:
    if record is not None and record.state is FileState.QUARANTINED and (current or lying is None):
        yield f"it was set aside: {record.problem}"
    if lying is None:
        yield "it is not in the run's folder."
        return
    if lying.size != file.size:
        yield f"it has {lying.size} bytes, the manifest says {file.size}."
    if current and record is not None and file.sha256 and record.sha256 != file.sha256:
        yield f"its sha256 is {record.sha256}, the manifest says {file.sha256}."


def _refused(problems: list[str]) -> ManifestRefused:
    more = len(problems) - SHOWN
    text = " ".join(problems[:SHOWN]) + (f" And {more} more." if more > 0 else "")
    return ManifestRefused(
        f"{len(problems)} file(s) of the manifest cannot be used. {text}",
        file="run.json",
        remedy="send the named files again (or leave them out), then `porewatch submit` again.",
    )
