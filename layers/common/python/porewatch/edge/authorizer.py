"""API Gateway's REQUEST authorizer: who asks, as an answer that the gateway understands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from porewatch.domain.errors import Forbidden, NotSignedIn
from porewatch.domain.people.claims import NO_CLAIMS, Claims
from porewatch.domain.people.principal import Means
from porewatch.domain.people.request import Request, Shown
from porewatch.edge import log

SESSION_COOKIE = "__Host-porewatch"
"""A browser takes it from this host alone, over HTTPS alone, for all of its paths."""
_log = logging.getLogger(__name__)


class Unauthorized(Exception):
    """The gateway answers 401 to an error of exactly this text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def on_authorize(
    decide: Callable[[Request], Claims], metering_key: Callable[[Claims], str]
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler. `metering_key`: the gateway's key under whose usage plan the request of
    somebody counts; requests of nobody reach routes alone that no plan meters."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.invocation(context):
            try:
                claims = decide(request_of(event))
            except NotSignedIn:
                raise Unauthorized from None
            except Forbidden as error:
                _log.info("refused: %s", error)
                return _answer("Deny", event["methodArn"], NO_CLAIMS, "")
            nobody = claims.means is Means.NOBODY
            key = "" if nobody else metering_key(claims)
            return _answer("Allow", event["methodArn"], claims, key)

    return handler


def request_of(event: Mapping[str, Any]) -> Request:
    """Header names in any case; of a header sent twice, none counts: nobody can say which of the
    two another reader would take."""
    headers: dict[str, str] = {}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        headers[name.lower()] = values[0] if len(values) == 1 else ""
    return Request(
        method=str(event.get("httpMethod", "")),
        resource=str(event.get("resource", "")),
        shown=Shown(
            session=cookie(headers.get("cookie", ""), SESSION_COOKIE),
            token=_bearer(headers.get("authorization", "")),
            api_key=headers.get("x-api-key", ""),
        ),
        csrf=headers.get("x-csrf-token", ""),
    )


def cookie(header: str, name: str) -> str:
    """The value of a cookie in a Cookie header; empty: it has none.

    >>> cookie("a=1; __Host-porewatch=pws_x; b=2", SESSION_COOKIE)
    'pws_x'
    """
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _bearer(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else ""


def _answer(effect: str, arn: str, claims: Claims, key: str) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}
    return {
        "principalId": claims.user_id or claims.means.value,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": claims.model_dump(mode="json"),
        **({"usageIdentifierKey": key} if key else {}),
    }
