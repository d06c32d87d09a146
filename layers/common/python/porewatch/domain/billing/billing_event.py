"""Something happened to a customer: his subscriptions are to be read again. What happened is not
believed, and its order does not count: the state that is read decides."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model

Text = Annotated[str, Field(max_length=255)]


class BillingEvent(Model):
    """`customer`: at the payment provider; empty for the clock, which asks for all of them."""

    kind: Literal["customer", "clock"]
    customer: Text = ""
    event_id: Annotated[Text, Field(description="of the provider, for logs")] = ""
    event_type: Annotated[Text, Field(description="in the provider's words, for logs")] = ""
