"""What an admin lets one user begin and spend in a month, whatever his tier allows. Pure.

The strictest of cap and tier holds. Where they are equal the cap refuses: another tier would not
help.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused
from porewatch.domain.money.budget import Books, MonthUsd, is_spent
from porewatch.domain.people.roles import UserId
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.domain.tiers.tier import MonthRuns

REMEDY = "wait for the next month, or ask an admin of the stack to raise it."
Number = TypeVar("Number", int, float)


class UserCap(Model):
    """Of a calendar month (UTC). None: no limit of his own."""

    month_runs: MonthRuns = None
    month_usd: MonthUsd = None


class KeptCap(Model):
    """A user's cap, and who set it."""

    user_id: UserId
    cap: UserCap
    set_by: Annotated[str, Field(description="user id or name of who set it")]
    at: Moment


def binds(cap: Number | None, tier: Number | None) -> bool:
    """Whether a limit of the cap is what holds, beside that of the tier."""
    return cap is not None and (tier is None or cap <= tier)


def strictest(cap: Number | None, tier: Number | None) -> Number | None:
    """The limit that holds; None: there is none."""
    return cap if binds(cap, tier) else tier


def month_full(cap: UserCap) -> AccountRefused:
    """As many runs of the user began in this month as an admin lets him."""
    return AccountRefused(
        because(PeopleCode.CAP_MONTH_RUNS, most=cap.month_runs or 0), remedy=REMEDY
    )


def refuse_spent(cap: UserCap, books: Books) -> None:
    """AccountRefused when nothing is left of what an admin lets the user's runs cost in this month.
    `books`: what they cost, and what is held for their machines at work."""
    if cap.month_usd is not None and is_spent(cap.month_usd, books):
        values = {"most": cap.month_usd, "spent": books.spent_usd, "held": books.held_usd}
        said = {name: f"{usd:.2f}" for name, usd in values.items()}
        raise AccountRefused(because(PeopleCode.CAP_MONTH_SPENT, **said), remedy=REMEDY)
