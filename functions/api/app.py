"""Answers GET /runs, /runs/{run_id}, /runs/{run_id}/report, /alerts; takes POST .../ack."""

from porewatch.adapters.objects import Objects
from porewatch.adapters.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.edge.http import on_http, routes
from porewatch.settings import settings
from porewatch.usecases.show_runs import list_runs, report_links, show_run

api = routes()
lambda_handler = on_http(api)


@api.get("/runs")
def runs() -> dict[str, object]:
    asked = api.current_event.query_string_parameters or {}
    ledger = RunLedger(Table(settings().ledger_table))
    return list_runs(runs=ledger, limit=asked.get("limit"), state=asked.get("state")).public()


@api.get("/runs/<run_id>")
def run(run_id: str) -> dict[str, object]:
    return show_run(run_id, runs=RunLedger(Table(settings().ledger_table))).public()


@api.get("/runs/<run_id>/report")
def report(run_id: str) -> dict[str, object]:
    told, ledger = settings(), RunLedger(Table(settings().ledger_table))
    reports = Objects(told.reports_bucket)
    return report_links(run_id, runs=ledger, reports=reports, seconds=told.link_seconds).public()
