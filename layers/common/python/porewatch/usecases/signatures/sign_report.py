"""Sign a report: begin, which keeps what will be signed; sign in again (`confirm_signature`); and
complete, which checks everything once more and signs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.base import Model, Moment, Sha256
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.errors import AlreadyDone, Conflict
from porewatch.domain.facts.run_facts import ReportSigned
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import ALLOWED, Role, Scope
from porewatch.domain.people.secrets import new_id
from porewatch.domain.reasons.reason import SignatureCode, because
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.audit import GENESIS
from porewatch.domain.results.publishing import JSON
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signature import (
    MOST_CHANGES,
    Change,
    Meaning,
    Signature,
    Statement,
    as_stored,
)
from porewatch.domain.signatures.signing_act import SigningAct, need_confirmation
from porewatch.domain.signatures.steps import Step, next_step, reviewed
from porewatch.usecases.signatures.desk import (
    LATER,
    Desk,
    Subject,
    changes_since,
    refuse_forged,
    subject_to_sign,
)
from porewatch.usecases.views.show_runs import Answer

HTML = "text/html; charset=utf-8"
ATTEMPTS = 3
"""Somebody else may sign the same run at the same moment."""


class Sign(Model):
    """What somebody wants to sign. `report_sha256`: of the report that he was shown."""

    meaning: Meaning
    revision: Annotated[int, Field(ge=0)]
    report_sha256: Sha256
    samples: Annotated[
        tuple[str, ...], Field(description="none: all samples of the report", max_length=1000)
    ] = ()
    reason: Statement = ""


class Amend(Model):
    """An amendment. `reason`: why, in the signer's words; what changed is computed."""

    revision: Annotated[int, Field(ge=0)]
    report_sha256: Sha256
    reason: Annotated[Statement, Field(min_length=1)]
    samples: Annotated[
        tuple[str, ...], Field(description="none: all samples of the report", max_length=1000)
    ] = ()

    @property
    def order(self) -> Sign:
        return Sign(meaning=Meaning.AMENDED, **self.model_dump())


class Begun(Answer):
    """What will be signed. `path`: the page where its signer signs in again; it is not signed
    before that, and not at all after `expires_at`."""

    act_id: str
    run_id: str
    revision: int
    meaning: Meaning
    samples: tuple[str, ...]
    reason: str
    report_sha256: str
    confirmed: bool
    expires_at: Moment
    path: str


def begin_signature(
    run: RunRecord, order: Sign, who: Principal, at: datetime, *, desk: Desk
) -> Begun:
    """Keep what will be signed. Forbidden for who is no user or lacks the role; SignatureRefused
    for a report that is not the newest, and for what may not come next."""
    user_id = _need_signer(run, order.meaning, who)
    subject = subject_to_sign(run, desk)
    samples = _samples(order, subject)
    _step(
        order, samples, user_id, earlier=desk.signatures.of(run.run_id), subject=subject, desk=desk
    )
    act = SigningAct(
        act_id=new_id("x"),
        user_id=user_id,
        run_id=run.run_id,
        revision=order.revision,
        samples=samples,
        meaning=order.meaning,
        reason=order.reason,
        report_sha256=subject.sha256,
        audit_head=subject.head,
        made_at=at,
    )
    desk.acts.add(act)
    return begun(act)


def own_act(act_id: str, who: Principal, *, desk: Desk) -> SigningAct:
    """An act of the one who asks. NotFound for anybody else's, too."""
    user_id = policy.require_user(who, Scope.REVIEW)
    act = desk.acts.find(act_id)
    if act is None or act.user_id != user_id:
        raise absent("signature", act_id)
    return act


def complete_signature(
    run: RunRecord, act_id: str, who: Principal, at: datetime, *, desk: Desk
) -> Signature:
    """Sign what was begun, after its signer has signed in again for it. Idempotent: an act makes
    one signature. `at`: the server's clock.

    Everything is checked again: role, report, what may come next. SignatureRefused, Forbidden,
    NotFound; Conflict when others sign the same run all the time.
    """
    act = own_act(act_id, who, desk=desk)
    if act.run_id != run.run_id:
        raise absent("signature", act_id)
    for _ in range(ATTEMPTS):
        done = desk.signatures.by_act(run.run_id, act_id)
        if done is None:
            done = _signed(run, act, who, at, desk)
        if done is not None:
            _copy(done, desk)
            return done
    raise Conflict("others are signing this run.", remedy="try again in a moment.")


def begun(act: SigningAct) -> Begun:
    shown = act.model_dump(
        include={"act_id", "run_id", "revision", "meaning", "samples", "reason", "report_sha256"}
    )
    return Begun(
        **shown,
        confirmed=act.confirmation is not None,
        expires_at=act.expires_at,
        path=f"/web/signing/{act.act_id}",
    )


