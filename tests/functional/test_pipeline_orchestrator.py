"""pipeline_orchestrator: one sealed manifest is one execution; a refused run has its reason."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.domain.calls.stored_bundles import StoredBundle
from porewatch.domain.choices import DefaultChoice
from porewatch.domain.identity import Laboratory
from porewatch.domain.runs import InputFile, RunManifest, RunState
from porewatch.domain.sealing import input_file, seal
from porewatch.settings import settings
from tests.functional.conftest import executions
from tests.functional.doors import (
    Context,
    batch,
    created,
    door,
    fact_event,
    object_event,
    put,
    send,
)
from tests.mocked import facts_in

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = gzip.compress(b"@r1\nACGTACGT\n+\nIIIIIIII\n")
PATHS = ("fastq/a.fastq.gz", "fastq/b.fastq.gz")


def a_file(path: str, content: bytes = GOOD) -> InputFile:
    return input_file(path, len(content), hashlib.sha256(content).hexdigest())


def a_manifest(*files: InputFile, when: datetime = WHEN) -> RunManifest:
    return seal(files or [a_file(p) for p in PATHS], run_id="run-1", created_at=when)


def put_files(*paths: str) -> list[dict[str, Any]]:
    """Files in the bucket and checked; the facts that the bus then brings."""
    events = []
    for path in paths or PATHS:
        assert send("fastq_validator", put(f"runs/run-1/{path}", GOOD)) == []
        events.append(validated(path))
    return events


def validated(path: str, kind: str = "FileValidated") -> dict[str, Any]:
    detail: dict[str, Any] = {
        "fact_id": path,
        "run_id": "run-1",
        "at": WHEN.isoformat(),
        "path": path,
    }
    more = (
        {"size": 1, "reads": 1, "bases": 8}
        if kind == "FileValidated"
        else {"problem": "p", "quarantine_key": "q"}
    )
    return fact_event(kind, {**detail, **more})


def put_seal(manifest: RunManifest) -> dict[str, Any]:
    return put("runs/run-1/run.json", manifest.canonical_json().encode())


def test_a_sealed_run_whose_files_are_sound_starts(cloud: Table, runs: RunLedger) -> None:
    put_files()
    manifest = a_manifest()
    assert send("pipeline_orchestrator", put_seal(manifest)) == []
    assert executions() == [
        {
            "run_id": "run-1",
            "revision": 0,
            "manifest_digest": manifest.digest(),
            "profile": "default",
        }
    ]
    record = runs.get("run-1")
    assert record.state is RunState.RUNNING
    assert record.bundle == "demo@1"
    assert record.execution_arn
    assert record.execution_arn.endswith(f":execution:screen-run:run-1-{manifest.digest()[:16]}")
    assert facts_in(cloud, "run-1")[-2:] == ["RunSealed", "RunStarted"]


def test_a_run_that_names_no_bundle_gets_the_default_as_it_is_when_it_starts(
    cloud: Table, runs: RunLedger
) -> None:
    Shelf(cloud).choose(DefaultChoice(ref="pig@7", at=WHEN, by="ada"), after=0)
    put_files()
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    assert runs.get("run-1").bundle == "pig@7"


def test_twenty_parallel_deliveries_start_one_execution(cloud: Table, runs: RunLedger) -> None:
    events = [*put_files(), put_seal(a_manifest())]
    handler = door("pipeline_orchestrator")
    deliveries = [batch(random.choice(events), events[-1]) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda event: handler(event, Context()), deliveries))
    again = [a for a in answers if a["batchItemFailures"]]
    for event, answer in zip(deliveries, answers, strict=True):
        if answer["batchItemFailures"]:
            assert handler(event, Context()) == {"batchItemFailures": []}
    assert len(executions()) == 1
    assert facts_in(cloud, "run-1").count("RunStarted") == 1
    assert facts_in(cloud, "run-1").count("RunSealed") == 1
    assert len(again) < 20


@pytest.mark.parametrize("order", range(6))
def test_whatever_comes_last_starts_the_run(cloud: Table, order: int) -> None:
    shuffled = random.Random(order).sample([*PATHS, "run.json"], 3)
    for path in PATHS:
        put(f"runs/run-1/{path}", GOOD)
    seal_event = put_seal(a_manifest())
    for number, path in enumerate(shuffled):
        assert executions() == [], f"too early, after {shuffled[:number]}"
        if path == "run.json":
            assert send("pipeline_orchestrator", seal_event) == []
        else:
            assert send("fastq_validator", created(f"runs/run-1/{path}")) == []
            assert send("pipeline_orchestrator", validated(path)) == []
    assert len(executions()) == 1


def refused(runs: RunLedger, *phrases: str) -> str:
    record = runs.get("run-1")
    assert record.state is RunState.REFUSED
    assert executions() == []
    assert record.problem
    for phrase in phrases:
        assert phrase in record.problem, record.problem
    return record.problem


def test_a_manifest_that_names_a_missing_file_is_refused(cloud: Table, runs: RunLedger) -> None:
    put_files(PATHS[0])
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    refused(runs, "fastq/b.fastq.gz: it is not in the run's folder", "Remedy")
    assert facts_in(cloud, "run-1")[-1] == "RunRefused"


def test_a_wrong_checksum_is_refused_with_both_sums(cloud: Table, runs: RunLedger) -> None:
    put_files()
    wrong = input_file(PATHS[1], len(GOOD), "0" * 64)
    send("pipeline_orchestrator", put_seal(a_manifest(a_file(PATHS[0]), wrong)))
    refused(runs, PATHS[1], "0" * 64, hashlib.sha256(GOOD).hexdigest())


def test_a_wrong_size_is_refused(cloud: Table, runs: RunLedger) -> None:
    put_files()
    send("pipeline_orchestrator", put_seal(a_manifest(input_file(PATHS[0], 5))))
    refused(runs, f"it has {len(GOOD)} bytes, the manifest says 5")


def test_a_quarantined_file_refuses_the_run_and_says_why(cloud: Table, runs: RunLedger) -> None:
    put_files(PATHS[0])
    bad = b"@r1\nACGT\n+\nIII\n"
    send("fastq_validator", put("runs/run-1/fastq/b.fastq", bad))
    manifest = a_manifest(a_file(PATHS[0]), a_file("fastq/b.fastq", bad))
    send("pipeline_orchestrator", put_seal(manifest))
    refused(runs, "fastq/b.fastq", "set aside", "record 1")


def test_a_file_set_aside_after_the_seal_refuses_the_run_too(cloud: Table, runs: RunLedger) -> None:
    put_files(PATHS[0])
    bad = b"@r1\nACGT\n+\nIII\n"
    event = put("runs/run-1/fastq/b.fastq", bad)
    manifest = a_manifest(a_file(PATHS[0]), a_file("fastq/b.fastq", bad))
    send("pipeline_orchestrator", put_seal(manifest))
    assert runs.get("run-1").state is RunState.SEALED
    send("fastq_validator", event)
    send("pipeline_orchestrator", validated("fastq/b.fastq", "FileQuarantined"))
    refused(runs, "set aside")


def test_after_mending_the_file_the_run_goes_as_a_new_revision(
    cloud: Table, runs: RunLedger
) -> None:
    send("fastq_validator", put(f"runs/run-1/{PATHS[0]}", b"rubbish"))
    send("pipeline_orchestrator", put_seal(a_manifest(a_file(PATHS[0], b"rubbish"))))
    refused(runs, "set aside")
    put_files(PATHS[0])
    again = a_manifest(a_file(PATHS[0]), when=datetime(2026, 3, 2, tzinfo=UTC))
    assert send("pipeline_orchestrator", put_seal(again)) == []
    assert [e["revision"] for e in executions()] == [1]


def test_an_old_verdict_does_not_refuse_the_corrected_file_while_it_is_checked(
    cloud: Table, runs: RunLedger
) -> None:
    send("fastq_validator", put(f"runs/run-1/{PATHS[0]}", b"rubbish"))
    event = put(f"runs/run-1/{PATHS[0]}", GOOD)
    send("pipeline_orchestrator", put_seal(a_manifest(a_file(PATHS[0]))))
    assert runs.get("run-1").state is RunState.SEALED
    send("fastq_validator", event)
    send("pipeline_orchestrator", validated(PATHS[0]))
    assert len(executions()) == 1


def test_raw_signal_without_a_basecaller_is_refused_before_anything_starts(
    cloud: Table, runs: RunLedger
) -> None:
    manifest = a_manifest(input_file("pod5/a.pod5", 100))
    assert send("pipeline_orchestrator", put_seal(manifest)) == []
    refused(runs, "pod5/a.pod5", "basecalling is not enabled", "Basecalling=enabled")
    assert facts_in(cloud, "run-1") == ["RunRefused"]


@pytest.fixture
def for_donors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stack that takes runs under one release policy alone."""
    monkeypatch.setenv("RELEASE_POLICIES", "donor-screening")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("for_donors")
