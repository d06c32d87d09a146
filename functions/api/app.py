"""Answers GET /runs, /runs/{run_id}, /runs/{run_id}/report, /alerts,
/openapi.json; its role writes nothing."""

from pathlib import Path

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import json_text, on_http, query, routes
from porewatch.settings import settings
from porewatch.usecases.people.reach_run import alert_scope, reach_run, visible_projects
from porewatch.usecases.views.show_alerts import list_alerts
from porewatch.usecases.views.show_runs import list_runs, report_links, show_run

api = routes()
lambda_handler = on_http(api)


@api.get("/runs")
def runs() -> dict[str, object]:
    projects = visible_projects(asker(api), **query(api, wanted="project"))
    asked = query(api, "limit", "state", "cursor")
    return list_runs(runs=wiring.project_runs(), projects=projects, **asked).public()


@api.get("/runs/<run_id>")
def run(run_id: str) -> dict[str, object]:
    known = wiring.runs()
    record = reach_run(run_id, asker(api), Action.SEE, runs=known)
    return show_run(run_id, runs=known, record=record, **query(api, "revision")).public()


@api.get("/runs/<run_id>/report")
def report(run_id: str) -> dict[str, object]:
    known = wiring.runs()
    record = reach_run(run_id, asker(api), Action.SEE, runs=known)
    return report_links(
        run_id,
        runs=known,
        record=record,
        reports=wiring.reports(),
        seconds=settings().link_seconds,
        **query(api, "revision"),
    ).public()


@api.get("/alerts")
def alerts() -> dict[str, object]:
    filters = query(api, "run", "limit", "cursor", every="all")
    projects = alert_scope(filters["run"], asker(api), runs=wiring.runs())
    found = list_alerts(alerts=AlertLedger(wiring.table()), projects=projects, **filters)
    return found.public()


@api.get("/openapi.json")
def document() -> object:
    return json_text(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
