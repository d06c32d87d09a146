"""Which tier a user has now, and whether tier and cap take one more run of his: decided in the
write by which a run begins, as for projects (`slots`).

USER#id   RUNS#2026-12     `begun`, in the ledger

A run counts in the month in which it is registered, or sealed again after its end, whatever comes
of it. Runs that no user registered are held to no tier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from porewatch.adapters.items import Add, Item, Write
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.run_moves import user_key
from porewatch.adapters.people.entitlements import Entitlements, UserCaps
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import AccountRefused, TierRefused
from porewatch.domain.money.budget import Books
from porewatch.domain.tiers import caps, limits
from porewatch.domain.tiers.caps import UserCap
from porewatch.domain.tiers.entitlement import tier_of
from porewatch.domain.tiers.held import held_to_tier
from porewatch.domain.tiers.tier import TierName, tiers

BEGUN = "begun"


class TierLimits:
    """`ledger` has the counts, `entitlements` what users paid for; `unpaid`: the tier of others;
    `caps`: what an admin lets a user do."""

    def __init__(
        self,
        ledger: Table,
        entitlements: Entitlements,
        unpaid: TierName,
        user_caps: UserCaps,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.caps = user_caps
        self._ledger, self._entitlements = ledger, entitlements
        self._unpaid, self._clock = unpaid, clock
        self._budget = Budget(ledger)

    def tier(self, user: str | None) -> TierName | None:
        """None for a run of no user. Nothing is read where everybody has the highest tier."""
        held = held_to_tier(user)
        if held is None:
            return None
        if limits.next_tier(self._unpaid) is None:
            return self._unpaid
        return tier_of(self._entitlements.of(held), self._unpaid, self._clock())

    def writes(self, user: str | None) -> Sequence[Write]:
        """What counts one more run of this month, if the user's tier and cap allow it. TierRefused,
        or AccountRefused by the cap; also when they are written."""
        name = self.tier(user)
        if name is None or user is None:
            return ()
        cap = self.caps.of(user)
        self._refuse_spent(user, name, cap)
        most, item = _most_runs(name, cap), Item(user_key(user), runs_key(self._month))
        if most is None:
            return (Add(item, {BEGUN: 1}),)
        full = _month_full(name, cap)
        return (Add(item, {BEGUN: 1}, (BEGUN, most - 1), lambda _: full),)

    def refuse(self, user: str | None) -> None:
        """As `writes` when he may begin no run now. An early answer: `writes` decides."""
        name = self.tier(user)
        if name is None or user is None:
            return
        cap = self.caps.of(user)
        self._refuse_spent(user, name, cap)
        most = _most_runs(name, cap)
        if most is not None and self.begun(user) >= most:
            raise _month_full(name, cap)

    def refuse_spent(self, user: str | None) -> None:
        """TierRefused, or AccountRefused by the cap, when his runs have cost what they may in this
        month."""
        name = self.tier(user)
        if name is not None and user is not None:
            self._refuse_spent(user, name, self.caps.of(user))

    def _refuse_spent(self, user: str, name: TierName, cap: UserCap) -> None:
        if caps.strictest(cap.month_usd, tiers()[name].month_usd) is None:
            return
        books = self.books(user)
        if caps.binds(cap.month_usd, tiers()[name].month_usd):
            caps.refuse_spent(cap, books)
        else:
            limits.refuse_spent(name, books)

    def refuse_size(self, user: str | None, size: int) -> None:
        """TierRefused for a run of his with so many bytes."""
        name = self.tier(user)
        if name is not None:
            limits.refuse_size(name, size)

    def month_usd(self, user: str) -> float | None:
        """What his runs may cost in a month; None: no limit."""
        name = self.tier(user)
        return (
            caps.strictest(self.caps.of(user).month_usd, tiers()[name].month_usd) if name else None
        )

    def spot_waits(self, user: str | None) -> int:
        """How often a machine of his waits for spot before one is bought on demand."""
        name = self.tier(user)
        return tiers()[name].spot_waits if name else 0

    def books(self, user: str) -> Books:
        """What his runs cost in this month, and what is held for their machines."""
        return self._budget.user_books(user, self._month)

    def begun(self, user: str) -> int:
        """Runs of his that began in this month."""
        item = self._ledger.get(user_key(user), runs_key(self._month))
        return int(item.attributes.get(BEGUN, 0)) if item else 0

    @property
    def _month(self) -> str:
        return f"{self._clock():%Y-%m}"


def runs_key(month: str) -> str:
    return f"RUNS#{month}"


def _most_runs(name: TierName, cap: UserCap) -> int | None:
    return caps.strictest(cap.month_runs, tiers()[name].month_runs)


def _month_full(name: TierName, cap: UserCap) -> AccountRefused | TierRefused:
    if caps.binds(cap.month_runs, tiers()[name].month_runs):
        return caps.month_full(cap)
    return limits.month_full(name)
