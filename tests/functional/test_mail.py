"""Mail to people through the real mailer: who gets which, once, and not before its result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.mail_suppressions import Suppressions
from porewatch.adapters.people.unsubscribe_tokens import UnsubscribeTokens
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.mail.declining import MailGroup
from porewatch.domain.mail.suppression import Suppression, SuppressionCode
from porewatch.domain.people.accounts import MailChoice
from porewatch.domain.people.roles import Role
from porewatch.domain.runs import RunState
from porewatch.settings import settings
from tests.contract.test_events import example
from tests.functional.doors import ROOT as REPOSITORY
from tests.functional.doors import Context, batch, door, fact_event, send
from tests.functional.mailbox import FROM, ROOT, Mailbox, listening, surroundings
from tests.functional.test_accounts import Place, ask, by_session, report
from tests.mocked import make_ledger


class Lab(Place):
    """With the tables it lies in; each of the users has a verified address."""

    def __init__(self, people: Table, ledger: Table) -> None:
        super().__init__(people, ledger)
        self.people, self.ledger = people, ledger
        for role in Role:
            self.change(role, email=f"{role.value}@lab.example", email_verified=True)

    def change(self, role: Role, **changes: Any) -> None:
        rule = lambda user: user.model_copy(update=changes)  # noqa: E731
        Accounts(self.people).change_user(self.users[role], rule)

    def run(self, **changes: Any) -> str:
        """The first project's run: completed, with its report, unless `changes` say otherwise."""
        made = {"report_keys": {"report.html": "k"}, "revision": 0, **changes}
        report(self.ledger, self.runs[0], **made)
        return self.runs[0]


@pytest.fixture
def lab(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> Lab:
    for name, value in surroundings().items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return Lab(make_ledger("people"), cloud)


@pytest.fixture
def box(lab: Lab) -> Iterator[Mailbox]:
    with listening() as made:
        yield made


def happened(fact: str, run_id: str, revision: int = 0, **more: Any) -> dict[str, Any]:
    detail = {**example(fact)["detail"], "run_id": run_id, "at": now().isoformat(), **more}
    detail |= {"revision": revision, "fact_id": f"{fact}:{run_id}:{revision}"}
    return fact_event(fact, detail)


def dead() -> list[dict[str, Any]]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="mail-dead")["QueueUrl"]
    return sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])


def test_everybody_who_should_know_gets_one_mail_when_a_run_is_finished(
    lab: Lab, box: Mailbox
) -> None:
    run_id = lab.run(name="Plasma 7")
    assert send("mailer", happened("RunCompleted", run_id)) == []
    assert box.addresses == sorted(f"{role.value}@lab.example" for role in Role)
    one = box.to("viewer@lab.example")[0]
    assert one["FromEmailAddress"] == f"Porewatch <{FROM}>"
    assert one["ConfigurationSetName"] == "porewatch-test-mail"
    said = one["Content"]["Simple"]
    assert said["Subject"]["Data"] == "Run finished: Plasma 7"
    for body in (said["Body"]["Html"]["Data"], said["Body"]["Text"]["Data"]):
        for page in ("", "#report", "/log"):
            assert f"{ROOT}/web/runs/{run_id}{page}" in body
        assert "reportable with remarks" in body
        assert "X-Amz" not in body  # no link that opens a file by itself
        assert "donor-1" not in body and "Hepatitis" not in body


def test_a_fact_that_comes_twice_gives_one_mail(lab: Lab, box: Mailbox) -> None:
    fact = happened("RunCompleted", lab.run())
    assert send("mailer", fact) == send("mailer", fact) == []
    assert len(box.sent) == len(Role)


