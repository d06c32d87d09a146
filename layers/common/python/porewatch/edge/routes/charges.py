"""What projects are charged, and the rates."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.domain.money.charge_tables import charges_csv, statement_csv
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import csv_answer, query, request_body
from porewatch.usecases.money import statements
from porewatch.usecases.people import usage


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/charges")
    def charges() -> object:
        asked = _asked(api)
        shown = statements.charges_of_month(asker(api), now(), wiring.accounting(), asked["month"])
        return csv_answer(charges_csv(shown)) if asked["shape"] == "csv" else shown.public()

    @api.get("/projects/<project_id>/statement")
    def statement(project_id: str) -> object:
        asked = _asked(api)
        shown = statements.project_statement(
            project_id, asker(api), now(), wiring.accounting(), asked["month"]
        )
        return csv_answer(statement_csv(shown)) if asked["shape"] == "csv" else shown.public()

    @api.get("/rates")
    def rates() -> dict[str, object]:
        return statements.list_rates(asker(api), wiring.accounting().rates).public()

    @api.put("/rates")
    def set_rates() -> dict[str, object]:
        order = request_body(api, statements.RatesToSet)
        return statements.set_rates(order, asker(api), now(), wiring.accounting().rates).public()


def _asked(api: APIGatewayRestResolver) -> dict[str, str | None]:
    asked = query(api, "month", shape="format")
    usage.refuse_shape(asked["shape"])
    return asked