def _signed(
    run: RunRecord, act: SigningAct, who: Principal, at: datetime, desk: Desk
) -> Signature | None:
    """None when another signature was first: then everything is looked at again."""
    _need_signer(run, act.meaning, who)
    confirmation = need_confirmation(act, at)
    subject = subject_to_sign(run, desk)
    earlier = desk.signatures.of(run.run_id)
    refuse_forged(run.run_id, earlier, desk)
    order = Sign(
        meaning=act.meaning,
        revision=act.revision,
        report_sha256=act.report_sha256,
        samples=act.samples,
        reason=act.reason,
    )
    samples = _samples(order, subject)
    step = _step(order, samples, act.user_id, earlier=earlier, subject=subject, desk=desk)
    found = _changes(step, subject, samples, desk)
    bare = Signature(
        number=len(earlier) + 1,
        act_id=act.act_id,
        run_id=run.run_id,
        revision=act.revision,
        samples=samples,
        meaning=act.meaning,
        reason=act.reason,
        at=at,
        user_id=act.user_id,
        name=who.name,
        role=_role(run, act.meaning, who),
        confirmation=confirmation,
        report_sha256=subject.sha256,
        audit_head=subject.head,
        outcome=subject.report.outcome,
        withheld=_withheld(subject, samples),
        reviews=step.reviews,
        supersedes=step.supersedes,
        changes=found[:MOST_CHANGES],
        more_changes=max(0, len(found) - MOST_CHANGES),
        previous=earlier[-1].fingerprint if earlier else GENESIS,
    )
    signature = desk.signatures.signed(as_stored(bare))
    try:
        last = reviewed([*earlier, signature], act.revision, subject.samples)
        desk.signatures.keep(signature, last, [_fact(signature)])
    except Conflict:
        return None
    return signature


def _step(
    order: Sign,
    samples: tuple[str, ...],
    user_id: str,
    *,
    earlier: Sequence[Signature],
    subject: Subject,
    desk: Desk,
) -> Step:
    if (order.revision, order.report_sha256) != (subject.report.revision, subject.sha256):
        raise SignatureRefused(because(SignatureCode.SIGNATURE_OTHER_REPORT), remedy=LATER)
    return next_step(
        order.meaning,
        revision=order.revision,
        samples=samples,
        reason=order.reason,
        user_id=user_id,
        signatures=earlier,
        four_eyes=desk.four_eyes,
    )


def _samples(order: Sign, subject: Subject) -> tuple[str, ...]:
    """Those that are signed, in the report's order."""
    if set(order.samples) - set(subject.samples) or not subject.samples:
        raise SignatureRefused(because(SignatureCode.SIGNATURE_NO_SAMPLE), remedy=LATER)
    return tuple(s for s in subject.samples if s in order.samples or not order.samples)


def _withheld(subject: Subject, samples: tuple[str, ...]) -> tuple[str, ...]:
    report = subject.report
    return tuple(s for s in samples if report.outcome_of(s) is Outcome.NOT_REPORTABLE)


def _changes(
    step: Step, subject: Subject, samples: tuple[str, ...], desk: Desk
) -> tuple[Change, ...]:
    if step.supersedes is None:
        return ()
    return changes_since(step.supersedes, subject, samples, desk.reports)


def _need_signer(run: RunRecord, meaning: Meaning, who: Principal) -> str:
    policy.require(who, meaning.action, run.project, absent=absent("run", run.run_id))
    return policy.require_user(who, Scope.REVIEW)


def _role(run: RunRecord, meaning: Meaning, who: Principal) -> Role:
    """In which role he signs."""
    stack = {who.stack_role} if who.stack_role else set()
    held = (who.held(run.project) | stack) & ALLOWED[meaning.action]
    return Role.REVIEWER if Role.REVIEWER in held else Role.ADMIN


def _fact(signature: Signature) -> ReportSigned:
    return ReportSigned(
        fact_id=ReportSigned.id_of(signature.run_id, signature.number),
        run_id=signature.run_id,
        revision=signature.revision,
        at=signature.at,
        number=signature.number,
        meaning=signature.meaning.value,
        samples=len(signature.samples),
        by=signature.user_id,
        report_sha256=signature.report_sha256,
        supersedes=signature.supersedes,
    )


def _copy(signature: Signature, desk: Desk) -> None:
    """Beside the reports, under its own digest: as data for an audit, as a page for people. What
    lies there is never written again."""
    contents = {
        "json": (signature.canonical_json().encode(), JSON),
        "html": (desk.page(signature).encode(), HTML),
    }
    for suffix, (content, kind) in contents.items():
        key = s3_keys.signature_key(
            signature.run_id, signature.number, signature.fingerprint, suffix
        )
        with suppress(AlreadyDone):
            desk.reports.put_new(key, content, kind)
