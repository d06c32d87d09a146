"""Which signatures a report has, and which may come next. Pure.

    draft -> reviewed -> released -> amended

for each sample of each revision. A signature covers one sample or all of the report; of a report
some samples may be released while others wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from porewatch.domain.base import Model
from porewatch.domain.reasons.reason import SignatureCode, because
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import GONE_STATES
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signature import Meaning, Signature


class State(StrEnum):
    """Of a sample in one revision, in order."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    RELEASED = "released"
    AMENDED = "amended"


class Standing(Model):
    """Numbers of the signatures that made `state`."""

    state: State = State.DRAFT
    reviews: tuple[int, ...] = ()
    release: int | None = None
    amendments: tuple[int, ...] = ()


class Step(Model):
    """What a signature is, beside what its signer says."""

    reviews: tuple[int, ...] = ()
    supersedes: int | None = None


def standing(signatures: Iterable[Signature], revision: int, sample: str) -> Standing:
    """How a sample stands in a revision."""
    found = Standing()
    for one in signatures:
        if sample in one.samples:
            found = _after(found, one, revision)
    return found


def state_of(signatures: Sequence[Signature], revision: int, samples: Collection[str]) -> State:
    """Of a whole report: that of the sample that is least far; of a report that is released as a
    whole, amended as soon as one sample is."""
    states = {standing(signatures, revision, sample).state for sample in samples}
    if states == {State.RELEASED, State.AMENDED}:
        return State.AMENDED
    order = tuple(State)
    return min(states, key=order.index, default=State.DRAFT)


class Reviewed(Model):
    """How far the report of `revision` is signed, after signature `number`: lists of runs read it
    instead of all signatures."""

    revision: int
    state: State
    number: int


def reviewed(signatures: Sequence[Signature], revision: int, samples: Collection[str]) -> Reviewed:
    """After the last of these signatures, which is of this revision."""
    state = state_of(signatures, revision, samples)
    return Reviewed(revision=revision, state=state, number=signatures[-1].number)


def review_of(record: RunRecord, last: Reviewed | None) -> State | None:
    """How far the report of a run is signed; None while it has none, or none any more."""
    shown = reported(record)
    if shown is None or record.state in GONE_STATES:
        return None
    same = last is not None and last.revision == shown.revision
    return last.state if last is not None and same else State.DRAFT


def next_step(
    meaning: Meaning,
    *,
    revision: int,
    samples: Collection[str],
    reason: str,
    user_id: str,
    signatures: Sequence[Signature],
    four_eyes: bool,
) -> Step:
    """What such a signature would be now. Raises SignatureRefused."""
    stands = [standing(signatures, revision, sample) for sample in samples]
    reviews = tuple(sorted({number for each in stands for number in each.reviews}))
    mine = {one.number for one in signatures if one.user_id == user_id}
    states = {each.state for each in stands}
    if meaning is Meaning.REVIEWED:
        _refuse_unless(states <= {State.DRAFT, State.REVIEWED}, SignatureCode.SIGNATURE_TOO_LATE)
        again = any(mine & set(each.reviews) for each in stands)
        _refuse_unless(not again, SignatureCode.SIGNATURE_TWICE)
        return Step()
    if meaning is Meaning.RELEASED:
        later = states & {State.RELEASED, State.AMENDED}
        _refuse_unless(not later, SignatureCode.SIGNATURE_TOO_LATE)
        before = {_released_before(signatures, revision, sample) for sample in samples}
        _refuse_unless(before <= {None}, SignatureCode.SIGNATURE_AMEND_INSTEAD)
    _refuse_unless(State.DRAFT not in states, SignatureCode.SIGNATURE_NOT_REVIEWED)
    _refuse_unless(not (four_eyes and mine & set(reviews)), SignatureCode.SIGNATURE_FOUR_EYES)
    if meaning is Meaning.RELEASED:
        return Step(reviews=reviews)
    _refuse_unless(bool(reason.strip()), SignatureCode.SIGNATURE_NEEDS_REASON)
    return Step(reviews=reviews, supersedes=superseded(signatures, revision, samples))


def superseded(signatures: Sequence[Signature], revision: int, samples: Collection[str]) -> int:
    """The revision that an amendment of these samples corrects: this one, by a statement, when it
    is released; else the one that was released last, which must be the same for every sample.
    Raises SignatureRefused."""
    states = {standing(signatures, revision, sample).state for sample in samples}
    far = states & {State.RELEASED, State.AMENDED}
    if far:
        _refuse_unless(states == far, SignatureCode.SIGNATURE_MIXED)
        return revision
    found = {_released_before(signatures, revision, sample) for sample in samples}
    _refuse_unless(bool(found - {None}), SignatureCode.SIGNATURE_NOTHING_TO_AMEND)
    _refuse_unless(len(found) == 1, SignatureCode.SIGNATURE_MIXED)
    return max(one for one in found if one is not None)


def _after(found: Standing, one: Signature, revision: int) -> Standing:
    if one.meaning is Meaning.REVIEWED and one.revision == revision:
        state = State.REVIEWED if found.state is State.DRAFT else found.state
        return found.model_copy(update={"state": state, "reviews": (*found.reviews, one.number)})
    if one.meaning is not Meaning.REVIEWED and one.revision == revision != one.supersedes:
        return found.model_copy(update={"state": State.RELEASED, "release": one.number})
    if one.supersedes == revision:
        amendments = (*found.amendments, one.number)
        return found.model_copy(update={"state": State.AMENDED, "amendments": amendments})
    return found


def _released_before(signatures: Sequence[Signature], revision: int, sample: str) -> int | None:
    """The newest earlier revision in which this sample was released."""
    released = (
        one.revision
        for one in signatures
        if one.meaning is not Meaning.REVIEWED and one.revision < revision and sample in one.samples
    )
    return max(released, default=None)


def _refuse_unless(holds: bool, code: SignatureCode) -> None:
    if not holds:
        raise SignatureRefused(because(code), remedy="see the signatures of the run.")
