"""Ask a server's API: JSON, a token, no redirects; what is temporary is asked again."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from porewatch.domain.errors import ConfigurationRefused, Refused, Unavailable
from porewatch_cli.remote.tokens import token_of

SECONDS = 60
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BUSY = frozenset({429, 500, 502, 503, 504})


class ServerRefused(Refused):
    """The server refuses the request; `answered` is its code."""

    answered = ""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect could carry the token to somebody else."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


class Server:
    """The API at `address` (https; http only on this machine)."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = server_address(address)
        self._token = token or token_of(self.address)

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        """The answer's JSON. Raises ServerRefused for what no repetition changes, Unavailable."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return json.loads(self._sent(method, self.address + path, content, headers) or b"{}")

    def put(self, url: str, content: bytes, headers: dict[str, str]) -> None:
        """Send a part to where a link leads. Without the token: the link is enough."""
        self._sent("PUT", url, content, headers)

    def get(self, url: str) -> bytes:
        """What a link leads to."""
        return self._sent("GET", url, None, {})

    @staticmethod
    def _sent(method: str, url: str, content: bytes | None, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(url, content, headers, method=method)  # noqa: S310
        for pause in (*PAUSES, None):
            try:
                with _OPENER.open(request, timeout=SECONDS) as reply:
                    found: bytes = reply.read()
                    return found
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in BUSY:
                        raise _refusal(error) from None
                    problem = f"HTTP {error.code}"
            except (OSError, HTTPException) as error:
                problem = str(error)
            if pause is not None:
                time.sleep(pause)
        host = urlsplit(url).netloc
        raise Unavailable(f"{host} does not answer: {problem}.", remedy="try again later.")


def server_address(text: str) -> str:
    """Without a slash at its end. Raises ConfigurationRefused unless it is https."""
    parts = urlsplit(text)
    local = parts.hostname in LOOPBACK or str(parts.hostname).endswith(".localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ConfigurationRefused(
            f"{text!r} is no https address.",
            remedy="give the API's address, as https://host/v1.",
        )
    return text.rstrip("/")


def _refusal(error: urllib.error.HTTPError) -> ServerRefused:
    try:
        found = json.loads(error.read(2**20))
    except ValueError:
        found = {}
    found = found if isinstance(found, dict) else {}
    refusal = ServerRefused(
        str(found.get("detail") or f"HTTP {error.code}"), remedy=found.get("remedy")
    )
    refusal.answered = str(found.get("code", ""))
    return refusal
