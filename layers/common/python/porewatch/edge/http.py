"""API Gateway: routes of powertools' resolver, with PorewatchErrors as HTTP status codes.

api = routes()

@api.get("/runs/<run_id>")
def one(run_id: str) -> dict[str, object]: ...

handler = on_http(api)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from pydantic import TypeAdapter

from porewatch.domain.base import Model
from porewatch.domain.errors import (
    AccountRefused,
    Conflict,
    Forbidden,
    MessageRefused,
    NameTaken,
    NotFound,
    NotSignedIn,
    PorewatchError,
    Refused,
    Unavailable,
)
from porewatch.edge import log
from porewatch.edge.envelopes import checked

M = TypeVar("M", bound=Model)
_log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[PorewatchError], int], ...] = (
    (NotFound, 404),
    (NotSignedIn, 401),
    (Forbidden, 403),
    (NameTaken, 409),
    (AccountRefused, 409),
    (Refused, 400),
    (Conflict, 409),
    (Unavailable, 503),
    (PorewatchError, 500),
)


def routes() -> APIGatewayRestResolver:
    """A resolver that answers `{"error": class, "problem": sentence}` for PorewatchErrors."""
    api = APIGatewayRestResolver()
    api.exception_handler(PorewatchError)(_error_response)
    return api


def query(api: APIGatewayRestResolver, *names: str, **renamed: str) -> dict[str, str | None]:
    """Parameters of the query string, None for those that were not sent; `renamed`: by another name
    than the one in the query string."""
    sent = api.current_event.query_string_parameters or {}
    asked = {**{name: name for name in names}, **renamed}
    return {name: sent.get(parameter) for name, parameter in asked.items()}


def request_body(api: APIGatewayRestResolver, shape: type[M], **known: str) -> M:
    """The JSON body of the request as `shape`; `known` comes from the path, percent-encoded or not
    (no name contains `%`), and takes precedence. No body is an empty one. Raises MessageRefused
    naming the first invalid field."""
    text = api.current_event.body or "{}"
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageRefused(f"the body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise MessageRefused("the body is not a JSON object.", remedy="send its fields.")
    decoded = {name: unquote(value) for name, value in known.items()}
    return checked(TypeAdapter(shape), {**body, **decoded}, shape.__name__)


def csv_answer(text: str) -> Response[str]:
    """A table, for a spreadsheet."""
    return Response(200, "text/csv; charset=utf-8", text)


def on_http(api: APIGatewayRestResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of the routes of `api`."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.invocation(context), log.one_message() as bind:
            bind(event.get("pathParameters") or {})
            return api.resolve(event, context)

    return handler


def _error_response(error: PorewatchError) -> Response[str]:
    status = next(code for cls, code in STATUS if isinstance(error, cls))
    _log.info("answered %d: %s", status, error)
    body = json.dumps({"error": type(error).__name__, "code": error.code, "problem": str(error)})
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=body)
