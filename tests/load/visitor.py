"""One person at the pages: asks, pauses, asks for the next thing."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from porewatch.edge.authorizer import SESSION_COOKIE
from tests.load.stage import Person, Stage

PATIENCE = 60.0
"""Seconds after which somebody gives up; that is an error."""
READS = b"@r1 flow_cell_id=FAX1\nACGTACGTAC\n+\n5555555555\n" * 20
SHEET = {"rows": [{"name": "pig 1", "barcode": "barcode01"}]}


class Answer(NamedTuple):
    """`status` 0: there was none. `at`: seconds on the monotonic clock, when it was asked for."""

    route: str
    status: int
    seconds: float
    at: float
    problem: str


class Visitor:
    """`heard` gets every answer; `over` says when to stop. `seals`: one upload in so many is
    sealed, which starts its run; 0: none."""

    def __init__(
        self,
        base: str,
        stage: Stage,
        number: int,
        *,
        think: tuple[float, float],
        seals: int,
        heard: Callable[[Answer], None],
        over: Callable[[], bool],
    ) -> None:
        self._base, self._stage, self._number = urlsplit(base), stage, number
        self._person: Person = stage.people[number]
        self._think, self._seals, self._heard, self._over = think, seals, heard, over
        self._chance = random.Random(number)
        self._open: dict[str, http.client.HTTPConnection] = {}
        self._count = 0

    def visit(self) -> None:
        """Until it is over. Each begins somewhere in his first pause."""
        time.sleep(self._chance.uniform(0, self._think[1]))
        while not self._over():
            for step in (self._browse, self._upload):
                for _ in step():
                    if self._over():
                        return
                    time.sleep(self._chance.uniform(*self._think))

    def _browse(self) -> Iterator[None]:
        run = self._chance.choice(self._stage.runs)
        for route, path in (
            ("GET /web/runs", "/web/runs"),
            ("GET /web/runs/{run}", f"/web/runs/{run}"),
            ("GET /web/runs/{run}?part", f"/web/runs/{run}?part=run"),
            ("GET /web/runs/{run}?part", f"/web/runs/{run}?part=run"),
            ("GET /web/alerts", "/web/alerts"),
        ):
            self._ask(route, "GET", path)
            yield

    def _upload(self) -> Iterator[None]:
        """A run of two small files. The client of a page asks for one thing right after the
        other: it does not pause."""
        self._count += 1
        name = f"by {self._number} number {self._count} {time.time():.3f}"
        order = {"project": self._stage.project, "name": name}
        registered = self._ask("POST /runs", "POST", "/runs", order)
        yield
        if registered is None:
            return
        run = f"/runs/{registered['run_id']}"
        files = [{"path": f"fastq_pass/barcode01/{n}.fastq", "size": len(READS)} for n in "ab"]
        declared = self._ask("POST …/uploads", "POST", f"{run}/uploads", {"files": files})
        for file in (declared or {"files": ()})["files"]:
            for link in file["links"]:
                self._put(link)
            upload = f"{run}/uploads/{file['upload_id']}/complete"
            self._ask("POST …/complete", "POST", upload, {})
        yield
        self._ask("PUT …/sheet", "PUT", f"{run}/sheet", SHEET)
        yield
        if self._seals and (self._number + self._count) % self._seals == 0:
            self._ask("POST …/seal", "POST", f"{run}/seal", {})
            yield

    def _ask(self, route: str, method: str, path: str, body: Any = None) -> Any:
        headers = {
            "cookie": f"{SESSION_COOKIE}={self._person.session}",
            "x-csrf-token": self._person.csrf,
            "content-type": "application/json",
        }
        content = None if body is None else json.dumps(body).encode()
        said = self._send(
            route, method, self._base.netloc, self._base.path.rstrip("/") + path, content, headers
        )
        return json.loads(said) if said and not path.startswith("/web") else None

    def _put(self, link: Any) -> None:
        address = urlsplit(link["url"])
        where = f"{address.path}?{address.query}"
        self._send("PUT part (S3)", "PUT", address.netloc, where, READS, link["headers"])

    def _send(
        self,
        route: str,
        method: str,
        host: str,
        path: str,
        content: bytes | None,
        headers: dict[str, str],
    ) -> bytes | None:
        """The body of an answer below 400."""
        began = time.monotonic()
        status, problem, said = 0, "", b""
        connection = self._open.setdefault(host, http.client.HTTPConnection(host, timeout=PATIENCE))
        try:
            connection.request(method, path, content, headers)
            reply = connection.getresponse()
            status, said = reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            problem = type(error).__name__
        if status >= 400:
            problem = said[:300].decode(errors="replace")
        self._heard(Answer(route, status, time.monotonic() - began, began, problem))
        return said if 0 < status < 400 else None
