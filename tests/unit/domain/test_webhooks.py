"""Webhooks, their deliveries and signatures: the rules."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.errors import AccountRefused
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import Fact
from porewatch.domain.webhooks import deliveries, webhook
from porewatch.domain.webhooks.deliveries import (
    KEPT,
    MOST_ATTEMPTS,
    WAITS,
    Delivery,
    DeliveryCode,
    DeliveryState,
    Reply,
    attempted,
    delivery_id,
    dropped,
)
from porewatch.domain.webhooks.events import CHOICES, KIND_OF, OLDEST, Event, EventKind, event_of
from porewatch.domain.webhooks.signatures import (
    body_of,
    new_signing_secret,
    signature,
    signed_headers,
)
from porewatch.domain.webhooks.webhook import (
    FAILS_FOR,
    FAILS_TIMES,
    MOST_OF_A_USER,
    StopCode,
    Webhook,
)
from tests.contract.test_events import example

AT = datetime(2026, 3, 2, 12, 30, 40, tzinfo=UTC)
HOOK = Webhook(
    webhook_id="w-abcdefghijklmnop", user_id="u-abcdefghijklmnop", name="ci",
    url="https://lab.example/x", kinds=frozenset({EventKind.RUN_COMPLETED}), sealed_secret="s1",
    made_at=AT,
)  # fmt: skip
EVENT = Event(kind=EventKind.RUN_COMPLETED, at=AT, run_id="run-1", revision=2, outcome="reportable")
SENT = Delivery(
    delivery_id=delivery_id(HOOK.webhook_id, "RunCompleted:run-1:2"),
    webhook_id=HOOK.webhook_id,
    event=EVENT,
)
FAILURE = Reply(DeliveryCode.REFUSED, 500, "no")


def test_a_day_of_attempts_and_then_it_has_failed() -> None:
    one = SENT
    for number in range(1, MOST_ATTEMPTS):
        one = attempted(one, FAILURE, AT)
        assert (one.state, one.attempts, one.status) == (DeliveryState.WAITING, number, 500)
    one = attempted(one, FAILURE, AT)
    assert (one.state, one.over) == (DeliveryState.FAILED, False)
    assert timedelta(hours=20) < timedelta(seconds=sum(WAITS)) < timedelta(hours=30)
    assert max(WAITS) < 43_000, "SQS hides a message for twelve hours at most, from its receipt on"
    assert [deliveries.wait_after(n) for n in range(1, MOST_ATTEMPTS)] == list(WAITS)


def test_accepted_is_delivered_and_gone_is_not_tried_again() -> None:
    done = attempted(SENT, Reply(DeliveryCode.ACCEPTED, 204), AT)
    assert (done.state, done.over) == (DeliveryState.DELIVERED, True)
    gone = attempted(SENT, Reply(DeliveryCode.GONE, 410), AT)
    assert gone.state is DeliveryState.FAILED
    assert dropped(SENT, DeliveryCode.NOT_VISIBLE).over


@pytest.mark.parametrize("code", [c for c in DeliveryCode if c is not DeliveryCode.ACCEPTED])
def test_nothing_but_2xx_is_success(code: DeliveryCode) -> None:
    assert attempted(SENT, Reply(code, 302), AT).state is not DeliveryState.DELIVERED


@given(text=st.text(max_size=2_000))
def test_an_answer_is_kept_short_and_nothing_in_it_is_hidden(text: str) -> None:
    kept = attempted(SENT, Reply(DeliveryCode.REFUSED, 500, text), AT).answer
    assert len(kept) <= 200
    assert not any(ord(character) < 32 or character == "\u202e" for character in kept)


def test_a_webhook_that_fails_for_days_is_stopped() -> None:
    one, at = HOOK, AT
    for _ in range(FAILS_TIMES - 1):
        one = webhook.failed(one, DeliveryCode.REFUSED, at)
    assert one.stopped is None
    soon = webhook.failed(one, DeliveryCode.REFUSED, at + FAILS_FOR - timedelta(seconds=1))
    assert soon.stopped is None, "not yet for days"
    late_at = at + FAILS_FOR
    late = webhook.failed(one, DeliveryCode.REFUSED, late_at)
    assert (late.stopped, late.stopped_at) == (StopCode.FAILING, late_at)
    few = webhook.failed(
        webhook.failed(HOOK, DeliveryCode.REFUSED, AT), DeliveryCode.REFUSED, AT + FAILS_FOR
    )
    assert few.stopped is None, "two failures in three days are no reason"
    again = webhook.started(late)
    assert (again.stopped, again.failures, again.failing_since) == (None, 0, None)
    assert webhook.succeeded(one).failures == 0


def test_gone_stops_it_at_once_and_the_first_reason_stays() -> None:
    gone = webhook.failed(HOOK, DeliveryCode.GONE, AT)
    assert gone.stopped is StopCode.GONE
    assert webhook.stopped(gone, StopCode.BY_USER, AT).stopped is StopCode.GONE
    with pytest.raises(AccountRefused) as refusal:
        webhook.refuse_stopped(gone)
    assert refusal.value.code == "webhook_stopped"


def test_after_a_rotation_both_secrets_sign_for_a_day() -> None:
    one = webhook.rotated(HOOK, "s2", AT)
    assert one.sealed_secrets(AT) == ("s2", "s1")
    assert one.sealed_secrets(AT + timedelta(hours=24)) == ("s2",)
    assert webhook.rotated(one, "s3", AT).sealed_secrets(AT) == ("s3", "s2")


def test_what_it_wants() -> None:
    done, failed = EventKind.RUN_COMPLETED, EventKind.RUN_FAILED
    assert HOOK.wants(done, "default")
    assert not HOOK.wants(failed, "default")
    bound = HOOK.model_copy(update={"project": "p-abcdefghijklmnop"})
    assert bound.wants(done, "p-abcdefghijklmnop")
    assert not bound.wants(done, "default")
    assert not webhook.stopped(HOOK, StopCode.BY_USER, AT).wants(done, "default")


def test_a_user_has_so_many_and_no_more() -> None:
    ids: tuple[str, ...] = ()
    for number in range(MOST_OF_A_USER):
        ids = webhook.with_one_more(ids, f"w-{number}")
    with pytest.raises(AccountRefused) as refusal:
        webhook.with_one_more(ids, "w-x")
    assert refusal.value.code == "webhook_too_many"


def test_every_kind_but_the_test_comes_from_a_fact() -> None:
    assert set(KIND_OF.values()) == set(CHOICES)
    assert set(KIND_OF) <= set(FACTS.values())


@pytest.mark.parametrize("cls", FACTS.values(), ids=lambda cls: cls.__name__)
def test_nothing_of_a_result_goes_out_but_the_outcome(cls: type[Fact]) -> None:
    fact = cls.model_validate(example(cls.__name__)["detail"])
    event = event_of(fact)
    if cls not in KIND_OF:
        assert event is None
        return
    assert event is not None
    one = SENT.model_copy(
        update={"event": event, "delivery_id": delivery_id(HOOK.webhook_id, fact.fact_id)}
    )
    said = json.loads(body_of(one, name="herd 7", project="default", links={"api": "https://a"}))
    assert set(said) == {"id", "type", "timestamp", "data"}
    assert set(said["data"]) == {"run_id", "revision", "name", "project", "outcome", "links"}
    text = json.dumps(said)
    hidden = ("sample", "code", "note", "by", "problem", "reason", "reads", "rule", "error")
    for value in (getattr(fact, name, None) for name in hidden):
        if isinstance(value, str) and value and value != fact.run_id:
            assert value not in text
    expected = {
        "RunCompleted": "reportable_with_remarks",
        "RunFailed": "worker_lost",
        "ReportSigned": "released",
    }
    assert said["data"]["outcome"] == expected.get(cls.__name__)


def test_an_id_is_the_same_each_time_and_of_one_webhook_alone() -> None:
    assert delivery_id("w-1", "a") == delivery_id("w-1", "a")
    assert len({delivery_id("w-1", "a"), delivery_id("w-2", "a"), delivery_id("w-1", "b")}) == 3
    assert OLDEST + timedelta(seconds=sum(WAITS)) < KEPT


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_signs() -> None:
    secrets = [new_signing_secret(), new_signing_secret()]
    assert secrets[0] != secrets[1]
    body = body_of(SENT)
    headers = signed_headers(secrets, SENT.delivery_id, body, AT)
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = [
        "v1,"
        + base64.b64encode(
            hmac.new(base64.b64decode(one.removeprefix("whsec_")), text, hashlib.sha256).digest()
        ).decode()
        for one in secrets
    ]
    assert headers["webhook-signature"].split(" ") == expected
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))
