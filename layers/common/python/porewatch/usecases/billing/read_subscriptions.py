"""Read a customer's subscriptions again, and keep what follows: his entitlement, and the event of a
changed tier. Done twice, late or in another order it comes to the same: the state that is read
decides, and whoever read later wins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.billing.billing_event import BillingEvent
from porewatch.domain.billing.subscriptions import Subscription, entitlement_of, sort_out
from porewatch.domain.errors import (
    ConfigurationRefused,
    MessageRefused,
    NotFound,
    Refused,
    Unavailable,
)
from porewatch.domain.facts.outbox import OutboxRecord
from porewatch.domain.people.roles import UserId
from porewatch.domain.tiers.entitlement import tier_of
from porewatch.domain.tiers.tier import TierName
from porewatch.domain.tiers.tier_changed import TierChanged

if TYPE_CHECKING:
    from porewatch.adapters.billing.customers import Customers
    from porewatch.adapters.billing.stripe_api import StripeApi
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.entitlements import Entitlements

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reader:
    """`publish` puts events on the bus and answers those that it could not; `ask` queues a
    customer; `unpaid`: the tier of users without a subscription."""

    accounts: Accounts
    customers: Customers
    entitlements: Entitlements
    provider: StripeApi
    publish: Callable[[Sequence[OutboxRecord]], list[OutboxRecord]]
    ask: Callable[[BillingEvent], None]
    unpaid: TierName
    clock: Callable[[], datetime]


def read_subscriptions(event: BillingEvent, reader: Reader) -> None:
    """Of the event's customer; the clock queues all customers. MessageRefused for a customer of
    nobody; ConfigurationRefused for money that could not be given back, when all else is done;
    Unavailable while the provider, or the bus, does not answer."""
    if event.kind == "clock":
        for customer in reader.customers.all():
            reader.ask(BillingEvent(kind="customer", customer=customer, event_type="clock"))
        return
    user_id = reader.customers.user_of(event.customer)
    if user_id is None:
        raise MessageRefused(
            f"event {event.event_id} ({event.event_type}) is about customer {event.customer}, who "
            "is nobody here.",
            remedy="look the customer up at Stripe; another stack may share its account.",
        )
    surplus = _keep(user_id, event.customer, reader)
    _announce(user_id, reader)
    _give_back(user_id, surplus, reader)


def _keep(user_id: UserId, customer: str, reader: Reader) -> Sequence[Subscription]:
    """What is to be given back."""
    read_at = reader.clock()  # before it is read: a later reading is never older
    user = reader.accounts.user(user_id)
    deleted = user is not None and user.deleted
    if deleted:
        _close_checkout(user_id, reader)  # before it is read: what is paid till then is found
    subscriptions = reader.provider.subscriptions(customer)
    found = sort_out(subscriptions, deleted=deleted)
    before = reader.entitlements.of(user_id)
    if before is not None or found.current is not None:  # else a checkout that came to nothing
        reader.entitlements.keep(entitlement_of(user_id, customer, found.current, before, read_at))
    return found.surplus


def _close_checkout(user_id: UserId, reader: Reader) -> None:
    """Who deleted himself cannot pay by mistake on a page that he left open."""
    known = reader.customers.of(user_id)
    if known is None or not known.checkout:
        return
    try:
        reader.provider.close_checkout(known.checkout)
    except NotFound:
        _log.info("checkout %s of %s is gone", known.checkout, user_id)


def _give_back(user_id: UserId, surplus: Sequence[Subscription], reader: Reader) -> None:
    """Each, whatever becomes of the others; then what went wrong is raised."""
    refused: list[str] = []
    silent: list[Unavailable] = []
    for name in (one.subscription_id for one in surplus):
        _log.warning("%s pays subscription %s in surplus: it is given back", user_id, name)
        try:
            reader.provider.give_back(name)
        except Unavailable as error:
            silent.append(error)
        except Refused as error:
            refused.append(f"{name}: {error.problem}")
    if refused:
        raise ConfigurationRefused(
            f"not given back to {user_id}: {'; '.join(refused)}",
            remedy="refund it at Stripe, then redrive this message.",
        )
    if silent:
        raise silent[0]


def _announce(user_id: UserId, reader: Reader) -> None:
    """Published before it is noted: what breaks off between is published twice, never lost."""
    kept, at = reader.entitlements.of(user_id), reader.clock()
    after = tier_of(kept, reader.unpaid, at)
    before = reader.unpaid if kept is None or kept.announced is None else kept.announced
    if kept is None or after is before:
        return
    changed = TierChanged(user_id=user_id, before=before, after=after, at=at)
    if reader.publish([changed.record()]):
        raise Unavailable("the event of a changed tier did not reach the bus.")
    reader.entitlements.note_announced(user_id, after)
