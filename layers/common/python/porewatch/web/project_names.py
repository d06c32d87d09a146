"""What the projects are called that somebody sees."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId
from porewatch.edge import wiring
from porewatch.usecases.people.reach_run import visible_projects
from porewatch.web.router import Visit

MOST_NAMED = 500
"""Projects that are offered to choose from."""


def project_names(visit: Visit, shown: Collection[ProjectId] = ()) -> dict[str, str]:
    """Projects whose runs the visitor sees, by id: MOST_NAMED of them, and those that are
    `shown`."""
    accounts, seen = wiring.accounts(), visible_projects(visit.who)
    names = {}
    if seen is None:
        some = islice(accounts.projects(page=MOST_NAMED), MOST_NAMED)
        names = {project.project_id: project.name for project in some}
        seen = [one for one in {DEFAULT_PROJECT, *shown} if one not in names]
    more = {p.project_id: p.name for p in accounts.some_projects(seen)}
    default = {name: more[name] for name in (DEFAULT_PROJECT,) if name in more}
    return {**default, **names, **{name: more[name] for name in seen if name in more}}
