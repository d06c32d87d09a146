"""Seal a run: by its manifest, or by MinKNOW's final summary, from which a manifest is made.

Every seal becomes `run.json` in the run's folder, written once; so there is one way to continue,
and two final summaries, or one that is delivered twenty times, still make one manifest.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.bounds import refuse_long
from porewatch.domain.calls import release_policy
from porewatch.domain.completeness import Expected
from porewatch.domain.errors import AlreadyDone, FilesLacking, NotFound, Refused
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.sorting import (
    Door,
    Understood,
    sort_out,
)
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.rules.revisions import cancelled
from porewatch.domain.rules.run_seals import Refusing, SealedBy
from porewatch.domain.runs import FINAL_STATES, RunManifest, RunState
from porewatch.domain.sealing import parse_manifest, seal
from porewatch.domain.uploads import readiness
from porewatch.domain.uploads.stored_files import Lying
from porewatch.usecases.intake.answer_object import answer_encoding
from porewatch.usecases.intake.check_for_completeness import (
    begin_look,
    looking,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Head, Objects
    from porewatch.usecases.intake.check_for_completeness import Begun
    from porewatch.usecases.intake.intake_context import IntakeContext

PATIENCE = timedelta(minutes=5)
"""How long a final summary waits for files that it counts and nobody uploads (failed reads)."""

MAKERS: dict[str, SealedBy] = {"final_summary": "final_summary", "bundle": "bundle"}
_log = logging.getLogger(__name__)


def seal_by_manifest(run_id: str, context: IntakeContext) -> RunRecord:
    """Read the current `run.json` and seal the run by it. An invalid one is refused; a run that
    receives files, is running or has completed keeps its state. RunGone when the run was deleted:
    nothing of it is written again."""
    refuse_gone(context.runs.find(run_id))
    key = s3_keys.seal_key(run_id)
    head = context.raw.head(key)
    if head is None:
        raise NotFound("does not exist.", file=key)
    digest = hashlib.sha256(head.etag.encode()).hexdigest()
    try:
        content = _document(context.raw, head)
        digest = hashlib.sha256(content).hexdigest()
        manifest = parse_manifest(content, run_id=run_id)
        digest = manifest.digest()
        readiness.refuse_without_basecaller(manifest, basecalling=context.basecalling)
        release_policy.refuse_other(manifest.release_policy, context.release_policies)
        context.manifests.keep(manifest)
        maker = MAKERS.get(manifest.created_by, "run.json")
        made_at = head.modified if maker == "run.json" else manifest.created_at  # both S3's time
        return context.runs.seal(
            manifest,
            sealed_by=maker,
            at=context.clock(),
            made_at=made_at,
            admitted=context.admission.writes,
        )
    except Refused as refusal:
        _log.warning("the seal of run %s is refused: %s", run_id, refusal)
        return context.runs.refuse_seal(
            run_id, digest=digest, what=Refusing.of(refusal), at=context.clock()
        )


def _document(raw: Objects, head: Head) -> bytes:
    """The whole object. ManifestRefused, before it is read, when it is too large for its kind."""
    refuse_long(head.key, head.size)
    return raw.get(head.key)


def seal_by_summary(
    run_id: str, context: IntakeContext, *, swept: bool = False, look: Begun | None = None
) -> None:
    """Write `run.json` from the run's final summary, once every uploaded file was checked.

    AlreadyDone without a summary, or with a manifest; FilesLacking while files are missing. `swept`
    as in `begin_look`; `look`: the one that the caller has begun.
    """
    at = context.clock()
    record = context.runs.find(run_id)
    refuse_gone(record)
    if record is not None and cancelled(record) is not None:
        raise AlreadyDone(f"run {run_id} was cancelled; only a new run.json starts it again.")
    nothing = FilesLacking("not all files that were uploaded or counted are checked yet.")
    look = look or begin_look(run_id, "summary", intake=context.intake, at=at, swept=swept)
    while look is not None:
        with looking(look):
            try:
                return _seal_by_what_lies_there(run_id, look, context)
            except FilesLacking as reason:
                nothing = reason
        look = look.again(context.clock())
    raise nothing


def _seal_by_what_lies_there(run_id: str, look: Begun, context: IntakeContext) -> None:
    """One look at all files: write the manifest, or refuse the run. FilesLacking while some are
    missing or unchecked."""
    raw, runs, at = context.raw, context.runs, context.clock()
    there = list(raw.keys(s3_keys.raw_key(run_id, "")))
    summary_at = _first(there, run_id, Landed.SUMMARY)
    sealed = next((head for head in there if head.key == s3_keys.seal_key(run_id)), None)
    if summary_at is None or (sealed and not _asks_again(summary_at, sealed, run_id, raw, runs)):
        raise AlreadyDone(f"run {run_id} has no final summary, or has its manifest.")
    refuse = runs.refuse_seal
    try:
        lying = Lying(run_id, there, runs.files_of(run_id))
        found = understood(lying, raw)
        if found.summary is not None:
            refuse = runs.refuse  # the summary seals the run, so the run itself is refused
        policy = release_policy.of_summary(context.release_policies)
        manifest = manifest_by_summary(found, lying, summary_at, look, at=at, policy=policy)
    except Refused as refusal:
        _log.warning("run %s is refused: %s", run_id, refusal)
        refuse(run_id, digest=summary_at.etag, what=Refusing.of(refusal), at=at)
        return
    answer_encoding(run_id, found, runs=runs, at=at)
    content = manifest.canonical_json().encode()
    if sealed is None:
        raw.put_new(s3_keys.seal_key(run_id), content)
    else:
        raw.put_if_match(s3_keys.seal_key(run_id), content, sealed.etag)


def _asks_again(summary_at: Head, sealed: Head, run_id: str, raw: Objects, runs: RunLedger) -> bool:
    """Whether the existing run.json is invalid; or the final summary was uploaded again after a run
    that it sealed had ended: then later files are included, as a new revision."""
    record = runs.find(run_id)
    if record is None or record.state not in FINAL_STATES | {RunState.RECEIVING}:
        return False
    newer = record.state is not RunState.RECEIVING and summary_at.modified > sealed.modified
    manifest = _manifest_in(sealed, run_id, raw)
    if manifest is None:
        return newer or record.state in _NOT_SEALED
    return newer and manifest.created_by == "final_summary"


_NOT_SEALED = (RunState.RECEIVING, RunState.REFUSED)


def has_manifest(run_id: str, raw: Objects) -> bool:
    """Whether a valid run.json exists; an invalid one is no seal, and does not prevent a final
    summary from sealing the run."""
    head = raw.head(s3_keys.seal_key(run_id))
    return head is not None and _manifest_in(head, run_id, raw) is not None


def _manifest_in(head: Head, run_id: str, raw: Objects) -> RunManifest | None:
    try:
        return parse_manifest(_document(raw, head), run_id=run_id)
    except Refused:
        return None


def _first(there: list[Head], run_id: str, what: Landed) -> Head | None:
    prefix = s3_keys.raw_key(run_id, "")
    found = [h for h in there if classify(h.key.removeprefix(prefix)) is what]
    return max(found, key=lambda h: h.modified) if found else None


def understood(lying: Lying, raw: Objects) -> Understood:
    """The files in the run's folder, interpreted by the rules that every way of submission
    shares."""

    def text(path: str) -> bytes:
        return raw.get(s3_keys.raw_key(lying.run_id, path))

    return sort_out(Door(sizes=lying.sizes, text=text))


def manifest_by_summary(
    found: Understood,
    lying: Lying,
    summary_at: Head,
    look: Begun,
    *,
    at: datetime,
    policy: str = release_policy.DEFAULT,
) -> RunManifest:
    """FilesLacking while files are missing or unchecked; Refused with every fault."""
    summary = found.summary
    if summary is None:
        found.refuse()
        raise AlreadyDone(f"run {lying.run_id} has no final summary.")
    patience_until = summary_at.modified + PATIENCE
    expected = lying.expected(summary.files)
    missing = max((kind.missing for kind in expected), default=0)
    look.found(lying.unchecked(found), at, missing, patience_until)
    if at < patience_until:
        _wait_for_more(expected, found)
    sound = lying.sound(found)
    found.refuse(sound.faults)
    return seal(
        sound.files,
        run_id=lying.run_id,
        created_at=summary_at.modified,
        created_by="final_summary",
        release_policy=policy,
        samples=found.samples,
        sequencing=summary.sequencing(),
        laboratory=found.laboratory,
        left_out=sound.left_out,
        lost=sound.lost,
        expected=[kind for kind in expected if kind.missing],
    )


def _wait_for_more(expected: list[Expected], found: Understood) -> None:
    """FilesLacking while fewer files have arrived than the summary counts: only for a while,
    because the failed ones may never be uploaded."""
    for kind in expected:
        if kind.missing:
            raise FilesLacking(f"{kind.came} of {kind.counted} {kind.kind} files have arrived.")
    if not found.reads:
        raise FilesLacking("no file has arrived yet.")
