"""A Japanese laboratory's run at every door of the cloud: one manifest, ASCII keys, alerts."""

from __future__ import annotations

import io
import json
import tarfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import boto3
import pytest

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import base, s3_keys
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.inputs.sample_keys import in_ascii
from porewatch.domain.runs import RunManifest, RunState
from porewatch_cli.stack import Stack
from porewatch_cli.submit.submit import submit
from tests.functional.conftest import Mail, executions
from tests.functional.doors import created, fact_event, keys, put, send
from tests.functional.test_alerts import AT, request
from tests.functional.test_bundle_unpacker import a_tar
from tests.functional.test_s3_doors import SUMMARY, land, reads

NAMES = ("ブタ1", "ヤギ")
SHEET = "alias,barcode,animal,collected\nブタ1,barcode01,個体 7,2026/3/1\nヤギ,barcode02,,\n"
FILES = {f"fastq_pass/{name}/FAX00001_pass_{name}_0.fastq.gz": name for name in NAMES}


def folder(root: Path, form: str, codec: str) -> Path:
    for path, name in FILES.items():
        typed = root / unicodedata.normalize(form, path)  # type: ignore[arg-type]
        typed.parent.mkdir(parents=True)
        typed.write_bytes(reads(in_ascii(name), 0))
    (root / "sample_sheet.csv").write_bytes(SHEET.encode(codec))
    return root


def sealed() -> RunManifest:
    return Objects("raw").get_json(s3_keys.seal_key("run-1"), RunManifest)


def assigns_reads_to_samples(manifest: RunManifest, *, ascii_keys: bool = True) -> None:
    assert [(s.name, s.barcode, s.animal) for s in manifest.samples] == [
        ("ブタ1", "barcode01", "個体 7"),
        ("ヤギ", "barcode02", None),
    ]
    assert sorted((f.barcode, f.path) for f in manifest.files) == [
        (barcode, f"fastq/{in_ascii(name)}/FAX00001_pass_{in_ascii(name)}_0.fastq.gz")
        for barcode, name in zip(("barcode01", "barcode02"), NAMES, strict=True)
    ]
    assert all(key.isascii() for key in keys("runs/")) is ascii_keys


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp932"])
def test_submit_sends_ascii_keys_and_the_run_starts(
    cloud: Table, runs: RunLedger, tmp_path: Path, form: str, codec: str
) -> None:
    stack = Stack("s", boto3.Session(), {"RawBucketName": "raw", "LedgerTable": "ledger"})
    sent = submit(folder(tmp_path, form, codec), stack=stack, run_id="run-1", quiet=True)
    assert any("cp932" in line for line in sent.left_out) is (codec == "cp932")
    assigns_reads_to_samples(sealed())
    assert send("fastq_validator", *(created(k) for k in keys("runs/") if k.endswith("gz"))) == []
    assert send("pipeline_orchestrator", created(sent.seal)) == []
    assert runs.get("run-1").state is RunState.RUNNING
    assert len(executions()) == 1


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_tar_is_the_same_run(cloud: Table, tmp_path: Path, form: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(folder(tmp_path, form, "cp932"), "exp")
    assert send("bundle_unpacker", put("inbox/run-1.tar", out.getvalue())) == []
    assigns_reads_to_samples(sealed())


def test_a_tar_of_what_submit_sealed_is_that_run(cloud: Table, tmp_path: Path) -> None:
    """run.json holds keys, the folders beside it names."""
    stack = Stack("s", boto3.Session(), {"RawBucketName": "raw", "LedgerTable": "ledger"})
    root = folder(tmp_path, "NFD", "utf-8")
    submit(root, stack=stack, run_id="run-1", quiet=True)
    (root / "run.json").write_bytes(sealed().canonical_json().encode())
    for key in keys("runs/"):
        boto3.client("s3").delete_object(Bucket="raw", Key=key)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(root, "exp")
    assert send("bundle_unpacker", put("inbox/run-1.tar", out.getvalue())) == []
    assigns_reads_to_samples(sealed())


def test_files_that_lie_in_the_bucket_under_their_names_are_found(
    cloud: Table, runs: RunLedger
) -> None:
    for path, name in FILES.items():
        land(f"runs/run-1/{path}", reads(in_ascii(name), 0))
    land("runs/run-1/sample_sheet.csv", SHEET.encode("cp932"))
    land("runs/run-1/final_summary_FAX00001_a_b.txt", SUMMARY.replace(b"dest=3", b"dest=2"))
    send("pipeline_orchestrator", created(s3_keys.seal_key("run-1")))
    assigns_reads_to_samples(sealed(), ascii_keys=False)
    assert {file.at for file in sealed().files} == set(FILES)
    assert runs.get("run-1").state is RunState.RUNNING


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "a\u202eb", "a\x1b[2Jb", "a\u200bb", " a", "a ", "a\u3164", "a🐖"]
)
def test_a_manifest_with_such_a_name_is_refused_with_the_character(
    cloud: Table, runs: RunLedger, name: str
) -> None:
    file = {"path": "fastq/a.fastq.gz", "kind": "fastq", "size": 5}
    manifest = {"run_id": "run-1", "created_at": "2026-03-01T00:00:00Z", "files": [file],
                "samples": [{"name": name}]}  # fmt: skip
    put("runs/run-1/fastq/a.fastq.gz", b"12345")
    seal = put("runs/run-1/run.json", json.dumps(manifest).encode())
    assert send("pipeline_orchestrator", seal) == []
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED and executions() == []
    assert "samples[0].name" in str(record.problem)
    assert str(record.problem).isprintable()


