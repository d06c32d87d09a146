"""When a budget warning is sent, and its text."""

from __future__ import annotations

from porewatch.domain.facts.stage_facts import BudgetReached
from porewatch.domain.money.budget import micro
from porewatch.domain.notices import texts
from porewatch.domain.notices.notice import (
    Notice,
    notice_about,
)

THRESHOLDS = (80, 100)
"""Percent of the budget, rising."""


def threshold_of(spent_usd: float, budget_usd: float) -> int | None:
    """The highest threshold that `spent_usd` has come to; None below all, or without a budget.

    Only the highest: a notice that a budget is used up replaces the one that it is nearly so.

    >>> threshold_of(79.9, 100), threshold_of(80, 100), threshold_of(130, 100)
    (None, 80, 100)
    """
    budget = micro(budget_usd)
    if budget <= 0:
        return None
    crossed = [t for t in THRESHOLDS if micro(spent_usd) * 100 >= budget * t]
    return crossed[-1] if crossed else None


def warning_id(whose: str, budget_usd: float, threshold: int) -> str:
    """Id of the fact, and the idempotency key of its notice. Each threshold has its own, and
    so has each budget: after it is raised, the warning is sent again. `whose`: `of_run` or
    `of_account`."""
    return BudgetReached.id_of(whose, f"{budget_usd:g}", threshold)


def of_run(run_id: str, revision: int) -> str:
    """Whose budget it is: a revision's own."""
    return f"{run_id}:{revision}"


def of_account(month: str) -> str:
    """Whose budget it is: that of all runs of a calendar month (`2026-11`). No run id holds `@`."""
    return f"@account:{month}"


def percent_of(fact: BudgetReached) -> int:
    """What was spent, in whole percent of the budget, never rounded up."""
    return micro(fact.cost_usd) * 100 // micro(fact.budget_usd)


def warning(fact: BudgetReached) -> Notice:
    """The notice: percentage, amount spent, limit, what happens next."""
    level = "used" if fact.threshold >= THRESHOLDS[-1] else "near"
    key = f"account_budget.{level}" if fact.month else f"budget.{level}"
    values = {
        "month": fact.month or "",
        "run": fact.run_id,
        "revision": fact.revision,
        "percent": percent_of(fact),
        "spent": f"{fact.cost_usd:.2f}",
        "limit": f"{fact.budget_usd:.2f}",
    }
    text = texts.body(key, **values)
    return notice_about(fact, texts.subject(key, **values), text)
