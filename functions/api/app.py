"""Answers GET /runs, /runs/{run_id}, /runs/{run_id}/report, /alerts; its role writes nothing."""

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.edge import wiring
from porewatch.edge.http import on_http, query, routes
from porewatch.settings import settings
from porewatch.usecases.views.show_alerts import list_alerts
from porewatch.usecases.views.show_runs import list_runs, report_links, show_run

api = routes()
lambda_handler = on_http(api)


@api.get("/runs")
def runs() -> dict[str, object]:
    return list_runs(runs=wiring.runs(), **query(api, "limit", "state", "cursor")).public()


@api.get("/runs/<run_id>")
def run(run_id: str) -> dict[str, object]:
    return show_run(run_id, runs=wiring.runs(), **query(api, "revision")).public()


@api.get("/runs/<run_id>/report")
def report(run_id: str) -> dict[str, object]:
    return report_links(
        run_id,
        runs=wiring.runs(),
        reports=wiring.reports(),
        seconds=settings().link_seconds,
        **query(api, "revision"),
    ).public()


@api.get("/alerts")
def alerts() -> dict[str, object]:
    filters = query(api, "run", "limit", "cursor", every="all")
    return list_alerts(alerts=AlertLedger(wiring.table()), **filters).public()
