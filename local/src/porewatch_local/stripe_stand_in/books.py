"""What the stand-in remembers: customers, checkouts, subscriptions, payments. It makes events; who
sends them is elsewhere (`sender`)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from threading import RLock
from typing import Any

from porewatch_local.stripe_stand_in.cards import CARDS, DECLINED, FAILS_LATER

Thing = dict[str, Any]
MONTH_SECONDS = 30 * 86_400
AMOUNT = 4900
"""Cents a month."""


class ApiProblem(Exception):
    """An answer as Stripe gives it: status, type, code, message."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def body(self) -> Thing:
        return {"error": {"type": "invalid_request_error", "code": self.code, "message": str(self)}}


class Books:
    """`emit` gets every event; `root`: of the hosted pages."""

    def __init__(self, root: str, emit: Callable[[Thing], None]) -> None:
        self.root, self._emit = root, emit
        self.lock = RLock()
        self.customers: dict[str, Thing] = {}
        self.checkouts: dict[str, Thing] = {}
        self.subscriptions: dict[str, Thing] = {}
        self.portals: dict[str, Thing] = {}
        self.payments: dict[str, Thing] = {}
        self._answered: dict[str, tuple[Thing, Thing]] = {}
        self._numbers = itertools.count(1)
        self._began = f"{time.time_ns():x}"

    def once(self, key: str | None, order: Thing, make: Callable[[Thing], Thing]) -> Thing:
        """A request with an idempotency key is done once; ApiProblem for other parameters."""
        if key is None:
            return make(order)
        with self.lock:
            if key in self._answered:
                before, answer = self._answered[key]
                if before != order:
                    raise ApiProblem(400, "this key came with other parameters", "idempotency")
                return answer
            answer = make(order)
            self._answered[key] = (order, answer)
            return answer

    def make_customer(self, order: Thing) -> Thing:
        made = {"id": self._id("cus"), "object": "customer", "metadata": {}, **order}
        self.customers[made["id"]] = made
        return made

    def make_checkout(self, order: Thing) -> Thing:
        self._need(self.customers, order["customer"])
        made_id = self._id("cs_test")
        made = {
            "id": made_id,
            "object": "checkout.session",
            "mode": order["mode"],
            "status": "open",
            "customer": order["customer"],
            "client_reference_id": order.get("client_reference_id"),
            "url": f"{self.root}/checkout/{made_id}",
            "success_url": order["success_url"],
            "cancel_url": order["cancel_url"],
            "subscription": None,
            "subscription_data": order.get("subscription_data", {}),
        }
        self.checkouts[made_id] = made
        return made

    def make_portal(self, order: Thing) -> Thing:
        self._need(self.customers, order["customer"])
        made_id = self._id("bps")
        made = {
            "id": made_id,
            "object": "billing_portal.session",
            "customer": order["customer"],
            "return_url": order["return_url"],
            "url": f"{self.root}/portal/{made_id}",
        }
        self.portals[made_id] = made
        return made

    def pay(self, checkout_id: str, card: str) -> Thing:
        """The checkout, complete. ApiProblem for a declined card, and one that was paid."""
        with self.lock:
            checkout = self._need(self.checkouts, checkout_id)
            if checkout["status"] != "open":
                raise ApiProblem(400, f"this checkout is {checkout['status']}")
            if card not in CARDS or card == DECLINED:
                raise ApiProblem(402, "your card was declined", "card_declined")
            metadata = checkout["subscription_data"].get("metadata")
            subscription = self.subscribe(checkout["customer"], card, metadata)
            checkout |= {"status": "complete", "url": None, "subscription": subscription["id"]}
            self._happened("checkout.session.completed", checkout)
            return checkout

    def expire(self, checkout_id: str) -> Thing:
        """Nothing can be paid there any more. ApiProblem unless it is open, as Stripe has it."""
        with self.lock:
            checkout = self._need(self.checkouts, checkout_id)
            if checkout["status"] != "open":
                raise ApiProblem(400, f"this checkout is {checkout['status']}, and not open")
            checkout |= {"status": "expired", "url": None}
            self._happened("checkout.session.expired", checkout)
            return checkout

    def subscribe(self, customer: str, card: str, metadata: Thing | None = None) -> Thing:
        """A subscription that is paid, however it came about."""
        now = int(time.time())
        made: Thing = {
            "id": self._id("sub"),
            "object": "subscription",
            "customer": customer,
            "status": "active",
            "created": now,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "card": card,
            "metadata": dict(metadata or {}),
            "items": {"object": "list", "data": [{"current_period_end": now + MONTH_SECONDS}]},
        }
        self.subscriptions[made["id"]] = made
        self._paid(made)
        self._happened("customer.subscription.created", made)
        return made

    def renew(self, subscription_id: str) -> None:
        """A month is over: the card is asked again."""
        with self.lock:
            found = self._need(self.subscriptions, subscription_id)
            if found["cancel_at_period_end"] or found["status"] == "canceled":
                return self.end(subscription_id)
            if found["card"] == FAILS_LATER:
                found["status"] = "past_due"
                self._happened("invoice.payment_failed", self._invoice(found))
            else:
                found["status"] = "active"
                found["items"]["data"][0]["current_period_end"] += MONTH_SECONDS
                self._paid(found)
                self._happened("invoice.paid", self._invoice(found))
            self._happened("customer.subscription.updated", found)

    def cancel_at_end(self, subscription_id: str) -> None:
        with self.lock:
            found = self._need(self.subscriptions, subscription_id)
            found["cancel_at_period_end"] = True
            found["cancel_at"] = found["items"]["data"][0]["current_period_end"]
            self._happened("customer.subscription.updated", found)

    def change(self, subscription_id: str, order: Thing) -> Thing:
        """Whether it renews itself, and its metadata, which are merged."""
        with self.lock:
            found = self._need(self.subscriptions, subscription_id)
            found["metadata"] |= order.get("metadata", {})
            if order.get("cancel_at_period_end") == "true":
                self.cancel_at_end(subscription_id)
            else:
                self._happened("customer.subscription.updated", found)
            return found

    def end(self, subscription_id: str) -> None:
        """Cancelled now; also the end of all attempts to get a failed renewal paid."""
        with self.lock:
            found = self._need(self.subscriptions, subscription_id)
            found["status"] = "canceled"
            self._happened("customer.subscription.deleted", found)

    def refund(self, order: Thing) -> Thing:
        with self.lock:
            payment = self._need(self.payments, order["payment_intent"])
            if payment["refunded"]:
                raise ApiProblem(400, "it was refunded", "charge_already_refunded")
            if payment["disputed"]:
                raise ApiProblem(400, "it is disputed", "charge_disputed")
            payment["refunded"] = True
        return {"id": self._id("re"), "object": "refund", "status": "succeeded"}

    def customer(self, customer: str) -> Thing:
        """Of one that was deleted nothing is left but that he was."""
        return self._need(self.customers, customer)

    def delete_customer(self, customer: str) -> Thing:
        with self.lock:
            self._need(self.customers, customer)
            gone = {"id": customer, "object": "customer", "deleted": True}
            self.customers[customer] = gone
            for one in self.subscriptions.values():
                if one["customer"] == customer and one["status"] != "canceled":
                    self.end(one["id"])
            return gone

    def of_customer(self, customer: str) -> list[Thing]:
        if self._need(self.customers, customer).get("deleted"):
            raise ApiProblem(404, f"no such customer: {customer!r}", "resource_missing")
        return [one for one in self.subscriptions.values() if one["customer"] == customer]

    def subscription(self, subscription_id: str) -> Thing:
        """With its newest invoice and what paid it."""
        found = self._need(self.subscriptions, subscription_id)
        return {**found, "latest_invoice": self._invoice(found)}

    def checkout(self, checkout_id: str) -> Thing:
        return self._need(self.checkouts, checkout_id)

    def portal(self, portal_id: str) -> Thing:
        return self._need(self.portals, portal_id)

    def taken(self, customer: str) -> int:
        """Cents that were taken of a customer, and not given back."""
        mine = [one for one in self.payments.values() if one["customer"] == customer]
        return sum(one["amount"] for one in mine if not one["refunded"])

    def _invoice(self, subscription: Thing) -> Thing:
        mine = [p for p in self.payments.values() if p["subscription"] == subscription["id"]]
        paid = [
            {"status": "paid", "payment": {"type": "payment_intent", "payment_intent": one["id"]}}
            for one in mine[-1:]
        ]
        return {
            "id": f"in_{subscription['id']}",
            "object": "invoice",
            "customer": subscription["customer"],
            "payments": {"object": "list", "data": paid},
        }

    def _paid(self, subscription: Thing) -> None:
        made = self._id("pi")
        self.payments[made] = {
            "id": made,
            "customer": subscription["customer"],
            "subscription": subscription["id"],
            "amount": AMOUNT,
            "refunded": False,
            "disputed": False,
        }

    def _happened(self, kind: str, about: Thing) -> None:
        self._emit(
            {
                "id": self._id("evt"),
                "object": "event",
                "type": kind,
                "created": int(time.time()),
                "data": {"object": {k: v for k, v in about.items() if k != "card"}},
            }
        )

    def _need(self, found: dict[str, Thing], key: str) -> Thing:
        if key not in found:
            raise ApiProblem(404, f"no such object: {key!r}", "resource_missing")
        return found[key]

    def _id(self, kind: str) -> str:
        return f"{kind}_{self._began}{next(self._numbers):04d}"
