"""Registers runs, takes their files by presigned parts, keeps their sheets, seals them."""

from typing import Any

from porewatch.adapters.submission.request_keys import RequestKeys
from porewatch.compute.layouts import layouts
from porewatch.domain.base import now
from porewatch.domain.submission.run_uploads import Register
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import header, json_answer, on_http, request_body, routes
from porewatch.edge.routes import sheets, uploads
from porewatch.settings import settings
from porewatch.usecases.uploads.register_run import Registry, register_run

api = routes()
uploads.add_routes(api)
sheets.add_routes(api)
answer = on_http(api)


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


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
