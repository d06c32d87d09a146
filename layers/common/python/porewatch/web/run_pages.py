"""The list of runs, a run, its report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.domain.base import now
from porewatch.domain.people.roles import Action, ProjectId
from porewatch.domain.reasons.reason import PeopleCode
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.expiry import expires
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import GONE_STATES, RunState
from porewatch.domain.signatures.steps import State
from porewatch.domain.submission.run_uploads import takes_files
from porewatch.domain.tiers.tier import tiers
from porewatch.edge import wiring
from porewatch.settings import settings
from porewatch.usecases.people.reach_run import reach_run, visible_projects
from porewatch.usecases.people.share_run import ShareView, list_shares
from porewatch.usecases.signatures.show_signatures import revision_state
from porewatch.usecases.views.show_files import FileView, show_files
from porewatch.usecases.views.show_inputs import show_inputs
from porewatch.usecases.views.show_making import show_making
from porewatch.usecases.views.show_progress import UNDER_WAY, phases_now, show_progress
from porewatch.usecases.views.show_runs import RunView, list_runs, show_run
from porewatch.usecases.views.show_storage import show_storage
from porewatch.web.file_pages import page_key
from porewatch.web.project_names import project_names
from porewatch.web.router import Visit
from porewatch.web.signatures.signature_page import signature_page
from porewatch.web.tier_part import tier_part

POLL_SECONDS = 5


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/runs")
    def runs() -> Response[str]:
        visit = Visit(api).signed_in()
        filters = visit.asked("project", "state", "name", "cursor", "review")
        found = list_runs(
            runs=wiring.project_runs(),
            projects=visible_projects(visit.who, filters["project"]),
            limit=None,
            state=filters["state"],
            name=filters["name"],
            review=filters["review"],
            cursor=filters["cursor"],
        )
        return visit.page(
            "runs_part.html.j2" if visit.asked("part")["part"] else "runs.html.j2",
            found=found,
            filters=filters,
            states=tuple(RunState),
            reviews=tuple(State),
            phases=phases_now(found.runs, stages=wiring.stages()),
            projects=project_names(visit, {run.project for run in found.runs}),
            live=any(run.state in UNDER_WAY for run in found.runs),
            seconds=POLL_SECONDS,
            until=_until(found.runs),
            at=now(),
        )

    @api.get("/web/runs/<run_id>")
    def run(run_id: str) -> Response[str]:
        visit, known, reports = Visit(api), wiring.runs(), wiring.reports()
        days = settings().reports_days
        record = reach_run(run_id, visit.who, Action.SEE, runs=known)
        shown = show_run(run_id, runs=known, record=record)
        standing = reported(record)
        part = bool(visit.asked("part")["part"])
        files = () if part else _files(record)
        closed = _closed(files)
        return visit.page(
            "run_part.html.j2" if part else "run.html.j2",
            run=shown,
            progress=show_progress(shown, stages=wiring.stages()),
            alerts=AlertLedger(wiring.table()).listed(run_id, every=True),
            costs=known.cost_lines(run_id, shown.revision),
            files=files,
            closed=closed,
            tier=tier_part(visit) if closed and visit.who.user_id == record.submitted_by else None,
            making=None if part else show_making(record, reports=reports),
            until=_kept_until(record, shown.completed_at if standing else None, days),
            at=now(),
            inputs=None if part else show_inputs(shown, manifests=wiring.manifests()),
            shared=None if part else _shared(visit, run_id, shown.project),
            review=None if part or standing is None else _review(standing),
            has_page=bool(standing and page_key(standing.report_keys, visit.language)),
            project=_name_of(shown.project),
            live=shown.state in UNDER_WAY,
            takes_files=_takes_files(visit, shown),
            seconds=POLL_SECONDS,
        )


def _kept_until(record: RunRecord, completed_at: datetime | None, days: int) -> datetime | None:
    """Until when the report is kept: by its age, or by who pays. None: there is none, or it is kept
    without end."""
    if completed_at is None:
        return None
    stored = show_storage(record, {}, sources=wiring.storage_sources(), at=now())
    return stored.expires(completed_at, days)


def _files(record: RunRecord) -> tuple[FileView, ...]:
    return show_files(
        record,
        reports=wiring.reports(),
        days=settings().reports_days,
        storage=wiring.storage_sources(),
        at=now(),
    )


def _closed(files: Sequence[FileView]) -> str | None:
    """Why some of them cannot be read now: their time has ended, or they come back."""
    refused = {file.storage.refused for file in files}
    if PeopleCode.RESULTS_CLOSED in refused:
        return "ended"
    return "comes_back" if PeopleCode.RESULTS_THAWING in refused else None


def _takes_files(visit: Visit, run: RunView) -> bool:
    """Whether this visitor may upload into it: it was registered, and has not begun."""
    if not takes_files(run.state) or not visit.may(Action.SUBMIT, run.project):
        return False
    return wiring.upload_context().uploads.is_registered(run.run_id)


def _review(standing: RunRecord) -> str:
    """How far the review of its newest report is."""
    signatures = wiring.signing_desk(signature_page).signatures.of(standing.run_id)
    return revision_state(standing, signatures).value


def _until(runs: Sequence[RunView]) -> dict[str, datetime]:
    """Run -> until when its report is kept, of those that have one. Where who pays decides, the
    page of each run says it."""
    days = settings().reports_days
    by_age = tiers()[settings().unpaid_tier].results_days is None
    return {
        run.run_id: expires(run.completed_at, days)
        for run in (runs if by_age else ())
        if run.reported_revision is not None and run.completed_at and run.state not in GONE_STATES
    }


class Shared(NamedTuple):
    """Links to the report as they are `at` this moment, and the names of who made them."""

    links: tuple[ShareView, ...]
    makers: dict[str, str]
    at: datetime


def _shared(visit: Visit, run_id: str, project: ProjectId) -> Shared | None:
    """For who may revoke them."""
    if not visit.may(Action.SHARE, project):
        return None
    links = list_shares(run_id, links=wiring.share_links()).shares
    users = wiring.accounts().some_users([link.made_by for link in links])
    makers = {user_id: user.name for user_id, user in users.items()}
    return Shared(links, makers, now())


def _name_of(project: ProjectId) -> str:
    return next((p.name for p in wiring.accounts().some_projects([project])), project)
