"""Files of a run: its report as a page, downloads, logs; and the report behind a share link."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.base import now
from porewatch.domain.errors import NotFound
from porewatch.domain.people.roles import Action, StackAction
from porewatch.domain.reasons.catalogue import in_language
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import reported
from porewatch.domain.signatures.signed_copies import original_of
from porewatch.edge import wiring
from porewatch.settings import settings
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.people.share_run import open_share
from porewatch.usecases.views.show_logs import show_log
from porewatch.usecases.views.show_runs import report_link
from porewatch.usecases.views.show_storage import files_of
from porewatch.web.render import ALWAYS, HTML, REPORT_POLICY, redirect, transport
from porewatch.web.router import Visit
from porewatch.web.signatures.signed_banner import with_signatures

LARGEST_REPORT = 5_000_000
"""Bytes of a report that a function may answer (6 MB, as JSON text)."""


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/runs/<run_id>/report")
    def report(run_id: str) -> Response[str]:
        visit = Visit(api)
        record = reach_run(run_id, visit.who, Action.SEE, runs=wiring.runs())
        return _report_page(visit, reported(record), "no-store")

    @api.get("/web/share/<secret>")
    def shared(secret: str) -> Response[str]:
        visit, known = Visit(api), wiring.runs()
        found = open_share(
            secret, now(), links=wiring.share_links(), runs=known, accounts=wiring.accounts()
        )
        return _report_page(visit, known.revision(found.run_id, found.revision), "no-store")

    @api.get("/web/runs/<run_id>/files/<name>")
    def download(run_id: str, name: str) -> Response[str]:
        visit, known = Visit(api), wiring.runs()
        record = reach_run(run_id, visit.who, Action.SEE, runs=known)
        link = report_link(
            name,
            record,
            runs=known,
            reports=wiring.reports(),
            seconds=settings().link_seconds,
            storage=wiring.storage_sources(),
            at=now(),
        )
        return redirect(visit.site, link)

    @api.get("/web/runs/<run_id>/log")
    def log(run_id: str) -> Response[str]:
        visit = Visit(api)
        record = reach_run(run_id, visit.who, Action.SEE, runs=wiring.runs())
        asked = visit.asked("name", "before", "find")
        part = show_log(
            run_id,
            record.revision,
            stages=wiring.stages(),
            results=wiring.results(),
            machines=visit.may_in_stack(StackAction.SEE_ALL_RUNS),
            name=asked["name"],
            before=asked["before"],
            wanted=asked["find"],
        )
        return visit.page("log.html.j2", run=record, log=part, find=asked["find"] or "")


def page_key(keys: dict[str, str], language: str) -> str | None:
    """Of a run's reports, the one to show in this language: with its signatures, when it has
    any."""
    copies = {of[0]: key for name, key in keys.items() if (of := original_of(name))}
    name = in_language("report.html", language)
    return copies.get(name) or keys.get(name) or keys.get("report.html")


def _report_page(visit: Visit, record: RunRecord | None, kept: str) -> Response[str]:
    key = page_key(files_of(record, wiring.reports()), visit.language) if record else None
    head = wiring.reports().head(key) if key else None
    if record is None or key is None or head is None or head.size > LARGEST_REPORT:
        raise NotFound("there is no report to show here.")
    headers: dict[str, str | list[str]] = {
        **ALWAYS,
        "Content-Security-Policy": REPORT_POLICY,
        "Cache-Control": kept,
        "Vary": "Cookie, Accept-Language",
        **transport(visit.site),
    }
    body = with_signatures(wiring.reports().get(key).decode("utf-8"), record, visit.words)
    return Response(status_code=HTTPStatus.OK, content_type=HTML, body=body, headers=headers)
