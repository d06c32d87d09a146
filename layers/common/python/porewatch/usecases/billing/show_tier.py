"""Which tier somebody has, what it allows, and how much of it he used in this month."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.people import policy
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Scope
from porewatch.domain.tiers.entitlement import grace_until, tier_of
from porewatch.domain.tiers.limits import next_tier
from porewatch.domain.tiers.my_tier import MyTier, TierUse, Upgrade
from porewatch.domain.tiers.tier import TierName, tiers

if TYPE_CHECKING:
    from porewatch.adapters.people.entitlements import Entitlements
    from porewatch.adapters.people.tier_limits import TierLimits


def show_tier(
    who: Principal,
    at: datetime,
    *,
    entitlements: Entitlements,
    limits: TierLimits,
    unpaid: TierName,
    sells: bool,
) -> MyTier:
    """Of who asks, who is a user; a token needs the scope `read`. `sells`: whether a tier can be
    bought here."""
    user_id = policy.require_user(who, Scope.READ)
    kept = entitlements.of(user_id)
    name = tier_of(kept, unpaid, at)
    books = limits.books(user_id)
    above = next_tier(name)
    return MyTier(
        tier=name,
        allows=tiers()[name],
        used=TierUse(
            runs=limits.begun(user_id), spent_usd=books.spent_usd, held_usd=books.held_usd
        ),
        cap=limits.caps.of(user_id),
        subscribed=kept is not None and kept.gives(at),
        payment_failed=kept is not None and kept.payment_failed,
        paid_until=kept.paid_until if kept is not None and kept.gives(at) else None,
        grace_until=grace_until(kept, unpaid, at),
        upgrade=Upgrade(tier=above, allows=tiers()[above]) if above and sells else None,
    )
