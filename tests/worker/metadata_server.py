"""An instance metadata service on the loopback, in the shape of version 2."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MetadataServer(ThreadingHTTPServer):
    """`leaves` maps `meta-data/...` to text; what is not there is a 404. `requests` counts GETs.
    The next `slow_answers` take `delay_s` and come too late."""

    daemon_threads = True

    def __init__(self, leaves: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leaves = leaves
        self.requests: list[str] = []
        self.token = "token-1"
        self.slow_answers, self.delay_s = 0, 0.0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/i-1"


class _Handler(BaseHTTPRequestHandler):
    server: MetadataServer

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        wish = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        if self.path == "/i-1/latest/api/token" and wish:
            self._answer(200, self.server.token)
        else:
            self._answer(400, "")

    def do_GET(self) -> None:
        leaf = self.path.removeprefix("/i-1/latest/")
        self.server.requests.append(leaf)
        if self.headers.get("X-aws-ec2-metadata-token") != self.server.token:
            self._answer(401, "")
        elif leaf in self.server.leaves:
            self._answer(200, self.server.leaves[leaf])
        else:
            self._answer(404, "")

    def _answer(self, code: int, text: str) -> None:
        if self.server.slow_answers > 0:
            self.server.slow_answers -= 1
            time.sleep(self.server.delay_s)
            self.close_connection = True
            return  # the client has gone
        self.send_response(code)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def metadata_served(leaves: dict[str, str]) -> Iterator[MetadataServer]:
    server = MetadataServer(leaves)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
