"""Who asks, in a function behind the authorizer."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import ValidationError

from porewatch.domain.base import now
from porewatch.domain.people.claims import NO_CLAIMS, Claims
from porewatch.domain.people.principal import Principal
from porewatch.edge import wiring
from porewatch.edge.http import header
from porewatch.usecases.people.identify import principal_of
from porewatch.usecases.people.repeats import Repeat


def claims(api: APIGatewayRestResolver) -> Claims:
    """What the authorizer said of this request; no claims when it said nothing."""
    context = (api.current_event.raw_event.get("requestContext") or {}).get("authorizer") or {}
    try:
        return Claims.model_validate({k: v for k, v in context.items() if k != "principalId"})
    except ValidationError:
        return NO_CLAIMS


def asker(api: APIGatewayRestResolver) -> Principal:
    """Who asks, with his roles as they are now."""
    return principal_of(claims(api), wiring.accounts())


def repeat(api: APIGatewayRestResolver, asked: str) -> Repeat:
    """The request's Idempotency-Key; `asked`: of what it is."""
    key = header(api, "idempotency-key")
    return Repeat(wiring.request_keys(), asked, key, now())


def signed_as(who: Principal, said: str) -> str:
    """The name under which he acts: his own, whatever the request says; of the API key's holder,
    who is no person, what he says."""
    return who.name if who.user_id else said
