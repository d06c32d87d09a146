"""Mail about review and signature: who gets which, once, by choice, and never the signer."""

from __future__ import annotations

from typing import Any

import pytest

from porewatch.domain.people.accounts import MailChoice
from porewatch.domain.people.roles import Role
from tests.functional.doors import fact_event, send
from tests.functional.mailbox import ROOT, Mailbox
from tests.functional.test_mail import Lab, box, happened, lab  # noqa: F401 - fixtures

# ruff: noqa: F811 - the fixtures
RELEASE = {"admin@lab.example", "reviewer@lab.example"}
EVERYBODY = {f"{role.value}@lab.example" for role in Role}


def signed(lab: Lab, meaning: str, number: int, by: Role = Role.REVIEWER) -> dict[str, Any]:
    run_id = lab.run(name="Plasma 7")
    fact = happened("ReportSigned", run_id, meaning=meaning, number=number, by=lab.users[by])
    return fact_event(
        "ReportSigned", fact["detail"] | {"fact_id": f"ReportSigned:{run_id}:{number}"}
    )


def subject(mail: Any) -> str:
    return str(mail["Content"]["Simple"]["Subject"]["Data"])


def test_whoever_may_review_reads_that_a_report_waits(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run(name="Plasma 7")
    send("mailer", happened("RunCompleted", run_id))
    waits = {one for one in box.addresses if "waits for review" in subject(box.to(one)[0])}
    assert waits == RELEASE
    text = box.to("reviewer@lab.example")[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert f"{ROOT}/web/runs/{run_id}/signatures" in text
    assert len(box.sent) == len(Role), "one mail each"


@pytest.mark.parametrize(
    ("meaning", "says", "everybody"),
    [
        ("reviewed", "Waits for release: Plasma 7", RELEASE),
        ("released", "Report released: Plasma 7", EVERYBODY),
        ("amended", "Report amended: Plasma 7", EVERYBODY),
    ],
)
def test_a_signature_gives_one_mail_to_all_but_its_signer(
    lab: Lab, box: Mailbox, meaning: str, says: str, everybody: set[str]
) -> None:
    fact = signed(lab, meaning, 2)
    assert send("mailer", fact) == send("mailer", fact) == []
    assert set(box.addresses) == everybody - {"reviewer@lab.example"}
    assert len(box.sent) == len(everybody) - 1 > 0
    assert {subject(one) for one in box.sent} == {says}
    for one in box.sent:
        text = one["Content"]["Simple"]["Body"]["Text"]["Data"]
        assert f"{ROOT}/web/runs/{lab.runs[0]}/signatures" in text
        assert "donor-1" not in text and "Ada" not in text


def test_each_act_gives_a_mail_of_its_own(lab: Lab, box: Mailbox) -> None:
    send("mailer", signed(lab, "released", 2))
    send("mailer", signed(lab, "released", 3))
    assert len(box.to("viewer@lab.example")) == 2


def test_mail_about_signatures_follows_what_each_chose(lab: Lab, box: Mailbox) -> None:
    lab.change(Role.VIEWER, mail=MailChoice.NONE)
    lab.change(Role.SUBMITTER, mail=MailChoice.FAILURES)
    send("mailer", signed(lab, "released", 2))
    assert set(box.addresses) & {"viewer@lab.example", "submitter@lab.example"} == set()
    assert "admin@lab.example" in box.addresses
    box.sent.clear()
    send("mailer", signed(lab, "amended", 3))
    assert "viewer@lab.example" not in box.addresses
    assert "submitter@lab.example" in box.addresses, "what he may have used was corrected"
