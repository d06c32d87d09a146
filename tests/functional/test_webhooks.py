"""Webhooks through the real handlers: made, given out, sent to a receiver that listens here."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto.sqs.models import sqs_backends

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.adapters.webhooks.store import Webhooks
from porewatch.domain import base
from porewatch.domain.base import now
from porewatch.domain.errors import AccountRefused
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import new_id
from porewatch.domain.webhooks.deliveries import MOST_ATTEMPTS, WAITS
from porewatch.domain.webhooks.events import CHOICES, EventKind
from porewatch.domain.webhooks.webhook import FAILS_FOR, MOST_OF_A_USER, Webhook
from porewatch.settings import settings
from tests.contract.test_events import example
from tests.functional.conftest import ACCOUNT, REGION
from tests.functional.doors import ROOT, Context, door, fact_event, send
from tests.functional.test_accounts import Place, by_session, by_token
from tests.functional.test_accounts import ask as ask_accounts
from tests.functional.test_who_asks import AT, give
from tests.mocked import make_ledger
from tests.receiver import Receiver, verified

Answer = tuple[int, Any]


def surroundings(loopback: bool = False) -> dict[str, str]:
    """A key and queues, and the settings that name them."""
    sqs, kms = boto3.client("sqs"), boto3.client("kms")
    queues = {
        "DELIVERY_QUEUE_URL": sqs.create_queue(QueueName="delivery")["QueueUrl"],
        "DELIVERY_DEAD_LETTERS_URL": sqs.create_queue(QueueName="delivery-dead")["QueueUrl"],
    }
    return {
        **queues,
        "WEBHOOK_KEY_ARN": kms.create_key()["KeyMetadata"]["Arn"],
        "API_URL": "https://abc.execute-api.eu-central-1.amazonaws.com/v1",
        "ACCOUNT_ID": "000000000000" if loopback else ACCOUNT,
    }


def webhook_of(people: Table, user_id: str, **more: Any) -> str:
    """Makes one; its id."""
    webhook = Webhook(
        webhook_id=new_id("w"), user_id=user_id, name="ci", url="https://lab.example/x",
        kinds=frozenset(CHOICES), sealed_secret="c2VhbGVk", made_at=AT,
    )  # fmt: skip
    Webhooks(people).add(webhook.model_copy(update=more))
    return webhook.webhook_id


@pytest.fixture
def lab(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    people = make_ledger("people")
    for name, value in surroundings(loopback=True).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield Place(people, cloud)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.listening() as made:
        yield made


def ask(method: str, path: str, claims: dict[str, str], body: Any = None) -> Answer:
    event = {
        "httpMethod": method, "path": f"/me/webhooks{path}", "headers": {},
        "isBase64Encoded": False, "body": None if body is None else json.dumps(body),
        "queryStringParameters": None, "requestContext": {"authorizer": claims},
    }  # fmt: skip
    answer = door("webhooks")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def made(user_id: str, receiver: Receiver | None = None, **more: Any) -> dict[str, Any]:
    url = receiver.url if receiver else "https://lab.example/porewatch"
    new = {"name": "ci", "url": url, "kinds": [*CHOICES], **more}
    status, answer = ask("POST", "", by_session(user_id), new)
    assert status == 201, answer
    found: dict[str, Any] = answer
    return found


def happened(fact: str, run_id: str, **more: Any) -> dict[str, Any]:
    """The fact on the bus, now."""
    detail = {**example(fact)["detail"], "run_id": run_id, "at": now().isoformat(), **more}
    detail["fact_id"] = f"{fact}:{run_id}:{detail['revision']}"
    return fact_event(fact, detail)


def messages(queue: str = "delivery") -> list[dict[str, Any]]:
    """What lies in a queue, taken out of it."""
    sqs = boto3.client("sqs")
    url, found = sqs.get_queue_url(QueueName=queue)["QueueUrl"], []
    while more := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in more:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
    return found


def messages_put_back() -> list[str]:
    """What lies in the queue of deliveries, and stays there."""
    sqs, bodies = boto3.client("sqs"), [message["Body"] for message in messages()]
    for body in bodies:
        url = sqs.get_queue_url(QueueName="delivery")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=body)
    return bodies


def sent(receives: int = 1, hidden: list[float] | None = None) -> list[str]:
    """Give what is queued to the sender; what it puts off."""
    return send_all([message["Body"] for message in messages()], receives, hidden)


def send_all(bodies: list[str], receives: int = 1, hidden: list[float] | None = None) -> list[str]:
    """`hidden` gets the seconds for which each message that is put off is not received."""
    sqs = boto3.client("sqs")
    url, failed = sqs.get_queue_url(QueueName="delivery")["QueueUrl"], []
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
        (message,) = sqs.receive_message(QueueUrl=url).get("Messages")
        record = {
            "messageId": "m1", "receiptHandle": message["ReceiptHandle"], "body": body,
            "attributes": {"ApproximateReceiveCount": str(receives)}, "eventSource": "aws:sqs",
        }  # fmt: skip
        answer = door("webhook_sender")({"Records": [record]}, Context())
        if answer["batchItemFailures"]:
            failed.append(body)
            if hidden is not None:
                (kept,) = sqs_backends[ACCOUNT][REGION].queues["delivery"]._messages
                hidden.append(kept.visible_at / 1000 - time.time())
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return failed


def later(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(base, "clock", lambda: moment)


def deliveries(hook: dict[str, Any], user_id: str) -> list[dict[str, Any]]:
    answer = ask("GET", f"/{hook['webhook_id']}/deliveries", by_session(user_id))[1]
    found: list[dict[str, Any]] = answer["deliveries"]
    return found


def test_a_webhook_is_made_and_its_secret_shown_once(lab: Place) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, kinds=["run.failed", "run.started"])
    assert hook["secret"].startswith("whsec_")
    assert hook["kinds"] == ["run.started", "run.failed"]
    (listed,) = ask("GET", "", by_session(user))[1]["webhooks"]
    assert "secret" not in listed
    assert "sealed_secret" not in listed
    stored = json.dumps(boto3.client("dynamodb").scan(TableName="people")["Items"])
    assert hook["secret"] not in stored
    assert hook["secret"].removeprefix("whsec_") not in stored


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"url": "http://lab.example/"}, 409, "webhook_address"),
        ({"url": "https://169.254.169.254/"}, 409, "webhook_address"),
        ({"url": "https://localhost/"}, 409, "webhook_address"),
        ({"url": "https://lab.example/" + "a" * 500}, 400, "message_refused"),
        ({"kinds": []}, 400, "message_refused"),
        ({"kinds": ["test"]}, 400, "message_refused"),
        ({"kinds": ["run.deleted"]}, 400, "message_refused"),
        ({"name": ""}, 400, "message_refused"),
        ({"project": "p-aaaaaaaaaaaaaaaa"}, 404, "not_found"),
    ],
)
def test_what_is_no_webhook_is_refused(
    lab: Place, changes: dict[str, Any], status: int, code: str
) -> None:
    new = {"name": "ci", "url": "https://lab.example/", "kinds": ["run.failed"], **changes}
    answer = ask("POST", "", by_session(lab.users[Role.VIEWER]), new)
    assert (answer[0], answer[1]["code"]) == (status, code)


def test_plain_http_to_this_machine_takes_the_account_of_the_embedded_aws(
    lab: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = lab.users[Role.VIEWER]
    made(user, receiver)
    monkeypatch.setenv("ACCOUNT_ID", ACCOUNT)
    settings.cache_clear()
    new = {"name": "ci", "url": receiver.url, "kinds": ["run.failed"]}
    assert ask("POST", "", by_session(user), new)[0] == 409
    send("webhook_dispatcher", happened("RunFailed", lab.runs[0]))
    sent()
    assert receiver.requests == [], "one that was taken before is not sent to"
    (delivery,) = deliveries(ask("GET", "", by_session(user))[1]["webhooks"][0], user)
    assert delivery["code"] == "address_refused"


def test_of_a_foreign_project_one_hears_nothing_and_it_is_not_there(lab: Place) -> None:
    new = {"name": "ci", "url": "https://lab.example/", "kinds": ["run.failed"]}
    user = by_session(lab.users[Role.ADMIN])
    assert ask("POST", "", user, {**new, "project": lab.projects[0]})[0] == 201
    assert ask("POST", "", user, {**new, "project": lab.projects[1]})[0] == 404


def test_so_many_and_no_more(lab: Place) -> None:
    user = lab.users[Role.VIEWER]
    hooks = [made(user) for _ in range(MOST_OF_A_USER)]
    new = {"name": "ci", "url": "https://lab.example/", "kinds": ["run.failed"]}
    status, refused = ask("POST", "", by_session(user), new)
    assert (status, refused["code"]) == (409, "webhook_too_many")
    assert ask("DELETE", f"/{hooks[0]['webhook_id']}", by_session(user))[0] == 200
    assert ask("DELETE", f"/{hooks[0]['webhook_id']}", by_session(user))[0] == 404
    made(user)
    assert len(ask("GET", "", by_session(user))[1]["webhooks"]) == MOST_OF_A_USER
    made(lab.users[Role.ADMIN])


def test_two_requests_at_once_cannot_pass_the_limit(lab: Place) -> None:
    """The second one writes between the first one's reading and writing."""
    people, user = Table("people"), lab.users[Role.VIEWER]
    for _ in range(MOST_OF_A_USER - 1):
        webhook_of(people, user)
    real, others = people.get, []

    def get(pk: str, sk: str) -> Any:
        found = real(pk, sk)
        if not others:
            others.append(webhook_of(Table("people"), user))
        return found

    people.get = get  # type: ignore[method-assign]
    with pytest.raises(AccountRefused):
        webhook_of(people, user)
    assert len(Webhooks(Table("people")).of_user(user)) == MOST_OF_A_USER


