"""Says who asks, for every route of the API and the pages: by session, token or API key."""

from functools import cache

from porewatch.adapters.gateway_keys import key_value
from porewatch.domain.base import now
from porewatch.domain.people.claims import Claims
from porewatch.domain.people.request import Request
from porewatch.edge import wiring
from porewatch.edge.authorizer import on_authorize
from porewatch.settings import settings
from porewatch.usecases.people.authorize import authorize
from porewatch.usecases.people.identify import Directory


@cache
def key() -> str:
    return key_value(settings().api_key_id)


def decide(request: Request) -> Claims:
    directory = Directory(wiring.accounts(), wiring.sessions(), wiring.tokens(), key)
    return authorize(request, directory, now())


lambda_handler = on_authorize(decide, key)
