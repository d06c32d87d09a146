"""Signatures of a report: which may come next, what confirms one, and what a change of one shows.

Rules of four eyes and of amendments are checked against every order of a few signatures, too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.calls.findings import Outcome
from porewatch.domain.people.roles import Role
from porewatch.domain.results.audit import GENESIS
from porewatch.domain.results.audit_anchors import AnchorDay, next_record
from porewatch.domain.results.sample_states import RunStates
from porewatch.domain.signatures.changes import changes
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signature import (
    Change,
    Confirmation,
    Meaning,
    Signature,
    as_stored,
    signed_text,
)
from porewatch.domain.signatures.signing_act import (
    ACT_LIFE,
    CONFIRMED_LIFE,
    SigningAct,
    confirmed,
    need_confirmation,
    nonce_for,
)
from porewatch.domain.signatures.steps import State, next_step, standing, state_of
from porewatch.domain.signatures.verify import (
    Published,
    SignatureFault,
    SignatureFound,
    signature_faults,
)

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADA, BEN, CLEO = "u-aaaaaaaaaaaaaaaa", "u-bbbbbbbbbbbbbbbb", "u-cccccccccccccccc"
BOTH = ("pig-1", "pig-2")
CONFIRMATION = Confirmation(
    issuer="https://idp.example", signed_in_at=NOON, confirmed_at=NOON, salt="s", nonce="n"
)


def signature(number: int, meaning: Meaning, user_id: str, **fields: Any) -> Signature:
    values: dict[str, Any] = {
        "number": number,
        "act_id": f"x-{number}",
        "run_id": "run-1",
        "revision": 0,
        "samples": BOTH,
        "meaning": meaning,
        "at": NOON + number * MINUTE,
        "user_id": user_id,
        "name": user_id,
        "role": Role.REVIEWER,
        "confirmation": CONFIRMATION,
        "report_sha256": "a" * 64,
        "audit_head": "b" * 64,
        "outcome": Outcome.REPORTABLE,
    }
    return as_stored(Signature(**{**values, **fields}))


def chained(*bare: Signature) -> list[Signature]:
    """With the digest of the one before, and a proof that only the text itself has."""
    made: list[Signature] = []
    for one in bare:
        previous = made[-1].fingerprint if made else GENESIS
        linked = one.model_copy(update={"previous": previous})
        made.append(linked.model_copy(update={"mac": proof(linked)}))
    return made


def proof(one: Signature) -> str:
    return str(hash(signed_text("stack", one)))


def proves(one: Signature) -> bool:
    return one.mac == proof(one)


def ask(
    meaning: Meaning,
    user_id: str,
    *signatures: Signature,
    revision: int = 0,
    samples: tuple[str, ...] = BOTH,
    reason: str = "wrong sheet",
    four_eyes: bool = True,
) -> str:
    """The refusal's code, or `reviews supersedes`."""
    try:
        step = next_step(
            meaning,
            revision=revision,
            samples=samples,
            reason=reason,
            user_id=user_id,
            signatures=signatures,
            four_eyes=four_eyes,
        )
    except SignatureRefused as refusal:
        return refusal.code
    return f"{','.join(map(str, step.reviews))} {step.supersedes}"


REVIEW = signature(1, Meaning.REVIEWED, ADA)
RELEASE = signature(2, Meaning.RELEASED, BEN, reviews=(1,))
AGAIN = signature(3, Meaning.REVIEWED, ADA, revision=1)
AMENDED = signature(4, Meaning.AMENDED, BEN, revision=1, supersedes=0, reason="x")
STATEMENT = signature(3, Meaning.AMENDED, BEN, supersedes=0, reason="x")


def test_a_report_goes_from_draft_to_amended() -> None:
    assert standing([], 0, "pig-1").state is State.DRAFT
    assert standing([REVIEW], 0, "pig-1").state is State.REVIEWED
    assert standing([REVIEW, RELEASE], 0, "pig-1").state is State.RELEASED
    after = [REVIEW, RELEASE, AGAIN, AMENDED]
    assert standing(after[:3], 1, "pig-1").state is State.REVIEWED
    assert standing(after, 0, "pig-1").state is State.AMENDED
    assert standing(after, 0, "pig-1").amendments == (4,)
    assert standing(after, 1, "pig-1").state is State.RELEASED
    assert standing([REVIEW, RELEASE, STATEMENT], 0, "pig-1").state is State.AMENDED