def test_somebody_elses_webhook_is_not_there(lab: Place) -> None:
    hook = made(lab.users[Role.VIEWER])
    for method, path, body in (
        ("PATCH", "", {"enabled": False}), ("DELETE", "", None), ("GET", "/deliveries", None),
        ("POST", "/test", None),
    ):  # fmt: skip
        for who in (by_session(lab.root), by_session(lab.users[Role.ADMIN])):
            status, answer = ask(method, f"/{hook['webhook_id']}{path}", who, body)
            assert (status, answer["code"]) == (404, "not_found")
    assert ask("GET", "/w-%22/deliveries", by_session(lab.root))[0] == 404


def test_a_token_needs_the_scope(lab: Place) -> None:
    user = lab.users[Role.VIEWER]
    new = {"name": "ci", "url": "https://lab.example/", "kinds": ["run.failed"]}
    assert ask("POST", "", by_token(user, Scope.READ), new)[0] == 403
    assert ask("POST", "", by_token(user, Scope.MANAGE), new)[0] == 201


def test_an_event_is_sent_signed_and_without_any_result(lab: Place, receiver: Receiver) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    assert send("webhook_dispatcher", happened("RunCompleted", lab.runs[0])) == []
    assert sent() == []
    (request,) = receiver.requests
    body = verified(request, hook["secret"])
    (delivery,) = deliveries(hook, user)
    assert body["id"] == request.headers["webhook-id"] == delivery["delivery_id"]
    assert (body["type"], body["data"]["outcome"]) == ("run.completed", "reportable_with_remarks")
    assert body["data"]["name"] == "herd 7"
    assert body["data"]["project"] == lab.projects[0]
    assert body["data"]["links"]["page"].endswith(f"/v1/web/runs/{lab.runs[0]}")
    assert "HEV" not in json.dumps(body)
    assert (delivery["state"], delivery["status"], delivery["attempts"]) == ("delivered", 200, 1)


