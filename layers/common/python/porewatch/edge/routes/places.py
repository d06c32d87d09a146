"""Projects and groups."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.edge import wiring
from porewatch.edge.asker import asker, repeat
from porewatch.edge.http import Created, query, request_body
from porewatch.usecases.people import places


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/projects")
    def projects() -> dict[str, object]:
        page = query(api, "limit", "cursor")
        return places.list_projects(asker(api), accounts=wiring.accounts(), **page).public()

    @api.post("/projects")
    def make_project() -> Created:
        new = request_body(api, places.NewProject)
        made = places.make_project(
            new,
            asker(api),
            now(),
            accounts=wiring.accounts(),
            repeat=repeat(api, "POST /projects"),
        )
        return made.public(), 201

    @api.get("/projects/<project_id>")
    def project(project_id: str) -> dict[str, object]:
        return places.show_project(project_id, asker(api), accounts=wiring.accounts()).public()

    @api.patch("/projects/<project_id>")
    def change_project(project_id: str) -> dict[str, object]:
        change = request_body(api, places.ProjectChange)
        return places.change_project(
            project_id, change, asker(api), accounts=wiring.accounts()
        ).public()

    @api.get("/groups")
    def groups() -> dict[str, object]:
        page = query(api, "limit", "cursor")
        return places.list_groups(asker(api), accounts=wiring.accounts(), **page).public()

    @api.post("/groups")
    def make_group() -> Created:
        new = request_body(api, places.NewGroup)
        made = places.make_group(
            new,
            asker(api),
            now(),
            accounts=wiring.accounts(),
            repeat=repeat(api, "POST /groups"),
        )
        return made.public(), 201

    @api.get("/groups/<group_id>")
    def group(group_id: str) -> dict[str, object]:
        return places.show_group(group_id, asker(api), accounts=wiring.accounts()).public()

    @api.patch("/groups/<group_id>")
    def rename_group(group_id: str) -> dict[str, object]:
        change = request_body(api, places.NewGroup)
        return places.rename_group(
            group_id, change, asker(api), accounts=wiring.accounts()
        ).public()
