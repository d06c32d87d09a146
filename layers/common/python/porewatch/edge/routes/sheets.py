"""The sample sheet of a run that somebody sends, and its seal."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.submission.upload_answers import SealOrder
from porewatch.edge.asker import asker
from porewatch.edge.http import header, json_answer, request_body, request_text
from porewatch.edge.wiring import upload_context
from porewatch.usecases.uploads.keep_sheet import Expected, SheetToSend, keep_sheet, kept_sheet
from porewatch.usecases.uploads.seal_registered import seal_registered


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.put("/runs/<run_id>/sheet")
    def put_sheet(run_id: str) -> tuple[dict[str, object], int]:
        is_json = "json" in (header(api, "content-type") or "")
        content = (
            request_body(api, SheetToSend).content() if is_json else request_text(api).encode()
        )
        answer = keep_sheet(run_id, content, asker(api), upload_context(), _expected(api))
        return json_answer(answer, 200 if answer.valid else 422)

    @api.get("/runs/<run_id>/sheet")
    def sheet(run_id: str) -> tuple[dict[str, object], int]:
        return json_answer(kept_sheet(run_id, asker(api), upload_context()))

    @api.post("/runs/<run_id>/seal")
    def seal(run_id: str) -> tuple[dict[str, object], int]:
        return json_answer(
            seal_registered(run_id, request_body(api, SealOrder), asker(api), upload_context())
        )


def _expected(api: APIGatewayRestResolver) -> Expected:
    etag = header(api, "if-match")
    return Expected(etag.strip('"') if etag else None, header(api, "if-none-match") == "*")
