"""Files of a run that somebody sends."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.submission.upload_answers import FilesToSend, PartsToSend
from porewatch.edge.asker import asker
from porewatch.edge.http import json_answer, query, request_body
from porewatch.edge.wiring import upload_context
from porewatch.usecases.uploads.declare_files import declare_files
from porewatch.usecases.uploads.send_parts import (
    complete_upload,
    give_up,
    link_parts,
    list_uploads,
    show_upload,
)


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.post("/runs/<run_id>/uploads")
    def declare(run_id: str) -> tuple[dict[str, object], int]:
        order = request_body(api, FilesToSend)
        return json_answer(declare_files(run_id, order, asker(api), upload_context()), 201)

    @api.get("/runs/<run_id>/uploads")
    def uploads(run_id: str) -> tuple[dict[str, object], int]:
        return json_answer(
            list_uploads(run_id, asker(api), upload_context(), **query(api, "state", "cursor"))
        )

    @api.get("/runs/<run_id>/uploads/<upload_id>")
    def upload(run_id: str, upload_id: str) -> tuple[dict[str, object], int]:
        return json_answer(show_upload(run_id, upload_id, asker(api), upload_context()))

    @api.post("/runs/<run_id>/uploads/<upload_id>/urls")
    def urls(run_id: str, upload_id: str) -> tuple[dict[str, object], int]:
        order = request_body(api, PartsToSend)
        return json_answer(link_parts(run_id, upload_id, order, asker(api), upload_context()))

    @api.post("/runs/<run_id>/uploads/<upload_id>/complete")
    def complete(run_id: str, upload_id: str) -> tuple[dict[str, object], int]:
        return json_answer(complete_upload(run_id, upload_id, asker(api), upload_context()))

    @api.delete("/runs/<run_id>/uploads/<upload_id>")
    def end(run_id: str, upload_id: str) -> tuple[dict[str, object], int]:
        return json_answer(give_up(run_id, upload_id, asker(api), upload_context()))
