# ruff: noqa: F811 - fixtures
"""What must hold of signatures: a record that is changed, re-dated or re-attributed is named by
`porewatch audit`; who lacks the role is refused; the clock is the server's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from porewatch.domain.base import now
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.errors import Forbidden
from porewatch.domain.people.roles import Role
from porewatch.domain.signatures.signature import Change, Meaning, Signature
from porewatch.domain.signatures.signing_act import SigningAct, confirms
from porewatch.usecases.signatures.desk import Desk
from porewatch_cli.stack import Stack
from tests.cli.test_anchor import in_json, recorded, stack  # noqa: F401 - a fixture
from tests.cli.test_signatures import (
    ADA,
    BEN,
    EVE,
    begin,
    code,
    complete,
    confirm,
    desk,  # noqa: F401 - a fixture
    faults,
    person,
    released,
    sign,
    spoiled,
    stored,
)

DAY = timedelta(days=1)


def other(one: Signature, field: str) -> Any:
    """Another value of this field."""
    value = getattr(one, field)
    if field == "confirmation":
        return value.model_copy(update={"signed_in_at": value.signed_in_at - DAY})
    changed: dict[str, Any] = {
        "meaning": Meaning.AMENDED, "role": Role.ADMIN,
        "outcome": next(kind for kind in Outcome if kind is not one.outcome),
        "samples": ("another",), "withheld": ("another",), "reviews": (7,), "supersedes": 7,
        "changes": (Change(sample="another", after="x"),), "number": one.number,
        "at": one.at - DAY, "user_id": EVE.user_id,
    }  # fmt: skip
    if field in changed:
        return changed[field]
    if isinstance(value, int):
        return value + 1
    digit = "0" if str(value).startswith("f") else "f"
    return f"{digit}{value[1:]}" if len(value) == 64 else f"{value}x"


@pytest.mark.parametrize("field", sorted(set(Signature.model_fields) - {"number"}))
def test_audit_names_a_signature_of_which_any_field_was_changed(
    stack: Stack, desk: Desk, field: str
) -> None:
    """With write access to the ledger and to the copies, and without the audit key."""
    review, release = released(stack, desk)
    assert faults() == []
    changed = review.model_copy(update={field: other(review, field)})
    assert changed != review
    stored(stack, review, **{field: other(review, field)})
    for head in [*desk.reports.keys("signatures/run-1/0001")]:
        desk.reports.put(head.key, changed.canonical_json().encode())
    found = [one for one in faults() if one[1] == 1]
    assert found and found[0][0].startswith("signature_"), field
    assert not in_json()["holds"]
    assert any("signature 1 (" in one for one in in_json()["faults"])
    act = begin(stack, desk, Meaning.AMENDED, BEN, reason="x") if field != "samples" else ""
    if act:
        confirm(desk, act)
        assert code(lambda: complete(stack, desk, act, BEN)) == "signature_forged", field
    assert desk.signatures.of("run-1")[1:] == (release,)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (lambda one: {"at": one.at - DAY}, "signature_redated"),
        (lambda one: {"name": "Eve"}, "signature_reattributed"),
        (lambda one: {"user_id": EVE.user_id, "name": "E"}, "signature_reattributed"),
        (lambda one: {"reason": "another"}, "signature_changed"),
    ],
)
def test_audit_says_what_was_changed(stack: Stack, desk: Desk, changes: Any, named: str) -> None:
    review, _ = released(stack, desk)
    stored(stack, review, **changes(review))
    assert (named, 1) in faults()


def test_nothing_is_signed_over_an_older_signature_that_was_changed(
    stack: Stack, desk: Desk
) -> None:
    """Each is proved before the next one is made, not the newest alone."""
    review, _ = released(stack, desk)
    stored(stack, review, name="Eve")
    act_id = begin(stack, desk, Meaning.AMENDED, BEN, reason="x")
    confirm(desk, act_id)
    assert code(lambda: complete(stack, desk, act_id, BEN)) == "signature_forged"
    stored(stack, review)
    assert complete(stack, desk, act_id, BEN).number == 3


def test_nothing_is_signed_over_a_gap(stack: Stack, desk: Desk) -> None:
    released(stack, desk)
    stack.table.delete("SIGNATURES#run-1", "SIGNATURE#0001")
    act_id = begin(stack, desk, Meaning.AMENDED, BEN, reason="x")
    confirm(desk, act_id)
    assert code(lambda: complete(stack, desk, act_id, BEN)) == "signature_forged"


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "another"}, {"meaning": Meaning.RELEASED}, {"samples": ("another",)},
        {"user_id": EVE.user_id}, {"report_sha256": "f" * 64}, {"act_id": "x-aaaaaaaaaaaaaaaa"},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_audit_makes_each_confirmation_again(
    stack: Stack, desk: Desk, changes: dict[str, Any]
) -> None:
    """Whoever could use the audit key, too, cannot give a sign-in to something else."""
    review = sign(stack, desk, Meaning.REVIEWED, ADA)
    assert confirms(review) is True
    forged = desk.signatures.signed(review.model_copy(update={**changes, "mac": ""}))
    assert desk.signatures.proves(forged) and confirms(forged) is False
    stored(stack, forged)
    assert ("signature_not_confirmed_for_it", 1) in faults()


def test_a_confirmation_that_is_older_than_its_act_is_named(stack: Stack, desk: Desk) -> None:
    review = sign(stack, desk, Meaning.REVIEWED, ADA)
    for changes in ({"signed_in_at": review.at - DAY}, {"confirmed_at": review.at + DAY}):
        old = review.confirmation.model_copy(update=changes)
        assert confirms(review.model_copy(update={"confirmation": old})) is False
    without = review.confirmation.model_copy(update={"begun_at": None})
    assert confirms(review.model_copy(update={"confirmation": without})) is None


def test_the_digest_of_an_act_stays_what_it_is() -> None:
    """Signatures that were made are proved by it: a new field must not count in them."""
    act = SigningAct(
        act_id="x-aaaaaaaaaaaaaaaa", user_id="u-aaaaaaaaaaaaaaaa", run_id="run-1", revision=0,
        samples=("pig",), meaning=Meaning.REVIEWED, reason="r", report_sha256="a" * 64,
        audit_head="b" * 64, made_at=now().replace(2026, 12, 1, 9, 0, 0, 0),
    )  # fmt: skip
    assert act.subject == "7a959fa91b2f2605069d06d2c964d312e33577435f9b6e3e9d157d85fa2fc034"


def test_a_day_names_a_record_that_cannot_be_read_and_goes_on(stack: Stack, desk: Desk) -> None:
    _, release = released(stack, desk)
    spoiled(stack, 1)
    days = recorded(stack, now() + timedelta(days=2, hours=2))
    lines = [line for day in days for line in day.heads]
    assert "SIGNATURES#run-1 SIGNATURE#0001 unreadable" in lines
    assert release.line in lines, "what came after it is recorded"
    assert ("signature_changed", 1) in faults()
    assert len(recorded(stack, now() + timedelta(days=4, hours=2))) == len(days) + 2


@pytest.mark.parametrize("meaning", Meaning)
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REVIEWER, Role.ADMIN}))
def test_who_lacks_the_role_is_refused(
    stack: Stack, desk: Desk, meaning: Meaning, role: Role
) -> None:
    released(stack, desk)
    before = desk.signatures.of("run-1")
    with pytest.raises(Forbidden):
        begin(stack, desk, meaning, person("x", role), reason="x")
    act_id = begin(stack, desk, Meaning.AMENDED, BEN, reason="x")
    confirm(desk, act_id)
    with pytest.raises(Forbidden):
        complete(stack, desk, act_id, person("b", role))
    assert desk.signatures.of("run-1") == before and len(before) == 2


def test_the_clock_is_the_servers(stack: Stack, desk: Desk) -> None:
    """A client has no place to send a time: what is asked and answered knows none."""
    from porewatch.usecases.signatures.sign_report import Amend, Sign

    assert not {"at", "time", "date", "made_at"} & {*Sign.model_fields, *Amend.model_fields}
    before = now()
    review = sign(stack, desk, Meaning.REVIEWED, ADA)
    assert before <= review.confirmation.confirmed_at <= review.at <= now()