@pytest.mark.parametrize("fact", ["PathogenSuspected", "AlertAcknowledged"])
def test_an_alert_says_neither_sample_nor_pathogen(
    lab: Place, receiver: Receiver, fact: str
) -> None:
    hook = made(lab.users[Role.VIEWER], receiver)
    send("webhook_dispatcher", happened(fact, lab.runs[0]))
    sent()
    body = verified(receiver.requests[0], hook["secret"])
    text = json.dumps([body, dict(receiver.requests[0].headers)])
    for word in ("PCMV", "pig-7", "cytomegalo", "Sato", "Animal held"):
        assert word not in text


def test_the_same_event_twice_is_one_delivery(lab: Place, receiver: Receiver) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    event = happened("RunCompleted", lab.runs[0])
    send("webhook_dispatcher", event, event)
    queued = [message["Body"] for message in messages()]
    assert len(set(queued)) == 1
    assert send_all(queued * 2) == []
    assert len(receiver.requests) == 1
    send("webhook_dispatcher", event)
    assert messages() == [], "it was sent already"
    assert len(deliveries(hook, user)) == 1


def test_an_event_whose_message_was_lost_is_queued_when_it_comes_again(
    lab: Place, receiver: Receiver
) -> None:
    made(lab.users[Role.VIEWER], receiver)
    event = happened("RunCompleted", lab.runs[0])
    send("webhook_dispatcher", event)
    assert len(messages()) == 1
    send("webhook_dispatcher", event)
    sent()
    assert len(receiver.requests) == 1


