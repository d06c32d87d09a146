"""A new run: where it goes, its files, its sample sheet. What is sent goes by the API."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.calls.release_policy import ANY
from porewatch.domain.errors import NotFound
from porewatch.domain.inputs.sheet.columns import BY_FIELD, COLUMNS, MATERIALS
from porewatch.domain.people.roles import Action
from porewatch.domain.runs import SampleRole
from porewatch.domain.submission.run_uploads import refuse_unless_open
from porewatch.edge import wiring
from porewatch.settings import settings
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.uploads.keep_sheet import SheetAnswer, sheet_in
from porewatch.usecases.uploads.upload_context import UploadContext
from porewatch.web.project_names import project_names
from porewatch.web.router import Visit
from porewatch.web.tier_part import tier_part

USUAL = ("name", "barcode", "role", "material", "volume_ml", "spike_copies")
"""Columns that an empty sheet begins with."""


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/upload")
    def new_run() -> Response[str]:
        visit = Visit(api).signed_in()
        known = project_names(visit)
        policies = settings().release_policies
        return visit.page(
            "new_run.html.j2",
            projects={one: name for one, name in known.items() if visit.may("submit", one)},
            tier=tier_part(visit),
            policies=() if ANY in policies else policies,
        )

    @api.get("/web/runs/<run_id>/upload")
    def upload(run_id: str) -> Response[str]:
        visit = Visit(api)
        record = reach_run(run_id, visit.who, Action.SUBMIT, runs=wiring.runs())
        refuse_unless_open(record)
        context = wiring.upload_context()
        context.uploads.submission(run_id)  # NotFound for a run that was not registered
        return visit.page(
            "upload.html.j2",
            connections=(context.parts.origin(),),
            run=record,
            tier=tier_part(visit),
            columns=_columns(visit),
            usual=USUAL,
            sheet=_kept(run_id, context),
            choices=_choices(visit),
        )


def _kept(run_id: str, context: UploadContext) -> SheetAnswer | None:
    """The sheet that the run has already, or what is wrong with it."""
    try:
        return sheet_in(run_id, context).sheet
    except NotFound:
        return None


def _columns(visit: Visit) -> list[dict[str, object]]:
    """Each column: the field it means, what it holds in words, and the headings that name it."""
    return [
        {
            "field": field,
            "words": visit.text(f"web.sheet.column.{field}"),
            "headings": [name for name, means in COLUMNS.items() if means == field],
        }
        for field in BY_FIELD
    ]


def _choices(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Field -> what its cell may hold, each with its words."""
    roles = [(role.value, visit.words.named("sample_role", role.value)) for role in SampleRole]
    return {"role": roles, "material": [(name, name) for name in MATERIALS]}
