"""Animals of a project, as its newest runs found them."""

from __future__ import annotations

from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import query
from porewatch.usecases.people.reach_run import visible_projects
from porewatch.usecases.views.recent_states import Recent, recent_states
from porewatch.usecases.views.show_animal import AnimalPage, show_animal
from porewatch.usecases.views.show_herd import HerdPage, show_herd


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/projects/<project_id>/animals")
    def animals(project_id: str) -> dict[str, object]:
        recent = _recent(api, project_id)
        herd = show_herd(recent, code=query(api, "code")["code"])
        return HerdPage(herd=herd, unread=recent.unread, next=recent.next).public()

    @api.get("/projects/<project_id>/animals/<animal>")
    def animal(project_id: str, animal: str) -> dict[str, object]:
        recent = _recent(api, project_id)
        shown = show_animal(recent, unquote(animal))
        return AnimalPage(animal=shown, unread=recent.unread, next=recent.next).public()


def _recent(api: APIGatewayRestResolver, project_id: str) -> Recent:
    visible_projects(asker(api), project_id)
    return recent_states(
        project_id, runs=wiring.project_runs(), reports=wiring.reports(), **query(api, "cursor")
    )
