"""Subscriptions as the payment provider has them, and the entitlement that follows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import UserId
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName

PAID = frozenset({"active", "trialing", "past_due"})
"""States in which a subscription gives its tier. `past_due`: a renewal failed, and the provider
tries the card again for some days; then it ends the subscription."""
FAILED = "past_due"
MARK = "porewatch"
"""The name under which a subscription at the provider says what it is to us: one of `Marked`. The
customer may have others, which are none of our business."""


class Marked(StrEnum):
    PREMIUM = "premium"
    SURPLUS = "surplus"


class Subscription(Model):
    """As it was read. `state`: in the provider's words."""

    subscription_id: str
    state: str
    created: Moment
    mark: Annotated[
        Marked | None, Field(description="None: it was not bought here; surplus: to be given back")
    ] = None
    ends_at: Annotated[
        Moment | None, Field(description="it is cancelled to this moment; None: it renews itself")
    ] = None

    @property
    def paid(self) -> bool:
        """And bought here."""
        return self.mark is not None and self.state in PAID


class Sorted(NamedTuple):
    """Of one customer: the subscription that counts, and those that are to be given back."""

    current: Subscription | None
    surplus: tuple[Subscription, ...]


def sort_out(subscriptions: Sequence[Subscription], deleted: bool = False) -> Sorted:
    """The oldest one that is paid counts: every reading of the same ones chooses the same. One that
    is being given back never counts again. `deleted`: the user is; then none that renews itself
    counts, and one that he cancelled himself runs out."""
    paid = sorted(
        (one for one in subscriptions if one.paid), key=lambda s: (s.created, s.subscription_id)
    )
    counting = [
        one for one in paid if one.mark is Marked.PREMIUM and not (deleted and one.ends_at is None)
    ]
    current = counting[0] if counting else None
    return Sorted(current, tuple(one for one in paid if one is not current))


def entitlement_of(
    user_id: UserId,
    customer: str,
    current: Subscription | None,
    before: Entitlement | None,
    read_at: datetime,
) -> Entitlement:
    """What the user has by what was read at `read_at`; `before`: what he had by the last reading.
    Grace begins when the tier is lowered, at the end that was known before, if there was one."""
    tier = TierName.PREMIUM if current else TierName.FREE
    ended = before is not None and before.paid_until is not None and before.paid_until <= read_at
    had = TierName.FREE if before is None or ended else before.tier
    lowered = before.lowered_at if before else None
    if before is not None and tier is TierName.FREE and before.tier is not tier:
        lowered = before.paid_until if ended else read_at
    since = before.since if before is not None and had is tier else read_at
    return Entitlement(
        user_id=user_id,
        tier=tier,
        since=since,
        paid_until=current.ends_at if current else None,
        lowered_at=lowered,
        payment_failed=current is not None and current.state == FAILED,
        customer=customer,
        subscription=current.subscription_id if current else "",
        read_at=read_at,
        announced=before.announced if before else None,
    )