def test_who_may_not_see_the_run_hears_nothing(lab: Place, receiver: Receiver) -> None:
    made(lab.users[Role.VIEWER], receiver)
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[1]))
    assert messages() == []
    made(lab.root, receiver)
    send("webhook_dispatcher", happened("RunFailed", lab.runs[1]))
    assert len(messages()) == 1, "an admin of the stack sees all runs"


def test_what_he_asks_for_is_what_he_gets(lab: Place) -> None:
    user = lab.users[Role.VIEWER]
    made(user, kinds=["run.started"])
    made(user, kinds=["run.completed"], project=lab.projects[0])
    for fact, count in (("RunCompleted", 1), ("RunStarted", 1), ("RunFailed", 0)):
        send("webhook_dispatcher", happened(fact, lab.runs[0]))
        assert len(messages()) == count
    made(lab.root, kinds=["run.completed"], project=lab.projects[0])
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[1]))
    assert messages() == [], "of another project"


@pytest.mark.parametrize("what", ["membership", "disabled", "deleted", "stopped", "removed"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_right_that_is_lost_counts_at_the_time_of_sending(
    lab: Place, receiver: Receiver, what: str, when: str
) -> None:
    user, accounts = lab.users[Role.VIEWER], Accounts(Table("people"))
    hook = made(user, receiver)
    event = happened("RunCompleted", lab.runs[0])
    if when == "meanwhile":
        send("webhook_dispatcher", event)
    if what == "membership":
        accounts.remove_member(lab.projects[0], user)
    elif what == "disabled":
        accounts.change_user(user, lambda one: one.model_copy(update={"disabled": True}))
    elif what == "deleted":
        assert ask_accounts("DELETE", "/me", by_session(user))[1]["webhooks"] == 1
    elif what == "stopped":
        ask("PATCH", f"/{hook['webhook_id']}", by_session(user), {"enabled": False})
    else:
        ask("DELETE", f"/{hook['webhook_id']}", by_session(user))
    if when == "before":
        send("webhook_dispatcher", event)
        assert messages() == []
        return
    assert sent() == []
    assert receiver.requests == []
    if what in ("deleted", "removed"):
        rows = boto3.client("dynamodb").scan(TableName="people")["Items"]
        assert not [row for row in rows if hook["webhook_id"] in json.dumps(row)]
        return
    codes = {"membership": "not_visible", "disabled": "not_visible", "stopped": "stopped"}
    known = Webhooks(Table("people")).deliveries(hook["webhook_id"], 9)
    assert [(one.state, one.code) for one in known] == [("dropped", codes[what])]
    give(accounts, lab.projects[0], user, Role.VIEWER)
    send("webhook_dispatcher", event)
    assert messages() == [], "it is over"


def test_of_a_deleted_run_nothing_is_sent(lab: Place, cloud: Table, receiver: Receiver) -> None:
    made(lab.users[Role.VIEWER], receiver)
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    cloud.delete(f"RUN#{lab.runs[0]}", "RUN")
    assert sent() == []
    send("webhook_dispatcher", happened("RunFailed", lab.runs[0]))
    assert (receiver.requests, messages()) == ([], [])


@pytest.mark.parametrize("state", ["deleting", "deleted"])
def test_of_a_run_that_is_being_deleted_nothing_is_sent(
    lab: Place, cloud: Table, receiver: Receiver, state: str
) -> None:
    hook = made(lab.users[Role.VIEWER], receiver)
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    item = cloud.need(f"RUN#{lab.runs[0]}", "RUN")
    cloud.put(replace(item, body=item.body.replace('"state":"completed"', f'"state":"{state}"')))
    assert sent() == []
    assert deliveries(hook, lab.users[Role.VIEWER])[0]["code"] == "run_gone"
    send("webhook_dispatcher", happened("RunFailed", lab.runs[0]))
    assert (receiver.requests, messages()) == ([], [])


def test_a_replay_of_old_events_is_not_sent(lab: Place) -> None:
    made(lab.users[Role.VIEWER])
    old = (now() - timedelta(days=15)).isoformat()
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0], at=old))
    assert messages() == []


