"""Says who asks, for every route of the API and the pages: by session, token or API key."""

from porewatch.adapters.gateway_keys import key_value
from porewatch.domain.base import now
from porewatch.domain.people.claims import Claims
from porewatch.domain.people.principal import Means
from porewatch.domain.people.request import Request
from porewatch.edge import wiring
from porewatch.edge.authorizer import on_authorize
from porewatch.settings import settings
from porewatch.usecases.people.authorize import authorize
from porewatch.usecases.people.identify import Directory


def operators_key() -> str:
    return key_value(settings().api_key_id)


def metering_key(claims: Claims) -> str:
    """Programs with the operator's key count for themselves: people cannot use up their quota."""
    return operators_key() if claims.means is Means.API_KEY else key_value(settings().people_key_id)


def decide(request: Request) -> Claims:
    directory = Directory(wiring.accounts(), wiring.sessions(), wiring.tokens(), operators_key)
    return authorize(request, directory, now())


lambda_handler = on_authorize(decide, metering_key)
