"""Files are screened as they land: an alert while the run goes on, and none for host and kin."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from porewatch.adapters.early.early_evidence import EarlyEvidence
from porewatch.adapters.items import Item, run_key
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.submission.run_uploads import SUBMISSION
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.calls.alert_part import alert_ref
from porewatch.domain.calls.stored_bundles import StoredBundle, bundle_prefix
from porewatch.domain.early.evidence import Severe
from porewatch.domain.records.file_record import FileState
from porewatch.domain.runs import Sample
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.submission.run_uploads import Register, Submission
from porewatch.settings import settings
from porewatch_worker.references.building.alert_part import build_alert_part
from porewatch_worker.references.installed import MANIFEST, SEAL, bundle_folder
from porewatch_worker.references.load import load
from tests.functional.doors import fact_event, put, send
from tests.mocked import facts_in
from validation import made_reads as made
from validation.screens import random_sequence

RUN = "run-1"


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("references")
    build_alert_part(root, made.made_bundle(root))
    return root


@pytest.fixture
def ledger(
    cloud: Table, references: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Table:
    """A stack with the alert part of its default bundle."""
    monkeypatch.setenv("DEFAULT_BUNDLE", "made@1")
    monkeypatch.setenv("REFERENCES_BUCKET", "references")
    queue = boto3.client("sqs").create_queue(QueueName="early")["QueueUrl"]
    monkeypatch.setenv("QUEUE_URL", queue)
    settings.cache_clear()
    push(references)
    return cloud


def push(references: Path) -> None:
    ref = alert_ref("made@1")
    bundle, bucket = load(references, ref), Objects("references")
    folder = bundle_folder(references, ref)
    for name in (*(f.path for f in bundle.manifest.every_file), MANIFEST, SEAL):
        bucket.put(bundle_prefix(ref, bundle.sha256) + name, (folder / name).read_bytes())
    BundleStore(bucket).point(StoredBundle.of(bundle.manifest, bundle.sha256, now()))


def fastq(reads: list[str]) -> bytes:
    records = (f"@r{n}\n{read}\n+\n{'5' * len(read)}\n" for n, read in enumerate(reads))
    return gzip.compress("".join(records).encode(), mtime=0)


def land(path: str, reads: list[str]) -> list[str]:
    """A file lands, is found sound, and is screened; what failed."""
    key = f"runs/{RUN}/{path}"
    assert send("fastq_validator", put(key, fastq(reads))) == []
    return screen(path)


def screen(path: str) -> list[str]:
    detail = {"run_id": RUN, "revision": 0, "at": now().isoformat(), "fact_id": f"f:{path}"}
    detail |= {"path": path, "size": 1, "reads": 1, "bases": 1}
    return send("early_screener", fact_event("FileValidated", detail))


def csfv(number: int, seed: int) -> list[str]:
    return made.reads_of(made.CSFV, number, 900, seed)


def host(number: int, seed: int) -> list[str]:
    return made.reads_of(made.HOST, number, 1500, seed)


def alerts(ledger: Table) -> list[tuple[str, str]]:
    return [(a.sample, a.code) for a in AlertLedger(ledger).of_run(RUN)]


def test_the_file_that_decides_raises_one_alert_while_the_run_goes_on(ledger: Table) -> None:
    assert land("fastq/a.fastq.gz", host(40, 1)) == []
    assert land("fastq/b.fastq.gz", [*host(10, 2), *csfv(2, 2)]) == []
    assert alerts(ledger) == [], "two reads are not enough"
    assert land("fastq/c.fastq.gz", csfv(6, 3)) == []
    assert alerts(ledger) == [(RUN, "CSFV")]
    assert facts_in(ledger, RUN).count("PathogenSuspected") == 1
    assert land("fastq/d.fastq.gz", csfv(20, 4)) == []
    assert facts_in(ledger, RUN).count("PathogenSuspected") == 1
    totals = EarlyEvidence(ledger).totals(RUN)
    assert (totals.files, totals.reads) == (4, 40 + 12 + 6 + 20)
    assert totals.severe["", "CSFV"] >= 26


def test_a_file_that_comes_three_times_counts_once(ledger: Table) -> None:
    land("fastq/a.fastq.gz", csfv(2, 1))
    for _ in range(3):
        assert screen("fastq/a.fastq.gz") == []
    totals = EarlyEvidence(ledger).totals(RUN)
    assert (totals.files, totals.reads, totals.severe["", "CSFV"]) == (1, 2, 2)
    assert alerts(ledger) == []


def test_a_file_that_is_replaced_counts_as_it_is_now(ledger: Table) -> None:
    land("fastq/a.fastq.gz", csfv(2, 1))
    land("fastq/a.fastq.gz", [*host(5, 1), *csfv(1, 9)])
    totals = EarlyEvidence(ledger).totals(RUN)
    assert (totals.files, totals.reads, totals.severe["", "CSFV"]) == (1, 6, 1)
    [file] = EarlyEvidence(ledger).files(RUN)
    assert file.severe == (Severe("", "CSFV", 1),)


def test_host_relatives_and_what_is_inherited_raise_nothing(ledger: Table) -> None:
    for seed in range(6):
        reads = host(30, seed) + made.reads_of(made.RELATIVE, 6, 900, seed)
        reads += made.reads_of(made.HOST_PERV, 10, 1200, seed)
        reads += [random_sequence(700, 100 * seed + n) for n in range(5)]
        assert land(f"fastq/{seed}.fastq.gz", reads) == []
    assert alerts(ledger) == []
    assert EarlyEvidence(ledger).totals(RUN).files == 6


def test_samples_are_those_of_the_sheet_whenever_it_comes(ledger: Table) -> None:
    sheet = b"name,barcode\npig 7,barcode01\npig 8,barcode02\n"
    land("fastq/barcode01/a.fastq.gz", [*host(30, 1), *csfv(2, 1)])
    land("fastq/barcode02/a.fastq.gz", host(30, 2))
    boto3.client("s3").put_object(Bucket="raw", Key=f"runs/{RUN}/sample_sheet.csv", Body=sheet)
    land("fastq/barcode01/b.fastq.gz", [*host(10, 3), *csfv(25, 3)])
    assert alerts(ledger) == [("pig 7", "CSFV")]


@pytest.mark.parametrize("step", ["counts", "evidence", "alert"])
def test_after_a_crash_the_next_delivery_does_the_rest(
    ledger: Table, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: dict[str, tuple[type, str]] = {
        "counts": (Objects, "put_new"),
        "evidence": (EarlyEvidence, "add"),
        "alert": (AlertLedger, "raise_alert"),
    }
    owner, name = places[step]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killed(getattr(owner, name)))
        land_only_checked("fastq/a.fastq.gz", csfv(9, 1), patch, owner, name)
    assert screen("fastq/a.fastq.gz") == []
    assert alerts(ledger) == [(RUN, "CSFV")]
    assert EarlyEvidence(ledger).totals(RUN).files == 1


def killed(whole: Callable[..., Any]) -> Callable[..., Any]:
    """Does its work, and then its process is gone."""

    def gone(*args: Any, **more: Any) -> Any:
        whole(*args, **more)
        raise ConnectionError("killed")

    return gone


def land_only_checked(
    path: str, reads: list[str], patch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    faulty = getattr(owner, name)
    patch.undo()
    assert send("fastq_validator", put(f"runs/{RUN}/{path}", fastq(reads))) == []
    patch.setattr(owner, name, faulty)
    assert screen(path) != []


def test_a_sealed_run_is_screened_by_its_manifest(ledger: Table, runs: RunLedger) -> None:
    """Files that were checked late, while no machine is at work yet."""
    key, content = f"runs/{RUN}/fastq/a.fastq.gz", fastq(csfv(9, 1))
    event = put(key, content)
    version = boto3.client("s3").head_object(Bucket="raw", Key=key)["VersionId"]
    event["detail"]["object"]["version-id"] = version
    assert send("fastq_validator", event) == []
    assert runs.files_of(RUN)["fastq/a.fastq.gz"].version == version
    file = input_file("fastq/a.fastq.gz", len(content)).model_copy(update={"version": version})
    manifest = seal([file], run_id=RUN, created_at=now(), samples=[Sample(name="pig 9")])
    Manifests(runs, Objects("raw")).keep(manifest)
    runs.seal(manifest, sealed_by="run.json", at=now(), made_at=now())
    assert screen("fastq/a.fastq.gz") == []
    assert alerts(ledger) == [("pig 9", "CSFV")]


def test_a_registered_run_is_screened_with_the_bundle_that_it_asked_for(
    ledger: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_BUNDLE", "another@1")
    settings.cache_clear()
    land("fastq/a.fastq.gz", csfv(9, 1))
    assert EarlyEvidence(ledger).totals(RUN).files == 0, "nothing of the default was pushed"
    asked = Register(project="p-aaaaaaaaaaaaaaaa", name="herd", bundle="made@1")
    ledger.put(Item.of(run_key(RUN), SUBMISSION, Submission(asked=asked)))
    assert screen("fastq/a.fastq.gz") == []
    assert alerts(ledger) == [(RUN, "CSFV")]


def test_what_is_not_to_be_screened_is_left(ledger: Table, runs: RunLedger) -> None:
    key = f"runs/{RUN}/fastq/bad.fastq.gz"
    assert send("fastq_validator", put(key, b"nothing")) == []
    assert runs.files_of(RUN)["fastq/bad.fastq.gz"].state is FileState.QUARANTINED
    assert screen("fastq/bad.fastq.gz") == []
    assert screen("fastq/never-there.fastq.gz") == []
    assert EarlyEvidence(ledger).totals(RUN).files == 0


def test_without_an_alert_part_nothing_is_screened(cloud: Table) -> None:
    assert land("fastq/a.fastq.gz", csfv(9, 1)) == []
    assert EarlyEvidence(cloud).totals(RUN).files == 0
