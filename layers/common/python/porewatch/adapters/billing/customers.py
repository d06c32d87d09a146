"""Customers of the payment provider, in the people table.

PAYS#user      CUSTOMER     who he is there, and his newest checkout
CUSTOMER#id    CUSTOMER     whose customer that is
"""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.adapters.items import Item, PutNew
from porewatch.adapters.people.keys import customer_key, payer_key
from porewatch.adapters.table import Change, Table
from porewatch.domain.billing.customers import Customer
from porewatch.domain.errors import AlreadyDone

CUSTOMER, CUSTOMERS = "CUSTOMER", "CUSTOMERS"


class Customers:
    """In table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, user_id: str) -> Customer | None:
        item = self._table.get(payer_key(user_id), CUSTOMER)
        return item.model(Customer) if item else None

    def add(self, customer: Customer) -> Customer:
        """Keep who the user is there, unless somebody just did; what is kept."""
        whose = Item(
            customer_key(customer.customer),
            CUSTOMER,
            attributes={"user_id": customer.user_id},
            kind=(CUSTOMERS, customer.customer),
        )
        mine = Item.of(payer_key(customer.user_id), CUSTOMER, customer)
        try:
            self._table.transact([PutNew(mine), PutNew(whose)])
        except AlreadyDone:
            return self.of(customer.user_id) or customer
        return customer

    def note_checkout(self, customer: Customer, checkout_id: str) -> Customer:
        """The next checkout of the user is this one, unless somebody else's was first; what is
        kept."""

        def step(stored: Item | None) -> Change | None:
            now = stored.model(Customer) if stored else customer
            if now.checkouts != customer.checkouts:
                return None
            noted = {"checkout": checkout_id, "checkouts": now.checkouts + 1}
            after = now.model_copy(update=noted)
            return Change(Item.of(payer_key(customer.user_id), CUSTOMER, after))

        item = self._table.change(payer_key(customer.user_id), CUSTOMER, step)
        return item.model(Customer) if item else customer

    def user_of(self, customer: str) -> str | None:
        """None for a customer that is not ours."""
        item = self._table.get(customer_key(customer), CUSTOMER)
        return str(item.attributes["user_id"]) if item else None

    def all(self) -> Iterator[str]:
        """Every customer, read only as far as you iterate (eventually consistent)."""
        for item in self._table.query_kind(CUSTOMERS):
            yield item.kind[1] if item.kind else ""
