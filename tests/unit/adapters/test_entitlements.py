"""What is kept of subscriptions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from porewatch.adapters.people.entitlements import Entitlements
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName
from tests.mocked import make_ledger

AT = datetime(2026, 3, 1, tzinfo=UTC)
PREMIUM, FREE = TierName.PREMIUM, TierName.FREE


def read(user: str, tier: TierName, seconds: int) -> Entitlement:
    at = AT + timedelta(seconds=seconds)
    return Entitlement(user_id=user, tier=tier, since=AT, read_at=at)


@pytest.mark.usefixtures("aws")
def test_whoever_read_later_wins() -> None:
    entitlements = Entitlements(make_ledger("people"))
    ada, bob, eve = (f"u-{letter * 16}" for letter in "abe")
    assert entitlements.of(ada) is None
    for seconds, tier in ((1, PREMIUM), (3, FREE), (2, PREMIUM), (3, PREMIUM)):
        entitlements.keep(read(ada, tier, seconds))
    entitlements.keep(read(bob, PREMIUM, 0))
    assert entitlements.of(ada) == read(ada, FREE, 3)
    assert entitlements.of_many([ada, bob, eve]) == {
        ada: read(ada, FREE, 3), bob: read(bob, PREMIUM, 0),
    }  # fmt: skip
