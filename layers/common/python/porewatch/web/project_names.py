"""What the projects are called that somebody sees."""

from __future__ import annotations

from porewatch.edge import wiring
from porewatch.usecases.people.reach_run import visible_projects
from porewatch.web.router import Visit


def project_names(visit: Visit) -> dict[str, str]:
    """Projects whose runs the visitor sees, by id."""
    accounts, seen = wiring.accounts(), visible_projects(visit.who)
    if seen is None:
        found = {project.project_id: project.name for project in accounts.projects()}
        return {"default": accounts.project("default").name, **found}
    return {project: accounts.project(project).name for project in seen}
