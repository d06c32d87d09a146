"""Paying for a tier: by the real functions, Stripe's own package and a stand-in for Stripe."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from porewatch.adapters.billing import stripe_secrets
from porewatch.adapters.billing.customers import Customers
from porewatch.adapters.billing.stripe_api import StripeApi
from porewatch.adapters.messages.bus import Bus
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.billing.customers import CheckoutPlace
from porewatch.domain.facts.outbox import OutboxRecord
from porewatch.domain.people.principal import Means
from porewatch.domain.tiers.entitlement import GRACE_DAYS, Entitlement, readable_until, tier_of
from porewatch.domain.tiers.tier import TierName, tiers
from porewatch.domain.tiers.tier_changed import TierChanged
from porewatch.settings import settings
from porewatch.usecases.billing.begin_checkout import Till, begin_checkout
from porewatch.usecases.people.identify import user_principal
from porewatch_local.stripe_stand_in.books import AMOUNT, ApiProblem, Thing
from porewatch_local.stripe_stand_in.cards import DECLINED, FAILS_LATER, WORKS
from porewatch_local.stripe_stand_in.sender import signature
from porewatch_local.stripe_stand_in.server import StandIn
from tests.functional.doors import Context, batch, door
from tests.functional.test_who_asks import a_user

KEY, SECRET = "sk_test_of_the_stand_in", "whsec_of_the_stand_in"
CLOCK = {"kind": "clock"}
PUBLISHED: list[OutboxRecord] = []
"""What was put on the bus, since somebody looked."""
OURS = {"porewatch": "premium"}
"""Metadata of what is sold here."""
FREE, PREMIUM = TierName.FREE, TierName.PREMIUM


@pytest.fixture
def stripe(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stack with billing, and a stand-in that holds its events back: tests deliver them."""
    stand_in = StandIn(KEY, SECRET, waits=(0,))
    stand_in.sender.holding = True
    stand_in.sender.post = posted
    Thread(target=stand_in.serve_forever, daemon=True).start()
    sqs, events = boto3.client("sqs"), boto3.client("events")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
    arn = boto3.client("secretsmanager").create_secret(
        Name="stripe", SecretString=json.dumps({"api_key": KEY, "webhook_secret": SECRET})
    )["ARN"]
    events.create_event_bus(Name="porewatch")
    put = Bus.publish
    PUBLISHED.clear()

    def publish(bus: Bus, records: Sequence[OutboxRecord]) -> list[OutboxRecord]:
        PUBLISHED.extend(records)
        return put(bus, records)

    monkeypatch.setattr(Bus, "publish", publish)
    for name, value in {
        "UNPAID_TIER": "free", "STRIPE_PRICE": "price_premium", "STRIPE_SECRET_ARN": arn,
        "STRIPE_ADDRESS": stand_in.address, "BILLING_QUEUE_URL": urls["billing"],
        "BILLING_DEAD_LETTERS_URL": urls["billing-dead"],
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    stripe_secrets._read.cache_clear()
    yield stand_in
    stand_in.shutdown()
    stand_in.server_close()


QUEUES = ("billing", "billing-dead")


@pytest.fixture
def user(stripe: StandIn) -> str:
    return a_user(Accounts(Table("people")), "Ada")


def ask(method: str, path: str, who: dict[str, str], function: str = "billing") -> tuple[int, Any]:
    event = {
        "httpMethod": method, "path": path, "resource": path, "headers": {}, "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "authorizer": who, "path": f"/v1{path}", "domainName": "abc.execute-api.example",
        },
    }  # fmt: skip
    answer = door(function)(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def browser(user: str) -> dict[str, str]:
    return {"means": "session", "user_id": user, "session": "s", "csrf": "c"}


def posted(body: bytes, signed: str | None) -> int:
    """An event of Stripe reaches the webhook."""
    event = {
        "httpMethod": "POST", "path": "/billing/events", "resource": "/billing/events",
        "headers": {"Stripe-Signature": signed} if signed else {}, "body": body.decode(),
        "isBase64Encoded": False, "requestContext": {"path": "/v1/billing/events"},
    }  # fmt: skip
    return int(door("billing")(event, Context())["statusCode"])


def queued(name: str = "billing") -> list[str]:
    """What lies in a queue; it is taken out."""
    sqs, found = boto3.client("sqs"), []
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    while more := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in more:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Body"])
    return found


def kept(*bodies: dict[str, Any] | str) -> int:
    """The keeper handles these messages, and then what lies in its queue; how many failed."""
    failed = 0
    for body in [*bodies, *(() if bodies else queued())]:
        answer = door("entitlement_keeper")(batch(body), Context())
        failed += len(answer["batchItemFailures"])
    return failed


def set_aside() -> list[tuple[dict[str, Any], str]]:
    """Dead letters that are not yet read, with their reasons."""
    sqs, found = boto3.client("sqs"), []
    url = sqs.get_queue_url(QueueName="billing-dead")["QueueUrl"]
    asked: Any = {"QueueUrl": url, "MessageAttributeNames": ["All"], "MaxNumberOfMessages": 10}
    while letters := sqs.receive_message(**asked).get("Messages"):
        for one in letters:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            reason = one["MessageAttributes"]["reason"]["StringValue"]
            found.append((json.loads(one["Body"]), reason))
    return found


def swept() -> int:
    """A day has passed."""
    kept(CLOCK)
    return kept()


def delivered(stripe: StandIn) -> None:
    """All that was held back, in reverse."""
    stripe.sender.let_go()
    stripe.sender.holding = True
    assert kept() == 0


def heard() -> list[tuple[str, str]]:
    """Changes of tiers on the bus."""
    said = [TierChanged.model_validate_json(one.detail) for one in PUBLISHED]
    PUBLISHED.clear()
    return [(one.before.value, one.after.value) for one in said]


def has(user: str) -> Entitlement | None:
    return Entitlements(Table("people")).of(user)


def tier(user: str) -> TierName:
    return tier_of(has(user), FREE, base.now())


def begun(user: str) -> str:
    status, found = ask("POST", "/me/checkout", browser(user))
    assert status == 200, found
    return str(found["url"]).rsplit("/", 1)[1]


def subscribed(stripe: StandIn, user: str, card: str = WORKS) -> str:
    """He pays, and it is known here."""
    checkout = stripe.books.pay(begun(user), card)
    delivered(stripe)
    return str(checkout["subscription"])


def customer(user: str) -> str:
    found = Customers(Table("people")).of(user)
    assert found is not None
    return found.customer


def later(monkeypatch: pytest.MonkeyPatch, **time: float) -> None:
    at = base.now() + timedelta(**time)
    monkeypatch.setattr(base, "clock", lambda: at)


def test_who_pays_has_premium_and_everybody_hears_it_once(stripe: StandIn, user: str) -> None:
    assert tier(user) is FREE
    checkout = stripe.books.pay(begun(user), WORKS)
    assert checkout["success_url"] == "https://abc.execute-api.example/v1/web/account?paid=1"
    assert tier(user) is FREE, "the way back from the checkout is no proof"
    delivered(stripe)
    assert tier(user) is PREMIUM
    assert heard() == [("free", "premium")]
    assert stripe.books.taken(customer(user)) == AMOUNT


def test_a_declined_card_buys_nothing(stripe: StandIn, user: str) -> None:
    checkout = begun(user)
    with pytest.raises(ApiProblem, match="declined"):
        stripe.books.pay(checkout, DECLINED)
    assert begun(user) == checkout, "the same page, for another card"
    assert swept() == 0
    assert (tier(user), has(user), heard()) == (FREE, None, [])


def an_event(stripe: StandIn, user: str) -> bytes:
    stripe.books.pay(begun(user), WORKS)
    return json.dumps(stripe.sender.sent[0]).encode()


def test_events_that_stripe_did_not_sign_are_refused(stripe: StandIn, user: str) -> None:
    body = an_event(stripe, user)
    now = int(time.time())
    for signed in (
        None,
        "",
        "t=1,v1=0",
        signature(body, "whsec_of_somebody"),
        signature(body + b" ", SECRET),
        signature(body, SECRET, now - 301),
    ):
        assert posted(body, signed) == 400, signed
    assert queued() == []
    assert posted(body, signature(body, SECRET, now - 250)) == 200
    assert len(queued()) == 1


def test_a_body_in_base64_is_the_same_body(stripe: StandIn, user: str) -> None:

    body = an_event(stripe, user)
    event = {
        "httpMethod": "POST", "path": "/billing/events", "resource": "/billing/events",
        "headers": {"stripe-signature": signature(body, SECRET)}, "isBase64Encoded": True,
        "body": b64encode(body).decode(), "requestContext": {},
    }  # fmt: skip
    assert door("billing")(event, Context())["statusCode"] == 200


def test_replayed_and_in_reverse_it_comes_to_the_same(stripe: StandIn, user: str) -> None:
    subscription = subscribed(stripe, user)
    stripe.books.cancel_at_end(subscription)
    stripe.books.end(subscription)
    delivered(stripe)
    before = has(user)
    assert before is not None
    assert len(stripe.sender.sent) == 4
    for _ in range(3):
        stripe.sender.replay()
        assert kept() == 0
    after = has(user)
    assert after is not None
    assert after.model_copy(update={"read_at": before.read_at}) == before
    assert heard() == [("free", "premium"), ("premium", "free")]


def test_an_event_that_broke_off_before_it_was_noted_is_published_again(
    stripe: StandIn, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Entitlements, "note_announced", lambda *_: 1 / 0)
        stripe.books.pay(begun(user), WORKS)
        stripe.sender.let_go()
        bodies = queued()
        assert kept(*bodies) == len(bodies) == 2
    assert kept(*bodies) == 0
    assert heard() == [("free", "premium")] * 3


def test_an_unknown_customer_is_set_aside_with_its_reason(stripe: StandIn, user: str) -> None:
    stranger = stripe.books.make_customer({"name": "of another stack"})["id"]
    stripe.books.subscribe(stranger, WORKS)
    delivered(stripe)
    [(body, reason)] = set_aside()
    assert body["customer"] == stranger
    assert stranger in reason
    assert "customer.subscription.created" in reason


def test_a_day_without_stripe_loses_nothing(stripe: StandIn, user: str) -> None:
    stripe.books.pay(begun(user), WORKS)
    stripe.sender.let_go()
    stripe.down = True
    bodies = queued()
    assert kept(*bodies) == len(bodies) == 2, "they stay in the queue"
    kept(CLOCK)
    assert kept() == 1
    assert ask("POST", "/me/checkout", browser(user))[0] == 503
    assert tier(user) is FREE
    stripe.down = False
    assert swept() == 0
    assert tier(user) is PREMIUM
    assert heard() == [("free", "premium")]


def test_while_stripe_is_silent_nobody_loses_what_he_has(stripe: StandIn, user: str) -> None:
    subscribed(stripe, user)
    stripe.down = True
    assert swept() == 1
    assert tier(user) is PREMIUM


def test_lost_events_are_made_up_for_within_a_day(stripe: StandIn, user: str) -> None:
    stripe.sender.dropping = True
    subscription = stripe.books.pay(begun(user), WORKS)["subscription"]
    assert (kept(), tier(user)) == (0, FREE)
    assert swept() == 0
    assert tier(user) is PREMIUM
    stripe.books.end(subscription)
    assert swept() == 0
    assert (tier(user), heard()) == (FREE, [("free", "premium"), ("premium", "free")])


def test_a_failed_renewal_keeps_premium_while_it_is_tried_again_and_grace_after(
    stripe: StandIn, user: str
) -> None:
    subscription = subscribed(stripe, user, FAILS_LATER)
    stripe.books.renew(subscription)
    delivered(stripe)
    assert tier(user) is PREMIUM
    shown = ask("GET", "/me/tier", browser(user), "accounts")[1]
    assert (shown["payment_failed"], shown["grace_until"]) == (True, None)
    stripe.books.end(subscription)  # nobody gave another card
    delivered(stripe)
    lowered = has(user)
    assert lowered is not None
    assert lowered.lowered_at is not None
    assert tier(user) is FREE
    shown = ask("GET", "/me/tier", browser(user), "accounts")[1]
    assert not shown["payment_failed"]
    until = lowered.lowered_at + timedelta(days=GRACE_DAYS)
    assert datetime.fromisoformat(shown["grace_until"]) == until
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    assert readable_until(lowered, FREE, long_ago, base.now()) == until


def test_a_cancelled_subscription_ends_when_it_is_paid_to_and_begins_again(
    stripe: StandIn, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscribed(stripe, user)
    stripe.books.cancel_at_end(subscription)
    delivered(stripe)
    paid = has(user)
    assert paid is not None
    assert (tier(user), paid.paid_until is not None) == (PREMIUM, True)
    later(monkeypatch, days=31)
    assert tier(user) is FREE, "whether anybody says so or not"
    assert heard() == [("free", "premium")]
    stripe.books.renew(subscription)
    assert swept() == 0
    assert heard() == [("premium", "free")]
    ended = has(user)
    assert ended is not None
    assert ended.lowered_at == paid.paid_until
    assert ended.tier is FREE
    later(monkeypatch, minutes=1)
    subscribed(stripe, user)
    assert (tier(user), heard()) == (PREMIUM, [("free", "premium")])


def test_two_checkouts_at_once_are_one_and_take_money_once(stripe: StandIn, user: str) -> None:
    people = Table("people")
    accounts = Accounts(people)
    who = user_principal(accounts.some_users([user])[user], Means.SESSION, accounts)

    till = Till(accounts, Customers(people), StripeApi(SecretStr(KEY), stripe.address, "lab"))
    place = CheckoutPlace("price_premium", "https://site/paid", "https://site/left")
    with ThreadPoolExecutor(8) as pool:
        pages = {
            page.url
            for page in pool.map(lambda _: begin_checkout(who, place, lambda: till), range(8))
        }
    assert len(pages) == 1
    assert len(stripe.books.customers) == len(stripe.books.checkouts) == 1
    checkout = pages.pop().rsplit("/", 1)[1]

    def pay(_: int) -> Thing | None:
        try:
            return stripe.books.pay(checkout, WORKS)
        except ApiProblem:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert sum(one is not None for one in pool.map(pay, range(4))) == 1
    assert stripe.books.taken(customer(user)) == AMOUNT
    status, found = ask("POST", "/me/checkout", browser(user))
    assert (status, found["code"]) == (409, "subscribed_already"), "before any event came"


def test_a_second_subscription_is_given_back(stripe: StandIn, user: str) -> None:
    """It cannot come from here; somebody may make it at Stripe."""
    first = subscribed(stripe, user)
    stripe.books.subscribe(customer(user), WORKS, OURS)
    assert stripe.books.taken(customer(user)) == 2 * AMOUNT
    delivered(stripe)
    delivered(stripe)
    assert stripe.books.taken(customer(user)) == AMOUNT
    paid = [one for one in stripe.books.subscriptions.values() if one["status"] == "active"]
    assert [one["id"] for one in paid] == [first]
    assert (tier(user), heard()) == (PREMIUM, [("free", "premium")])


def test_giving_back_that_broke_off_goes_on(
    stripe: StandIn, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refunded, and then Stripe was silent: it is not refunded twice, and cancelled."""
    subscribed(stripe, user)
    stripe.books.subscribe(customer(user), WORKS, OURS)
    _, payment = stripe.books.payments.values()
    stripe.books.refund({"payment_intent": payment["id"]})
    delivered(stripe)
    paid = [one for one in stripe.books.subscriptions.values() if one["status"] == "active"]
    assert (len(paid), stripe.books.taken(customer(user))) == (1, AMOUNT)


def test_the_portal_is_of_who_has_paid(stripe: StandIn, user: str) -> None:
    assert ask("POST", "/me/portal", browser(user))[1]["code"] == "never_paid"
    subscribed(stripe, user)
    status, found = ask("POST", "/me/portal", browser(user))
    assert status == 200
    portal = stripe.books.portal(found["url"].rsplit("/", 1)[1])
    assert portal["customer"] == customer(user)
    assert portal["return_url"] == "https://abc.execute-api.example/v1/web/account"


def test_no_program_pays_for_anybody(stripe: StandIn, user: str) -> None:
    token = {"means": "token", "user_id": user, "scopes": "*"}
    for path in ("/me/checkout", "/me/portal"):
        status, found = ask("POST", path, token)
        assert (status, found["code"]) == (403, "asks_for_session")
    assert stripe.books.customers == {}


def test_without_a_payment_provider_nothing_is_sold(
    stripe: StandIn, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_PRICE", "")
    monkeypatch.setenv("STRIPE_SECRET_ARN", "")
    settings.cache_clear()
    for path in ("/me/checkout", "/me/portal"):
        status, found = ask("POST", path, browser(user))
        assert (status, found["code"]) == (409, "nothing_sold")
    assert posted(b"{}", "t=1,v1=0") == 409
    assert ask("GET", "/me/tier", browser(user), "accounts")[1].get("upgrade") is None


def test_everybody_sees_his_tier_and_what_the_next_one_allows(stripe: StandIn, user: str) -> None:
    status, found = ask("GET", "/me/tier", browser(user), "accounts")
    assert status == 200
    assert found["tier"] == "free"
    assert found["allows"] == tiers()[FREE].model_dump(mode="json")
    assert found["upgrade"]["allows"] == tiers()[PREMIUM].model_dump(mode="json")
    assert found["used"] == {"runs": 0, "spent_usd": 0.0, "held_usd": 0.0}
    subscribed(stripe, user)
    _, found = ask("GET", "/me/tier", browser(user), "accounts")
    assert (found["tier"], found["subscribed"], found["upgrade"]) == ("premium", True, None)


def test_nobody_deletes_himself_while_he_would_go_on_paying(
    stripe: StandIn, user: str, cloud: Table
) -> None:
    subscription = subscribed(stripe, user)
    status, found = ask("DELETE", "/me", browser(user), "accounts")
    assert (status, found["code"]) == (409, "still_subscribed")
    stripe.books.cancel_at_end(subscription)
    delivered(stripe)
    assert ask("DELETE", "/me", browser(user), "accounts")[0] == 200


def test_an_open_checkout_is_closed_when_its_user_deletes_himself(
    stripe: StandIn, user: str
) -> None:
    checkout = begun(user)
    assert ask("DELETE", "/me", browser(user), "accounts")[0] == 200
    assert kept() == 0
    assert stripe.books.checkout(checkout)["status"] == "expired"
    with pytest.raises(ApiProblem, match="expired"):
        stripe.books.pay(checkout, WORKS)
    delivered(stripe)
    assert kept(CLOCK) == 0 and kept() == 0, "and once more, which changes nothing"
    assert (stripe.books.taken(customer(user)), tier(user), heard()) == (0, FREE, [])


def test_a_checkout_stays_open_for_who_is_still_here(stripe: StandIn, user: str) -> None:
    checkout = begun(user)
    assert kept(CLOCK) == 0 and kept() == 0
    assert stripe.books.checkout(checkout)["status"] == "open"


def test_a_deletion_that_was_not_heard_of_closes_the_checkout_within_a_day(
    stripe: StandIn, user: str
) -> None:
    checkout = begun(user)
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=settings().billing_queue_url)
    assert ask("DELETE", "/me", browser(user), "accounts")[0] == 200
    sqs.create_queue(QueueName="billing")
    assert stripe.books.checkout(checkout)["status"] == "open"
    assert kept(CLOCK) == 0 and kept() == 0
    assert stripe.books.checkout(checkout)["status"] == "expired"


def test_a_checkout_that_is_paid_just_before_it_is_closed_is_given_back(
    stripe: StandIn, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = begun(user)
    assert ask("DELETE", "/me", browser(user), "accounts")[0] == 200
    read = StripeApi.checkout

    def paid_then(self: StripeApi, checkout_id: str) -> Any:
        found = read(self, checkout_id)
        if found.state == "open":
            stripe.books.pay(checkout, WORKS)
        return found

    monkeypatch.setattr(StripeApi, "checkout", paid_then)
    assert kept() == 0
    assert stripe.books.taken(customer(user)) == 0
    assert [one["status"] for one in stripe.books.subscriptions.values()] == ["canceled"]


def test_who_pays_after_he_deleted_himself_gets_his_money_back(stripe: StandIn, user: str) -> None:
    checkout = begun(user)
    assert ask("DELETE", "/me", browser(user), "accounts")[0] == 200
    stripe.books.pay(checkout, WORKS)
    assert stripe.books.taken(customer(user)) == AMOUNT
    delivered(stripe)
    assert stripe.books.taken(customer(user)) == 0
    assert [one["status"] for one in stripe.books.subscriptions.values()] == ["canceled"]
    assert (tier(user), heard()) == (FREE, [])


def test_what_somebody_cancelled_before_he_deleted_himself_runs_out(
    stripe: StandIn, user: str
) -> None:
    subscription = subscribed(stripe, user)
    stripe.books.cancel_at_end(subscription)
    delivered(stripe)
    assert ask("DELETE", "/me", browser(user), "accounts")[0] == 200
    assert swept() == 0
    assert stripe.books.taken(customer(user)) == AMOUNT
    assert stripe.books.subscriptions[subscription]["status"] == "active"


def test_a_refund_that_fails_keeps_nobody_from_his_tier(stripe: StandIn, user: str) -> None:
    first = stripe.books.pay(begun(user), WORKS)["subscription"]
    stuck, other = (stripe.books.subscribe(customer(user), WORKS, OURS)["id"] for _ in range(2))
    payments = {one["subscription"]: one for one in stripe.books.payments.values()}
    payments[stuck]["disputed"] = True
    kept(CLOCK)
    assert kept() == 0
    assert (tier(user), heard()) == (PREMIUM, [("free", "premium")])
    states = {name: one["status"] for name, one in stripe.books.subscriptions.items()}
    assert states == {first: "active", stuck: "active", other: "canceled"}
    assert stripe.books.subscriptions[stuck]["cancel_at_period_end"], "no more money is taken"
    [(body, reason), *_] = set_aside()
    assert body["customer"] == customer(user)
    assert stuck in reason
    assert payments[stuck]["id"] in reason

    stripe.books.end(first)
    swept()
    assert tier(user) is FREE, "what is being given back never counts again"
    payments[stuck]["disputed"] = False
    assert swept() == 0
    assert stripe.books.subscriptions[stuck]["status"] == "canceled"
    assert stripe.books.taken(customer(user)) == AMOUNT


def test_a_key_of_another_account_takes_nothing_from_anybody(stripe: StandIn, user: str) -> None:
    subscribed(stripe, user)
    known = dict(stripe.books.customers)
    stripe.books.customers.clear()
    assert swept() == 0
    assert (tier(user), heard()) == (PREMIUM, [("free", "premium")])
    [(body, reason)] = set_aside()
    assert body["customer"] == customer(user)
    assert "account" in reason
    stripe.books.customers.update(known)
    assert swept() == 0
    assert (tier(user), set_aside()) == (PREMIUM, [])


def test_a_customer_who_was_deleted_at_stripe_has_no_subscription(
    stripe: StandIn, user: str
) -> None:
    subscribed(stripe, user)
    stripe.books.delete_customer(customer(user))
    assert swept() == 0
    assert (tier(user), set_aside()) == (FREE, [])


def test_what_the_customer_pays_for_besides_is_none_of_our_business(
    stripe: StandIn, user: str
) -> None:
    begun(user)
    other = stripe.books.subscribe(customer(user), WORKS, {"product": "a course"})["id"]
    delivered(stripe)
    assert (tier(user), heard()) == (FREE, [])
    ours = subscribed(stripe, user)
    assert tier(user) is PREMIUM
    subscriptions = stripe.books.subscriptions
    assert subscriptions[ours]["metadata"] == {**OURS, "porewatch_stack": settings().stack_name}
    assert [subscriptions[one]["status"] for one in (other, ours)] == ["active", "active"]
    assert stripe.books.taken(customer(user)) == 2 * AMOUNT