def test_a_receiver_that_recovers_gets_it(lab: Place, receiver: Receiver) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    receiver.statuses = [500, 503]
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    failed = sent()
    assert len(failed) == 1
    assert ask("GET", "", by_session(user))[1]["webhooks"][0]["failures"] == 1
    failed = send_all(failed)
    assert send_all(failed) == []
    assert {request.headers["webhook-id"] for request in receiver.requests} == {
        deliveries(hook, user)[0]["delivery_id"]
    }
    assert [(d["state"], d["attempts"]) for d in deliveries(hook, user)] == [("delivered", 3)]
    assert ask("GET", "", by_session(user))[1]["webhooks"][0]["failures"] == 0


@pytest.mark.parametrize(("receives", "wait"), [(1, WAITS[0]), (3, WAITS[2]), (50, WAITS[-1])])
def test_a_message_waits_longer_each_time(
    lab: Place, receiver: Receiver, receives: int, wait: int
) -> None:
    made(lab.users[Role.VIEWER], receiver)
    receiver.statuses = [500]
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    hidden: list[float] = []
    assert len(sent(receives, hidden)) == 1
    assert hidden == [pytest.approx(wait, abs=5)]


def test_at_last_it_is_set_aside_with_its_reason_and_can_be_sent_again(
    lab: Place, receiver: Receiver
) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    receiver.statuses = [500] * MOST_ATTEMPTS
    receiver.answer = "<b>\x1b[31mstack trace</b>" + "x" * 10_000
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    failed = sent()
    for attempt in range(2, MOST_ATTEMPTS + 1):
        assert len(failed) == 1, attempt
        failed = send_all(failed)
    assert failed == []
    (delivery,) = deliveries(hook, user)
    assert (delivery["state"], delivery["attempts"]) == ("failed", MOST_ATTEMPTS)
    assert len(delivery["answer"]) == 200
    assert "\x1b" not in delivery["answer"]
    counted = boto3.client("cloudwatch").list_metrics(MetricName="WebhookDeliveriesFailed")
    assert len(counted["Metrics"]) == 1
    (letter,) = messages("delivery-dead")
    reason = letter["MessageAttributes"]["reason"]["StringValue"]
    assert delivery["delivery_id"] in reason
    assert "refused 500" in reason
    assert "stack trace" not in reason
    assert send_all([letter["Body"]]) == []
    assert deliveries(hook, user)[0]["state"] == "delivered"


def test_gone_stops_the_webhook_at_once(lab: Place, receiver: Receiver) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    receiver.statuses = [410]
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    assert sent() == []
    (shown,) = ask("GET", "", by_session(user))[1]["webhooks"]
    assert shown["stopped"] == "gone"
    assert deliveries(hook, user)[0]["code"] == "gone"
    assert messages("delivery-dead") == []
    send("webhook_dispatcher", happened("RunFailed", lab.runs[0]))
    assert messages() == []
    status, refused = ask("POST", f"/{hook['webhook_id']}/test", by_session(user))
    assert (status, refused["code"]) == (409, "webhook_stopped")
    assert ask("PATCH", f"/{hook['webhook_id']}", by_session(user), {"enabled": True})[0] == 200
    send("webhook_dispatcher", happened("RunCancelled", lab.runs[0]))
    assert len(messages()) == 1


