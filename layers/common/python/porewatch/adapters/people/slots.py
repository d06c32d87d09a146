"""How many runs of a project are under way, and whether it takes one more: decided in the write by
which a run begins.

PROJECT#id   SLOTS     `under_way`, in the ledger

A run notes in its record that it is counted (`RunRecord.slot`), in the write that counts it; so it
is counted once and taken off once, whatever is repeated and wherever something breaks off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Add, Item, Write
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.run_moves import SLOTS, UNDER_WAY, counted_by, project_key
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.tier_limits import TierLimits
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.money import project_limits
from porewatch.domain.people.accounts import Project
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.records.run_record import RunRecord


class Admission:
    """Whether a project, and the tier of who registered it, take one more run. `ledger` has the
    counts, `accounts` the limits of projects; `tiers` None: no run is held to a tier."""

    def __init__(
        self,
        ledger: Table,
        accounts: Accounts,
        clock: Callable[[], datetime] = now,
        tiers: TierLimits | None = None,
    ) -> None:
        self.tiers = tiers
        self._ledger, self._accounts, self._clock = ledger, accounts, clock
        self._budget = Budget(ledger)

    def writes(self, run: RunRecord) -> Sequence[Write]:
        """What counts one more run, on condition that the project is as it was read and has room,
        and so has the user's month. AccountRefused for a project that is closed, full or has spent
        its money, TierRefused for what the tier does not allow; both also when they are written."""
        project, unchanged = self._accounts.project_unchanged(run.project)
        project_limits.refuse_closed(project)
        self._refuse_spent(project)
        of_user = self.tiers.writes(run.submitted_by) if self.tiers else ()
        return unchanged, _counted(project), *of_user

    def refuse_spent(self, run: RunRecord) -> None:
        """AccountRefused when the project, TierRefused when the user has spent, or holds for
        machines at work, what he may in this month. (Each launch is held to it, too:
        `adapters.ledger.budget`.)"""
        self._refuse_spent(self._accounts.project(run.project))
        if self.tiers:
            self.tiers.refuse_spent(run.submitted_by)

    def refuse_size(self, user: str | None, size: int) -> None:
        """TierRefused for a run with so many bytes, by who registered it."""
        if self.tiers:
            self.tiers.refuse_size(user, size)

    def _refuse_spent(self, project: Project) -> None:
        if project.quota.month_usd is not None:
            month = f"{self._clock():%Y-%m}"
            books = self._budget.project_books(project.project_id, month)
            project_limits.refuse_spent(project, books)

    def refuse(self, run: RunRecord) -> None:
        """AccountRefused when the project takes no run now, TierRefused when the user may begin
        none. An early answer: `writes` decides."""
        project = self._accounts.project(run.project)
        if self.tiers:
            self.tiers.refuse(run.submitted_by)
        project_limits.refuse_closed(project)
        self._refuse_spent(project)
        most = project.quota.runs_at_once
        if most is not None and under_way(self._ledger, run.project) >= most:
            raise project_limits.full(project)


def under_way(ledger: Table, project_id: ProjectId) -> int:
    """Runs of the project that are counted."""
    item = ledger.get(project_key(project_id), SLOTS)
    return int(item.attributes.get(UNDER_WAY, 0)) if item else 0


def all_under_way(ledger: Table, projects: Sequence[ProjectId]) -> dict[ProjectId, int]:
    """`under_way` of many, in few requests."""
    found = get_many(ledger, [(project_key(project), SLOTS) for project in projects])
    items = {project: found.get((project_key(project), SLOTS)) for project in projects}
    return {p: int(i.attributes.get(UNDER_WAY, 0)) if i else 0 for p, i in items.items()}


def _counted(project: Project) -> Add:
    most = project.quota.runs_at_once
    if most is None:
        return counted_by(project.project_id, 1)
    item = Item(project_key(project.project_id), SLOTS)
    full = project_limits.full(project)
    return Add(item, {UNDER_WAY: 1}, (UNDER_WAY, most - 1), lambda _: full)
