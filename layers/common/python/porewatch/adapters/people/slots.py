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
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.money import project_limits
from porewatch.domain.people.accounts import Project
from porewatch.domain.people.roles import ProjectId


class Admission:
    """Whether projects take one more run. `ledger` has the counts, `accounts` the limits."""

    def __init__(
        self, ledger: Table, accounts: Accounts, clock: Callable[[], datetime] = now
    ) -> None:
        self._ledger, self._accounts, self._clock = ledger, accounts, clock
        self._budget = Budget(ledger)

    def writes(self, project_id: ProjectId) -> Sequence[Write]:
        """What counts one more run, on condition that the project is as it was read and has room.
        AccountRefused for a project that is closed, full or has spent its money; for a full one
        also when they are written."""
        project, unchanged = self._accounts.project_unchanged(project_id)
        project_limits.refuse_closed(project)
        self._refuse_spent(project)
        return unchanged, _counted(project)

    def refuse_spent(self, project_id: ProjectId) -> None:
        """AccountRefused when the project has spent, or holds for machines at work, what it may in
        this month. (Each launch is held to it, too: `adapters.ledger.budget`.)"""
        self._refuse_spent(self._accounts.project(project_id))

    def _refuse_spent(self, project: Project) -> None:
        if project.quota.month_usd is not None:
            month = f"{self._clock():%Y-%m}"
            books = self._budget.project_books(project.project_id, month)
            project_limits.refuse_spent(project, books)

    def refuse(self, project_id: ProjectId) -> None:
        """AccountRefused when the project takes no run now. An early answer: `writes` decides."""
        project = self._accounts.project(project_id)
        project_limits.refuse_closed(project)
        self._refuse_spent(project)
        most = project.quota.runs_at_once
        if most is not None and under_way(self._ledger, project_id) >= most:
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
