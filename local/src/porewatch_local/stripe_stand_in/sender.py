"""Sends events, signed as Stripe signs them, and again while they are not accepted. Switches: drop
them, hold them back and let them go in reverse, play them once more."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from threading import Thread
from typing import Any

WAITS = (0.0, 0.5, 2.0, 5.0, 15.0)
"""Seconds before each attempt; Stripe goes on for three days."""
Post = Callable[[bytes, str], int]
"""(body, signature) -> status."""


def signature(body: bytes, secret: str, at: int | None = None) -> str:
    """The header `Stripe-Signature` of a body."""
    at = int(time.time()) if at is None else at
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def posting_to(url: str) -> Post:
    """Posts to a webhook at `url`."""

    def post(body: bytes, signed: str) -> int:
        headers = {"content-type": "application/json", "stripe-signature": signed}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - http on this machine
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    return post


class Sender:
    """`post` None: no webhook is set up, and nothing is sent. `waits`: as WAITS."""

    def __init__(
        self, secret: str, post: Post | None = None, waits: tuple[float, ...] = WAITS
    ) -> None:
        self.secret, self.post, self._waits = secret, post, waits
        self.dropping = self.holding = False
        self.sent: list[dict[str, Any]] = []
        self._held: list[dict[str, Any]] = []

    def emit(self, event: dict[str, Any]) -> None:
        """An event happened."""
        event = json.loads(json.dumps(event))
        self.sent.append(event)
        if self.dropping:
            return
        if self.holding:
            self._held.append(event)
            return
        Thread(target=self._deliver, args=(event,), daemon=True).start()

    def replay(self) -> None:
        """All events once more, newest first."""
        for event in reversed(list(self.sent)):
            self._deliver(event)

    def let_go(self) -> None:
        """What was held back, in reverse."""
        self.holding = False
        held, self._held = self._held, []
        for event in reversed(held):
            self._deliver(event)

    def _deliver(self, event: dict[str, Any]) -> bool:
        if self.post is None:
            return False
        body = json.dumps(event).encode()
        for wait in self._waits:
            time.sleep(wait)
            if 200 <= self.post(body, signature(body, self.secret)) < 300:
                return True
        return False