def test_a_run_under_another_policy_than_the_stack_takes_is_refused_before_it_starts(
    cloud: Table, runs: RunLedger
) -> None:
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    refused(runs, "'default', only under donor-screening", "--release-policy donor-screening")
    put_files()
    strict = a_manifest().model_copy(update={"release_policy": "donor-screening"})
    assert send("pipeline_orchestrator", put_seal(strict)) == []
    assert len(executions()) == 1


@pytest.mark.usefixtures("for_donors")
def test_a_run_that_the_sequencer_seals_is_screened_under_the_policy_of_the_stack(
    cloud: Table, runs: RunLedger
) -> None:
    put_files()
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)) == []
    assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    assert Manifests(runs, Objects("raw")).of("run-1", 0).release_policy == "donor-screening"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"[]", "should be an object"),
        (b"\xff\xfe", "it is not JSON"),
        (b'{"run_id": "run-1"}', "files is missing"),
    ],
)
def test_a_manifest_that_cannot_be_read_refuses_the_run_in_a_sentence(
    cloud: Table, runs: RunLedger, content: bytes, expected: str
) -> None:
    event = put("runs/run-1/run.json", content)
    for _ in range(3):
        assert send("pipeline_orchestrator", event) == []
    refused(runs, "run.json", expected, "Remedy")
    assert facts_in(cloud, "run-1") == ["RunRefused"]


