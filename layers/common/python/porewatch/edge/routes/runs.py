"""Runs and what is below them, to read."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.domain.people.policy import may_in_stack
from porewatch.domain.people.roles import Action, StackAction
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import query
from porewatch.settings import settings
from porewatch.usecases.people.reach_run import reach_run, visible_projects
from porewatch.usecases.views.show_files import FileList, show_files
from porewatch.usecases.views.show_inputs import need_inputs
from porewatch.usecases.views.show_logs import show_log
from porewatch.usecases.views.show_making import need_making
from porewatch.usecases.views.show_progress import show_progress
from porewatch.usecases.views.show_runs import list_runs, report_links, show_run


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/runs")
    def runs() -> dict[str, object]:
        projects = visible_projects(asker(api), **query(api, wanted="project"))
        asked = query(api, "limit", "state", "cursor", "review")
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
            storage=wiring.storage_sources(),
            at=now(),
            **query(api, "revision"),
        ).public()

    @api.get("/runs/<run_id>/progress")
    def progress(run_id: str) -> dict[str, object]:
        known = wiring.runs()
        record = reach_run(run_id, asker(api), Action.SEE, runs=known)
        shown = show_run(run_id, runs=known, record=record)
        return show_progress(shown, stages=wiring.stages()).public()

    @api.get("/runs/<run_id>/log")
    def log(run_id: str) -> dict[str, object]:
        who = asker(api)
        record = reach_run(run_id, who, Action.SEE, runs=wiring.runs())
        return show_log(
            run_id,
            record.revision,
            stages=wiring.stages(),
            results=wiring.results(),
            machines=may_in_stack(who, StackAction.SEE_ALL_RUNS),
            **query(api, "name", "before", wanted="find"),
        ).public()

    @api.get("/runs/<run_id>/inputs")
    def inputs(run_id: str) -> dict[str, object]:
        known = wiring.runs()
        record = reach_run(run_id, asker(api), Action.SEE, runs=known)
        shown = show_run(run_id, runs=known, record=record)
        return need_inputs(shown, manifests=wiring.manifests()).public()

    @api.get("/runs/<run_id>/files")
    def files(run_id: str) -> dict[str, object]:
        record = reach_run(run_id, asker(api), Action.SEE, runs=wiring.runs())
        found = show_files(
            record,
            reports=wiring.reports(),
            days=settings().reports_days,
            storage=wiring.storage_sources(),
            at=now(),
        )
        return FileList(files=found).public()

    @api.get("/runs/<run_id>/provenance")
    def provenance(run_id: str) -> dict[str, object]:
        record = reach_run(run_id, asker(api), Action.SEE, runs=wiring.runs())
        return need_making(record, reports=wiring.reports()).public()
