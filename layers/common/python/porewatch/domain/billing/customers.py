"""A user as a customer of the payment provider, and a checkout."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.base import Count, Model
from porewatch.domain.people.roles import UserId


class Customer(Model):
    """One for each user, for good."""

    user_id: UserId
    customer: Annotated[str, Field(description="id at the payment provider")]
    checkout: Annotated[str, Field(description="id of the newest checkout; empty: none yet")] = ""
    checkouts: Annotated[Count, Field(description="that were begun")] = 0


class Checkout(NamedTuple):
    """A page of the payment provider on which somebody pays. `state`: open, complete, expired."""

    checkout_id: str
    state: str
    url: str


class CheckoutPlace(NamedTuple):
    """What is bought, and where the browser goes on."""

    price: str
    paid: str
    left: str
