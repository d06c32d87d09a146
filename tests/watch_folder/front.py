"""The AWS of this process (moto) behind HTTP, for a command that runs in a process of its own.

It can be cut off, and it counts what is put: a door that a test can slam at any request.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import RLock, Thread
from urllib.parse import unquote, urlsplit

import boto3
import requests

from porewatch_cli.stack import LOCAL_FILE
from tests.mocked import REGION

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_HOP = ("connection", "transfer-encoding", "content-length", "content-encoding", "host", "expect")
Moment = Callable[[int, str], None]
"""Called with the number of a request and `before` or `after` it is carried out."""


class Front(ThreadingHTTPServer):
    """`is_down`: connections are cut without an answer. `moment`: lets a test act at a request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.is_down = False
        self.cut = 0
        self.number = 0
        self.puts: Counter[str] = Counter()
        self.moment: Moment = lambda _number, _when: None
        self.sealed: Callable[[], None] = lambda: None
        self.turn = RLock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Clients are killed while they ask: no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        front = self.server
        if front.is_down:
            front.cut += 1
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with front.turn:
            front.number += 1
            number = front.number
            front.moment(number, "before")
            answer = self._carried_out(body)
            if self.command == "PUT" and answer.ok:
                key = unquote(urlsplit(self.path).path)
                front.puts[key] += 1
                if key.endswith("/run.json"):
                    front.sealed()
            front.moment(number, "after")
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        head = self.command == "HEAD"
        length = answer.headers.get("Content-Length", "0") if head else str(len(answer.content))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def _carried_out(self, body: bytes) -> requests.Response:
        found = _SERVICE.search(self.headers.get("Authorization", ""))
        service = found[1] if found else "s3"
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        url = f"https://{service}.{REGION}.amazonaws.com{self.path}"
        return requests.request(
            self.command,
            url,
            headers=headers,
            data=body,
            timeout=30,
            stream=self.command == "HEAD",  # its length is of what it does not send
        )

    def log_message(self, *_: object) -> None:
        return None

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815


@contextmanager
def front_of(home: Path) -> Iterator[Front]:
    """The front, and `home` as the folder of an embedded AWS that lies behind it."""
    front = Front()
    Thread(target=front.serve_forever, daemon=True).start()
    home.mkdir(exist_ok=True)
    outputs = {"LedgerTable": "ledger", "Basecalling": "disabled"}
    outputs |= {f"{one}BucketName": one.lower() for one in ("Raw", "Results", "Reports")}
    settings = {
        "endpoint": front.address,
        "region": REGION,
        "stack_name": "porewatch-test",
        "credentials": {"access_key_id": "testing", "secret_access_key": "testing"},
        "outputs": outputs,
    }
    (home / LOCAL_FILE).write_text(json.dumps(settings))
    try:
        yield front
    finally:
        front.shutdown()


def versions(key: str) -> int:
    """How many contents the object has had."""
    found = boto3.client("s3").list_object_versions(Bucket="raw", Prefix=key)
    return sum(one["Key"] == key for one in found.get("Versions", []))
