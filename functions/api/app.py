"""Answers GET /runs, /runs/{run_id}, /runs/{run_id}/report, /alerts; its role writes nothing."""

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.edge.http import on_http, routes
from porewatch.settings import settings
from porewatch.usecases.views.show_alerts import list_alerts
from porewatch.usecases.views.show_runs import (
    list_runs,
    report_links,
    show_run,
)

api = routes()
lambda_handler = on_http(api)


@api.get("/runs")
def runs() -> dict[str, object]:
    query = api.current_event.query_string_parameters or {}
    ledger = RunLedger(Table(settings().ledger_table))
    filters = {name: query.get(name) for name in ("limit", "state", "cursor")}
    return list_runs(runs=ledger, **filters).public()


@api.get("/runs/<run_id>")
def run(run_id: str) -> dict[str, object]:
    ledger = RunLedger(Table(settings().ledger_table))
    return show_run(run_id, runs=ledger, revision=_revision()).public()


@api.get("/runs/<run_id>/report")
def report(run_id: str) -> dict[str, object]:
    config, ledger = settings(), RunLedger(Table(settings().ledger_table))
    reports = Objects(config.reports_bucket)
    seconds = config.link_seconds
    links = report_links(
        run_id, runs=ledger, reports=reports, seconds=seconds, revision=_revision()
    )
    return links.public()


def _revision() -> str | None:
    return (api.current_event.query_string_parameters or {}).get("revision")


@api.get("/alerts")
def alerts() -> dict[str, object]:
    query = api.current_event.query_string_parameters or {}
    ledger = AlertLedger(Table(settings().ledger_table))
    filters = {name: query.get(name) for name in ("run", "limit", "cursor")}
    return list_alerts(alerts=ledger, every=query.get("all"), **filters).public()