def test_another_manifest_while_the_run_is_under_way_is_notified_and_changes_nothing(
    cloud: Table, runs: RunLedger
) -> None:
    put_files()
    send("pipeline_orchestrator", put_seal(a_manifest()))
    later = a_manifest(when=datetime(2026, 3, 2, tzinfo=UTC))
    assert send("pipeline_orchestrator", put_seal(later)) == []
    assert runs.get("run-1").state is RunState.RUNNING
    assert len(executions()) == 1
    assert facts_in(cloud, "run-1")[-1] == "RunRefused"


def test_a_replayed_event_starts_nothing(cloud: Table) -> None:
    put_files()
    event = {**put_seal(a_manifest()), "replay-name": "again"}
    assert send("pipeline_orchestrator", event) == []
    assert executions() == []


def test_a_crash_before_the_start_is_repaired_by_the_next_delivery(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_files()
    event = put_seal(a_manifest())
    from porewatch.adapters.executions import Executions

    def crash(*_: object) -> bool:
        raise RuntimeError("the function died here")

    with monkeypatch.context() as patched:
        patched.setattr(Executions, "start", crash)
        assert send("pipeline_orchestrator", event) == ["m0"]
    assert executions() == []
    assert send("pipeline_orchestrator", event) == []
    assert len(executions()) == 1


def test_a_manifest_under_an_odd_run_id_is_notified_and_goes_to_the_dead_letters(
    cloud: Table, notices: Any
) -> None:
    event = object_event("runs/my run/run.json", etag="e", size=5)
    assert send("pipeline_orchestrator", event) == ["m0"]
    (mail,) = notices()
    assert "'my run' is not a run id" in mail["Message"]


SUMMARY = (
    b"instrument=MN1\nflow_cell_id=FAX1\nprotocol=sequencing/x:FLO-MIN114:SQK-LSK114:400\n"
    b"acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\n"
    b"fastq_files_in_final_dest=2\npod5_files_in_final_dest=9\n"
)
SUMMARY_KEY = "runs/run-1/final_summary_FAX1_ab_cd.txt"


def test_a_final_summary_seals_the_run_by_the_files_that_are_there(
    cloud: Table, runs: RunLedger
) -> None:
    other = gzip.compress(b"@r2\nACGTACGA\n+\nIIIIIIII\n")
    put_files(PATHS[0])
    assert send("fastq_validator", put(f"runs/run-1/{PATHS[1]}", other)) == []
    sheet = b"alias,barcode,type\npig,barcode01,test_sample\n"
    put("runs/run-1/sample_sheet_FAX1.csv", sheet)
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)) == []
    assert executions() == [], "run.json starts it"
    assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    assert len(executions()) == 1
    manifest = Manifests(runs, Objects("raw")).of("run-1", 0)
    assert [f.path for f in manifest.files] == list(PATHS)
    assert manifest.files[0].sha256 == hashlib.sha256(GOOD).hexdigest()
    assert manifest.samples[0].name == "pig"
    assert manifest.sequencing.kit == "SQK-LSK114"