def test_a_revision_gives_a_mail_of_its_own(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run()
    send("mailer", happened("RunCompleted", run_id))
    lab.run(revision=1)
    send("mailer", happened("RunCompleted", run_id, revision=1))
    assert len(box.to("viewer@lab.example")) == 2


def test_no_mail_comes_before_its_result(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run(state=RunState.RUNNING, report_keys={})
    fact = happened("RunCompleted", run_id)
    assert send("mailer", fact) == ["m0"]
    assert box.sent == []
    lab.run()
    assert send("mailer", fact) == []
    assert len(box.sent) == len(Role)


def test_mail_follows_what_each_chose(lab: Lab, box: Mailbox) -> None:
    lab.change(Role.VIEWER, mail=MailChoice.NONE)
    lab.change(Role.SUBMITTER, mail=MailChoice.FAILURES)
    run_id = lab.run()
    send("mailer", happened("RunCompleted", run_id))
    assert "viewer@lab.example" not in box.addresses
    assert "submitter@lab.example" not in box.addresses
    assert "reviewer@lab.example" in box.addresses
    box.sent.clear()
    send("mailer", happened("RunFailed", run_id, revision=1))
    assert "viewer@lab.example" not in box.addresses
    assert "submitter@lab.example" in box.addresses


def test_a_result_that_may_not_be_reported_counts_as_a_failure(lab: Lab, box: Mailbox) -> None:
    lab.change(Role.SUBMITTER, mail=MailChoice.FAILURES)
    run_id = lab.run(name="Plasma 7")
    verdict = {**example("RunCompleted")["detail"]["verdict"], "outcome": "not_reportable"}
    send("mailer", happened("RunCompleted", run_id, verdict=verdict))
    assert len(box.to("submitter@lab.example")) == 1
    assert set(box.subjects()) == {
        "Run not reportable: Plasma 7",
        "Run not reportable: Plasma 7 (waits for review)",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"email_verified": False}, {"disabled": True}, {"email": ""}, {"deleted": True},
    ],
)  # fmt: skip
def test_who_may_not_be_written_to_is_not(lab: Lab, box: Mailbox, changes: dict[str, Any]) -> None:
    lab.change(Role.VIEWER, **changes)
    send("mailer", happened("RunCompleted", lab.run()))
    assert len(box.sent) == len(Role) - 1
    assert "viewer@lab.example" not in box.addresses


