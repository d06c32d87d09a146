"""Registers runs, takes their files by presigned parts, keeps their sheets, seals them."""

from porewatch.adapters.submission.request_keys import RequestKeys
from porewatch.compute.layouts import layouts
from porewatch.domain.base import now
from porewatch.domain.submission.run_uploads import Register
from porewatch.domain.submission.upload_answers import FilesToSend, PartsToSend, SealOrder
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import (
    header,
    json_answer,
    on_http,
    query,
    request_body,
    request_text,
    routes,
)
from porewatch.edge.wiring import upload_context
from porewatch.settings import settings
from porewatch.usecases.uploads.declare_files import declare_files
from porewatch.usecases.uploads.keep_sheet import SheetToSend, keep_sheet, kept_sheet
from porewatch.usecases.uploads.register_run import Registry, register_run
from porewatch.usecases.uploads.seal_registered import seal_registered
from porewatch.usecases.uploads.send_parts import (
    complete_upload,
    give_up,
    link_parts,
    list_uploads,
    show_upload,
)

api = routes()
lambda_handler = on_http(api)


@api.post("/runs")
def register() -> tuple[dict[str, object], int]:
    registry = Registry(
        accounts=wiring.accounts(),
        runs=wiring.project_runs(),
        keys=RequestKeys(wiring.table()),
        layouts=tuple(layouts()),
        policies=settings().release_policies,
    )
    order, key = request_body(api, Register), header(api, "idempotency-key")
    return json_answer(register_run(order, asker(api), key, registry=registry, at=now()), 201)


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


@api.put("/runs/<run_id>/sheet")
def put_sheet(run_id: str) -> tuple[dict[str, object], int]:
    is_json = "json" in (header(api, "content-type") or "")
    content = request_body(api, SheetToSend).content() if is_json else request_text(api).encode()
    answer = keep_sheet(run_id, content, asker(api), upload_context())
    return json_answer(answer, 200 if answer.valid else 422)


@api.get("/runs/<run_id>/sheet")
def sheet(run_id: str) -> tuple[dict[str, object], int]:
    return json_answer(kept_sheet(run_id, asker(api), upload_context()))


@api.post("/runs/<run_id>/seal")
def seal(run_id: str) -> tuple[dict[str, object], int]:
    return json_answer(
        seal_registered(run_id, request_body(api, SealOrder), asker(api), upload_context())
    )