def test_a_report_is_no_further_than_its_last_sample() -> None:
    one = signature(2, Meaning.RELEASED, BEN, samples=("pig-1",))
    assert state_of([REVIEW, one], 0, ("pig-1",)) is State.RELEASED
    assert state_of([REVIEW, one], 0, BOTH) is State.REVIEWED
    assert state_of([], 0, ()) is State.DRAFT


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (ask(Meaning.REVIEWED, ADA), " None"),
        (ask(Meaning.REVIEWED, ADA, REVIEW), "signature_twice"),
        (ask(Meaning.REVIEWED, BEN, REVIEW), " None"),
        (ask(Meaning.REVIEWED, CLEO, REVIEW, RELEASE), "signature_too_late"),
        (ask(Meaning.RELEASED, BEN), "signature_not_reviewed"),
        (ask(Meaning.RELEASED, ADA, REVIEW), "signature_four_eyes"),
        (ask(Meaning.RELEASED, ADA, REVIEW, four_eyes=False), "1 None"),
        (ask(Meaning.RELEASED, BEN, REVIEW), "1 None"),
        (ask(Meaning.RELEASED, BEN, REVIEW, RELEASE), "signature_too_late"),
        (
            ask(Meaning.RELEASED, BEN, REVIEW, RELEASE, AGAIN, revision=1),
            "signature_amend_instead",
        ),
        (ask(Meaning.AMENDED, BEN, REVIEW), "signature_nothing_to_amend"),
        (ask(Meaning.AMENDED, BEN, REVIEW, RELEASE), "1 0"),
        (ask(Meaning.AMENDED, BEN, REVIEW, RELEASE, reason=" "), "signature_needs_reason"),
        (ask(Meaning.AMENDED, ADA, REVIEW, RELEASE), "signature_four_eyes"),
        (ask(Meaning.AMENDED, BEN, REVIEW, RELEASE, revision=1), "signature_not_reviewed"),
        (ask(Meaning.AMENDED, BEN, REVIEW, RELEASE, AGAIN, revision=1), "3 0"),
        (ask(Meaning.AMENDED, BEN, REVIEW, RELEASE, STATEMENT), "1 0"),
    ],
)
def test_what_may_come_next(asked: str, answer: str) -> None:
    assert asked == answer


def test_samples_that_stand_differently_are_signed_one_by_one() -> None:
    one = signature(2, Meaning.RELEASED, BEN, samples=("pig-1",))
    assert ask(Meaning.AMENDED, BEN, REVIEW, one) == "signature_mixed"
    assert ask(Meaning.RELEASED, BEN, REVIEW, one) == "signature_too_late"
    assert ask(Meaning.RELEASED, BEN, REVIEW, one, samples=("pig-2",)) == "1 None"


ONE, OTHER = ("pig-1",), ("pig-2",)


def amended(number: int, revision: int, supersedes: int, samples: tuple[str, ...]) -> Signature:
    return signature(
        number, Meaning.AMENDED, BEN, revision=revision, supersedes=supersedes, samples=samples
    )


def test_an_amendment_corrects_what_was_released_last_of_each_sample() -> None:
    made = [
        REVIEW, RELEASE, AGAIN, amended(4, 1, 0, ONE),
        signature(5, Meaning.REVIEWED, ADA, revision=2),
    ]  # fmt: skip
    assert ask(Meaning.AMENDED, BEN, *made, revision=2) == "signature_mixed"
    assert ask(Meaning.AMENDED, BEN, *made, revision=2, samples=ONE) == "5 1"
    assert ask(Meaning.AMENDED, BEN, *made, revision=2, samples=OTHER) == "5 0"
    made += [amended(6, 2, 1, ONE), amended(7, 2, 0, OTHER)]
    assert standing(made, 0, "pig-2").state is State.AMENDED
    assert standing(made, 1, "pig-1").state is State.AMENDED
    assert state_of(made, 2, BOTH) is State.RELEASED


def test_a_sample_that_was_never_released_is_released_and_not_amended() -> None:
    made = [REVIEW, signature(2, Meaning.RELEASED, BEN, samples=ONE), AGAIN]
    assert ask(Meaning.AMENDED, BEN, *made, revision=1) == "signature_mixed"
    assert ask(Meaning.AMENDED, BEN, *made, revision=1, samples=OTHER) == (
        "signature_nothing_to_amend"
    )
    assert ask(Meaning.AMENDED, BEN, *made, revision=1, samples=ONE) == "3 0"
    assert ask(Meaning.RELEASED, BEN, *made, revision=1, samples=OTHER) == "3 None"
    assert ask(Meaning.RELEASED, BEN, *made, revision=1) == "signature_amend_instead"


