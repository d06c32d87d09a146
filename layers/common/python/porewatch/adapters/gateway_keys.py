"""Keys of API Gateway: they meter, they do not say who somebody is."""

from __future__ import annotations

from porewatch.adapters import clients
from porewatch.adapters.faults import translated


def key_value(key_id: str) -> str:
    """The key itself. Raises Unavailable, or NotFound when it was deleted."""
    with translated(f"read API key {key_id}"):
        reply = clients.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
    return str(reply["value"])