def test_a_sheet_that_cannot_be_decoded_refuses_the_run_by_name(
    cloud: Table, runs: RunLedger
) -> None:
    land("runs/run-1/fastq_pass/barcode01/a.fastq.gz", reads("a", 0))
    land("runs/run-1/sample_sheet.csv", "name,barcode\nMüller,barcode01\n".encode("cp1252"))
    land("runs/run-1/final_summary_FAX00001_a_b.txt", SUMMARY.replace(b"dest=3", b"dest=1"))
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert "sample_sheet.csv line 2: the sheet is not UTF-8 text" in str(record.problem)


def alarm(sample: str) -> PathogenSuspected:
    return PathogenSuspected(
        fact_id=f"PathogenSuspected:run-1:0:{sample}:PERV-C", run_id="run-1", revision=0, at=AT,
        sample=sample, code="PERV-C", name="PERV-C by name", severity="critical", reads=7,
        starts=6, breadth=0.1, identity=0.95, rule="7 reads",
    )  # fmt: skip


def test_an_alert_mails_the_name_with_its_key_as_subject(cloud: Table, alerts: Mail) -> None:
    fact = alarm("ブタ 1")
    assert (
        send("alert_handler", fact_event("PathogenSuspected", fact.model_dump(mode="json"))) == []
    )
    (mail,) = alerts()
    assert mail["Subject"] == f"SUSPECTED PERV-C in {in_ascii('ブタ 1')}, run run-1"
    assert '"ブタ 1"' in mail["Message"]


@pytest.mark.parametrize(
    "typed",
    ["ブタ 1", quote("ブタ 1"), quote(unicodedata.normalize("NFD", "ブタ 1")), in_ascii("ブタ 1")],
)
def test_an_alert_is_closed_by_name_or_key(cloud: Table, typed: str) -> None:
    RunLedger(cloud).receive("run-1", base.now())
    AlertLedger(cloud).raise_alert(alarm("ブタ 1"))
    AlertLedger(cloud).raise_alert(alarm("ヤギ"))
    status, body = request("POST", f"/alerts/run-1/{typed}/PERV-C/ack", {"name": "A. Sato"})
    assert (status, body["state"], body["alert"]["sample"]) == (200, "acknowledged", "ブタ 1")
    assert [a["alert"]["sample"] for a in request("GET", "/alerts")[1]["alerts"]] == ["ヤギ"]


CP932 = "name,barcode\nブタ,barcode01\n".encode("cp932")


def by_tar() -> None:
    content = reads("a", 0)
    tar = a_tar(("fastq_pass/barcode01/a.fastq.gz", content), ("sample_sheet.csv", CP932))
    assert send("bundle_unpacker", put("inbox/run-1.tar", tar)) == []


def by_summary() -> None:
    land("runs/run-1/fastq_pass/barcode01/a.fastq.gz", reads("a", 0))
    land("runs/run-1/sample_sheet.csv", CP932)
    land("runs/run-1/final_summary_FAX00001_a_b.txt", SUMMARY.replace(b"dest=3", b"dest=1"))


@pytest.mark.parametrize("send_by", [by_tar, by_summary])
def test_a_sheet_in_shift_jis_is_read_and_answered_so(
    cloud: Table, runs: RunLedger, send_by: Callable[[], None]
) -> None:
    send_by()
    [answer] = [a for a in runs.answers("run-1") if a.kind == "sheet-encoding"]
    assert answer.path == "sample_sheet.csv"
    assert "read as Shift-JIS (cp932)" in answer.problem
