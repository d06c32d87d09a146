"""What of a run is signed, by whom, and what the one who asks may sign next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from porewatch.domain.people import policy
from porewatch.domain.people.principal import Principal
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.signatures.answers import (
    AmendmentList,
    SampleStanding,
    SignatureList,
    SignatureView,
)
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signature import Change, Meaning, Signature
from porewatch.domain.signatures.steps import (
    State,
    next_step,
    standing,
    state_of,
    superseded,
)
from porewatch.usecases.signatures.desk import Desk, Subject, changes_since, newest_subject


def show_amendments(run: RunRecord, who: Principal, *, desk: Desk) -> AmendmentList:
    """Of a run that was reached before (`reach_run`)."""
    shown = show_signatures(run, who, desk=desk)
    return AmendmentList(
        run_id=run.run_id,
        revision=shown.revision,
        supersedes=shown.supersedes,
        changes=shown.changes,
        amendments=tuple(one for one in shown.signatures if one.meaning is Meaning.AMENDED),
    )


def show_signatures(run: RunRecord, who: Principal, *, desk: Desk) -> SignatureList:
    """Of a run that was reached before (`reach_run`)."""
    signatures = desk.signatures.of(run.run_id)
    views = tuple(map(view, signatures))
    try:
        subject = newest_subject(run, desk)
    except SignatureRefused:
        return SignatureList(
            run_id=run.run_id,
            revision=None,
            report_sha256=None,
            state=State.DRAFT,
            samples=(),
            signatures=views,
            may=(),
            supersedes=None,
            changes=(),
        )
    report, asked = (
        subject.report,
        partial(
            _may, run=run, who=who, subject=subject, signatures=signatures, four_eyes=desk.four_eyes
        ),
    )
    supersedes = _supersedes(signatures, subject)
    return SignatureList(
        run_id=run.run_id,
        revision=report.revision,
        report_sha256=subject.sha256,
        state=state_of(signatures, report.revision, subject.samples),
        samples=tuple(
            SampleStanding(
                sample=sample,
                outcome=report.outcome_of(sample),
                state=standing(signatures, report.revision, sample).state,
            )
            for sample in subject.samples
        ),
        signatures=views,
        may=tuple(m for m in Meaning if asked(m)),
        supersedes=supersedes,
        changes=_changes(supersedes, subject, desk),
    )


def revision_state(run: RunRecord, signatures: Sequence[Signature]) -> State:
    """How far this revision is, without its report: of samples that nobody signed the verdict says
    that they are there."""
    mine = {sample for one in signatures if one.revision == run.revision for sample in one.samples}
    counted = sum(run.verdict.samples.values()) if run.verdict else 0
    return State.DRAFT if len(mine) < counted else state_of(signatures, run.revision, mine)


def view(signature: Signature) -> SignatureView:
    shown = signature.model_dump(include=set(SignatureView.model_fields))
    return SignatureView(
        **shown,
        signed_in_at=signature.confirmation.signed_in_at,
        fingerprint=signature.fingerprint,
    )


def _may(
    meaning: Meaning,
    run: RunRecord,
    who: Principal,
    *,
    subject: Subject,
    signatures: tuple[Signature, ...],
    four_eyes: bool,
) -> bool:
    if not who.user_id or not policy.may(who, meaning.action, run.project):
        return False
    try:
        next_step(
            meaning,
            revision=subject.report.revision,
            samples=subject.samples,
            reason="asked",
            user_id=who.user_id,
            signatures=signatures,
            four_eyes=four_eyes,
        )
    except SignatureRefused:
        return False
    return True


def _supersedes(signatures: tuple[Signature, ...], subject: Subject) -> int | None:
    """What an amendment of the whole report would correct; None when no single one could."""
    try:
        return superseded(signatures, subject.report.revision, subject.samples)
    except SignatureRefused:
        return None


def _changes(supersedes: int | None, subject: Subject, desk: Desk) -> tuple[Change, ...]:
    if supersedes is None:
        return ()
    try:
        return changes_since(supersedes, subject, subject.samples, desk.reports)
    except SignatureRefused:
        return ()