def test_a_released_report_with_an_amended_sample_is_amended() -> None:
    made = [REVIEW, RELEASE, AGAIN, amended(4, 1, 0, ONE)]
    assert state_of(made, 0, OTHER) is State.RELEASED
    assert state_of(made, 0, BOTH) is State.AMENDED
    partly = [REVIEW, signature(2, Meaning.RELEASED, BEN, samples=ONE), amended(3, 0, 0, ONE)]
    assert state_of(partly, 0, BOTH) is State.REVIEWED


MOVES = st.tuples(
    st.sampled_from(list(Meaning)), st.sampled_from([ADA, BEN]), st.integers(0, 2),
    st.sampled_from([("pig-1",), ("pig-2",), BOTH]),
)  # fmt: skip


@given(st.lists(MOVES, max_size=12))
def test_whatever_is_tried_nothing_is_released_unreviewed_or_by_its_reviewer(
    moves: list[tuple[Meaning, str, int, tuple[str, ...]]],
) -> None:
    made: list[Signature] = []
    for meaning, user_id, revision, samples in moves:
        before = ask(meaning, user_id, *made, revision=revision, samples=samples)
        if before.startswith("signature_"):
            continue
        supersedes = before.split(" ")[1]
        made.append(
            signature(
                len(made) + 1,
                meaning,
                user_id,
                revision=revision,
                samples=samples,
                supersedes=None if supersedes == "None" else int(supersedes),
            )
        )
    for one in made:
        earlier = made[: one.number - 1]
        if one.meaning is Meaning.REVIEWED:
            continue
        for sample in one.samples:
            reviewers = {
                other.user_id
                for other in earlier
                if other.meaning is Meaning.REVIEWED
                and other.revision == one.revision
                and sample in other.samples
            }
            assert reviewers, "somebody reviewed it"
            assert one.user_id not in reviewers
            if one.meaning is Meaning.AMENDED:
                released = {
                    other.revision
                    for other in earlier
                    if other.meaning is not Meaning.REVIEWED
                    and sample in other.samples
                    and other.revision <= one.revision
                }
                assert one.supersedes == max(released, default=None), "what was released last"


ACT = SigningAct(
    act_id="x-aaaaaaaaaaaaaaaa",
    user_id=ADA,
    run_id="run-1",
    revision=0,
    samples=BOTH,
    meaning=Meaning.RELEASED,
    report_sha256="a" * 64,
    audit_head="b" * 64,
    made_at=NOON,
)


def confirm(act: SigningAct = ACT, **other: Any) -> SigningAct:
    values: dict[str, Any] = {
        "issuer": "https://idp.example",
        "signed_in_at": NOON + MINUTE,
        "asked_at": NOON + MINUTE,
        "salt": "s",
        "nonce": nonce_for(ACT, "s"),
        "at": NOON + 2 * MINUTE,
    }
    return confirmed(act, **{**values, **other})


def code(call: Any) -> str:
    with pytest.raises(SignatureRefused) as raised:
        call()
    return raised.value.code


def test_a_new_sign_in_confirms_one_act_for_five_minutes() -> None:
    done = confirm()
    assert need_confirmation(done, NOON + 2 * MINUTE + CONFIRMED_LIFE - MINUTE)
    late = NOON + 2 * MINUTE + CONFIRMED_LIFE
    assert code(lambda: need_confirmation(done, late)) == "signature_act_over"
    assert code(lambda: need_confirmation(ACT, NOON)) == "signature_not_confirmed"
    assert code(lambda: confirm(done)) == "signature_act_over"
    assert code(lambda: confirm(at=NOON + ACT_LIFE)) == "signature_act_over"


def test_an_older_sign_in_or_one_without_its_time_confirms_nothing() -> None:
    assert code(lambda: confirm(signed_in_at=None)) == "signature_not_fresh"
    assert code(lambda: confirm(signed_in_at=NOON)) == "signature_not_fresh"


@pytest.mark.parametrize(
    "other",
    [
        {"run_id": "run-2"},
        {"revision": 1},
        {"samples": ("pig-1",)},
        {"meaning": Meaning.REVIEWED},
        {"report_sha256": "c" * 64},
        {"reason": "another"},
        {"act_id": "x-bbbbbbbbbbbbbbbb"},
    ],
)
def test_a_sign_in_for_one_act_confirms_no_other(other: dict[str, Any]) -> None:
    another = ACT.model_copy(update=other)
    assert code(lambda: confirm(another)) == "signature_other_act"


