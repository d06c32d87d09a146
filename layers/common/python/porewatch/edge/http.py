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
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import TypeAdapter

from porewatch.domain.base import Model
from porewatch.domain.errors import (
    REMEDY,
    AccountRefused,
    ConfigurationRefused,
    Conflict,
    Forbidden,
    KeyReused,
    MessageRefused,
    NameTaken,
    NotFound,
    NotSignedIn,
    PorewatchError,
    Refused,
    TierRefused,
    Unavailable,
)
from porewatch.domain.reasons.accepted_language import language_of
from porewatch.domain.reasons.catalogue import SOURCE
from porewatch.domain.reasons.reason import Reason
from porewatch.domain.records.refusal import refusals_of
from porewatch.domain.tiers.limits import upgrade_of
from porewatch.domain.tiers.tier import TierName
from porewatch.domain.visible import visible
from porewatch.edge import log
from porewatch.edge.envelopes import checked_json
from porewatch.settings import settings

M = TypeVar("M", bound=Model)
Created = tuple[dict[str, object], int]
"""A body with the status 201."""
_log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[PorewatchError], int], ...] = (
    (NotFound, 404),
    (NotSignedIn, 401),
    (Forbidden, 403),
    (NameTaken, 409),
    (AccountRefused, 409),
    (KeyReused, 422),
    (ConfigurationRefused, 500),  # of this deployment, not of what was sent
    (Refused, 400),
    (Conflict, 409),
    (Unavailable, 503),
    (PorewatchError, 500),
)

TITLES = {status: HTTPStatus(status).phrase for _, status in STATUS}
PROBLEM_JSON = "application/problem+json"
OUR_FAULT = "It could not be done now, for a reason of ours; it is in the log."
LATER = "try again in a minute; if it stays, tell whoever runs this site, with x-amzn-requestid."
CODES = "urn:porewatch:problem:"


def routes() -> APIGatewayRestResolver:
    """A resolver that answers PorewatchErrors as `problem_of` says."""
    api = APIGatewayRestResolver()
    api.exception_handler(PorewatchError)(lambda error: _error_response(api, error))
    return api


def query(api: APIGatewayRestResolver, *names: str, **renamed: str) -> dict[str, str | None]:
    """Parameters of the query string, None for those that were not sent; `renamed`: by another name
    than the one in the query string."""
    sent = api.current_event.query_string_parameters or {}
    asked = {**{name: name for name in names}, **renamed}
    return {name: sent.get(parameter) for name, parameter in asked.items()}


def header(api: APIGatewayRestResolver, name: str) -> str | None:
    """A header of the request, whatever its name's case; None when it was not sent."""
    headers = api.current_event.raw_event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)


def pages_root(api: APIGatewayRestResolver) -> str:
    """Where the pages lie, without a slash at the end, for a link in a mail."""
    context = api.current_event.raw_event.get("requestContext") or {}
    named = settings().pages_url.replace("API_ID", str(context.get("apiId", "")))
    return named or f"https://{context['domainName']}/{context['stage']}"


def request_text(api: APIGatewayRestResolver) -> str:
    """The body of the request as text. Raises MessageRefused for none, and for one that was not
    UTF-8: API Gateway has put marks in place of what it could not read."""
    text = api.current_event.decoded_body or ""
    if not text or "\ufffd" in text:
        problem = "the body is not UTF-8." if text else "the body is empty."
        raise MessageRefused(problem, remedy="send its bytes as base64 in JSON.")
    return text


def json_text(text: str) -> Response[str]:
    """JSON that is written already."""
    return Response(200, "application/json", text)


def json_answer(model: Model, status: int = 200) -> tuple[dict[str, Any], int]:
    """A model as the body of an answer."""
    return model.model_dump(mode="json"), status


