"""What a project takes. Pure; each rule refuses by code."""

from __future__ import annotations

from porewatch.domain.errors import AccountRefused
from porewatch.domain.money.budget import Books, is_spent
from porewatch.domain.people.accounts import Project
from porewatch.domain.reasons.reason import PeopleCode, because


def refuse_closed(project: Project) -> None:
    """AccountRefused for a project that takes no more runs."""
    if project.closed:
        why = because(PeopleCode.PROJECT_CLOSED, project=project.name)
        raise AccountRefused(why, remedy="choose another project.")


def full(project: Project) -> AccountRefused:
    """It has as many runs under way as it may have."""
    most = project.quota.runs_at_once or 0
    why = because(PeopleCode.PROJECT_FULL, project=project.name, most=most)
    return AccountRefused(why, remedy="wait for one to end, or cancel one; then seal it again.")


def refuse_spent(project: Project, books: Books) -> None:
    """AccountRefused when nothing is left of the project's money of this month. `books`: what it
    spent in it, and what is held for its machines at work."""
    most = project.quota.month_usd
    if most is None or not is_spent(most, books):
        return
    spent = {
        "most": f"{most:.2f}",
        "spent": f"{books.spent_usd:.2f}",
        "held": f"{books.held_usd:.2f}",
    }
    why = because(PeopleCode.PROJECT_BUDGET_SPENT, project=project.name, **spent)
    raise AccountRefused(why, remedy="wait for the next month, or ask an admin to raise month_usd.")