def test_a_final_summary_that_came_first_waits_for_its_files(cloud: Table, runs: RunLedger) -> None:
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)) == ["m0"]
    put_files(PATHS[0])
    assert send("pipeline_orchestrator", validated(PATHS[0])) == []
    assert "runs/run-1/run.json" not in _keys()
    put_files(PATHS[1])
    assert send("pipeline_orchestrator", validated(PATHS[1])) == []
    assert send("pipeline_orchestrator", created("runs/run-1/run.json")) == []
    assert len(executions()) == 1


def test_the_laboratory_beside_the_summary_stands_in_the_seal(cloud: Table) -> None:
    put_files()
    put("runs/run-1/lab.toml", b'client = "Example Ltd"')
    send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY))
    made = RunManifest.model_validate_json(_raw("runs/run-1/run.json"))
    assert made.laboratory == Laboratory(client="Example Ltd")


def test_a_bad_sample_sheet_beside_the_summary_refuses_the_run_by_line(
    cloud: Table, runs: RunLedger
) -> None:
    put_files()
    put("runs/run-1/sample_sheet.csv", b"name,barcode\na,barcode99999\n")
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)) == []
    refused(runs, "sample_sheet.csv line 2", "barcode99999")


def _keys() -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket="raw")
    return [found["Key"] for found in listed.get("Contents", [])]


def _raw(key: str) -> bytes:
    body: bytes = boto3.client("s3").get_object(Bucket="raw", Key=key)["Body"].read()
    return body


def push(ref: str, sha256: str) -> None:
    BundleStore(Objects("references")).point(
        StoredBundle(ref=ref, sha256=sha256, synthetic=True, size=1, pushed_at=WHEN)
    )


def test_b3_a_run_is_bound_to_the_bundle_that_is_there_when_it_starts(
    cloud: Table, runs: RunLedger
) -> None:
    push("demo@1", "a" * 64)
    put_files()
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    push("demo@1", "b" * 64)
    assert runs.seal_note("run-1", 0).bundle_sha256 == "a" * 64


def test_b3_on_aws_a_run_whose_bundle_was_not_pushed_is_refused_before_a_machine_is_launched(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLES_ELSEWHERE", "false")
    settings.cache_clear()
    put_files()
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    run = runs.get("run-1")
    assert run.state is RunState.REFUSED
    assert "the stack has no bundle demo@1" in str(run.problem)
    assert executions() == []
