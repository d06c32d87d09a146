"""What projects take up of their limits, by the counts that the limits are held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.people.roles import ProjectId
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.ledger.budget import Budget


class ProjectUse(Answer):
    """Runs under way now, and USD of this month (UTC): spent, and held for machines at work."""

    under_way: int
    spent_usd: float
    held_usd: float


def project_use(
    projects: Sequence[ProjectId],
    at: datetime,
    *,
    budget: Budget,
    under_way: Callable[[Sequence[ProjectId]], Mapping[ProjectId, int]],
) -> dict[ProjectId, ProjectUse]:
    """Of projects that who asks may see."""
    if not projects:
        return {}
    counts, books = under_way(projects), budget.books_of_projects(projects, f"{at:%Y-%m}")
    return {
        project: ProjectUse(
            under_way=counts[project],
            spent_usd=books[project].spent_usd,
            held_usd=books[project].held_usd,
        )
        for project in projects
    }