CHAIN = chained(REVIEW, RELEASE)
REPORTS = {0: Published(report_sha256="a" * 64, audit_head="b" * 64)}


def faults(
    signatures: list[Signature],
    days: list[AnchorDay] | None = None,
    copies: list[Signature] | None = None,
    reports: dict[int, Published] = REPORTS,
    run_id: str = "run-1",
) -> list[SignatureFault]:
    return list(
        signature_faults(
            run_id,
            signatures,
            proves=proves,
            copies={one.number: one for one in (CHAIN if copies is None else copies)},
            published=reports,
            days=days or [],
        )
    )


def test_a_chain_as_it_was_signed_has_no_fault() -> None:
    day = next_record(None, date(2026, 12, 1), CHAIN)
    assert [line.split(" ")[1] for line in day.heads] == ["s1", "s2"]
    assert faults(CHAIN, [day]) == []
    assert faults([]) != [], "the copies beside the reports tell of signatures that are gone"
    assert faults([], copies=[]) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"reason": "x"}, SignatureFound.CHANGED),
        ({"at": NOON}, SignatureFound.REDATED),
        ({"name": "Cleo"}, SignatureFound.REATTRIBUTED),
        ({"user_id": CLEO, "name": "Cleo"}, SignatureFound.REATTRIBUTED),
        ({"name": "Cleo", "at": NOON}, SignatureFound.CHANGED),
        ({"meaning": Meaning.RELEASED}, SignatureFound.CHANGED),
    ],
)
def test_a_signature_that_was_changed_is_named(
    change: dict[str, Any], found: SignatureFound
) -> None:
    changed = [CHAIN[0].model_copy(update=change), CHAIN[1]]
    first = faults(changed)[0]
    assert (first.code, first.number, set(first.fields)) == (found, 1, set(change))
    assert faults(changed, copies=[])[0].code is SignatureFound.CHANGED


def test_one_that_is_gone_is_named_by_its_day_by_its_copy_or_by_those_after_it() -> None:
    day = next_record(None, date(2026, 12, 1), CHAIN)
    gone = SignatureFault(code=SignatureFound.REMOVED, number=2)
    assert faults(CHAIN[:1], [day], copies=[]) == [gone]
    assert faults(CHAIN[:1]) == [gone]
    assert [one.code for one in faults(CHAIN[1:], copies=[])] == [SignatureFound.REMOVED]


def test_one_of_another_report_run_or_chain_is_named() -> None:
    other = {0: Published(report_sha256="c" * 64, audit_head="b" * 64)}
    assert {one.code for one in faults(CHAIN, reports=other)} == {SignatureFound.OTHER_REPORT}
    moved = faults(CHAIN, run_id="run-2")
    assert {one.code for one in moved} == {SignatureFound.OTHER_RUN}
    alone = chained(signature(2, Meaning.RELEASED, BEN))
    assert [one.code for one in faults([CHAIN[0], *alone], copies=[])] == [SignatureFound.UNCHAINED]


def test_one_that_was_made_after_its_day_was_recorded_is_named() -> None:
    day = next_record(None, date(2026, 12, 1), CHAIN[:1])
    found = faults(CHAIN, [day])
    assert [(one.code, one.number) for one in found] == [(SignatureFound.NOT_IN_ITS_DAY, 2)]


def test_one_that_was_signed_once_more_is_not_the_one_that_its_day_names() -> None:
    day = next_record(None, date(2026, 12, 1), CHAIN)
    forged = chained(REVIEW, RELEASE.model_copy(update={"user_id": CLEO}))
    found = faults(forged, [day], copies=[])
    assert [(one.code, one.number) for one in found] == [(SignatureFound.NOT_IN_ITS_DAY, 2)]
    assert faults(forged, copies=[]) == [], "without the day nothing shows it"


def test_what_an_amendment_changed_is_computed() -> None:
    def states(standing: str, outcome: str) -> RunStates:
        results = [{"code": "PCV2", "standing": standing}] if standing else []
        sample = {"sample": "pig-1", "outcome": outcome, "results": results}
        rest = {**sample, "sample": "pig-2"}
        return RunStates.model_validate(
            {"run_id": "run-1", "revision": 0, "members": {}, "samples": [sample, rest]}
        )

    before, after = states("detected", "reportable"), states("", "not_reportable")
    assert changes(before, after, ["pig-1"]) == (
        Change(sample="pig-1", before="reportable", after="not_reportable"),
        Change(sample="pig-1", code="PCV2", before="detected"),
    )
    assert changes(before, before, BOTH) == ()
