"""Stripe, by its own package: customers, checkouts, the portal, subscriptions, signed events.

Every request that makes something carries an idempotency key, so that a repeated one makes nothing
twice. `stripe` is in a layer that only the functions of billing have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stripe
from pydantic import SecretStr

from porewatch.domain.billing.billing_event import BillingEvent
from porewatch.domain.billing.customers import Checkout, CheckoutPlace
from porewatch.domain.billing.subscriptions import MARK, Marked, Subscription
from porewatch.domain.errors import (
    ConfigurationRefused,
    Conflict,
    InputRefused,
    NotFound,
    Throttled,
    Unavailable,
)
from porewatch.domain.people.roles import UserId

TOLERANCE_SECONDS = 300
"""An event that was signed longer ago is refused: somebody may play a recorded one."""
TIMEOUT_SECONDS = 8
_STACK = "porewatch_stack"
_REFUNDED = "charge_already_refunded"
_log = logging.getLogger(__name__)


class StripeApi:
    """Stripe at `address`, by `key`. `stack`: its name stands at what is sold, for whoever looks
    at an account that several stacks share."""

    def __init__(self, key: SecretStr, address: str, stack: str) -> None:
        self._stack = stack
        self._client = stripe.StripeClient(
            key.get_secret_value(),
            base_addresses={"api": address},
            max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def make_customer(self, user_id: UserId, name: str, email: str) -> str:
        """The customer of a user: asked twice for the same one, it is the same."""
        about: Any = {"name": name, "metadata": {"user_id": user_id}}
        about |= {"email": email} if email else {}
        with _translated("make a customer"):
            made = self._client.v1.customers.create(about, _once(f"customer-{user_id}"))
        return made.id

    def open_checkout(
        self, user_id: UserId, customer: str, number: int, place: CheckoutPlace
    ) -> Checkout:
        """Checkout `number` of a user, for one subscription: asked twice for the same number, it is
        the same page, on which can be paid once."""
        order: Any = {
            "mode": "subscription",
            "customer": customer,
            "client_reference_id": user_id,
            "line_items": [{"price": place.price, "quantity": 1}],
            "subscription_data": {"metadata": {MARK: Marked.PREMIUM.value, _STACK: self._stack}},
            "success_url": place.paid,
            "cancel_url": place.left,
        }
        with _translated("open a checkout"):
            made = self._client.v1.checkout.sessions.create(
                order, _once(f"checkout-{user_id}-{number}")
            )
        return _checkout(made)

    def checkout(self, checkout_id: str) -> Checkout:
        """As it is now. NotFound."""
        with _translated("read a checkout"):
            return _checkout(self._client.v1.checkout.sessions.retrieve(checkout_id))

    def close_checkout(self, checkout_id: str) -> None:
        """Nothing can be paid there any more; what was paid already stays. Idempotent; NotFound."""
        if self.checkout(checkout_id).state != "open":
            return
        try:
            with _translated("close a checkout"):
                self._client.v1.checkout.sessions.expire(checkout_id)
        except ConfigurationRefused:
            if self.checkout(checkout_id).state == "open":
                raise
            _log.info("checkout %s was paid, or ended, just now", checkout_id)

    def portal(self, customer: str, back: str) -> str:
        """Address of the page on which a customer changes his card, or cancels."""
        order: Any = {"customer": customer, "return_url": back}
        with _translated("open the portal"):
            return self._client.v1.billing_portal.sessions.create(order).url

    def subscriptions(self, customer: str) -> tuple[Subscription, ...]:
        """All of a customer, as they are now; none for a customer that was deleted at Stripe.
        ConfigurationRefused for one that Stripe does not know: then the key is of another account,
        and says nothing about anybody."""
        order: Any = {"customer": customer, "status": "all", "limit": 100}
        try:
            with _translated("read subscriptions"):
                found = self._client.v1.subscriptions.list(order)
                return tuple(_subscription(one.to_dict()) for one in found.auto_paging_iter())
        except NotFound:
            self._refuse_unknown(customer)
            return ()

    def _refuse_unknown(self, customer: str) -> None:
        remedy = (
            "use a key of the account, and of the mode (live or test), in which the customer was "
            "made; see docs/how-to/connect-stripe.md."
        )
        try:
            with _translated("read a customer"):
                found = self._client.v1.customers.retrieve(customer).to_dict()
        except NotFound as error:
            raise ConfigurationRefused(error.problem, remedy=remedy) from error
        if not found.get("deleted"):
            raise ConfigurationRefused(
                f"Stripe knows customer {customer}, and not his subscriptions.", remedy=remedy
            )

    def give_back(self, subscription_id: str) -> None:
        """End a subscription, and give back what was paid for it. First it is marked and renewed no
        more; it ends after its money went back: whoever repeats this finds it until then, and a
        refund that fails is not followed by another payment."""
        expand: Any = {"expand": ["latest_invoice.payments"]}
        with _translated("read a subscription"):
            found = self._client.v1.subscriptions.retrieve(subscription_id, expand).to_dict()
        if not found.get("cancel_at_period_end") or _mark(found) is not Marked.SURPLUS:
            last: Any = {"cancel_at_period_end": True, "metadata": {MARK: Marked.SURPLUS.value}}
            with _translated("end the renewal of a subscription"):
                self._client.v1.subscriptions.update(subscription_id, last)
        for payment in _payments(found):
            self._refund(payment)
        with _translated("cancel a subscription"):
            self._client.v1.subscriptions.cancel(subscription_id)

    def _refund(self, payment: str) -> None:
        order: Any = {"payment_intent": payment}
        try:
            with _translated(f"refund payment {payment}", passed=_REFUNDED):
                self._client.v1.refunds.create(order, _once(f"refund-{payment}"))
        except Conflict:
            _log.info("payment %s was refunded before", payment)


def verified_event(body: bytes, signature: str | None, secret: SecretStr) -> BillingEvent | None:
    """What an event of Stripe is about; None: of no customer. Raises InputRefused for one that
    Stripe did not sign with `secret`, or did too long ago."""
    try:
        event = stripe.Webhook.construct_event(
            body, signature, secret.get_secret_value(), TOLERANCE_SECONDS
        ).to_dict()
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise InputRefused(f"this was not signed by the payment provider: {error}") from error
    about = event["data"]["object"]
    customer = about["id"] if about.get("object") == "customer" else about.get("customer")
    if not isinstance(customer, str) or not customer:
        return None
    return BillingEvent(
        kind="customer", customer=customer, event_id=event["id"], event_type=event["type"]
    )


def _once(key: str) -> Any:
    return {"idempotency_key": key}


def _checkout(found: Any) -> Checkout:
    return Checkout(found.id, found.status or "", found.url or "")


def _subscription(found: dict[str, Any]) -> Subscription:
    ends = found.get("cancel_at")
    if ends is None and found.get("cancel_at_period_end"):
        items = (found.get("items") or {}).get("data") or [{}]
        ends = items[0].get("current_period_end")
    return Subscription(
        subscription_id=found["id"],
        state=found["status"],
        created=_moment(found["created"]),
        mark=_mark(found),
        ends_at=_moment(ends) if ends else None,
    )


def _mark(found: dict[str, Any]) -> Marked | None:
    mark = (found.get("metadata") or {}).get(MARK)
    return Marked(mark) if mark in list(Marked) else None


def _payments(found: dict[str, Any]) -> Iterator[str]:
    """Of the newest invoice of a subscription: those that were paid."""
    invoice = found.get("latest_invoice") or {}
    for one in (invoice.get("payments") or {}).get("data") or []:
        intent = (one.get("payment") or {}).get("payment_intent")
        if intent and one.get("status") == "paid":
            yield intent if isinstance(intent, str) else intent["id"]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@contextmanager
def _translated(what: str, passed: str = "") -> Iterator[None]:
    """Stripe's errors as ours. `passed`: the code of one that means that it was done: Conflict."""
    try:
        yield
    except stripe.RateLimitError as error:
        raise Throttled(f"could not {what}: {error}") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise ConfigurationRefused(f"could not {what}: {error}") from error
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            raise NotFound(f"could not {what}: {error}") from error
        if passed and error.code == passed:
            raise Conflict(f"{what}: done before") from error
        raise ConfigurationRefused(f"could not {what}: {error}") from error
    except stripe.StripeError as error:
        raise Unavailable(f"could not {what}: {type(error).__name__}: {error}") from error
