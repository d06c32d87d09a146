"""When a run has cost so much of its budget that people must know, and what they read."""

from __future__ import annotations

from porewatch.domain import notice_texts
from porewatch.domain.budget import micro
from porewatch.domain.events import BudgetReached
from porewatch.domain.notice import Notice, notice_about

THRESHOLDS = (80, 100)
"""Percent of the budget, rising."""


def threshold_of(spent_usd: float, budget_usd: float) -> int | None:
    """The highest threshold that `spent_usd` has come to; None below all, or without a budget.

    Only the highest: who reads that a budget is used up need not read that it is nearly so.
    """
    budget = micro(budget_usd)
    if budget <= 0:
        return None
    crossed = [t for t in THRESHOLDS if micro(spent_usd) * 100 >= budget * t]
    return crossed[-1] if crossed else None


def warning_id(run_id: str, revision: int, budget_usd: float, threshold: int) -> str:
    """Id of the fact, and the key under which people hear it once. Each threshold has its own, and
    so has each budget: whoever raises it is warned again."""
    return f"BudgetReached:{run_id}:{revision}:{budget_usd:g}:{threshold}"


def percent_of(fact: BudgetReached) -> int:
    """What was spent, in whole percent of the budget, never rounded up."""
    return micro(fact.cost_usd) * 100 // micro(fact.budget_usd)


def warning(fact: BudgetReached) -> Notice:
    """What people read: percentage, amount spent, limit, what happens next."""
    key = "budget.used" if fact.threshold >= THRESHOLDS[-1] else "budget.near"
    values = {
        "run": fact.run_id,
        "revision": fact.revision,
        "percent": percent_of(fact),
        "spent": f"{fact.cost_usd:.2f}",
        "limit": f"{fact.budget_usd:.2f}",
    }
    text = notice_texts.body(key, **values)
    return notice_about(fact, notice_texts.subject(key, **values), text)
