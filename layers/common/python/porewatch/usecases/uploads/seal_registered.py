"""Seal a registered run: from what lies in its folder and its sheet to `run.json`.

The same rules as every other door: `landing` sorts what lies there, `sealing.seal` makes the
manifest. The intake takes it from there; it starts the run when all its files are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import AlreadyDone, Conflict, InputRefused, Refused, UploadsOpen
from porewatch.domain.inputs.landing.first_bytes import ENOUGH
from porewatch.domain.inputs.landing.sorting import Door, Understood, sort_out
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_states import RETRYABLE_STATES
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import parse_manifest, seal
from porewatch.domain.submission.placing import SHEET, shown_path
from porewatch.domain.submission.run_uploads import (
    Submission,
    Upload,
    UploadState,
    refuse_unless_open,
)
from porewatch.domain.submission.upload_answers import SealAnswer, SealOrder
from porewatch.domain.uploads.stored_files import Lying, Sound
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.uploads.upload_context import UploadContext

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Head

SEALED_BY = "porewatch api"
SEALED = (RunState.SEALED, RunState.RUNNING, RunState.COMPLETED)
SHOWN = 5
SMALL = 4096
"""Bytes of a file that may hold no reads at all."""


class _Folder:
    """What lies in the run's folder, by the paths that its sender knows. Read once."""

    def __init__(self, run_id: str, context: UploadContext) -> None:
        self._run_id, self._raw = run_id, context.raw
        prefix = s3_keys.raw_key(run_id, "")
        found = [head for head in context.raw.keys(prefix) if not head.key.endswith("/")]
        self.seal = next((h for h in found if h.key == s3_keys.seal_key(run_id)), None)
        self._stored = {
            shown_path(head.key.removeprefix(prefix)): head for head in found if head != self.seal
        }
        self.bytes = sum(head.size for head in self._stored.values())
        self._checked = context.runs.files_of(run_id)
        named = [
            replace(head, key=s3_keys.raw_key(run_id, path)) for path, head in self._stored.items()
        ]
        self.lying = Lying(run_id, named, self._checked)

    def text(self, path: str) -> bytes:
        return self._raw.get(self._stored[path].key)

    def head(self, path: str) -> bytes:
        """Of small files that nobody has checked yet: the check says it of the others."""
        found = self._stored.get(path)
        if found is None or path in self._checked or found.size > SMALL:
            return b""
        return self._raw.part(found.key, 0, ENOUGH)

    def understood(self, left_out: Mapping[str, int]) -> Understood:
        """`left_out`: path -> size of files that were declared and are not uploaded."""
        sheet = (SHEET, self.text(SHEET)) if SHEET in self._stored else None
        sizes = {**left_out, **self.lying.sizes}
        return sort_out(Door(sizes=sizes, text=self.text, head=self.head, sheet=sheet))


def seal_registered(
    run_id: str, order: SealOrder, who: Principal, context: UploadContext
) -> SealAnswer:
    """Write `run.json`. Sealed twice gives the same answer. Raises as `reach_run`; Conflict while
    uploads are open, and for a tar, which seals its run itself; AccountRefused for a run that has
    ended when its project takes no run now; TierRefused for what the tier of who registered it does
    not allow; Refused with every fault."""
    record = reach_run(run_id, who, Action.SUBMIT, runs=context.runs)
    submission = context.uploads.submission(run_id)
    if record.state in SEALED:
        return _sealed_answer(record, context.runs)
    refuse_unless_open(record)
    if submission.archives:
        raise Conflict(
            f"run {run_id} comes as a tar, which seals it when it is unpacked.",
            remedy="wait until the run's state is sealed.",
        )
    _refuse_open(context.uploads.all(run_id))
    if not record.slot:  # it has ended before: the intake decides, and this says it at once
        context.admission.refuse(record)
    try:
        return _seal(record, submission, order, context)
    except (AlreadyDone, Conflict):  # another one sealed it just now
        return _seal(record, submission, order, context)