def test_a_suspicion_goes_to_who_reviews_and_who_sent_the_run_once(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run(submitted_by=lab.users[Role.SUBMITTER], state=RunState.RUNNING)
    lab.change(Role.OPERATOR, mail_suspicions=False)
    lab.change(Role.REVIEWER, mail=MailChoice.NONE)
    for sample in ("s1", "s2"):
        fact = happened("PathogenSuspected", run_id, sample=sample)
        assert send("mailer", fact) == []
    assert box.addresses == ["admin@lab.example", "reviewer@lab.example", "submitter@lab.example"]
    assert all("donor" not in json.dumps(one) for one in box.sent)


def test_who_sent_a_run_and_is_no_member_any_more_gets_nothing(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run(submitted_by=lab.users[Role.SUBMITTER])
    Accounts(lab.people).remove_member(lab.projects[0], lab.users[Role.SUBMITTER])
    send("mailer", happened("RunCompleted", run_id))
    assert "submitter@lab.example" not in box.addresses
    assert len(box.sent) == len(Role) - 1


def test_names_of_strangers_change_neither_header_nor_markup(lab: Lab, box: Mailbox) -> None:
    name = (
        'Bcc: all@else.example <script>alert(1)</script> {run_id} %s "><img src=http://e.example/x>'
    )
    send("mailer", happened("RunCompleted", lab.run(name=name)))
    assert len(box.sent) == len(Role)
    for one in box.sent:
        said = one["Content"]["Simple"]
        subject, html = said["Subject"]["Data"], said["Body"]["Html"]["Data"]
        bare = subject.removesuffix(" (waits for review)")
        assert bare == f"Run finished: {name}"  # one header, whatever it says
        assert "<script>" not in html and "&lt;script&gt;" in html
        assert "{run_id}" in html
        assert not re.search(r"(src|href)=\"(?!https://abc\.)", html), "loads from elsewhere"


def test_everybody_is_written_to_in_his_language(lab: Lab, box: Mailbox) -> None:
    lab.change(Role.VIEWER, language="ja")
    send("mailer", happened("RunCompleted", lab.run(name="血漿 7")))
    said = box.to("viewer@lab.example")[0]["Content"]["Simple"]
    assert said["Subject"]["Data"] == "ラン完了：血漿 7"
    assert '<html lang="ja">' in said["Body"]["Html"]["Data"]


def test_ses_is_away_for_an_hour_and_each_mail_arrives_once(lab: Lab, box: Mailbox) -> None:
    fact = happened("RunCompleted", lab.run())
    sqs, url = boto3.client("sqs"), settings().queue_url
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(fact))
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    record = batch(fact)["Records"][0] | {"receiptHandle": message["ReceiptHandle"]}
    for number, answer in enumerate(
        (
            (503, "InternalFailure"), (429, "TooManyRequestsException"),
            (400, "SendingPausedException"), (400, "AccountSuspendedException"),
        ), 1,
    ):  # fmt: skip
        box.answers = [answer]
        record["attributes"] = {"ApproximateReceiveCount": str(number)}
        reply = door("mailer")({"Records": [record]}, Context())
        assert len(reply["batchItemFailures"]) == 1
        assert box.answers == []
        assert "Messages" not in sqs.receive_message(QueueUrl=url), "not put off"
    assert box.sent == []
    assert send("mailer", fact) == []
    assert box.addresses == sorted(f"{role.value}@lab.example" for role in Role)


def test_an_outage_in_the_middle_repeats_no_mail(lab: Lab, box: Mailbox) -> None:
    fact = happened("RunCompleted", lab.run())
    box.answers = [None, None, (503, "InternalFailure")]
    assert send("mailer", fact) == ["m0"]
    assert len(box.sent) == 2
    assert send("mailer", fact) == []
    assert len(set(box.addresses)) == len(box.sent) == len(Role)


def test_what_ses_refuses_for_good_is_put_aside_with_its_reason_and_holds_up_nobody(
    lab: Lab, box: Mailbox
) -> None:
    fact = happened("RunCompleted", lab.run())
    box.answers = [(400, "MessageRejected")]
    assert send("mailer", fact) == []
    assert len(box.sent) == len(Role) - 1
    (letter,) = dead()
    reason = letter["MessageAttributes"]["reason"]["StringValue"]
    assert "SES refuses it" in reason and "him@lab.example" not in reason
    assert send("mailer", letter["Body"]) == []  # redriven, when SES takes it
    assert sorted(set(box.addresses)) == box.addresses
    assert len(box.sent) == len(Role)


def test_an_address_that_bounces_gets_no_more_mail(lab: Lab, box: Mailbox) -> None:
    lab.change(Role.VIEWER, email="Gone@lab.example")
    event = json.loads((REPOSITORY / "events/functions/mailer.bounce.json").read_text())
    assert send("mailer", event["Records"][0]["body"]) == []
    found = Suppressions(lab.people).find("gone@lab.example")
    assert found is not None and found.code is SuppressionCode.BOUNCED
    send("mailer", happened("RunCompleted", lab.run()))
    assert len(box.sent) == len(Role) - 1
    assert "Gone@lab.example" not in box.addresses


@pytest.mark.parametrize(
    ("kind", "detail", "stopped"),
    [
        ("Email Bounced", {"bounce": {
            "bounceType": "Transient", "timestamp": "2026-11-21T10:02:00.000Z",
            "bouncedRecipients": [{"emailAddress": "viewer@lab.example"}]}}, False),
        ("Email Complaint Received", {"complaint": {
            "timestamp": "2026-11-21T10:02:00.000Z",
            "complainedRecipients": [{"emailAddress": "viewer@lab.example"}]}}, True),
    ],
)  # fmt: skip
def test_complaints_count_and_full_mailboxes_do_not(
    lab: Lab, box: Mailbox, kind: str, detail: dict[str, Any], stopped: bool
) -> None:
    event = {"source": "aws.ses", "detail-type": kind, "detail": detail, "id": "e", "time": ""}
    assert send("mailer", event) == []
    assert (Suppressions(lab.people).find("viewer@lab.example") is not None) is stopped


def test_old_facts_of_a_replay_give_no_mail(lab: Lab, box: Mailbox) -> None:
    run_id = lab.run()
    old = (now() - timedelta(days=15)).isoformat()
    assert send("mailer", happened("RunCompleted", run_id, at=old)) == []
    assert box.sent == []


def test_a_stack_without_a_sender_sends_nothing(
    lab: Lab, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_FROM")
    settings.cache_clear()
    assert send("mailer", happened("RunCompleted", lab.run())) == []
    assert box.sent == []


def test_each_mail_can_be_declined_by_its_header(lab: Lab, box: Mailbox) -> None:
    send("mailer", happened("RunCompleted", lab.run()))
    headers = {
        one["Name"]: one["Value"]
        for one in box.to("viewer@lab.example")[0]["Content"]["Simple"]["Headers"]
    }
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"]
    assert address.startswith(f"<{ROOT}/web/unsubscribe?token=")
    token = address[:-1].partition("token=")[2]
    meant = UnsubscribeTokens(settings().mail_key_arn).read(token)
    assert (meant.user_id, meant.group) == (lab.users[Role.VIEWER], MailGroup.RUNS)


def invited(lab: Lab, **more: Any) -> tuple[int, dict[str, Any]]:
    new = {"roles": ["viewer"], "email": "new@else.example", **more}
    admin = by_session(lab.users[Role.ADMIN])
    return ask("POST", f"/projects/{lab.projects[0]}/invitations", admin, new)


def test_an_invitation_is_mailed_with_its_link_and_nothing_else_has_it(
    lab: Lab, box: Mailbox
) -> None:
    lab.change(Role.ADMIN, name='Eve "x" <b>', language="ja")
    status, made = invited(lab)
    assert (status, made["mailed"]) == (201, True)
    (mail,) = box.to("new@else.example")
    said = mail["Content"]["Simple"]
    assert said["Subject"]["Data"] == "mine への招待"
    link = f"{ROOT}/web/invitation#{made['secret']}"
    for body in (said["Body"]["Html"]["Data"], said["Body"]["Text"]["Data"]):
        assert link in body
    assert "<b>" not in said["Body"]["Html"]["Data"]
    assert made["secret"] not in said["Subject"]["Data"]
    assert "List-Unsubscribe" not in str(said["Headers"])


@pytest.mark.parametrize("answer", [(503, "InternalFailure"), (400, "MessageRejected")])
def test_an_invitation_that_cannot_be_mailed_is_made_and_says_so(
    lab: Lab, box: Mailbox, answer: tuple[int, str]
) -> None:
    box.answers = [answer]
    status, made = invited(lab)
    assert (status, made["mailed"]) == (201, False)
    assert made["secret"] and box.sent == []


def test_no_invitation_goes_to_an_address_that_complained(lab: Lab, box: Mailbox) -> None:
    why = Suppression(code=SuppressionCode.COMPLAINED, at=now())
    Suppressions(lab.people).add("new@else.example", why)
    assert invited(lab)[1]["mailed"] is False
    assert box.sent == []


def test_without_mail_an_invitation_still_shows_its_link(
    lab: Lab, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_FROM")
    settings.cache_clear()
    status, made = invited(lab)
    assert (status, made["mailed"]) == (201, False)
    assert made["path"].endswith(made["secret"]) and box.sent == []
