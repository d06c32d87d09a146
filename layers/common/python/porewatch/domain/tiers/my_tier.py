"""What a page, the API and the command line show a user of his tier."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.tiers.caps import UserCap
from porewatch.domain.tiers.tier import Tier, TierName


class TierUse(Model):
    """Of this calendar month (UTC)."""

    runs: Annotated[int, Field(description="that began")]
    spent_usd: float
    held_usd: Annotated[float, Field(description="for machines at work")]


class Upgrade(Model):
    """The tier above, and what it allows."""

    tier: TierName
    allows: Tier


class MyTier(Model):
    """`paid_until`: the subscription is cancelled to this moment; None: it renews itself, or there
    is none."""

    tier: TierName
    allows: Tier
    used: TierUse
    cap: Annotated[
        UserCap, Field(description="what an admin lets him do; the strictest of both holds")
    ] = UserCap()
    subscribed: bool = False
    payment_failed: Annotated[bool, Field(description="of a renewal; it is tried again")] = False
    paid_until: Moment | None = None
    grace_until: Annotated[
        Moment | None, Field(description="after a downgrade: until then results stay readable")
    ] = None
    upgrade: Annotated[
        Upgrade | None, Field(description="None: it is the highest, or nothing can be bought here")
    ] = None
