"""Signed requests, as Standard Webhooks (standardwebhooks.com) says: any of its libraries checks
them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.webhooks.deliveries import Delivery

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_signing_secret() -> str:
    """`whsec_` and 256 random bits, for its owner and for the sender alone."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body`. `timestamp`: seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    text = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()}"


def signed_headers(
    signing: Sequence[str], message_id: str, body: bytes, at: datetime
) -> dict[str, str]:
    """The headers of one request, signed by each of the secrets."""
    timestamp = int(at.timestamp())
    signatures = (signature(secret, message_id, timestamp, body) for secret in signing)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def body_of(
    delivery: Delivery,
    *,
    name: Label | None = None,
    project: ProjectId | None = None,
    links: Mapping[str, str] = {},
) -> bytes:
    """The JSON that is sent: the same for each attempt."""
    event = delivery.event
    data: dict[str, Any] = {}
    if event.run_id is not None:
        data = {
            "run_id": event.run_id,
            "revision": event.revision,
            "name": name,
            "project": project,
            "outcome": event.outcome or None,
            "links": dict(links),
        }
    whole = {
        "id": delivery.delivery_id,
        "type": event.kind.value,
        "timestamp": event.at.isoformat(),
        "data": data,
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
