"""May this tar write into that run, and which of its files exist already? No run touches another.

A tar belongs to a run by its name, or because it created the run: then the ledger says so. Object
names are compared as they are, those in the tar in NFC: names that look alike but differ in
spelling are different files. Files that came by another way are never overwritten and never mixed
with those of a tar: the tar is refused, or becomes the next revision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.bounds import refuse_long
from porewatch.domain.errors import AlreadyDone, ManifestRefused, NotFound, Refused
from porewatch.domain.inputs.landing.answers import (
    Answer,
    Treatment,
)
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.rules.run_states import RETRYABLE_STATES
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import parse_manifest
from porewatch.domain.uploads.run_archives import (
    beside_the_old,
    run_id_of,
    same_run,
)
from porewatch.usecases.intake.answer_object import answer_object

if TYPE_CHECKING:
    from porewatch.adapters.ledger.retention import Endings
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Head, Objects
    from porewatch.adapters.people.slots import Admission
    from porewatch.adapters.s3.manifests import Manifests

UNDER_WAY = (RunState.SEALED, RunState.RUNNING)


@dataclass(frozen=True)
class UnpackContext:
    """Dependencies of unpacking a run archive."""

    raw: Objects
    runs: RunLedger
    manifests: Manifests
    endings: Endings
    admission: Admission


@dataclass(frozen=True)
class Claim:
    """The manifest by which a tar may write into its run; `there`: keys of its files that exist
    already with the same content; `seal`: the current run.json, which it replaces."""

    manifest: RunManifest
    there: frozenset[str] = frozenset()
    seal: Head | None = None


@dataclass
class _Folder:
    """The folder of the run as the tar finds it: `same` and `others`, by path, and its seal."""

    same: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)
    seal: Head | None = None


def is_its_own(run_id: str, key: str, context: UnpackContext) -> bool:
    """Whether this tar created the run, or the run does not exist yet."""
    return context.runs.find(run_id) is None or context.endings.has_tar(run_id, key)


def claim(head: Head, manifest: RunManifest, *, context: UnpackContext, at: datetime) -> Claim:
    """Raises ManifestRefused when the run belongs to another tar, is under way or is receiving
    other files; AlreadyDone when it was screened from the same content."""
    record = context.runs.find(manifest.run_id)
    refuse_gone(record)
    _refuse_foreign(head, manifest, record, context)
    if record is not None and record.manifest_digest == manifest.digest():
        raise AlreadyDone(f"run {manifest.run_id} was sealed by this tar before.")
    before = _sealed_before(record, context.manifests)
    if record is not None and before is not None:
        _refuse_the_same(head, manifest, record, before, context=context, at=at)
    if record is not None and record.state in UNDER_WAY:
        raise ManifestRefused(
            f"run {manifest.run_id} is {record.state.value} with other content (revision "
            f"{record.revision}) and is not changed.",
            remedy="send the tar again when the run has ended, or stop it first: porewatch cancel "
            f"{manifest.run_id}.",
        )
    if before is None:
        found = _folder(manifest, context.raw)
        unsealed = record is None or record.state is RunState.RECEIVING
        if unsealed and found.seal is not None:
            _refuse_sealed(manifest, found.seal, context.raw)
        if not found.others:
            return _claimed(manifest, found)
        if unsealed:
            raise ManifestRefused(
                f"run {manifest.run_id} is receiving other files ({found.others[0]}).",
                remedy="name the tar (or the run_id in its run.json) differently.",
            )
    beside = beside_the_old(manifest)
    return _claimed(beside, _folder(beside, context.raw))


def _claimed(manifest: RunManifest, found: _Folder) -> Claim:
    there = frozenset(s3_keys.raw_key(manifest.run_id, path) for path in found.same)
    return Claim(manifest, there, found.seal)


def _refuse_foreign(
    head: Head, manifest: RunManifest, record: RunRecord | None, context: UnpackContext
) -> None:
    """A run.json that names another run than the tar may create a new run, or continue one that
    this tar created; it may not touch any other run."""
    run_id = manifest.run_id
    if run_id == run_id_of(head.key) or context.endings.has_tar(run_id, head.key):
        return
    if record is None and next(context.raw.keys(s3_keys.raw_key(run_id, "")), None) is None:
        return
    raise ManifestRefused(
        f"its run.json names run {run_id}, which is there already and is not this tar's.",
        file=head.key,
        remedy=f"name the tar {run_id}.tar to send it for that run, or give run.json another "
        "run_id.",
    )


def _refuse_the_same(
    head: Head,
    manifest: RunManifest,
    record: RunRecord,
    before: RunManifest,
    *,
    context: UnpackContext,
    at: datetime,
) -> None:
    if not same_run(before, manifest):
        return
    if before.created_at == manifest.created_at:
        raise AlreadyDone(f"run {manifest.run_id} was sealed by this tar.")
    if record.state not in RETRYABLE_STATES:
        answer_object(manifest.run_id, head.key, _identical(record, head), runs=context.runs, at=at)
        raise AlreadyDone(f"{head.key} holds what run {manifest.run_id} was screened from.")


def _refuse_sealed(manifest: RunManifest, seal: Head, raw: Objects) -> None:
    """run.json exists, and no event about it has arrived yet."""
    try:
        refuse_long(seal.key, seal.size)
        theirs = parse_manifest(raw.get(seal.key), run_id=manifest.run_id)
        is_ours = same_run(theirs, manifest)
    except Refused:
        is_ours = False
    if not is_ours:
        raise ManifestRefused(
            f"run {manifest.run_id} is being sealed with other content.",
            remedy="send the tar again when that has ended, or name it differently.",
        )
    if theirs.created_at != manifest.created_at:
        raise AlreadyDone(f"run {manifest.run_id} is sealed with the same content already.")


def _sealed_before(record: RunRecord | None, manifests: Manifests) -> RunManifest | None:
    """The manifest of the latest revision that had one; None when the run was never sealed."""
    for revision in range(record.revision if record else -1, -1, -1):
        try:
            return manifests.of(record.run_id if record else "", revision)
        except NotFound:
            continue
    return None


def _identical(record: RunRecord, head: Head) -> Answer:
    return Answer(
        kind=f"tar:{head.etag[:16]}",
        verdict=Treatment.LEFT_OUT,
        problem=f"the tar holds what revision {record.revision} was screened from; nothing starts.",
        remedy="change its content, or submit the folder, to screen it again.",
    )


def _folder(manifest: RunManifest, raw: Objects) -> _Folder:
    """Compare every object in the run's folder with what the tar would write there."""
    prefix = s3_keys.raw_key(manifest.run_id, "")
    mine = {file.lies_at: file for file in manifest.files}
    found = _Folder()
    for head in raw.keys(prefix):
        path = head.key.removeprefix(prefix)
        if path == s3_keys.SEAL:
            found.seal = head
        elif path.endswith((".tar", "/")):
            continue
        elif (
            (file := mine.get(path))
            and file.size == head.size
            and raw.sha256(head.key) == file.sha256
        ):
            found.same.add(path)
        else:
            found.others.append(path)
    return found
