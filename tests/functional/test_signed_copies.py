# ruff: noqa: F811 - fixtures of test_pages
"""Signed copies of a report: printed by their function, given by every door, checked by `audit`."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from porewatch import __version__
from porewatch.adapters.items import Item, signatures_key
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.credentials import ShareLinks
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import MessageRefused
from porewatch.domain.money.cost import make_bill
from porewatch.domain.signatures.signature import Signature
from porewatch.settings import settings
from porewatch.usecases.people.share_run import NewShare, share
from porewatch_cli.main import app
from porewatch_cli.stack import Stack
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from tests.functional.doors import KEY_HOLDER, Context, door
from tests.functional.test_pages import api_key, people, provider  # noqa: F401 - fixtures
from tests.functional.test_signing import Lab, lab  # noqa: F401 - a fixture

NAMES = {f"report.signed.2.{rest}" for rest in ("html", "pdf", "ja.html", "ja.pdf")} | {
    f"report-pig.signed.2.{rest}" for rest in ("pdf", "ja.pdf")
}


Command = Callable[..., str]


@pytest.fixture
def command(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`porewatch`, with the operator's credentials; what it printed."""
    outputs = {
        "LedgerTable": "ledger",
        "ReportsBucketName": "reports",
        "AuditKeyArn": settings().audit_key_arn,
    }
    stack = Stack(settings().stack_name, boto3.Session(), outputs)
    monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: stack)

    def call(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code in (0, 1) and not isinstance(done.exception, Exception), done.output
        return done.output

    return call


def audited(command: Command, lab: Lab) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(command("audit", lab.run_id, "--json"))
    assert read["holds"] == (not read["faults"])
    return read


def happened(signed: dict[str, Any], run_id: str) -> dict[str, Any]:
    """The fact on the bus, as the printer gets it."""
    example = json.loads(Path("events/functions/signed_printer.json").read_text())
    detail = {
        "fact_id": f"ReportSigned:{run_id}:{signed['number']}", "run_id": run_id,
        "at": signed["at"], "by": signed["user_id"], "samples": len(signed["samples"]),
        **{
            name: signed[name]
            for name in ("number", "revision", "meaning", "report_sha256", "supersedes")
        },
    }  # fmt: skip
    return {**example, "detail": detail}


def printed(lab: Lab, signed: dict[str, Any]) -> set[str]:
    """Names of the copies that lie there after the printer was called twice."""
    for _ in range(2):
        door("signed_printer")(happened(signed, lab.run_id), Context())
    return copies(lab, signed["revision"])


def copies(lab: Lab, revision: int = 0) -> set[str]:
    prefix = s3_keys.signed_key(lab.run_id, revision, __version__, "")
    return {head.key.removeprefix(prefix) for head in Objects("reports").keys(prefix)}


def originals(lab: Lab) -> dict[str, bytes]:
    """All files of the run that are no copies, as report_generator leaves them."""
    report = lab.publish(0)
    keys = lab.run().report_keys
    for name, content in (("html", render_html(report).encode()), ("pdf", render_pdf(report))):
        keys[f"report.{name}"] = s3_keys.report_key(lab.run_id, 0, f"report.{name}")
        Objects("reports").put(keys[f"report.{name}"], content)
    Objects("reports").put_json(
        s3_keys.report_key(lab.run_id, 0, "bill.json"), make_bill((), prices=(), as_of=now())
    )
    item = lab.ledger.need(f"RUN#{lab.run_id}", "RUN")
    run = lab.run().model_copy(update={"report_keys": keys})
    lab.ledger.put(Item.of(item.pk, item.sk, run, kind=item.kind, version=item.version + 1))
    return every(lab)


def every(lab: Lab) -> dict[str, bytes]:
    kept = Objects("reports")
    prefix = s3_keys.report_key(lab.run_id, 0, "")
    return {h.key: kept.get(h.key) for h in kept.keys(prefix) if "/signed/" not in h.key}


def words_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_each_signature_prints_copies_and_changes_no_original(lab: Lab) -> None:
    before = originals(lab)
    assert len(before) >= 3
    first = lab.ada.sign(lab.run_id, "reviewed")
    assert printed(lab, first) == {name.replace(".2.", ".1.") for name in NAMES}
    second = lab.ben.sign(lab.run_id, "released", reason="all controls passed")
    assert printed(lab, second) >= NAMES
    assert every(lab) == before
    folder = s3_keys.signed_key(lab.run_id, 0, __version__, "")
    text = words_of(Objects("reports").get(folder + "report.signed.2.pdf"))
    for stated in ("Ada", "Ben", "all controls passed", second["at"][:10]):
        assert stated in text
    assert second["fingerprint"] in re.sub(r"[\s\u200b]", "", text)
    assert "____" in words_of(
        Objects("reports").get(s3_keys.report_key(lab.run_id, 0, "report.pdf"))
    )


def test_every_door_gives_the_same_copy(lab: Lab, tmp_path: Path, command: Command) -> None:
    originals(lab)
    shared = share(lab.run(), NewShare(), lab.principal, now(), links=ShareLinks(lab.people))
    lab.ada.sign(lab.run_id, "reviewed")
    signed = lab.ben.sign(lab.run_id, "released")
    places = (f"/web/runs/{lab.run_id}/report", shared.path)
    assert all(signed["fingerprint"] not in lab.ben.browser.ask(one)["body"] for one in places)
    printed(lab, signed)
    page = Objects("reports").get(
        s3_keys.signed_key(lab.run_id, 0, __version__, "report.signed.2.html")
    )
    block = re.search(rb'<section[^>]*id="sign-off".*?</section>', page, re.DOTALL)
    assert block is not None and signed["fingerprint"].encode() in block[0]
    for place in places:
        assert block[0].decode() in lab.ben.browser.ask(place)["body"]
    _, answer = api(f"/runs/{lab.run_id}/report")
    assert set(answer["links"]) >= NAMES | {"report.html", "report.pdf", "report.json"}
    _, answer = api(f"/runs/{lab.run_id}/files")
    assert {one["name"]: one["size"] for one in answer["files"]}["report.signed.2.html"] == len(
        page
    )
    link = lab.ben.browser.ask(f"/web/runs/{lab.run_id}/files/report.signed.2.pdf")
    assert link["statusCode"] == 303
    assert "/signed/" in str(link["multiValueHeaders"]["Location"])
    assert "report.signed.2.pdf" in lab.ben.browser.ask(f"/web/runs/{lab.run_id}")["body"]
    said = command("report", lab.run_id, "--out", str(tmp_path))
    assert (tmp_path / "report.signed.2.html").read_bytes() == page
    assert {path.name for path in tmp_path.iterdir()} >= NAMES
    assert "report.signed.2.pdf" in said


def api(path: str) -> tuple[int, Any]:
    event = {
        "httpMethod": "GET", "path": path, "isBase64Encoded": False, "headers": {}, "body": None,
        "queryStringParameters": None, "requestContext": {"authorizer": KEY_HOLDER},
    }  # fmt: skip
    answer = door("api")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_an_amendment_is_printed_into_the_report_that_it_corrects(lab: Lab) -> None:
    lab.ada.sign(lab.run_id, "reviewed")
    lab.ben.sign(lab.run_id, "released")
    lab.publish(1)
    lab.ada.sign(lab.run_id, "reviewed")
    amended = lab.ben.sign(lab.run_id, "amended", reason="wrong control")
    assert printed(lab, amended) == {name.replace(".2.", ".4.") for name in NAMES}
    assert copies(lab, 0) == {name.replace(".2.", ".4.") for name in NAMES}
    earlier = s3_keys.signed_key(lab.run_id, 0, __version__, "report.signed.4.pdf")
    assert "superseded by revision 1" in words_of(Objects("reports").get(earlier))


def test_what_the_key_did_not_sign_is_not_printed(lab: Lab) -> None:
    signed = lab.ada.sign(lab.run_id, "reviewed")
    item = lab.ledger.need(signatures_key(lab.run_id), "SIGNATURE#0001")
    forged = item.model(Signature).model_copy(update={"name": "Cleo"})
    lab.ledger.put(Item.of(item.pk, item.sk, forged, kind=item.kind))
    with pytest.raises(MessageRefused, match="audit key"):
        door("signed_printer")(happened(signed, lab.run_id), Context())
    lab.ledger.put(item)
    key = s3_keys.report_key(lab.run_id, 0, "report.json")
    whole = Objects("reports").get(key)
    Objects("reports").put(key, whole + b" ")
    with pytest.raises(MessageRefused, match="not the one that was signed"):
        door("signed_printer")(happened(signed, lab.run_id), Context())
    with pytest.raises(MessageRefused, match="not there"):
        door("signed_printer")(happened({**signed, "number": 7}, lab.run_id), Context())
    assert copies(lab) == set()
    Objects("reports").remove(key)
    door("signed_printer")(happened(signed, lab.run_id), Context())
    assert copies(lab) == set(), "of a run that was deleted nothing is printed"
    Objects("reports").put(key, whole)
    assert printed(lab, signed)


def changed_page(lab: Lab, name: str) -> None:
    """With write access to the bucket alone: another signer in the copy of a page."""
    key = s3_keys.signed_key(lab.run_id, 0, __version__, name)
    content = Objects("reports").get(key)
    changed = content.replace(b"Ada", b"Eve") if name.endswith("html") else content + b"%"
    assert content != changed
    Objects("reports").put(key, changed)


@pytest.mark.parametrize("name", ["report.signed.2.html", "report-pig.signed.2.ja.pdf"])
def test_audit_names_a_copy_that_was_tampered_with(lab: Lab, command: Command, name: str) -> None:
    first = lab.ada.sign(lab.run_id, "reviewed")
    printed(lab, first)
    printed(lab, lab.ben.sign(lab.run_id, "released"))
    read = audited(command, lab)
    assert read["holds"], read["faults"]
    assert read["signatures"]["copies"] == {"compared": 2 + 12, "of_other_versions": 0}
    changed_page(lab, name)
    (fault,) = audited(command, lab)["signatures"]["faults"]
    assert (fault["code"], fault["number"], fault["fields"]) == (
        "signature_copy_changed",
        2,
        [name],
    )
    assert f"do not state what was signed: {name}" in fault["says"]


def test_audit_names_a_copy_that_no_signature_made(lab: Lab, command: Command) -> None:
    printed(lab, lab.ada.sign(lab.run_id, "reviewed"))
    kept = Objects("reports")
    whole = kept.get(s3_keys.signed_key(lab.run_id, 0, __version__, "report.signed.1.html"))
    for name in ("report.signed.2.html", "report-cow.signed.1.pdf"):
        kept.put(s3_keys.signed_key(lab.run_id, 0, __version__, name), whole)
    found = {
        name: one["number"]
        for one in audited(command, lab)["signatures"]["faults"]
        for name in one["fields"]
    }
    assert found == {"report.signed.2.html": 2, "report-cow.signed.1.pdf": 1}


def test_a_copy_of_another_version_is_counted_and_not_compared(lab: Lab, command: Command) -> None:
    printed(lab, lab.ada.sign(lab.run_id, "reviewed"))
    Objects("reports").put(s3_keys.signed_key(lab.run_id, 0, "0.0.1", "report.signed.1.html"), b"x")
    read = audited(command, lab)
    assert read["holds"]
    assert read["signatures"]["copies"] == {"compared": 1 + 6, "of_other_versions": 1}
    assert "1 copy was printed by another version" in command("audit", lab.run_id)
