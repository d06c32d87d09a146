"""Files that are damaged, missing or late at the doors of the cloud: recorded, never silent."""

from __future__ import annotations

import gzip
import hashlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.run_endings import MOST_LATE
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import input_file, seal
from porewatch.usecases.intake import seal_run
from tests.functional.doors import created, fact_event, put, send

SUMMARY_KEY = "runs/run-1/final_summary_FAX11_ab_cd.txt"


def reads(seed: str, **fields: str) -> bytes:
    tail = "".join(f" {name}={value}" for name, value in fields.items())
    return gzip.compress(f"@{seed}{tail}\nACGTACGT\n+\nIIIIIIII\n".encode(), mtime=0)


def summary(fastq: int) -> bytes:
    return (
        "acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\nflow_cell_id=FAX11\n"
        f"fastq_files_in_final_dest={fastq}\n"
    ).encode()


def arrived(path: str, content: bytes) -> None:
    assert send("fastq_validator", put(f"runs/run-1/{path}", content)) == []


def checked(path: str, kind: str = "FileValidated") -> dict[str, Any]:
    more: dict[str, Any] = {"size": 1, "reads": 1, "bases": 8}
    if kind == "FileQuarantined":
        more = {"problem": "p", "quarantine_key": "q"}
    at = datetime(2026, 3, 1, tzinfo=UTC).isoformat()
    return fact_event(kind, {"fact_id": path, "run_id": "run-1", "at": at, "path": path, **more})


def manifest() -> RunManifest:
    return Objects("raw").get_json("runs/run-1/run.json", RunManifest)


def started(runs: RunLedger) -> None:
    assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    assert runs.get("run-1").state is RunState.RUNNING


def test_a_damaged_file_stands_in_the_manifest_with_its_barcode(cloud: Table) -> None:
    arrived("fastq/barcode01/a.fastq.gz", reads("a"))
    arrived("fastq/barcode02/b.fastq.gz", reads("b"))
    arrived("fastq/barcode02/c.fastq.gz", reads("c")[:-9])
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(3))) == []
    (lost,) = manifest().lost
    assert (lost.path, lost.barcode) == ("fastq/barcode02/c.fastq.gz", "barcode02")
    assert manifest().expected == (), "all that MinKNOW counted came, one of them damaged"


def test_a_sample_all_of_whose_files_are_lost_stays_a_sample(cloud: Table) -> None:
    arrived("fastq/barcode01/a.fastq.gz", reads("a"))
    arrived("fastq/barcode02/c.fastq.gz", reads("c")[:-9])
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(2))) == []
    assert [s.name for s in manifest().samples] == ["barcode01", "barcode02"]


def test_a_file_that_was_sent_again_is_not_lost(cloud: Table) -> None:
    arrived("fastq/barcode01/a.fastq.gz", reads("a")[:-9])
    arrived("fastq/barcode01/a.fastq.gz", reads("a"))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(1))) == []
    assert manifest().lost == ()
    assert len(manifest().files) == 1


def test_empty_files_of_a_blank_are_left_out_and_nothing_is_lost(cloud: Table) -> None:
    arrived("fastq/barcode01/a.fastq.gz", reads("a"))
    arrived("fastq/barcode02/b.fastq.gz", gzip.compress(b"", mtime=0))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(2))) == []
    assert manifest().lost == ()
    assert [(found.why.value, found.files) for found in manifest().left_out] == [("no_reads", 1)]


def test_files_that_minknow_counted_and_that_never_came_stand_in_the_manifest(
    cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived("fastq/barcode01/a.fastq.gz", reads("a"))
    put("runs/run-1/fastq_fail/barcode01/f.fastq.gz", reads("f"))
    monkeypatch.setattr(seal_run, "PATIENCE", timedelta(0))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(40))) == []
    (kind,) = manifest().expected
    assert (kind.kind, kind.counted, kind.came, kind.failed) == ("fastq", 40, 2, 1)
    assert kind.missing == 38


def test_a_file_after_the_seal_is_named_on_the_run_once_and_those_before_are_not(
    cloud: Table, runs: RunLedger
) -> None:
    arrived("fastq/a.fastq.gz", reads("a"))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(1))) == []
    started(runs)
    late_by_a_second()
    arrived("fastq/z.fastq.gz", reads("z"))
    for _ in range(2):
        assert send("pipeline_orchestrator", checked("fastq/z.fastq.gz")) == []
        assert send("pipeline_orchestrator", checked("fastq/a.fastq.gz")) == []
    assert runs.get("run-1").late == ("fastq/z.fastq.gz",)


def test_a_damaged_file_after_the_seal_is_named_too(cloud: Table, runs: RunLedger) -> None:
    arrived("fastq/a.fastq.gz", reads("a"))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(1))) == []
    started(runs)
    late_by_a_second()
    arrived("fastq/z.fastq.gz", reads("z")[:-9])
    assert send("pipeline_orchestrator", checked("fastq/z.fastq.gz", "FileQuarantined")) == []
    assert runs.get("run-1").late == ("fastq/z.fastq.gz",)


def test_the_summary_sent_again_after_the_end_takes_late_files_in_as_a_new_revision(
    cloud: Table, runs: RunLedger
) -> None:
    arrived("fastq/a.fastq.gz", reads("a"))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(1))) == []
    started(runs)
    late_by_a_second()
    arrived("fastq/z.fastq.gz", reads("z"))
    assert send("pipeline_orchestrator", checked("fastq/z.fastq.gz")) == []
    again = put(SUMMARY_KEY, summary(2))
    assert send("pipeline_orchestrator", again) == []
    assert len(manifest().files) == 1, "not while the run is under way"
    at = datetime.now(UTC)
    runs.apply("run-1", run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=at)
    assert send("pipeline_orchestrator", again) == []
    assert [f.path for f in manifest().files] == ["fastq/a.fastq.gz", "fastq/z.fastq.gz"]
    assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    record = runs.get("run-1")
    assert (record.revision, record.late) == (1, ())


def test_no_more_late_files_are_named_than_fit(cloud: Table, runs: RunLedger) -> None:
    arrived("fastq/a.fastq.gz", reads("a"))
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, summary(1))) == []
    started(runs)
    at = datetime.now(UTC)
    for number in range(MOST_LATE + 2):
        runs.apply("run-1", run_endings.late, path=f"fastq/{number}.fastq.gz", at=at)
    assert len(runs.get("run-1").late) == MOST_LATE


@pytest.mark.parametrize(
    ("fields", "expected"),
    [(({"flow_cell_id": "FAX11"}, {"flow_cell_id": "FBB22"}), "2 flow cells"),
     (({"barcode": "barcode01"}, {"barcode": "barcode02"}), "barcode01, barcode02")],
)  # fmt: skip
def test_what_only_headers_show_is_refused_at_the_manifest_door_too(
    cloud: Table, runs: RunLedger, fields: tuple[dict[str, str], ...], expected: str
) -> None:
    files = []
    for number, header in enumerate(fields):
        content = reads(str(number), **header)
        arrived(f"fastq/{number}.fastq.gz", content)
        sha = hashlib.sha256(content).hexdigest()
        files.append(input_file(f"fastq/{number}.fastq.gz", len(content), sha))
    sealed = seal(files, run_id="run-1", created_at=datetime(2026, 3, 1, tzinfo=UTC))
    event = put("runs/run-1/run.json", sealed.canonical_json().encode())
    assert send("pipeline_orchestrator", event) == []
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert expected in str(record.problem)


def late_by_a_second() -> None:
    """S3 gives times in whole seconds."""
    time.sleep(1.1)
