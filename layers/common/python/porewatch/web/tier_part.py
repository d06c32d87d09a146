"""Which tier who looks has, for pages that say what it allows or offer the one above."""

from __future__ import annotations

from porewatch.domain.base import now
from porewatch.domain.tiers.my_tier import MyTier
from porewatch.edge import wiring
from porewatch.settings import settings
from porewatch.usecases.billing.show_tier import show_tier
from porewatch.web.router import Visit


def tier_part(visit: Visit) -> MyTier | None:
    """None for the holder of the API key, who has none."""
    if not visit.who.user_id:
        return None
    config = settings()
    return show_tier(
        visit.who,
        now(),
        entitlements=wiring.entitlements(),
        limits=wiring.tier_limits(),
        unpaid=config.unpaid_tier,
        sells=config.sells,
    )
