"""Answers GET /runs, /runs/{run_id} and what is below it, animals of projects, /alerts and
/openapi.json; its role writes nothing."""

from pathlib import Path
from typing import Any

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import json_text, on_http, query, routes
from porewatch.edge.routes import animals, runs
from porewatch.usecases.people.reach_run import alert_scope
from porewatch.usecases.views.show_alerts import list_alerts

api = routes()
runs.add_routes(api)
animals.add_routes(api)
answer = on_http(api)


@api.get("/alerts")
def alerts() -> dict[str, object]:
    filters = query(api, "run", "limit", "cursor", every="all")
    projects = alert_scope(filters["run"], asker(api), runs=wiring.runs())
    found = list_alerts(alerts=AlertLedger(wiring.table()), projects=projects, **filters)
    return found.public()


@api.get("/openapi.json")
def document() -> object:
    return json_text(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
