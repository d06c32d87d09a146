"""Which tier a user has, and until when he may read the results of a run. Pure; every door asks
here.

A subscription gives Premium while it is paid. After its end there are `GRACE_DAYS` in which
results stay readable that the lower tier would have archived already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import UserId
from porewatch.domain.tiers.tier import TierName, tiers

GRACE_DAYS = 30


class Entitlement(Model):
    """What a user paid for, by the last state of his subscription that was read."""

    user_id: UserId
    tier: TierName
    since: Annotated[Moment, Field(description="when he got this tier")]
    paid_until: Annotated[
        Moment | None, Field(description="the subscription ends then; None: it renews itself")
    ] = None
    lowered_at: Annotated[
        Moment | None, Field(description="when he last came to a lower tier: grace begins")
    ] = None
    customer: Annotated[str, Field(description="id at the payment provider")] = ""
    subscription: Annotated[str, Field(description="id at the payment provider")] = ""
    payment_failed: Annotated[
        bool, Field(description="of a renewal; the provider tries it again for some days")
    ] = False
    announced: Annotated[
        TierName | None, Field(description="the tier that was last published as his")
    ] = None
    read_at: Annotated[Moment, Field(description="when the subscription was last read")]

    def gives(self, at: datetime) -> bool:
        """Whether its tier is paid at this moment."""
        ended = self.paid_until is not None and self.paid_until <= at
        return self.tier is not TierName.FREE and not ended


def tier_of(entitlement: Entitlement | None, unpaid: TierName, at: datetime) -> TierName:
    """The tier at a moment. `unpaid`: that of users without a subscription, of this stack."""
    if entitlement is None:
        return unpaid
    ended = entitlement.paid_until is not None and entitlement.paid_until <= at
    return unpaid if ended else max(entitlement.tier, unpaid, key=_rank)


def readable_until(
    entitlement: Entitlement | None, unpaid: TierName, completed_at: datetime, at: datetime
) -> datetime | None:
    """Until when somebody may read the bulky results of a run that ended then, as things stand;
    None: for as long as the stack keeps them. From that moment on doors refuse them, whether
    they are archived by then or not."""
    days = tiers()[tier_of(entitlement, unpaid, at)].results_days
    if days is None:
        return None
    until = completed_at + timedelta(days=days)
    lowered = _lowered(entitlement, at)
    return until if lowered is None else max(until, lowered + timedelta(days=GRACE_DAYS))


def grace_until(entitlement: Entitlement | None, unpaid: TierName, at: datetime) -> datetime | None:
    """Until when results stay readable that the lower tier alone would not let him read; None: he
    is in no grace."""
    if tiers()[tier_of(entitlement, unpaid, at)].results_days is None:
        return None
    lowered = _lowered(entitlement, at)
    until = lowered + timedelta(days=GRACE_DAYS) if lowered else None
    return until if until is not None and until > at else None


def _lowered(entitlement: Entitlement | None, at: datetime) -> datetime | None:
    if entitlement is None:
        return None
    if entitlement.paid_until is not None and entitlement.paid_until <= at:
        return entitlement.paid_until
    return entitlement.lowered_at


def _rank(name: TierName) -> int:
    return list(TierName).index(name)
