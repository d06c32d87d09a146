"""Pay for a tier, or change what is paid: the addresses of the payment provider's pages.

Nobody can pay twice: a user is one customer; he has one checkout open at a time, and a checkout
takes money once; and there is none for a customer who has a subscription that is paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from porewatch.domain.billing.customers import Checkout, CheckoutPlace, Customer
from porewatch.domain.billing.subscriptions import sort_out
from porewatch.domain.errors import AccountRefused, NotFound
from porewatch.domain.people import policy
from porewatch.domain.people.principal import Principal
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.billing.customers import Customers
    from porewatch.adapters.billing.stripe_api import StripeApi
    from porewatch.adapters.people.accounts import Accounts


class Page(Answer):
    """Where the browser goes on."""

    url: str


@dataclass(frozen=True)
class Till:
    """What paying needs."""

    accounts: Accounts
    customers: Customers
    provider: StripeApi


Opened = Callable[[], Till]
"""AccountRefused when nothing is sold here: asked when who asks is known to be allowed to."""


def begin_checkout(who: Principal, place: CheckoutPlace, opened: Opened) -> Page:
    """The page on which he pays. Whoever asks twice gets the same one, until it is paid, left
    alone for a day, or its subscription has ended. AccountRefused for who pays already."""
    user_id = policy.require_session(who)
    till = opened()
    customer = _customer(user_id, till)
    if sort_out(till.provider.subscriptions(customer.customer)).current is not None:
        raise AccountRefused(because(PeopleCode.SUBSCRIBED_ALREADY))
    last = _last(customer, till)
    if last is not None and last.state == "open":
        return Page(url=last.url)
    made = till.provider.open_checkout(user_id, customer.customer, customer.checkouts, place)
    kept = till.customers.note_checkout(customer, made.checkout_id)
    return Page(url=_open(kept, made, till).url)


def open_portal(who: Principal, back: str, opened: Opened) -> Page:
    """The page on which he changes his card or ends his subscription. AccountRefused for somebody
    who never paid."""
    user_id = policy.require_session(who)
    till = opened()
    customer = till.customers.of(user_id)
    if customer is None:
        raise AccountRefused(because(PeopleCode.NEVER_PAID))
    return Page(url=till.provider.portal(customer.customer, back))


def _customer(user_id: str, till: Till) -> Customer:
    known = till.customers.of(user_id)
    if known is not None:
        return known
    user = till.accounts.user(user_id)
    if user is None:
        raise NotFound(f"there is no user {user_id!r}.")
    made = till.provider.make_customer(user_id, user.name, user.email)
    return till.customers.add(Customer(user_id=user_id, customer=made))


def _last(customer: Customer, till: Till) -> Checkout | None:
    try:
        return till.provider.checkout(customer.checkout) if customer.checkout else None
    except NotFound:
        return None


def _open(kept: Customer, made: Checkout, till: Till) -> Checkout:
    """Of two who began one at once, both go to the one that is kept."""
    return made if kept.checkout == made.checkout_id else till.provider.checkout(kept.checkout)