def test_one_that_fails_for_days_is_stopped(
    lab: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, began = lab.users[Role.VIEWER], now()
    made(user, receiver)
    receiver.statuses = [500] * 100
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    failed = sent()
    while failed:
        failed = send_all(failed)
    assert ask("GET", "", by_session(user))[1]["webhooks"][0]["stopped"] is None
    later(monkeypatch, began + FAILS_FOR + timedelta(minutes=1))
    send("webhook_dispatcher", happened("RunFailed", lab.runs[0]))
    failed = sent()
    (shown,) = ask("GET", "", by_session(user))[1]["webhooks"]
    assert shown["stopped"] == "failing"
    before = len(receiver.requests)
    assert send_all(failed) == []
    assert len(receiver.requests) == before, "what still waited is dropped"


def test_a_redirect_is_a_failure(lab: Place, receiver: Receiver) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    receiver.statuses, receiver.location = [302], "http://169.254.169.254/latest/meta-data/"
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    assert len(sent()) == 1
    assert deliveries(hook, user)[0]["code"] == "redirected"


def test_a_rotated_secret_signs_beside_the_one_before(
    lab: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    path = f"/{hook['webhook_id']}"
    changed = ask("PATCH", path, by_session(user), {"rotate_secret": True})[1]
    assert changed["secret"] not in (None, hook["secret"])
    assert ask("PATCH", path, by_session(user), {"enabled": True})[1]["secret"] is None
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    sent()
    for secret in (hook["secret"], changed["secret"]):
        verified(receiver.requests[0], secret)
    later(monkeypatch, now() + timedelta(hours=25))
    send("webhook_dispatcher", happened("RunFailed", lab.runs[0]))
    sent()
    verified(receiver.requests[1], changed["secret"], at=now())
    with pytest.raises(ValueError, match="signature"):
        verified(receiver.requests[1], hook["secret"], at=now())


def test_a_test_is_sent_once_a_minute(
    lab: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = lab.users[Role.VIEWER]
    hook = made(user, receiver)
    moment = now().replace(second=10)
    later(monkeypatch, moment)
    answers = [ask("POST", f"/{hook['webhook_id']}/test", by_session(user)) for _ in range(2)]
    assert [status for status, _ in answers] == [202, 202]
    assert answers[0] == answers[1]
    assert len(messages_put_back()) == 1, "nobody can make us flood a receiver"
    sent()
    body = verified(receiver.requests[0], hook["secret"], at=moment)
    assert (body["type"], body["data"]) == ("test", {})
    assert len(receiver.requests) == 1
    later(monkeypatch, moment + timedelta(minutes=1))
    ask("POST", f"/{hook['webhook_id']}/test", by_session(user))
    sent()
    assert len(receiver.requests) == 2


def test_the_secret_of_one_webhook_opens_for_no_other(lab: Place, receiver: Receiver) -> None:
    """Whoever could write into the table could not make the sender sign for another receiver."""
    mine, other = made(lab.users[Role.VIEWER], receiver), made(lab.users[Role.ADMIN], receiver)
    hooks = Webhooks(Table("people"))
    stolen = hooks.find(other["webhook_id"])
    assert stolen is not None
    hooks.change(
        mine["webhook_id"],
        lambda one: one.model_copy(update={"sealed_secret": stolen.sealed_secret}),
    )
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    sent()
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    assert len(ids) == 1
    assert len(messages("delivery-dead")) == 1


def documented() -> Any:
    """The function that docs/how-to/receive-webhooks.md gives to receivers."""
    page = (ROOT / "docs/how-to/receive-webhooks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "receive-webhooks.md", "exec"), names)
    return names["opened"]


def test_the_documented_receiver_takes_what_is_sent_and_nothing_else(
    lab: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = made(lab.users[Role.VIEWER], receiver)
    send("webhook_dispatcher", happened("RunCompleted", lab.runs[0]))
    sent()
    (request,) = receiver.requests
    opened, headers, secret = documented(), dict(request.headers), hook["secret"]
    assert opened(headers, request.body, secret)["type"] == "run.completed"
    forged = {**headers, "webhook-id": "msg_other"}
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}
    strange = {**headers, "webhook-signature": "v1,\u00e9 v2,x"}
    for wrong in (
        (headers, request.body + b" ", secret), (forged, request.body, secret),
        (late, request.body, secret), (strange, request.body, secret),
        (headers, request.body, "whsec_" + "A" * 44),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="signature"):
            opened(*wrong)
    moment = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: moment)
    with pytest.raises(ValueError, match="old"):
        opened(headers, request.body, secret)


def test_kinds_of_events_are_those_of_the_document() -> None:
    document = json.loads((ROOT / "functions/api/openapi.json").read_text())
    assert document["components"]["schemas"]["EventKind"]["enum"] == [*EventKind]
