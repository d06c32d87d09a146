"""A run is sealed: by its manifest, or by MinKNOW's final summary, from which a manifest is made.

Every seal ends as `run.json` in the run's folder, written once; so there is one way to go on, and
two final summaries, or one delivered twenty times, still give one manifest.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain import places, readiness
from porewatch.domain.base import now
from porewatch.domain.errors import AlreadyDone, Refused, Unavailable
from porewatch.domain.lifecycle import SealedBy
from porewatch.domain.runs import FileRecord, FileState, InputFile, ReadKind, RunRecord, Sample
from porewatch.domain.sample_sheet import parse_sample_sheet
from porewatch.domain.sealing import (
    FinalSummary,
    Member,
    classify,
    input_file,
    one_kind,
    parse_final_summary,
    parse_manifest,
    seal,
)

if TYPE_CHECKING:
    from porewatch.adapters.manifests import Manifests
    from porewatch.adapters.objects import Head, Objects
    from porewatch.adapters.runs import RunLedger

PATIENCE = timedelta(minutes=5)
"""How long a final summary waits for files that it counts and nobody sends (the failed ones)."""

MAKERS: dict[str, SealedBy] = {"final_summary": "final_summary", "bundle": "bundle"}
_log = logging.getLogger(__name__)


def seal_by_manifest(
    run_id: str,
    *,
    raw: Objects,
    runs: RunLedger,
    manifests: Manifests,
    basecalling: bool,
    clock: Callable[[], datetime] = now,
) -> RunRecord:
    """Read `run.json` as it lies there now, and seal the run by it; a bad one refuses the run."""
    content = raw.get(places.seal_key(run_id))
    digest = hashlib.sha256(content).hexdigest()
    try:
        manifest = parse_manifest(content, run_id=run_id)
        digest = manifest.digest()
        readiness.refuse_without_basecaller(manifest, basecalling=basecalling)
        manifests.keep(manifest)
        maker = MAKERS.get(manifest.created_by, "run.json")
        return runs.seal(manifest, sealed_by=maker, at=clock())
    except Refused as refusal:
        _log.warning("run %s is refused: %s", run_id, refusal)
        return runs.refuse(run_id, digest=digest, problem=str(refusal), at=clock())


def seal_by_summary(
    run_id: str, *, raw: Objects, runs: RunLedger, clock: Callable[[], datetime] = now
) -> None:
    """Write `run.json` out of the run's final summary, once every file that lies there was checked.

    AlreadyDone when there is no summary, or a manifest; Unavailable while files are missing.
    """
    there = list(raw.keys(places.raw_key(run_id, "")))
    summary_at = _first(there, run_id, Member.SUMMARY)
    if summary_at is None or any(h.key == places.seal_key(run_id) for h in there):
        raise AlreadyDone(f"run {run_id} has no final summary, or has its manifest.")
    try:
        summary = parse_final_summary(raw.get(summary_at.key), file=summary_at.key)
        files = _files(there, runs.files_of(run_id), run_id)
        _wait_for_more(summary, files, runs.files_of(run_id), age=clock() - summary_at.modified)
        manifest = seal(
            one_kind(files),
            run_id=run_id,
            created_at=summary_at.modified,
            created_by="final_summary",
            samples=_sheet(there, run_id, raw),
            sequencing=summary.sequencing(),
        )
    except Refused as refusal:
        _log.warning("run %s is refused: %s", run_id, refusal)
        runs.refuse(run_id, digest=summary_at.etag, problem=str(refusal), at=clock())
        return
    raw.put_new(places.seal_key(run_id), manifest.canonical_json().encode())


def _first(there: list[Head], run_id: str, member: Member) -> Head | None:
    prefix = places.raw_key(run_id, "")
    found = [h for h in there if classify(h.key.removeprefix(prefix)) is member]
    return max(found, key=lambda h: h.modified) if found else None


def _files(there: list[Head], checked: dict[str, FileRecord], run_id: str) -> list[InputFile]:
    """The sound files with their checksums. Unavailable while one of them is unchecked."""
    prefix = places.raw_key(run_id, "")
    files = []
    for head in there:
        path = head.key.removeprefix(prefix)
        if path.split("/", 1)[0] not in set(ReadKind) or path.endswith("/"):
            continue
        record = checked.get(path)
        if record is None or record.etag != head.etag:
            raise Unavailable(f"{path} is not checked yet.", file=head.key)
        if record.state is FileState.VALID:
            files.append(input_file(path, head.size, record.sha256))
    return files


def _wait_for_more(
    summary: FinalSummary,
    files: list[InputFile],
    checked: dict[str, FileRecord],
    *,
    age: timedelta,
) -> None:
    """Unavailable while fewer files have come than the summary counts, for a while."""
    aside = sum(record.state is FileState.QUARANTINED for record in checked.values())
    for kind, expected in summary.files.items():
        here = sum(file.kind is kind for file in files)
        if here > 0 and here + aside < expected and age < PATIENCE:
            raise Unavailable(f"{here} of {expected} {kind.value} files have come.")
    if not files and age < PATIENCE:
        raise Unavailable("no file has come yet.")


def _sheet(there: list[Head], run_id: str, raw: Objects) -> tuple[Sample, ...] | None:
    head = _first(there, run_id, Member.SHEET)
    if head is None:
        return None
    return parse_sample_sheet(raw.get(head.key), file=head.key.removeprefix(f"runs/{run_id}/"))
