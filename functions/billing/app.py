"""Paying: the pages of the payment provider, and its events, which nobody else can sign."""

from typing import Any

from porewatch.edge.http import on_http, routes
from porewatch.edge.routes import billing

api = routes()
billing.add_routes(api)
answer = on_http(api)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
