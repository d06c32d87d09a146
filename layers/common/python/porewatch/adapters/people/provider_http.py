"""JSON from an identity provider by HTTP: no redirects, little time, and not without end."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import IO, Any, NamedTuple
from urllib.parse import urlencode

from porewatch.domain.errors import Unavailable
from porewatch.domain.people.oidc import BEGIN_AGAIN, secure_address, shown
from porewatch.domain.reasons.reason import SignInCode, because

SECONDS = 5
MOST_BYTES = 2**20


class Answer(NamedTuple):
    """An HTTP status and the JSON object that came with it."""

    status: int
    document: dict[str, Any]


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect could lead to where https is not, or into our own network."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def ask(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """GET, or POST when there is a form. An answer of 4xx is an answer.

    Raises Unavailable when there is none, or none that is a JSON object.
    """
    body = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(  # noqa: S310 - looked at in the same line
        secure_address(url), body, {"Accept": "application/json", **(headers or {})}
    )
    try:
        with _OPENER.open(request, timeout=SECONDS) as reply:
            return Answer(reply.status, _document(url, reply))
    except urllib.error.HTTPError as error:
        if not 400 <= error.code < 500:
            raise _silent(url, f"HTTP {error.code}") from error
        with error:
            return Answer(error.code, _document(url, error))
    except (OSError, HTTPException) as error:
        raise _silent(url, str(error)) from error


def unreadable(url: str, why: str) -> Unavailable:
    """The error for an answer that does not have the agreed shape."""
    reason = because(SignInCode.SIGN_IN_PROVIDER_UNREADABLE, url=shown(url), why=shown(why))
    return Unavailable(reason, remedy=BEGIN_AGAIN)


def _document(url: str, reply: IO[bytes]) -> dict[str, Any]:
    data = reply.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise unreadable(url, f"it has more than {MOST_BYTES:,} bytes")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(url, "it is not JSON") from error
    if not isinstance(found, dict):
        raise unreadable(url, "it is no JSON object")
    return found


def _silent(url: str, why: str) -> Unavailable:
    reason = because(SignInCode.SIGN_IN_PROVIDER_SILENT, url=shown(url), why=shown(why))
    return Unavailable(reason, remedy=BEGIN_AGAIN)
