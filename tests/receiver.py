"""A receiver of webhooks that listens on this machine, and verifies as docs/how-to says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import time
from typing import Any, NamedTuple


class Request(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """Answers `statuses` in turn, then 200, with `answer` and `location`; hangs while `hanging` is
    set. `requests`: what came."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.statuses: list[int] = []
        self.answer, self.location = "", ""
        self.go_on = Event()
        self.go_on.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Request(self.path, headers, body))
                receiver.go_on.wait(30)
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                if receiver.location:
                    self.send_header("location", receiver.location)
                text = receiver.answer.encode()
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[Receiver]:
        made = cls()
        Thread(target=made.server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            made.go_on.set()
            made.server.shutdown()
            made.server.server_close()


def verified(request: Request, secret: str, *, at: datetime | None = None) -> dict[str, Any]:
    """The body. Raises ValueError for a wrong signature or an old request. Written without any of
    the product's code."""
    headers = request.headers
    moment = at.timestamp() if at else time()
    if abs(moment - int(headers["webhook-timestamp"])) > 300:
        raise ValueError("the timestamp is old")
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = b"v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest())
    sent = headers["webhook-signature"].split(" ")
    if not any(hmac.compare_digest(made, one.encode()) for one in sent):
        raise ValueError("the signature is wrong")
    found: dict[str, Any] = json.loads(request.body)
    return found
