"""Users of the stack, and what projects used."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import csv_answer, query, request_body
from porewatch.usecases.people import manage_users, usage


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/users")
    def users() -> dict[str, object]:
        page = query(api, "limit", "cursor", "name")
        return manage_users.list_users(
            asker(api), accounts=wiring.accounts(), caps=wiring.tier_limits().caps, **page
        ).public()

    @api.patch("/users/<user_id>")
    def change_user(user_id: str) -> dict[str, object]:
        change = request_body(api, manage_users.UserChange)
        return manage_users.change_user(
            user_id,
            change,
            asker(api),
            accounts=wiring.accounts(),
            sessions=wiring.sessions(),
            caps=wiring.tier_limits().caps,
        ).public()

    @api.get("/usage")
    def usage_by_project() -> object:
        asked = query(api, "month", "cursor", shape="format")
        usage.refuse_shape(asked["shape"])
        used = usage.usage(
            asker(api),
            now(),
            accounts=wiring.accounts(),
            runs=wiring.project_runs(),
            month=asked["month"],
            cursor=asked["cursor"],
        )
        if asked["shape"] == "csv":
            return csv_answer(usage.as_csv(used))
        return used.public()
