"""Pools without capacity are remembered by all runs, for minutes and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from porewatch.adapters.ledger.capacity_misses import (
    REMEMBERED,
    Pools,
)
from porewatch.adapters.table import Table

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POOL, OTHER = "m5.2xlarge@eu-1a", "r5.2xlarge@eu-1b"


def test_a_pool_is_remembered_by_everybody_and_forgotten_in_time(ledger: Table) -> None:
    Pools(ledger).note([POOL], AT)
    everybody = Pools(ledger)
    assert everybody.unavailable(AT) == (POOL,)
    assert everybody.unavailable(AT + REMEMBERED - timedelta(seconds=1)) == (POOL,)
    assert everybody.unavailable(AT + REMEMBERED) == ()


def test_a_second_refusal_counts_from_its_own_time(ledger: Table) -> None:
    pools = Pools(ledger)
    pools.note([POOL, OTHER], AT)
    pools.note([POOL], AT + timedelta(minutes=2))
    assert pools.unavailable(AT + timedelta(minutes=4)) == (POOL,)


def test_nothing_noted_is_nothing_remembered(ledger: Table) -> None:
    Pools(ledger).note([], AT)
    assert Pools(ledger).unavailable(AT) == ()
