"""Reports are signed in the ledger, and `audit` names a signature that is not what was signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.audit.audit_key import AuditKey
from porewatch.adapters.audit.signatures import Signatures
from porewatch.adapters.audit.signing_acts import SigningActs
from porewatch.adapters.items import Item, run_key, signatures_key
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import Forbidden, NotFound, PorewatchError
from porewatch.domain.people.principal import KEY_HOLDER, OPERATOR, Means, Principal
from porewatch.domain.people.roles import DEFAULT_PROJECT, Role
from porewatch.domain.signatures.signature import Meaning, Signature
from porewatch.domain.signatures.signing_act import SigningAct, confirmed, renewal_of
from porewatch.domain.signatures.verify import SignatureFound
from porewatch.usecases.signatures.desk import Desk, newest_subject
from porewatch.usecases.signatures.show_signatures import show_signatures
from porewatch.usecases.signatures.sign_report import (
    Sign,
    begin_signature,
    complete_signature,
)
from porewatch_cli.stack import Stack
from tests.cli.test_anchor import (
    FORGED,
    REPORT,
    anchors_of,
    audited,
    in_json,
    published,
    recorded,
    stack,  # noqa: F401 - a fixture
)
from tests.mocked import make_ledger

# ruff: noqa: F811 - the fixture


def person(letter: str, *roles: Role) -> Principal:
    held = {DEFAULT_PROJECT: frozenset(roles)}
    user_id = "u-" + letter * 16
    return Principal(means=Means.SESSION, user_id=user_id, name=letter.upper(), roles=held)


ADA, BEN, EVE = person("a", Role.REVIEWER), person("b", Role.ADMIN), person("e", Role.OPERATOR)


@pytest.fixture
def desk(stack: Stack) -> Desk:
    people = make_ledger("people")
    assert stack.signatures is not None
    return Desk(
        signatures=stack.signatures,
        acts=SigningActs(people),
        anchors=anchors_of(stack),
        reports=stack.bucket("Reports"),
        page=lambda one: f"page of {one.number}",
    )


def order(stack: Stack, desk: Desk, meaning: Meaning, **fields: Any) -> Sign:
    subject = newest_subject(stack.runs.get("run-1"), desk)
    given = {"revision": subject.report.revision, "report_sha256": subject.sha256, **fields}
    return Sign(meaning=meaning, **given)


def begin(stack: Stack, desk: Desk, meaning: Meaning, who: Principal, **fields: Any) -> str:
    wanted = order(stack, desk, meaning, **fields)
    return begin_signature(stack.runs.get("run-1"), wanted, who, now(), desk=desk).act_id


def confirm(desk: Desk, act_id: str, at: datetime | None = None) -> SigningAct:
    at = at or now()
    act = desk.acts.find(act_id)
    assert act is not None
    renewal = renewal_of(act, at)
    after = confirmed(
        act, issuer="https://idp.example", signed_in_at=at, asked_at=at, salt=renewal.salt,
        nonce=renewal.nonce, at=at,
    )  # fmt: skip
    desk.acts.confirm(act, after)
    return after


def sign(stack: Stack, desk: Desk, meaning: Meaning, who: Principal, **fields: Any) -> Signature:
    act_id = begin(stack, desk, meaning, who, **fields)
    confirm(desk, act_id)
    return complete(stack, desk, act_id, who)


def complete(
    stack: Stack, desk: Desk, act_id: str, who: Principal, at: datetime | None = None
) -> Signature:
    return complete_signature(stack.runs.get("run-1"), act_id, who, at or now(), desk=desk)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(PorewatchError) as raised:
        call()
    return raised.value.code


def released(stack: Stack, desk: Desk) -> tuple[Signature, Signature]:
    review = sign(stack, desk, Meaning.REVIEWED, ADA)
    return review, sign(stack, desk, Meaning.RELEASED, BEN)


def kept(desk: Desk) -> tuple[Signature, ...]:
    return desk.signatures.of("run-1")


def stored(stack: Stack, one: Signature, **changes: Any) -> None:
    """With the rights of an administrator: over the record that is there."""
    changed = one.model_copy(update=changes)
    stack.table.put(Item.of(signatures_key("run-1"), f"SIGNATURE#{one.number:04d}", changed))


def faults() -> list[tuple[str, int]]:
    return [(one["code"], one["number"]) for one in in_json()["signatures"]["faults"]]


def test_a_report_is_reviewed_and_released_by_two_people(stack: Stack, desk: Desk) -> None:
    review, release = released(stack, desk)
    assert kept(desk) == (review, release)
    assert (release.number, release.reviews, release.name) == (2, (1,), "B")
    assert release.previous == review.fingerprint
    assert (release.role, review.role) == (Role.ADMIN, Role.REVIEWER)
    shown = show_signatures(stack.runs.get("run-1"), ADA, desk=desk)
    assert (shown.state, shown.may) == ("released", ())
    assert release.withheld == tuple(
        one.sample for one in shown.samples if one.outcome == "not_reportable"
    )
    document = in_json()
    assert document["holds"], document["faults"]
    assert (document["signatures"]["count"], document["signatures"]["faults"]) == (2, [])
    facts = [
        item.attributes["detail"]
        for item in stack.table.query(signatures_key("run-1"), "FACT#ReportS")
    ]
    assert [json.loads(str(one))["meaning"] for one in facts] == ["reviewed", "released"]
    assert not [*stack.table.query("RUN#run-1", "FACT#ReportS")], "the run's own is not written"
    assert "B" not in json.loads(str(facts[1])).values(), "names stay in the signature"


def test_signatures_stand_in_the_record_of_their_day(stack: Stack, desk: Desk) -> None:
    review, release = released(stack, desk)
    days = recorded(stack, now() + timedelta(days=1, hours=2))
    assert {review.line, release.line} <= {line for day in days for line in day.heads}
    assert faults() == []
    stack.table.delete(signatures_key("run-1"), "SIGNATURE#0002")
    for head in desk.reports.keys("signatures/run-1/0002"):
        desk.reports.remove(head.key)
    assert faults() == [("signature_removed", 2)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"name": "Cleo"}, SignatureFound.REATTRIBUTED),
        ({"user_id": EVE.user_id}, SignatureFound.REATTRIBUTED),
        ({"meaning": Meaning.RELEASED}, SignatureFound.CHANGED),
        ({"withheld": ()}, SignatureFound.CHANGED),
        ({"mac": "00"}, SignatureFound.CHANGED),
    ],
)
def test_audit_names_a_signature_that_was_changed(
    stack: Stack, desk: Desk, change: dict[str, Any], found: SignatureFound
) -> None:
    review, _ = released(stack, desk)
    assert faults() == []
    stored(stack, review, **({"withheld": ("x",)} if change == {"withheld": ()} else change))
    assert (found.value, 1) in faults()
    assert not in_json()["holds"]
    assert any("signature 1 (" in one for one in in_json()["faults"])


def test_audit_names_one_that_was_given_another_time(stack: Stack, desk: Desk) -> None:
    review, _ = released(stack, desk)
    stored(stack, review, at=review.at - timedelta(days=1))
    assert ("signature_redated", 1) in faults()


def test_audit_names_one_that_was_removed_or_is_of_another_report(stack: Stack, desk: Desk) -> None:
    review, release = released(stack, desk)
    stack.table.delete(signatures_key("run-1"), "SIGNATURE#0002")
    assert faults() == [("signature_removed", 2)]
    stored(stack, release)
    stack.table.delete(signatures_key("run-1"), "SIGNATURE#0001")
    assert faults() == [("signature_removed", 1)]
    stored(stack, review)
    assert faults() == []
    published(stack, FORGED)
    assert faults() == [("signature_of_another_report", 1), ("signature_of_another_report", 2)]


def spoiled(stack: Stack, number: int) -> None:
    """With the rights of an administrator: a record that is no signature any more."""
    place = signatures_key("run-1"), f"SIGNATURE#{number:04d}"
    item = stack.table.need(*place)
    stack.table.put(replace(item, body=json.dumps({**json.loads(item.body), "at": "never"})))


def test_audit_names_a_record_that_is_no_signature_any_more(stack: Stack, desk: Desk) -> None:
    _, release = released(stack, desk)
    spoiled(stack, 1)
    assert faults() == [("signature_changed", 1)]
    assert any("signature 1 was changed" in one for one in in_json()["faults"])
    assert kept(desk) == (release,), "pages show the others"
    spoiled(stack, 2)
    assert faults() == [("signature_changed", 1), ("signature_changed", 2)]
    assert desk.signatures.by_act("run-1", release.act_id) is None
    assert show_signatures(stack.runs.get("run-1"), ADA, desk=desk).signatures == ()


def test_nothing_is_signed_over_a_record_that_is_no_signature(stack: Stack, desk: Desk) -> None:
    released(stack, desk)
    spoiled(stack, 1)
    spoiled(stack, 2)
    act_id = begin(stack, desk, Meaning.REVIEWED, ADA)
    confirm(desk, act_id)
    assert code(lambda: complete(stack, desk, act_id, ADA)) == "signature_forged"


def test_a_record_in_the_place_of_another_is_named(stack: Stack, desk: Desk) -> None:
    review, _ = released(stack, desk)
    stack.table.put(Item.of(signatures_key("run-1"), "SIGNATURE#0002", review))
    assert faults() == [("signature_changed", 2)]


def test_a_copy_that_cannot_be_read_is_named_and_the_audit_goes_on(
    stack: Stack, desk: Desk
) -> None:
    review, _ = released(stack, desk)
    copies = [one.key for one in desk.reports.keys("signatures/") if one.key.endswith(".json")]
    assert len(copies) == 2
    for key in copies:
        desk.reports.put(key, b"{")
    assert faults() == [("signature_copy_changed", 1), ("signature_copy_changed", 2)]
    stored(stack, review, name="Cleo")
    assert ("signature_changed", 1) in faults()


@pytest.mark.parametrize("gone", ["file", "broken", "run"])
def test_signatures_are_checked_without_the_report(stack: Stack, desk: Desk, gone: str) -> None:
    review, _ = released(stack, desk)
    key = s3_keys.report_key("run-1", 0, "report.json")
    if gone == "file":
        desk.reports.remove(key)
    elif gone == "broken":
        desk.reports.put(key, b"{")
    else:
        stack.table.delete(run_key("run-1"), "RUN")
    document = in_json()
    assert not document["holds"]
    assert (document["signatures"]["count"], document["signatures"]["faults"]) == (2, [])
    assert "the report cannot be read" in document["faults"][0]
    exit_code, said = audited()
    assert exit_code == 1
    assert "the report cannot be read" in said
    assert "2 signatures, each as it was signed." in said
    stored(stack, review, name="Cleo")
    assert ("signature_reattributed", 1) in faults()
    assert "signature 1 (reviewed by Cleo" in audited()[1]


def test_without_report_and_signatures_audit_says_that_there_is_none(stack: Stack) -> None:
    stack.table.delete(run_key("run-1"), "RUN")
    exit_code, said = audited()
    assert exit_code != 0
    assert "signature" not in said


def test_a_signature_of_another_stack_proves_nothing(stack: Stack, desk: Desk) -> None:
    review = sign(stack, desk, Meaning.REVIEWED, ADA)
    other = Signatures(stack.table, "other", AuditKey(stack.outputs["AuditKeyArn"]))
    assert desk.signatures.proves(review) and not other.proves(review)


@pytest.mark.parametrize("meaning", Meaning)
def test_who_lacks_the_role_or_is_no_user_signs_nothing(
    stack: Stack, desk: Desk, meaning: Meaning
) -> None:
    for who in (EVE, person("s", Role.SUBMITTER), KEY_HOLDER, OPERATOR):
        with pytest.raises(Forbidden):
            begin(stack, desk, meaning, who, reason="x")
    with pytest.raises(NotFound):
        begin(stack, desk, meaning, person("x"), reason="x")
    assert kept(desk) == ()


def test_a_role_that_is_lost_meanwhile_counts(stack: Stack, desk: Desk) -> None:
    act_id = begin(stack, desk, Meaning.REVIEWED, ADA)
    confirm(desk, act_id)
    with pytest.raises(Forbidden):
        complete(stack, desk, act_id, person("a", Role.VIEWER))
    with pytest.raises(NotFound):
        complete(stack, desk, act_id, BEN)
    assert kept(desk) == ()


def test_without_a_new_sign_in_nothing_is_signed(stack: Stack, desk: Desk) -> None:
    act_id = begin(stack, desk, Meaning.REVIEWED, ADA)
    assert code(lambda: complete(stack, desk, act_id, ADA)) == "signature_not_confirmed"
    confirm(desk, act_id)
    late = now() + timedelta(minutes=6)
    assert code(lambda: complete(stack, desk, act_id, ADA, late)) == "signature_act_over"
    assert code(lambda: confirm(desk, act_id)) == "signature_act_over"
    assert kept(desk) == ()


def test_of_two_sign_ins_for_one_act_one_confirms_it(stack: Stack, desk: Desk) -> None:
    act_id = begin(stack, desk, Meaning.REVIEWED, ADA)
    before = desk.acts.find(act_id)
    assert before is not None
    after = confirm(desk, act_id)
    assert code(lambda: desk.acts.confirm(before, after)) == "signature_act_over"


def test_an_act_makes_one_signature(stack: Stack, desk: Desk) -> None:
    first = sign(stack, desk, Meaning.REVIEWED, ADA)
    again = complete(stack, desk, first.act_id, ADA)
    much_later = complete(stack, desk, first.act_id, ADA, now() + timedelta(days=1))
    assert first == again == much_later
    assert len(kept(desk)) == 1
    assert len([*desk.reports.keys("signatures/")]) == 2


def test_of_two_releases_at_once_one_counts(stack: Stack, desk: Desk) -> None:
    sign(stack, desk, Meaning.REVIEWED, ADA)
    cleo = person("c", Role.REVIEWER)
    acts = {who.user_id: begin(stack, desk, Meaning.RELEASED, who) for who in (BEN, cleo)}
    for act_id in acts.values():
        confirm(desk, act_id)
    first = complete(stack, desk, acts[BEN.user_id], BEN)
    stale = desk.signatures.of("run-1")[:1]

    class Late(Signatures):
        """Read before the other release was written, once."""

        reads = 0

        def of(self, run_id: str) -> tuple[Signature, ...]:
            self.reads += 1
            return stale if self.reads == 1 else super().of(run_id)

    assert stack.signatures is not None
    late = Late(stack.table, stack.name, AuditKey(stack.outputs["AuditKeyArn"]))
    behind = Desk(late, desk.acts, desk.anchors, desk.reports, desk.page)
    refused = code(lambda: complete(stack, behind, acts[cleo.user_id], cleo))
    assert refused == "signature_too_late"
    assert late.reads == 2
    assert kept(desk)[1:] == (first,)


def test_a_report_that_changed_meanwhile_is_not_signed(stack: Stack, desk: Desk) -> None:
    act_id = begin(stack, desk, Meaning.REVIEWED, ADA)
    confirm(desk, act_id)
    key = s3_keys.report_key("run-1", 0, "report.json")
    whole = desk.reports.get(key)
    desk.reports.put(key, whole + b"\n")
    assert code(lambda: complete(stack, desk, act_id, ADA)) == "signature_other_report"
    published(stack, FORGED)
    assert code(lambda: begin(stack, desk, Meaning.REVIEWED, ADA)) == "signature_other_report"
    desk.reports.put(key, whole)
    assert complete(stack, desk, act_id, ADA).number == 1


def no_anchor(stack: Stack) -> None:
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")


def forged_anchor(stack: Stack) -> None:
    anchor = anchors_of(stack).of("run-1", 0)
    assert anchor is not None
    forged = anchor.model_copy(update={"mac": "00"})
    stack.table.put(Item.of(run_key("run-1"), "ANCHOR#0000", forged))


def changed_answers(stack: Stack) -> None:
    published(stack, REPORT.model_copy(update={"decision": "all is well"}))


def changed_entry(stack: Stack) -> None:
    assert REPORT.audit is not None
    first, *rest = REPORT.audit.entries
    entries = (first.model_copy(update={"details": {"run": "another"}}), *rest)
    trail = REPORT.audit.model_copy(update={"entries": entries})
    published(stack, REPORT.model_copy(update={"audit": trail}))


@pytest.mark.parametrize("change", [no_anchor, forged_anchor, changed_answers, changed_entry])
def test_what_is_not_proved_to_be_what_was_published_is_not_signed(
    stack: Stack, desk: Desk, change: Callable[[Stack], None]
) -> None:
    act_id = begin(stack, desk, Meaning.REVIEWED, ADA)
    confirm(desk, act_id)
    change(stack)
    assert code(lambda: complete(stack, desk, act_id, ADA)) == "signature_unproved"
    assert code(lambda: begin(stack, desk, Meaning.REVIEWED, ADA)) == "signature_unproved"
    assert kept(desk) == ()


def test_nothing_is_signed_over_a_forged_signature(stack: Stack, desk: Desk) -> None:
    review = sign(stack, desk, Meaning.REVIEWED, ADA)
    stored(stack, review, user_id=EVE.user_id)
    act_id = begin(stack, desk, Meaning.RELEASED, BEN)
    confirm(desk, act_id)
    assert code(lambda: complete(stack, desk, act_id, BEN)) == "signature_forged"


def test_a_sample_that_there_is_not_and_another_revision_are_refused(
    stack: Stack, desk: Desk
) -> None:
    for fields, refusal in (
        ({"samples": ("no such",)}, "signature_no_sample"),
        ({"revision": 1}, "signature_other_report"),
        ({"report_sha256": "0" * 64}, "signature_other_report"),
    ):
        assert code(lambda f=fields: begin(stack, desk, Meaning.REVIEWED, ADA, **f)) == refusal  # type: ignore[misc]


def test_a_run_without_a_report_is_not_signed(stack: Stack, desk: Desk) -> None:
    wanted = order(stack, desk, Meaning.REVIEWED)
    desk.reports.remove(s3_keys.report_key("run-1", 0, "report.json"))
    run = stack.runs.get("run-1")
    refused = code(lambda: begin_signature(run, wanted, ADA, now(), desk=desk))
    assert refused == "signature_no_report"
    assert show_signatures(run, ADA, desk=desk).revision is None