def request_body(api: APIGatewayRestResolver, shape: type[M], **known: str) -> M:
    """The JSON body of the request as `shape`; `known` comes from the path, percent-encoded or not
    (no name contains `%`), and takes precedence. No body is an empty one. Nothing is
    converted: no 0 is false, no "1" a number. Raises MessageRefused naming the first invalid
    field."""
    text = api.current_event.body or "{}"
    try:
        body = json.loads(text, parse_constant=_refuse_constant, parse_float=_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a character could never be read again
    except (ValueError, RecursionError) as error:
        raise MessageRefused(f"the body is not JSON: {visible(str(error))}.") from error
    if not isinstance(body, dict):
        raise MessageRefused("the body is not a JSON object.", remedy="send its fields.")
    decoded = {name: unquote(value) for name, value in known.items()}
    return checked_json(TypeAdapter(shape), json.dumps({**body, **decoded}), shape.__name__)


def _number(text: str) -> float | int:
    """2.0 is a whole number in JSON."""
    read = float(text)
    return int(read) if read.is_integer() and abs(read) < 2**53 else read


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def csv_answer(text: str) -> Response[str]:
    """A table, for a spreadsheet."""
    return Response(200, "text/csv; charset=utf-8", text)


def on_http(api: APIGatewayRestResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of the routes of `api`."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.invocation(context), log.one_message() as bind:
            bind(event.get("pathParameters") or {})
            return _private(api.resolve(event, context))

    return handler


def _private(answer: dict[str, Any]) -> dict[str, Any]:
    """Answers carry secrets and links: nothing between us and the client keeps them, unless a route
    says so itself."""
    headers = answer.setdefault("multiValueHeaders", {})
    headers.setdefault("Cache-Control", ["no-store"])
    headers.setdefault("X-Content-Type-Options", ["nosniff"])
    return answer


def public(error: PorewatchError, status: int) -> PorewatchError:
    """What leaves of an error, by an answer or a page. What is ours to correct (5xx) stays in the
    log: it may name keys, roles and accounts."""
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return error
    return type(error)(OUR_FAULT, remedy=LATER)


def problem_of(error: PorewatchError, status: int, language: str = SOURCE) -> dict[str, object]:
    """An error as RFC 9457 says it: `type` names its code in docs/reference/refusal-codes.md,
    `detail` is for people, in their language where its reason has a code. `error` and `problem` are
    for clients of before that. Members that the error does not have are left out."""
    error = public(error, status)
    first = str(error).removesuffix(f"{REMEDY}{error.remedy}") if error.remedy else str(error)
    place = {"file": error.file, "record": error.record, "line": error.line, "column": error.column}
    faults = [refusal.model_dump(mode="json", exclude_none=True) for refusal in refusals_of(error)]
    members = {
        "type": CODES + error.code,
        "title": TITLES[status],
        "status": status,
        "detail": first if language == SOURCE else _translated(error, language) or first,
        "code": error.code,
        **place,
        "remedy": error.remedy,
        "faults": faults if len(faults) > 1 else None,
        "upgrade": _upgrade(error),
        "error": type(error).__name__,
        "problem": str(error),
    }
    return {name: value for name, value in members.items() if value is not None}


def _upgrade(error: PorewatchError) -> dict[str, object] | None:
    """The tier that would allow it, or more, and what it allows; None for none."""
    if not isinstance(error, TierRefused) or not error.tier:
        return None
    above = upgrade_of(TierName(error.tier))
    return {"tier": above[0].value, **above[1].model_dump(mode="json")} if above else None


def _translated(error: PorewatchError, language: str) -> str | None:
    return error.why.text(language) if isinstance(error.why, Reason) else None


def _error_response(api: APIGatewayRestResolver, error: PorewatchError) -> Response[str]:
    language = language_of(None, header(api, "accept-language") or "")
    status = next(code for cls, code in STATUS if isinstance(error, cls))
    _log.info("answered %d: %s", status, error)
    return Response(status, PROBLEM_JSON, json.dumps(problem_of(error, status, language)))
