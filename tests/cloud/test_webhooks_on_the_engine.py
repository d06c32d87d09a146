"""Webhooks on the deployed stack: made by the API, given out by the bus, sent to receivers that
listen on this machine. One receiver fails first, one hangs, one leads elsewhere, one is well."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Tokens
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.adapters.webhooks.store import Webhooks
from porewatch.domain.base import now
from porewatch.domain.facts.run_facts import RunCancelled, RunCompleted
from porewatch.domain.people.accounts import Membership, User
from porewatch.domain.people.credentials import Token
from porewatch.domain.people.roles import DEFAULT_PROJECT, Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_run_id, new_secret
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch_local.embedded.clients import client
from tests.cloud.conftest import Cloud
from tests.cloud.making import wait_for
from tests.cloud.test_rights import under_the_role_of
from tests.receiver import Receiver, verified

pytestmark = pytest.mark.cloud
KINDS = ["run.completed", "run.cancelled"]
HANGING_S = 30.0


class Somebody:
    """A viewer of the default project, with a token."""

    def __init__(self, stack: Cloud) -> None:
        self.stack, self.people = (
            stack,
            Table(stack.outputs["PeopleTable"], stack.client("dynamodb")),
        )
        self.accounts, at = Accounts(self.people), now()
        self.user_id, self.token = new_id("u"), new_secret(Kind.TOKEN)
        self.accounts.add_user(
            User(
                user_id=self.user_id, issuer="i", subject=self.user_id, name="Vera",
                created_at=at, seen_at=at,
            )
        )  # fmt: skip
        self.accounts.put_member(
            Membership(
                place=DEFAULT_PROJECT, user_id=self.user_id, roles=frozenset({Role.VIEWER}),
                given_by="u", at=at,
            )
        )  # fmt: skip
        Tokens(self.people).add(
            Token(
                token_id=digest_of(self.token), user_id=self.user_id, name="t",
                scopes=frozenset(Scope), made_at=at, expires_at=at + timedelta(days=1),
            )
        )  # fmt: skip

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"{self.stack.outputs['ApiUrl']}/me/webhooks{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"authorization": f"Bearer {self.token}", "content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def hook(self, receiver: Receiver) -> dict[str, Any]:
        status, made = self.ask("POST", "", {"name": "ci", "url": receiver.url, "kinds": KINDS})
        assert status == 201, made
        found: dict[str, Any] = made
        return found

    def delivery(self, hook: dict[str, Any]) -> dict[str, Any]:
        """Of its newest event; empty: there is none."""
        status, answer = self.ask("GET", f"/{hook['webhook_id']}/deliveries")
        assert status == 200, answer
        found: list[dict[str, Any]] = answer["deliveries"]
        return found[0] if found else {}


@pytest.fixture
def vera(stack: Cloud) -> Iterator[Somebody]:
    somebody = Somebody(stack)
    yield somebody
    hooks = Webhooks(somebody.people)
    for hook in hooks.of_user(somebody.user_id):
        hooks.remove(hook)


@pytest.fixture
def run_id(stack: Cloud) -> str:
    made = new_run_id()
    ledger = Table(stack.outputs["LedgerTable"], stack.client("dynamodb"))
    ProjectRuns(ledger).register(made, Registration(DEFAULT_PROJECT, made[-8:], "u"), now())
    return made


def record(stack: Cloud, fact: Any) -> None:
    """Into the ledger, as every fact is: its stream carries it to the bus."""
    Table(stack.outputs["LedgerTable"], stack.client("dynamodb")).record([fact])


def completed(run_id: str) -> RunCompleted:
    return RunCompleted(
        fact_id=f"RunCompleted:{run_id}:1", run_id=run_id, revision=1, at=now(), findings=0,
        cost_usd=0.1, report_keys={},
    )  # fmt: skip


def test_four_receivers_of_one_event(stack: Cloud, vera: Somebody, run_id: str) -> None:
    with (
        Receiver.listening() as well,
        Receiver.listening() as recovers,
        Receiver.listening() as hangs,
        Receiver.listening() as leads_elsewhere,
    ):
        recovers.statuses = [500]
        hangs.go_on.clear()
        leads_elsewhere.statuses = [302] * 9
        leads_elsewhere.location = "http://169.254.169.254/latest/meta-data/"
        hooks = [vera.hook(one) for one in (hangs, recovers, leads_elsewhere, well)]
        began = time.monotonic()
        record(stack, completed(run_id))

        wait_for(lambda: well.requests, HANGING_S, "the event")
        body = verified(well.requests[0], hooks[3]["secret"])
        assert body["type"] == "run.completed"
        assert body["data"]["run_id"] == run_id
        assert body["data"]["links"]["api"].endswith(f"/runs/{run_id}")

        def code(hook: dict[str, Any]) -> Any:
            return vera.delivery(hook).get("code")

        assert wait_for(lambda: code(hooks[3]), HANGING_S) == "accepted"
        assert wait_for(lambda: code(hooks[1]), HANGING_S) == "refused"
        assert wait_for(lambda: code(hooks[2]), HANGING_S) == "redirected"
        assert wait_for(lambda: code(hooks[0]), HANGING_S) == "timed_out"
        assert [len(one.requests) for one in (hangs, well)] == [1, 1]

        # The second attempt comes after half a minute.
        wait_for(lambda: vera.delivery(hooks[1])["state"] == "delivered", 90, "the second attempt")
        assert time.monotonic() - began > 25
        first, second = recovers.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        for request in recovers.requests:
            verified(request, hooks[1]["secret"])
        assert vera.ask("GET", "")[1]["webhooks"][1]["failures"] == 0


def test_who_may_not_see_the_run_any_more_hears_nothing(
    stack: Cloud, vera: Somebody, run_id: str
) -> None:
    with Receiver.listening() as hears:
        hook = vera.hook(hears)
        assert vera.ask("POST", f"/{hook['webhook_id']}/test")[0] == 202
        wait_for(lambda: hears.requests, HANGING_S, "the test")
        assert verified(hears.requests[0], hook["secret"])["type"] == "test"
        vera.accounts.remove_member(DEFAULT_PROJECT, vera.user_id)
        with Receiver.listening() as others:
            other = Somebody(stack)
            heard = other.hook(others)
            record(
                stack,
                RunCancelled(
                    fact_id=f"RunCancelled:{run_id}:1", run_id=run_id, revision=1, at=now(),
                    was=RunState.RUNNING, by="M. Sato", reason="wrong flow cell", problem="",
                ),
            )  # fmt: skip
            wait_for(lambda: others.requests, HANGING_S, "the event of somebody else")
            assert verified(others.requests[0], heard["secret"])["type"] == "run.cancelled"
            assert "Sato" not in others.requests[0].body.decode()
            Webhooks(other.people).remove(next(iter(Webhooks(other.people).of_user(other.user_id))))
        assert len(hears.requests) == 1


def test_an_address_of_a_private_network_is_refused_at_the_door(vera: Somebody) -> None:
    for url in ("https://169.254.169.254/", "http://10.0.0.1/", "http://lab.example/"):
        status, answer = vera.ask("POST", "", {"name": "ci", "url": url, "kinds": KINDS})
        assert (status, answer["code"]) == (409, "webhook_address")


def test_the_sender_alone_opens_a_secret(stack: Cloud, vera: Somebody) -> None:
    with Receiver.listening() as receiver:
        made = vera.hook(receiver)
    hook = Webhooks(vera.people).find(made["webhook_id"])
    assert hook is not None
    asked = {
        "KeyId": _key_of(stack),
        "CiphertextBlob": base64.b64decode(hook.sealed_secret),
        "EncryptionContext": {"webhook": hook.webhook_id},
    }
    sender = client(stack.local, "kms", under_the_role_of(stack, "webhook_sender"))
    assert sender.decrypt(**asked)["Plaintext"].decode() == made["secret"]
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        sender.decrypt(**{**asked, "EncryptionContext": {"webhook": "w-another"}})
    # The pages open links to unsubscribe, by another context, which the engine does not know: what
    # they may is judged in tests/judges.
    for function in ("webhooks", "webhook_dispatcher", "accounts"):
        other = client(stack.local, "kms", under_the_role_of(stack, function))
        with pytest.raises(ClientError, match="AccessDenied"):
            other.decrypt(**asked)


@pytest.mark.parametrize("function", ["webhooks", "webhook_dispatcher", "webhook_sender"])
def test_who_handles_webhooks_writes_nothing_of_users(stack: Cloud, function: str) -> None:
    table = client(stack.local, "dynamodb", under_the_role_of(stack, function))
    for partition in ("USER#u-x", "PROJECT#default", "SECRET#x", "GROUP#g-x"):
        with pytest.raises(ClientError, match="AccessDenied"):
            table.put_item(
                TableName=stack.outputs["PeopleTable"],
                Item={"pk": {"S": partition}, "sk": {"S": "MEMBER#x"}},
            )


def _key_of(stack: Cloud) -> str:
    name = f"{stack.local.stack_name}-webhooks"
    settings = stack.client("lambda").get_function_configuration(FunctionName=name)
    return str(settings["Environment"]["Variables"]["WEBHOOK_KEY_ARN"])
