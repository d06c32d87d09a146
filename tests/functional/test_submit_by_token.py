"""The command line with a token, against the functions behind HTTP on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Tokens
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.people.credentials import Token
from porewatch.domain.people.roles import Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_secret
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch_cli.exit_codes import RUN_FAILED
from porewatch_cli.main import app
from porewatch_cli.remote import watch_run
from porewatch_cli.remote.server import Server
from tests.functional.doors import Context, door
from tests.functional.test_uploads import (
    READS,
    SHEET,
    Lab,
    accounts,  # noqa: F401 - fixtures
    lab,  # noqa: F401
    manifest_of,
    put_part,
)

ONE = Lock()


class Gateway(BaseHTTPRequestHandler):
    """Authorizer, then the function of the route."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode() or None
        headers = dict(self.headers.items())
        event = {
            "httpMethod": self.command, "path": address.path, "resource": address.path,
            "methodArn": "arn", "headers": headers, "body": body, "isBase64Encoded": False,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": dict(parse_qsl(address.query)) or None,
        }  # fmt: skip
        with ONE:
            try:
                claims = door("authorizer")(event, Context())["context"]
            except Exception:
                return self._send(401, "{}")
            event["requestContext"] = {"authorizer": claims}
            top = address.path.split("/")[1]
            name = "accounts" if top in ("me", "projects") else "uploads"
            views = re.fullmatch(r"/runs(/[^/]+(/progress)?)?", address.path)
            name = "api" if self.command == "GET" and views else name
            signing = re.fullmatch(r"/runs/[^/]+/(signatures|amendments)(/.+)?", address.path)
            name = "signatures" if signing else name
            answer = door(name)(event, Context())
        self._send(answer["statusCode"], answer["body"])

    def _send(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        return None

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815


@pytest.fixture
def server(cloud: Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setattr("porewatch.adapters.gateway_keys.key_value", lambda _: "k" * 24)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("POREWATCH_TOKEN", raising=False)
    # moto is not behind HTTP: parts go to it as S3 would take them (tests/cloud PUTs them).
    monkeypatch.setattr(
        Server,
        "put",
        lambda self, url, content, headers: put_part(
            {"url": url, "size": len(content), "headers": headers}, content
        ),
    )
    gateway = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    Thread(target=gateway.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{gateway.server_port}"
    gateway.shutdown()


def test_a_run_is_sent_and_listed(
    lab: Lab,  # noqa: F811
    accounts: Accounts,  # noqa: F811
    server: str,
    tmp_path: Path,
) -> None:
    secret = new_secret(Kind.TOKEN)
    Tokens(Table("people")).add(
        Token(
            token_id=digest_of(secret), user_id=lab["mine user"], name="t",
            scopes=frozenset({Scope.READ, Scope.SUBMIT}), made_at=now(),
            expires_at=now() + timedelta(days=1),
        )
    )  # fmt: skip

    def command(*arguments: str, stdin: str = "") -> Any:
        done = CliRunner().invoke(app, [*arguments, "--server", server, "--json"], input=stdin)
        assert done.stdout or done.stderr, done.exception
        if arguments[0] == "watch":
            assert done.exit_code == RUN_FAILED
            return [json.loads(line) for line in done.stdout.splitlines()]
        return json.loads(done.stdout or done.stderr.splitlines()[-1])

    assert command("list")["code"] == "configuration_refused"
    signed_in = command("login", stdin=f"{secret}\n")
    assert signed_in["name"] == "Ada"
    assert Path(signed_in["file"]).stat().st_mode & 0o777 == 0o600
    shown = command("tier")
    assert (shown["tier"], shown["used"]["runs"], shown["upgrade"]) == ("premium", 0, None)
    printed = CliRunner().invoke(app, ["tier", "--server", server]).stdout
    assert "no limit" in printed and "used this month" in printed
    folder = tmp_path / "herd 7"
    for number in (1, 2):
        inner = folder / "fastq_pass" / f"barcode0{number}"
        inner.mkdir(parents=True)
        (inner / "a.fastq").write_bytes(READS.replace(b"@r1", f"@r{number}".encode()))
    (folder / "sample_sheet.csv").write_text(SHEET)
    send = ("submit", str(folder), "--project", "mine")
    first = command(*send)
    assert (first["files"], first["sent"]) == (2, 2), json.dumps(first)
    assert command("tier")["used"]["runs"] == 1
    again = command(*send)
    assert (again["run_id"], again["sent"]) == (first["run_id"], 0)
    assert again["digest"] == first["digest"]
    assert [run["run_id"] for run in command("list")] == [first["run_id"]]
    assert watched(command, first["run_id"]) == [RunState.RECEIVING, RunState.CANCELLED]
    assert [s.name for s in manifest_of(first["run_id"]).samples] == ["pig 1", "pig 2"]
    assert "cannot be used" in command(*send, "--run-id", "x")["problem"]
    assert command("submit", str(folder), "--project", "foreign")["code"] == "not_found"


def watched(command: Any, run_id: str) -> list[RunState]:
    """States that are printed of a run that somebody cancels while it is watched."""
    looks = 0

    def cancelled_at_the_second_look(_: float) -> None:
        nonlocal looks
        looks += 1
        item = Table("ledger").need(f"RUN#{run_id}", "RUN")
        record = item.model(RunRecord).model_copy(update={"state": RunState.CANCELLED})
        if looks == 2:
            Table("ledger").put(
                type(item).of(item.pk, item.sk, record, kind=item.kind, version=item.version)
            )

    with pytest.MonkeyPatch.context() as patch:
        # the command's alone: the functions answer in this process, and sleep as well
        patch.setattr(watch_run, "time", SimpleNamespace(sleep=cancelled_at_the_second_look))
        lines = command("watch", run_id)
    assert {line["kind"] for line in lines} == {"remote"}
    assert lines[0]["name"] == "herd 7" and lines[0]["stages"] == []
    return [RunState(line["state"]) for line in lines]
