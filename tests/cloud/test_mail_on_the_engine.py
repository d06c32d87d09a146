"""Mail on the deployed stack: a fact in the ledger, the bus, the mailer under its own rights, SES
of the engine, and the catcher of mail on this machine. Links lead to pages that ask for sign-in."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.facts.run_facts import RunCompleted
from porewatch.domain.people.accounts import MailChoice, Membership, User
from porewatch.domain.people.roles import DEFAULT_PROJECT, Role
from porewatch.domain.people.secrets import new_id, new_run_id
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch_local.embedded.clients import client
from porewatch_local.embedded.identity_parameters import MAIL_FROM
from tests.cloud.conftest import Cloud
from tests.cloud.making import wait_for
from tests.cloud.test_rights import under_the_role_of
from tests.functional.test_accounts import report

pytestmark = pytest.mark.cloud
PATIENCE_S = 60.0


class Receiver:
    """A member of the default project whose address nobody else has."""

    def __init__(self, stack: Cloud) -> None:
        self.stack, at = stack, now()
        self.people = Table(stack.outputs["PeopleTable"], stack.client("dynamodb"))
        self.accounts, self.user_id = Accounts(self.people), new_id("u")
        self.address = f"{self.user_id}@lab.example"
        self.accounts.add_user(
            User(
                user_id=self.user_id, issuer="i", subject=self.user_id, name="Vera", language="ja",
                email=self.address, email_verified=True, created_at=at, seen_at=at,
            )
        )  # fmt: skip
        self.accounts.put_member(
            Membership(
                place=DEFAULT_PROJECT, user_id=self.user_id, roles=frozenset({Role.VIEWER}),
                given_by="u", at=at,
            )
        )  # fmt: skip

    def mails(self) -> list[EmailMessage]:
        """What was caught for him, in order."""
        found = sorted(self.stack.home.mail.glob(f"*-{self.address}.eml"))
        return [
            cast(EmailMessage, message_from_bytes(one.read_bytes(), policy=default))
            for one in found
        ]


@pytest.fixture
def vera(stack: Cloud) -> Iterator[Receiver]:
    made = Receiver(stack)
    yield made
    made.accounts.remove_member(DEFAULT_PROJECT, made.user_id)


def finished(stack: Cloud, name: str) -> tuple[Table, RunCompleted]:
    ledger, run_id = Table(stack.outputs["LedgerTable"], stack.client("dynamodb")), new_run_id()
    ProjectRuns(ledger).register(run_id, Registration(DEFAULT_PROJECT, name, "u"), now())
    report(ledger, run_id, report_keys={"report.html": f"runs/{run_id}/r1/report.html"})
    fact = RunCompleted(
        fact_id=f"RunCompleted:{run_id}:1", run_id=run_id, revision=1, at=now(), findings=0,
        cost_usd=0.1, report_keys={},
    )  # fmt: skip
    return ledger, fact


def first_answer(link: str) -> tuple[int, str]:
    """To somebody without a session: the status, and where he is sent."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stay).open(link, timeout=60)
    return caught.value.code, unquote(caught.value.headers["Location"])


def test_a_finished_run_is_mailed_once_and_its_links_work(stack: Cloud, vera: Receiver) -> None:
    name = f"血漿 {vera.user_id[-6:]} <b>"
    ledger, fact = finished(stack, name)
    ledger.record([fact])
    mail = wait_for(vera.mails, PATIENCE_S, "the mail")[0]
    assert mail["Subject"] == f"ラン完了：{name}"
    assert mail["From"] == f"Porewatch <{MAIL_FROM}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    bodies = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    assert set(bodies) == {"text/plain", "text/html"}
    links = [line for line in bodies["text/plain"].splitlines() if line.startswith("http")]
    assert len(links) == 3
    for link in links:
        assert stack.outputs["WebUrl"] in link and fact.run_id in link
        status, address = first_answer(link.partition("#")[0])
        assert status == 303
        assert f"sign-in?to=/web/runs/{fact.run_id}" in address, "no sign-in was asked for"

    declining = mail["List-Unsubscribe"].replace("\n", "").strip("<> ")
    assert stack.outputs["WebUrl"] in declining
    with urllib.request.urlopen(declining, timeout=60) as page:  # looked at: nothing changes
        assert page.status == 200
    assert _choice(vera) is MailChoice.ALL
    click = urllib.request.Request(declining, data=b"List-Unsubscribe=One-Click", method="POST")
    with urllib.request.urlopen(click, timeout=60) as answer:
        assert answer.status == 204
    assert _choice(vera) is MailChoice.NONE
    assert len(vera.mails()) == 1


def test_who_sends_mail_writes_nothing_of_users_and_sends_as_nobody_else(stack: Cloud) -> None:
    role = under_the_role_of(stack, "mailer")
    table = client(stack.local, "dynamodb", role)
    for partition in ("USER#u-x", "PROJECT#default", "SECRET#x", "GROUP#g-x"):
        with pytest.raises(ClientError, match="AccessDenied"):
            table.put_item(
                TableName=stack.outputs["PeopleTable"],
                Item={"pk": {"S": partition}, "sk": {"S": "MEMBER#x"}},
            )
    for function in ("api", "webhook_sender", "alert_handler"):
        other: Any = client(stack.local, "sesv2", under_the_role_of(stack, function))
        with pytest.raises(ClientError, match="AccessDenied"):
            other.send_email(
                FromEmailAddress=MAIL_FROM,
                Destination={"ToAddresses": ["x@lab.example"]},
                Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
            )


def _choice(receiver: Receiver) -> MailChoice:
    user = receiver.accounts.user(receiver.user_id)
    assert user is not None
    return user.mail
