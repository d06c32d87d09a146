"""Keys of API Gateway: they meter, they do not say who a person is."""

from __future__ import annotations

from functools import lru_cache

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.base import now

KEPT_SECONDS = 600
"""A key that was disabled opens nothing after this."""


def key_value(key_id: str) -> str:
    """The key itself; empty when it is disabled. Kept by the process. Raises Unavailable, or
    NotFound when it was deleted."""
    return _read(key_id, int(now().timestamp() // KEPT_SECONDS))


@lru_cache(maxsize=8)
def _read(key_id: str, period: int) -> str:
    """`period`: which stretch of KEPT_SECONDS it is; a new one reads again."""
    with translated(f"read API key {key_id}"):
        reply = clients.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
    return str(reply["value"]) if reply.get("enabled", True) else ""
