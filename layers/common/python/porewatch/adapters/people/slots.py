"""How many runs of a project are under way, and whether it takes one more: decided in the write by
which a run begins.

PROJECT#id   SLOTS     `under_way`, in the ledger

A run notes in its record that it is counted (`RunRecord.slot`), in the write that counts it; so it
is counted once and taken off once, whatever is repeated and wherever something breaks off.
"""

from __future__ import annotations

from collections.abc import Sequence

from porewatch.adapters.items import Add, Item, Write
from porewatch.adapters.ledger.slot_writes import SLOTS, UNDER_WAY, one_more, project_key
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.domain.people import project_rules
from porewatch.domain.people.accounts import Project
from porewatch.domain.people.roles import ProjectId


class Admission:
    """Whether projects take one more run. `ledger` has the counts, `accounts` the limits."""

    def __init__(self, ledger: Table, accounts: Accounts) -> None:
        self._ledger, self._accounts = ledger, accounts

    def writes(self, project_id: ProjectId) -> Sequence[Write]:
        """What counts one more run, on condition that the project is as it was read and has room.
        AccountRefused for a project that is closed or full; the last one also when they are
        written."""
        project, unchanged = self._accounts.project_unchanged(project_id)
        project_rules.refuse_closed(project)
        return unchanged, _counted(project)

    def refuse(self, project_id: ProjectId) -> Project:
        """AccountRefused when the project takes no run now. An early answer: `writes` decides."""
        project = self._accounts.project(project_id)
        project_rules.refuse_closed(project)
        most = project.quota.runs_at_once
        if most is not None and under_way(self._ledger, project_id) >= most:
            raise project_rules.full(project)
        return project


def under_way(ledger: Table, project_id: ProjectId) -> int:
    """Runs of the project that are counted."""
    item = ledger.get(project_key(project_id), SLOTS)
    return int(item.attributes.get(UNDER_WAY, 0)) if item else 0


def _counted(project: Project) -> Add:
    most = project.quota.runs_at_once
    if most is None:
        return one_more(project.project_id)
    item = Item(project_key(project.project_id), SLOTS)
    full = project_rules.full(project)
    return Add(item, {UNDER_WAY: 1}, (UNDER_WAY, most - 1), lambda _: full)
