"""API Gateway: routes of powertools' resolver, with our errors as plain HTTP answers.

api = routes()

@api.get("/runs/<run_id>")
def one(run_id: str) -> dict[str, object]: ...

handler = on_http(api)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types

from porewatch.domain.errors import Conflict, NotFound, PorewatchError, Refused, Unavailable
from porewatch.edge import log

_log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[PorewatchError], int], ...] = (
    (NotFound, 404),
    (Refused, 400),
    (Conflict, 409),
    (Unavailable, 503),
    (PorewatchError, 500),
)


def routes() -> APIGatewayRestResolver:
    """A resolver that answers `{"error": class, "problem": sentence}` for errors of ours."""
    api = APIGatewayRestResolver()
    api.exception_handler(PorewatchError)(_told)
    return api


def on_http(api: APIGatewayRestResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler of a function that answers `api`'s routes."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.invocation(context), log.one_message() as bind:
            bind(event.get("pathParameters") or {})
            return api.resolve(event, context)

    return handler


def _told(error: PorewatchError) -> Response[str]:
    status = next(code for cls, code in STATUS if isinstance(error, cls))
    _log.info("answered %d: %s", status, error)
    body = json.dumps({"error": type(error).__name__, "problem": str(error)})
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=body)
