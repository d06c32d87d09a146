"""A run by the API alone: parts by presigned links in two sittings, a sheet, a seal."""

from __future__ import annotations

import json
import random
import socket
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Tokens
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.people.accounts import User
from porewatch.domain.people.credentials import Token
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_secret
from porewatch.domain.runs import RunState
from tests.cloud.lab import Lab
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
SHEET = "name,barcode\npig 1,barcode01\n"


def reads(megabytes: int) -> bytes:
    """A plain FASTQ file of more than one part."""
    chance = random.Random(7)
    bases = "".join(chance.choices("ACGT", k=10_000))
    one = f"\n{bases}\n+\n{'5' * len(bases)}\n"
    return "".join(f"@r{n} flow_cell_id=FAX1{one}" for n in range(megabytes * 50)).encode()


class Client:
    """Of the API, with a token."""

    def __init__(self, lab: Lab) -> None:
        self.base = lab.stack.output("ApiUrl")
        people = Table(lab.stack.output("PeopleTable"), lab.cloud.client("dynamodb"))
        user, at = new_id("u"), now()
        Accounts(people).add_user(
            User(
                user_id=user, issuer="i", subject=user, name="Ada", created_at=at, seen_at=at,
                stack_role=Role.OPERATOR,
            )
        )  # fmt: skip
        self.token = new_secret(Kind.TOKEN)
        Tokens(people).add(
            Token(
                token_id=digest_of(self.token), user_id=user, name="t", scopes=frozenset(Scope),
                made_at=at, expires_at=at + timedelta(days=1),
            )
        )  # fmt: skip

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = body if isinstance(body, str | None) else json.dumps(body)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.base + path,
            data=content.encode() if content is not None else None,
            headers={
                "authorization": f"Bearer {self.token}",
                "content-type": "application/json",
                **more,
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            return json.load(error)


def put(link: Any, content: bytes) -> str:
    request = urllib.request.Request(link["url"], content, link["headers"], method="PUT")
    with urllib.request.urlopen(request, timeout=60) as reply:
        return str(reply.headers["ETag"])


def put_half(link: Any, content: bytes) -> None:
    """As a laptop does whose lid is closed."""
    address = urlsplit(link["url"])
    head = (
        f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), address.port or 80)) as connection:
        connection.sendall(head.encode() + content[: len(content) // 2])


def test_a_run_is_uploaded_in_two_sittings_and_starts(lab: Lab) -> None:
    api, content = Client(lab), reads(18)
    order = {"project": "default", "name": lab.run_id("by-hand")}
    run_id = api.ask("POST", "/runs", order, Idempotency_Key="k")["run_id"]
    assert api.ask("POST", "/runs", order, Idempotency_Key="k")["run_id"] == run_id
    file = {"path": "fastq_pass/barcode01/a.fastq", "size": len(content), "modified": 1}
    [answer] = api.ask("POST", f"/runs/{run_id}/uploads", {"files": [file]})["files"]
    upload = f"/runs/{run_id}/uploads/{answer['upload_id']}"
    numbers = list(range(1, answer["parts"] + 1))
    assert len(numbers) == 3

    def part(number: int) -> bytes:
        at = (number - 1) * answer["part_bytes"]
        return content[at : at + answer["part_bytes"]]

    links = api.ask("POST", f"{upload}/urls", {"parts": numbers})["links"]
    assert put(links[0], part(1))
    put_half(links[1], part(2))

    [opened] = api.ask("GET", f"/runs/{run_id}/uploads?state=open")["uploads"]
    assert (opened["path"], opened["modified"]) == (file["path"], 1)
    assert [p["number"] for p in api.ask("GET", upload)["arrived"]] == [1]
    assert api.ask("POST", f"{upload}/complete")["code"] == "conflict"
    assert api.ask("POST", f"/runs/{run_id}/seal", {})["code"] == "uploads_open"
    for link in api.ask("POST", f"{upload}/urls", {"parts": [2, 3]})["links"]:
        put(link, part(link["number"]))
    assert api.ask("POST", f"{upload}/complete")["state"] == "done"

    sheet = f"/runs/{run_id}/sheet"
    assert api.ask("PUT", sheet, SHEET, content_type="text/csv")["valid"]
    assert api.ask("GET", sheet)["csv"] == SHEET
    sealed = api.ask("POST", f"/runs/{run_id}/seal", {})
    assert sealed["samples"] == ["pig 1"], sealed
    again = api.ask("POST", f"/runs/{run_id}/seal", {})
    assert again["manifest_digest"] == sealed["manifest_digest"]

    def started() -> bool:
        return lab.stack.runs.get(run_id).state is RunState.RUNNING

    wait_for(started, 120, "the start of the run")
    api.ask("POST", f"/runs/{run_id}/cancel", {"by": "test", "reason": "it began"})


def test_a_page_may_put_parts_from_its_own_origin(lab: Lab) -> None:
    api = Client(lab)
    order = {"project": "default", "name": lab.run_id("from-a-page")}
    run_id = api.ask("POST", "/runs", order)["run_id"]
    file = {"path": "a.fastq", "size": 5}
    [answer] = api.ask("POST", f"/runs/{run_id}/uploads", {"files": [file]})["files"]
    [link] = answer["links"]
    origin = lab.cloud.local.endpoint.replace("127.0.0.1", "localhost")
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    request = urllib.request.Request(link["url"], headers=asked, method="OPTIONS")
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.headers["Access-Control-Allow-Origin"] in (origin, "*")
        assert "PUT" in reply.headers["Access-Control-Allow-Methods"]
    request = urllib.request.Request(link["url"], b"12345", {"Origin": origin}, method="PUT")
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert "etag" in reply.headers.get("Access-Control-Expose-Headers", "").lower()
