"""A stand-in for NCBI's efetch on loopback: same path, same parameters, same ways to fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Entrez:
    """`records`: accession (no version) -> FASTA text. `trouble`: answers to give first."""

    records: dict[str, str]
    trouble: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(entrez: Entrez) -> Iterator[Entrez]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            entrez.queries.append(query)
            self.answer(parts.path, query)

        def answer(self, path: str, query: dict[str, str]) -> None:
            wanted = {"db": "nuccore", "rettype": "fasta", "retmode": "text"}
            trouble = entrez.trouble.pop(0) if entrez.trouble else ""
            record = entrez.records.get(query.get("id", "").partition(".")[0])
            if path != "/efetch.fcgi" or any(query.get(k) != v for k, v in wanted.items()):
                self.send(400, "Error: bad request")
            elif trouble == "busy":
                self.send(429, '{"error":"API rate limit exceeded"}')
            elif trouble == "broken":
                self.send(200, "Error: CEFetchPApplication::proxy_stream(): Failed")
            elif trouble == "cut":
                self.send(200, (record or "")[:20], announced=5000)
            elif record is None:
                self.send(400, "Failed to retrieve sequence")
            else:
                self.send(200, record)

        def send(self, status: int, text: str, announced: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(announced or len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    entrez.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield entrez
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
