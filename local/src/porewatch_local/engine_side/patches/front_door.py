"""Requests from other web sites, and the engine's own administration, are refused.

Why: the engine resets itself, hands out queued messages and function code, and changes its settings
for anybody who can reach its port, without a key. A page in the developer's browser can: a
`text/plain` POST needs no preflight. AWS has none of these addresses.
Delete when: the engine requires a key there, and checks `Host` and `Origin`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from ministack import app as engine

from ..rewriting import rewrite
from . import request_counts

OPEN = frozenset(
    {
        ("GET", "/_ministack/health"),
        ("HEAD", "/_ministack/health"),
        ("GET", request_counts.PATH),
        ("GET", request_counts.CALLERS),
    }
)
"""Allowed requests to the engine itself. Custom resources answer below `ANSWERS`, by a token."""
ANSWERS = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
ADMINISTRATION = ("/_ministack/", "/_localstack/")


def refusal(scope: dict[str, Any]) -> str | None:
    """Why this ASGI request is refused; None when it may go on."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
    if not loopback(headers.get(b"host", "localhost")):
        return "the Host header names another machine."
    origin = headers.get(b"origin")
    if origin is not None and not loopback(urlsplit(origin).netloc):
        return "the request comes from another web site."
    path, method = str(scope["path"]), str(scope.get("method", "GET"))
    if not path.startswith(ADMINISTRATION) or (method, path) in OPEN:
        return None
    if method == "PUT" and path.startswith(ANSWERS):
        return None
    return "the engine's administration is closed."


def loopback(host: str) -> bool:
    """Whether `host[:port]` can only be this machine (RFC 6761 reserves .localhost)."""
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    known = name in ("127.0.0.1", "::1", "localhost")
    return known or name.endswith((".localhost", ".127.0.0.1"))


async def answer_refused(scope: dict[str, Any], send: Any, why: str) -> None:
    """403 with the reason, or the end of a web socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": 403, "headers": [kind]})
    await send({"type": "http.response.body", "body": json.dumps({"message": why}).encode()})


def apply() -> None:
    rewrite(
        engine,
        "app",
        (
            "        send = _with_date_header(send)\n",
            "        send = _with_date_header(send)\n"
            "        if why := _porewatch_refusal(scope):\n"
            "            await _porewatch_refuse(scope, send, why)\n"
            "            return\n",
        ),
        _porewatch_refusal=refusal,
        _porewatch_refuse=answer_refused,
    )
