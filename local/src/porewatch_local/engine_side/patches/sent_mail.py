"""A mail that SES is asked to send has its own headers, and is asked for on its sender's identity.

Why: the engine hands a mail to SMTP without the headers that `SendEmail` carries
(`Content.Simple.Headers`), so none can be declined with one click; and it decides the right to send
on `*`, where AWS asks for the identity ("Actions, resources, and condition keys for Amazon SES").
Delete when: the engine does both.
"""

from __future__ import annotations

import json
from email import message_from_string
from email.utils import parseaddr
from typing import Any

from ministack.core import iam_actions
from ministack.services import ses_v2

from ..rewriting import rewrite

SEND = "/v2/email/outbound-emails"


def with_headers(mime: str, simple: dict[str, Any]) -> str:
    """The message, with the headers of the request."""
    message = message_from_string(mime)
    for one in simple.get("Headers", []):
        message[one["Name"]] = one["Value"]
    return message.as_string()


def identity_of(path: str, body: bytes, region: str, account_id: str) -> str | None:
    """The sender's identity; None for any other request."""
    if path.rstrip("/") != SEND:
        return None
    sender = parseaddr(json.loads(body or b"{}").get("FromEmailAddress", ""))[1]
    return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"


def apply() -> None:
    rewrite(
        ses_v2,
        "handle_request",
        (
            "            _smtp_relay(source, all_addrs, mime_str)\n\n        # Append to shared",
            "            _smtp_relay(source, all_addrs, _porewatch_headers(mime_str, simple))\n\n"
            "        # Append to shared",
        ),
        _porewatch_headers=with_headers,
    )
    rewrite(
        iam_actions,
        "_ses_v2_resource_arn",
        (
            '    parts = [p for p in path.split("/") if p]\n',
            "    if named := _porewatch_identity(path, body, region, account_id):\n"
            "        return named\n"
            '    parts = [p for p in path.split("/") if p]\n',
        ),
        _porewatch_identity=identity_of,
    )
