"""The count of a project's runs under way, as it moves with their records."""

from __future__ import annotations

from porewatch.adapters.items import Add, Item
from porewatch.domain.people.roles import ProjectId

SLOTS, UNDER_WAY = "SLOTS", "under_way"


def project_key(project: ProjectId) -> str:
    """Partition of what the ledger has of a project beside its runs."""
    return f"PROJECT#{project}"


def one_more(project: ProjectId) -> Add:
    """One more, whatever the project allows."""
    return Add(Item(project_key(project), SLOTS), {UNDER_WAY: 1})


def one_less(project: ProjectId) -> Add:
    return Add(Item(project_key(project), SLOTS), {UNDER_WAY: -1})
