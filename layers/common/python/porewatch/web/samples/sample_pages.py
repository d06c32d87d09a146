"""Samples of a project: its animals by pathogens, and one animal in time."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.errors import NotFound
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.usecases.people.places import list_projects, reach_project
from porewatch.usecases.views.recent_states import Recent, recent_states
from porewatch.usecases.views.show_animal import show_animal
from porewatch.usecases.views.show_herd import show_herd
from porewatch.web.router import Visit
from porewatch.web.samples.course_chart import chart


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/samples")
    def herd() -> Response[str]:
        visit = Visit(api).signed_in()
        asked = visit.asked("project", "cursor", "code")
        projects = {
            one.project_id: one.name
            for one in list_projects(visit.who, accounts=wiring.accounts()).projects
        }
        project = asked["project"] or next(iter(projects), None)
        if project is None:
            return visit.page("samples.html.j2", project=None)
        projects[project] = _name(visit, project)
        recent = _recent(project, asked["cursor"])
        return visit.page(
            "samples.html.j2",
            project=project,
            projects=projects,
            herd=show_herd(recent, code=asked["code"]),
            recent=recent,
            asked=asked,
        )

    @api.get("/web/animal")
    def animal() -> Response[str]:
        visit = Visit(api).signed_in()
        asked = visit.asked("project", "name", "cursor")
        if asked["project"] is None or asked["name"] is None:
            raise NotFound("an animal is named by its project and its name.")
        project_name = _name(visit, asked["project"])
        recent = _recent(asked["project"], asked["cursor"])
        shown = show_animal(recent, asked["name"])
        return visit.page(
            "animal.html.j2",
            animal=shown,
            charts={course.code: chart(course) for course in shown.courses},
            recent=recent,
            project=asked["project"],
            project_name=project_name,
            asked=asked,
        )


def _name(visit: Visit, project: str) -> str:
    """NotFound for a project where who asks has no role."""
    return reach_project(project, visit.who, Action.SEE, accounts=wiring.accounts()).name


def _recent(project: str, cursor: str | None) -> Recent:
    return recent_states(
        project, runs=wiring.project_runs(), reports=wiring.reports(), cursor=cursor
    )
