"""One folder at four doors: submit, screen, tar and final summary, each by its real code.

Only the bucket and the ledger are stood in for, by what they hold.
"""

from __future__ import annotations

import io
import os
import tarfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from porewatch.adapters.objects import Head
from porewatch.domain.errors import InputRefused, NoReadsInside, Refused
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import RunManifest
from porewatch.domain.sealing import input_file
from porewatch.domain.uploads.run_archives import manifest_of
from porewatch.domain.uploads.stored_files import Lying
from porewatch.reads.check import check_stream
from porewatch.usecases.intake.seal_run import (
    manifest_by_summary,
    understood,
)
from porewatch.usecases.intake.unpack_run_archive import look_at
from porewatch_cli.submit.collect_run import collect_run
from porewatch_worker.local.reads import check_reads

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUMMARY = "acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\n"


@dataclass(frozen=True)
class Answer:
    """What a door said: who owns how many files, or why nothing is screened."""

    samples: tuple[tuple[str, str | None, str], ...] = ()
    files: tuple[tuple[str | None, int], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    lost: tuple[str, ...] = ()
    refused: str = ""

    @property
    def kind(self) -> tuple[Any, ...]:
        """What must be equal at all doors: a refusal is one in whatever words."""
        return (self.samples, self.files, self.left_out) if not self.refused else ("refused",)


def answer_of(manifest: RunManifest) -> Answer:
    """Names of a single sample differ by how the run was called; sizes tell files apart."""
    alone = len(manifest.samples) == 1 and manifest.samples[0].barcode is None
    return Answer(
        samples=tuple(
            ("alone" if alone else s.name, s.barcode, s.role.value) for s in manifest.samples
        ),
        files=tuple(sorted(((f.barcode, f.size) for f in manifest.files), key=str)),
        left_out=tuple((found.why.value, found.files) for found in manifest.left_out),
        lost=tuple(file.path for file in manifest.lost),
    )


def at_submit(folder: Path) -> Answer:
    try:
        return answer_of(collect_run(folder, run_id="r").manifest)
    except Refused as refusal:
        return Answer(refused=str(refusal))


def at_screen(folder: Path) -> Answer:
    try:
        return answer_of(check_reads([folder], None, "made@1", lambda _: None)[0])
    except Refused as refusal:
        return Answer(refused=str(refusal))


def at_tar(folder: Path) -> Answer:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as tar:
        for name, path in _walk(folder):
            tar.add(path, f"exp/{name}", recursive=False)
    raw = Bucket({"inbox/r.tar": out.getvalue()})
    try:
        contents = look_at(raw.head("inbox/r.tar"), raw)  # type: ignore[arg-type]
        manifest, _ = manifest_of(contents, run_id="r", created_at=WHEN, asked={})
        for file in manifest.files:
            wanted = next(n for n in contents.digests if contents.digests[n] == file.sha256)
            with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
                member = next(m for m in tar if unicodedata.normalize("NFC", m.name) == wanted)
                check_stream(tar.extractfile(member), kind=file.kind, name=file.path)  # type: ignore[arg-type]
        return answer_of(manifest)
    except Refused as refusal:
        return Answer(refused=str(refusal))


def at_summary(folder: Path) -> Answer:
    """As an uploader puts it: kinds' folders first, the summary last."""
    objects = {f"runs/r/{_as_uploaded(name)}": path.read_bytes() for name, path in _walk(folder)}
    if not any(classify(key) is Landed.SUMMARY for key in objects):
        objects["runs/r/final_summary_x.txt"] = SUMMARY.encode()
    raw, ledger = Bucket(objects), Ledger()
    for key, content in list(objects.items()):
        path = key.removeprefix("runs/r/")
        if path.split("/")[0] in ("fastq", "bam", "pod5"):
            _validate(path, content, raw, ledger)
    summary_at = next(h for h in raw.keys("runs/r/") if classify(h.key) is Landed.SUMMARY)
    lying = Lying("r", raw.keys("runs/r/"), ledger.files)
    at = WHEN + timedelta(hours=1)
    try:
        found = understood(lying, raw)  # type: ignore[arg-type]
        look: Any = NoLook()
        return answer_of(manifest_by_summary(found, lying, summary_at, look, at=at))
    except Refused as refusal:
        return Answer(refused=str(refusal))


class NoLook:
    """Nobody keeps count of looks here."""

    def found(self, *_told: object) -> None:
        return None


DOORS = {"submit": at_submit, "screen": at_screen, "tar": at_tar, "summary": at_summary}


def at_all(folder: Path) -> dict[str, Answer]:
    return {name: door(folder) for name, door in DOORS.items()}


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for root, _folders, names in os.walk(folder, followlinks=True):
        for path in (Path(root) / name for name in names):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _as_uploaded(name: str) -> str:
    if classify(name) not in (Landed.READS, Landed.UNREADABLE, Landed.SIGNAL_OLD):
        return name
    try:
        kind = kind_of(name).value
    except InputRefused:
        return name
    return name if name.split("/", maxsplit=1)[0] == kind else f"{kind}/{name}"


def _validate(path: str, content: bytes, raw: Bucket, ledger: Ledger) -> None:
    said: dict[str, Any] = {
        "run_id": "r", "path": path, "kind": path.split("/", maxsplit=1)[0], "size": len(content),
        "etag": raw.etag(f"runs/r/{path}"), "checked_at": WHEN,
    }  # fmt: skip
    try:
        kind = input_file(path, len(content)).kind
        found = check_stream(io.BytesIO(content), kind=kind, name=path, size=len(content))
    except InputRefused as refusal:
        empty = isinstance(refusal, NoReadsInside) or not content
        ledger.files[path] = FileRecord(
            state=FileState.QUARANTINED, problem=str(refusal), empty=empty, **said
        )
        del raw.objects[f"runs/r/{path}"]
        return
    ledger.files[path] = FileRecord(
        state=FileState.VALID,
        sha256=found.sha256,
        reads=found.reads,
        flow_cell=found.sequencing.flow_cell,
        barcodes=found.barcodes,
        **said,
    )


@dataclass
class Bucket:
    """Objects by key."""

    objects: dict[str, bytes]

    def etag(self, key: str) -> str:
        return f"e{hash(self.objects[key])}"

    def head(self, key: str) -> Head:
        return Head(key, len(self.objects[key]), self.etag(key), WHEN)

    def keys(self, prefix: str) -> Iterator[Head]:
        return (self.head(key) for key in sorted(self.objects) if key.startswith(prefix))

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def stream(self, key: str) -> io.BytesIO:
        return io.BytesIO(self.objects[key])


@dataclass
class Ledger:
    """The validator's records, by path."""

    files: dict[str, FileRecord] = field(default_factory=dict)
