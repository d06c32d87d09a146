"""Which tier somebody has, and until when he may read results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.tiers.entitlement import (
    GRACE_DAYS,
    Entitlement,
    readable_until,
    tier_of,
)
from porewatch.domain.tiers.tier import Tier, TierName, tiers
from porewatch.domain.tiers.tier_changed import TierChanged

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FREE, PREMIUM = TierName.FREE, TierName.PREMIUM
FREE_DAYS = tiers()[FREE].results_days or 0
USER = "u-aaaaaaaaaaaaaaaa"


def paid(**more: datetime | TierName) -> Entitlement:
    fields = {"tier": PREMIUM, "since": AT, "read_at": AT, **more}
    return Entitlement(user_id=USER, **fields)


def test_premium_is_bounded_by_nothing_that_free_is_bounded_by() -> None:
    free, premium = tiers()[FREE], tiers()[PREMIUM]
    bounds = {"run_gigabytes", "month_runs", "month_usd", "results_days"}
    assert free.spot_waits > premium.spot_waits == 0
    assert set(Tier.model_fields) == {*bounds, "spot_waits"}, (
        "nothing is promised that nothing holds to"
    )
    for name in bounds:
        assert getattr(free, name) is not None, name
        assert getattr(premium, name) is None, name


@pytest.mark.parametrize(
    ("entitlement", "unpaid", "tier"),
    [
        (None, FREE, FREE),
        (None, PREMIUM, PREMIUM),
        (paid(), FREE, PREMIUM),
        (paid(paid_until=AT + DAY), FREE, PREMIUM),
        (paid(paid_until=AT), FREE, FREE),
        (paid(paid_until=AT - DAY), PREMIUM, PREMIUM),
        (paid(tier=FREE), FREE, FREE),
        (paid(tier=FREE), PREMIUM, PREMIUM),
    ],
)
def test_tier(entitlement: Entitlement | None, unpaid: TierName, tier: TierName) -> None:
    assert tier_of(entitlement, unpaid, AT) is tier


def test_results_of_free_users_are_readable_for_some_days() -> None:
    until = readable_until(None, FREE, AT, AT)
    assert until == AT + FREE_DAYS * DAY
    assert readable_until(paid(), FREE, AT, AT) is None
    assert readable_until(None, PREMIUM, AT, AT) is None


@pytest.mark.parametrize("ends", ["lowered_at", "paid_until"])
def test_who_falls_back_has_days_of_grace(ends: str) -> None:
    tier = FREE if ends == "lowered_at" else PREMIUM
    lowered = paid(tier=tier, **{ends: AT})
    old, new = AT - 400 * DAY, AT + (GRACE_DAYS - 1) * DAY
    assert readable_until(lowered, FREE, old, AT) == AT + GRACE_DAYS * DAY
    assert readable_until(lowered, FREE, new, new) == new + FREE_DAYS * DAY


@given(st.integers(-800, 800), st.integers(-800, 800), st.integers(-800, 800))
def test_to_pay_never_shortens_the_time(ended: int, lowered: int, now: int) -> None:
    completed, at = AT + ended * DAY, AT + now * DAY
    without = readable_until(None, FREE, completed, at)
    assert without is not None
    for entitlement in (
        paid(),
        paid(paid_until=AT),
        paid(tier=FREE, lowered_at=AT + lowered * DAY),
    ):
        until = readable_until(entitlement, FREE, completed, at)
        assert until is None or until >= without


def test_the_event_of_a_change_has_one_name_for_one_change() -> None:
    changed = TierChanged(user_id=USER, before=FREE, after=PREMIUM, at=AT)
    record = changed.record()
    assert record.detail_type == "TierChanged"
    assert TierChanged.model_validate_json(record.detail) == changed
    assert record == changed.record()
    other = TierChanged(user_id=USER, before=PREMIUM, after=FREE, at=AT).record()
    assert other.fact_id != record.fact_id
