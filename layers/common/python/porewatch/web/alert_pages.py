"""Alerts that wait for somebody, and those that do not any more."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.edge import wiring
from porewatch.usecases.people.reach_run import visible_projects
from porewatch.usecases.views.show_alerts import list_alerts
from porewatch.web.router import Visit


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/alerts")
    def alerts() -> Response[str]:
        visit = Visit(api).signed_in()
        asked = visit.asked("all", "cursor")
        found = list_alerts(
            alerts=AlertLedger(wiring.table()),
            projects=visible_projects(visit.who),
            every=asked["all"],
            cursor=asked["cursor"],
        )
        return visit.page("alerts.html.j2", found=found, every=bool(asked["all"]))