def _seal(
    record: RunRecord, submission: Submission, order: SealOrder, context: UploadContext
) -> SealAnswer:
    uploads = list(context.uploads.all(record.run_id))
    folder = _Folder(record.run_id, context)
    context.admission.refuse_size(record.submitted_by, folder.bytes)
    found = folder.understood(_left_out(uploads))
    sound = folder.lying.sound(found, {u.file.path: u.file.sha256 for u in uploads})
    found.refuse([*sound.faults, *([] if order.accept_lost else _lost(sound))])
    manifest = _manifest(record.run_id, submission, found, sound, folder, at=context.clock())
    manifest = _written(manifest, record, folder.seal, context)
    return SealAnswer(
        run_id=record.run_id,
        state=RunState.SEALED.value,
        manifest_digest=manifest.digest(),
        files=len(manifest.files),
        samples=tuple(sample.name for sample in manifest.samples),
        left_out=tuple(aside.sentence() for aside in manifest.left_out),
        notes=found.notes(),
    )


def _manifest(
    run_id: str,
    submission: Submission,
    found: Understood,
    sound: Sound,
    folder: _Folder,
    *,
    at: datetime,
) -> RunManifest:
    asked, summary = submission.asked, found.summary
    expected = folder.lying.expected(summary.files) if summary else []
    return seal(
        sound.files,
        run_id=run_id,
        created_at=at,
        created_by=SEALED_BY,
        samples=found.samples,
        sequencing=summary.sequencing() if summary else None,
        profile=asked.profile or "default",
        bundle=asked.bundle,
        release_policy=asked.release_policy or "default",
        laboratory=found.laboratory,
        left_out=sound.left_out,
        lost=sound.lost,
        expected=[kind for kind in expected if kind.missing],
    )


def _written(
    manifest: RunManifest, record: RunRecord, there: Head | None, context: UploadContext
) -> RunManifest:
    """The manifest that seals the run: the one that lies there when it differs in its time alone
    and has not been answered yet. AlreadyDone, Conflict when somebody else was first."""
    key, content = s3_keys.seal_key(record.run_id), manifest.canonical_json().encode()
    if there is None:
        context.raw.put_new(key, content)
        return manifest
    before = _parsed(context.raw.get(key), record.run_id)
    unanswered = record.state not in RETRYABLE_STATES or there.modified > record.updated_at
    same = before and before.model_copy(update={"created_at": manifest.created_at}) == manifest
    if before is not None and same and unanswered:
        return before
    context.raw.put_if_match(key, content, there.etag)
    return manifest


def _parsed(content: bytes, run_id: str) -> RunManifest | None:
    try:
        return parse_manifest(content, run_id=run_id)
    except Refused:
        return None


def _refuse_open(uploads: Iterable[Upload]) -> None:
    missing = [u.file.path for u in uploads if u.state is UploadState.OPEN]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise UploadsOpen(
            f"{len(missing)} upload(s) are not complete: {', '.join(missing[:SHOWN])}{more}.",
            remedy="complete them, or give them up.",
        )


def _left_out(uploads: Iterable[Upload]) -> dict[str, int]:
    return {u.file.path: u.file.size for u in uploads if u.state is UploadState.LEFT_OUT}


def _lost(sound: Sound) -> list[Refused]:
    return [
        InputRefused(
            f"it was set aside: {lost.problem}",
            file=lost.path,
            remedy="send it again, or seal with accept_lost.",
        )
        for lost in sound.lost
    ]


def _sealed_answer(record: RunRecord, runs: RunLedger) -> SealAnswer:
    note = runs.seal_note(record.run_id, record.revision)
    return SealAnswer(
        run_id=record.run_id,
        state=record.state.value,
        manifest_digest=note.manifest_digest,
        files=note.files,
        samples=note.samples,
    )
