"""Accounts: oneself, tokens, sessions, projects, groups, members, invitations, shares, charges."""

from typing import Any

from porewatch.edge.http import on_http, routes
from porewatch.edge.routes import charges, members, own, places, shares, stack

api = routes()
for group in (own, places, members, shares, stack, charges):
    group.add_routes(api)
answer = on_http(api)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
