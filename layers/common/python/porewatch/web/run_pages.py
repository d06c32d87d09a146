"""The list of runs, a run, its report."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.domain.errors import NotFound
from porewatch.domain.people.roles import Action
from porewatch.domain.reasons.catalogue import in_language
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import RunState
from porewatch.edge import wiring
from porewatch.usecases.people.reach_run import reach_run, visible_projects
from porewatch.usecases.views.show_progress import UNDER_WAY, phases_now, show_progress
from porewatch.usecases.views.show_runs import list_runs, show_run
from porewatch.web.render import ALWAYS, HTML, REPORT_POLICY, transport
from porewatch.web.router import Visit

POLL_SECONDS = 5
LARGEST_REPORT = 5_000_000
"""Bytes of a report that a function may answer (6 MB, as JSON text)."""


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/runs")
    def runs() -> Response[str]:
        visit = Visit(api).signed_in()
        filters = visit.asked("project", "state", "name", "cursor")
        found = list_runs(
            runs=wiring.project_runs(),
            projects=visible_projects(visit.who, filters["project"]),
            limit=None,
            state=filters["state"],
            name=filters["name"],
            cursor=filters["cursor"],
        )
        return visit.page(
            "runs_part.html.j2" if visit.asked("part")["part"] else "runs.html.j2",
            found=found,
            filters=filters,
            states=tuple(RunState),
            phases=phases_now(found.runs, stages=wiring.stages()),
            projects=_project_names(visit),
            live=any(run.state in UNDER_WAY for run in found.runs),
            seconds=POLL_SECONDS,
        )

    @api.get("/web/runs/<run_id>")
    def run(run_id: str) -> Response[str]:
        visit, known = Visit(api), wiring.runs()
        record = reach_run(run_id, visit.who, Action.SEE, runs=known)
        shown = show_run(run_id, runs=known)
        standing = reported(record)
        return visit.page(
            "run_part.html.j2" if visit.asked("part")["part"] else "run.html.j2",
            run=shown,
            progress=show_progress(shown, stages=wiring.stages()),
            alerts=AlertLedger(wiring.table()).listed(run_id, every=True),
            costs=known.cost_lines(run_id, shown.revision),
            reports=sorted(standing.report_keys) if standing else [],
            has_page=bool(standing and _page_key(standing.report_keys, visit.language)),
            project=_project_names(visit).get(shown.project, shown.project),
            live=shown.state in UNDER_WAY,
            seconds=POLL_SECONDS,
        )

    @api.get("/web/runs/<run_id>/report")
    def report(run_id: str) -> Response[str]:
        visit = Visit(api)
        record = reached_report(visit, run_id)
        key = _page_key(record, visit.language)
        head = wiring.reports().head(key) if key else None
        if key is None or head is None or head.size > LARGEST_REPORT:
            raise NotFound(f"run {run_id} has no report to show here.")
        headers: dict[str, str | list[str]] = {
            **ALWAYS,
            "Content-Security-Policy": REPORT_POLICY,
            "Cache-Control": "private, max-age=300",
            "Vary": "Cookie, Accept-Language",
            **transport(visit.site),
        }
        body = wiring.reports().get(key).decode("utf-8")
        return Response(status_code=HTTPStatus.OK, content_type=HTML, body=body, headers=headers)


def reached_report(visit: Visit, run_id: str) -> dict[str, str]:
    """The reports of the run's newest completed revision: name -> key."""
    record = reach_run(run_id, visit.who, Action.SEE, runs=wiring.runs())
    standing = reported(record)
    return standing.report_keys if standing else {}


def _page_key(keys: dict[str, str], language: str) -> str | None:
    return keys.get(in_language("report.html", language)) or keys.get("report.html")


def _project_names(visit: Visit) -> dict[str, str]:
    """Projects that the list can be narrowed to, by id."""
    accounts, seen = wiring.accounts(), visible_projects(visit.who)
    if seen is None:
        found = {project.project_id: project.name for project in accounts.projects()}
        return {"default": accounts.project("default").name, **found}
    return {project: accounts.project(project).name for project in seen}
