"""Events of the stand-in for Stripe on the deployed stack: signed, by the API and the queue, to the
entitlement of a user; those of nobody, and those that nobody signed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
import stripe

from porewatch.adapters.billing.customers import Customers
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain.billing.customers import Customer
from porewatch.domain.people.secrets import new_id
from porewatch.domain.tiers.tier import TierName
from porewatch_local import processes
from porewatch_local.stripe_stand_in.cards import WORKS
from porewatch_local.stripe_stand_in.process import listen
from tests.cloud.conftest import Cloud
from tests.cloud.making import wait_for

pytestmark = pytest.mark.cloud


class Stripe:
    """The stand-in of this session, asked by Stripe's own package."""

    def __init__(self, stack: Cloud) -> None:
        running = processes.read_record(stack.home.state / "stripe.json")
        assert running is not None
        listen(stack.home, stack.local)
        secrets = json.loads((stack.home.state / "secrets.json").read_text())
        self.address = f"http://127.0.0.1:{running.port}"
        self.api = stripe.StripeClient(
            secrets["stripe_api_key"], base_addresses={"api": self.address}
        ).v1

    def customer(self) -> str:
        return self.api.customers.create({"name": "Ada"}).id

    def subscribe(self, customer: str) -> str:
        order: Any = {
            "mode": "subscription", "customer": customer, "success_url": "https://site/paid",
            "cancel_url": "https://site/left", "line_items": [{"price": "price_1", "quantity": 1}],
            "subscription_data": {"metadata": {"porewatch": "premium"}},
        }  # fmt: skip
        checkout = self.api.checkout.sessions.create(order)
        self.post(str(checkout.url), f"card={WORKS}".encode())
        found: Any = {"customer": customer, "status": "all"}
        return self.api.subscriptions.list(found).data[0].id

    @staticmethod
    def post(url: str, body: bytes, **headers: str) -> int:
        request = urllib.request.Request(url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code


def test_a_subscription_becomes_an_entitlement_and_ends(stack: Cloud) -> None:
    provider, user = Stripe(stack), new_id("u")
    people = Table(stack.outputs["PeopleTable"], stack.client("dynamodb"))
    customer = provider.customer()
    Customers(people).add(Customer(user_id=user, customer=customer))

    def tier() -> TierName | None:
        found = Entitlements(people).of(user)
        return found.tier if found else None

    subscription = provider.subscribe(customer)
    wait_for(lambda: tier() is TierName.PREMIUM, 90, "Premium")
    provider.api.subscriptions.cancel(subscription)
    wait_for(lambda: tier() is TierName.FREE, 90, "Free")


def test_an_event_that_nobody_signed_is_refused(stack: Cloud) -> None:
    url = f"{stack.outputs['ApiUrl']}/billing/events"
    body = b'{"id": "evt_1", "object": "event", "type": "x", "data": {"object": {}}}'
    assert Stripe.post(url, body) == 400
    assert Stripe.post(url, body, **{"stripe-signature": "t=1,v1=00"}) == 400
