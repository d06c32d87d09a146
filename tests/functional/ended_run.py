"""A run that has ended, with data of it wherever data of a run can lie, and a neighbour of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import boto3

from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.registry.database import Registry
from porewatch.adapters.s3.versions import (
    Version,
    Versions,
)
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.facts.fact import Fact
from porewatch.domain.rules import run_endings
from porewatch.usecases.facts.find_projection import Sources
from simulator.made_results import some_results
from tests.functional.doors import created, put, send
from tests.functional.test_bundle_unpacker import GOOD_TAR
from tests.functional.test_pipeline_orchestrator import a_manifest, put_files, put_seal
from tests.functional.test_registry import STORY, project

RUN = "run-1"
NEIGHBOUR = "run-10"
BUCKETS = ("raw", "results", "reports")
OTHER_TAR = "inbox/another-name.tar"
OF_RUN = {
    "raw": (
        "runs/run-1/exp/s/fastq_fail/x.fastq.gz",
        "quarantine/runs/run-1/fastq/bad.fastq.gz",
        "inbox/run-1.tar",
        "quarantine/inbox/run-1.tar",
        "quarantine/inbox/run-1.tar.reason.txt",
        "somewhere/run-1/input.tar",
        OTHER_TAR,
    ),
    "results": (
        "runs/run-1/r0/screen/checkpoint/abc/0001",
        "runs/run-1/r0/screen/manifest.json",
        "runs/run-1/r1/screen/e1/screen.json",
    ),
    "reports": ("runs/run-1/r0/report.json", "runs/run-1/r1/report.pdf"),
}
OF_NEIGHBOUR = {
    "raw": (
        "runs/run-10/fastq/a.fastq.gz",
        "manifests/run-10/d.json",
        "quarantine/runs/run-10/fastq/a.fastq.gz",
        "inbox/run-10.tar",
        "inbox/notes.txt",
    ),
    "results": ("runs/run-10/r0/screen/manifest.json",),
    "reports": ("runs/run-10/r0/report.json",),
}


def version_buckets() -> None:
    for bucket in BUCKETS:
        boto3.client("s3").put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        )


def lock_buckets() -> None:
    """Object Lock, before anything lies there: moto refuses it later, which S3 stopped to do in
    November 2023. (tests/cloud sees it turned on by the function.)"""
    for bucket in BUCKETS:
        boto3.client("s3").put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )


def end_run(
    ledger: Table, registry: Registry | None = None, facts: Sequence[Fact] = STORY
) -> RunLedger:
    """run-1 went from files to a report, and left traces everywhere."""
    runs, s3 = RunLedger(ledger), boto3.client("s3")
    put_files()
    send("pipeline_orchestrator", put_seal(a_manifest()))
    for found in (OF_RUN, OF_NEIGHBOUR):
        for bucket, keys in found.items():
            for key in keys:
                s3.put_object(Bucket=bucket, Key=key, Body=b"first")
    for bucket, key in (("raw", OF_RUN["raw"][0]), ("reports", OF_RUN["reports"][0])):
        s3.put_object(Bucket=bucket, Key=key, Body=b"second")
        s3.delete_object(Bucket=bucket, Key=key)
    s3.create_multipart_upload(Bucket="raw", Key="runs/run-1/fastq/half.fastq.gz")
    Endings(ledger).note_tar(RUN, OTHER_TAR, named="other")
    Objects("results").put_json(s3_keys.results_key(RUN, 0), some_results())
    if registry is not None:
        project_story(registry, facts)
    runs.apply(
        RUN,
        run_endings.complete,
        0,
        report_keys={"report.json": "k"},
        findings=1,
        cost_usd=0.5,
        at=now(),
    )
    return runs


def project_story(registry: Registry, facts: Sequence[Fact] = STORY) -> None:
    project(registry, Sources(reports=Objects("reports"), results=Objects("results")), list(facts))


def versions_of(run_id: str) -> list[tuple[str, Version]]:
    """(bucket, version) of all that names the run, by whatever key; looked at from outside."""
    parts = (f"/{run_id}/", f"/{run_id}.", *((OTHER_TAR,) if run_id == RUN else ()))
    return [
        (bucket, version)
        for bucket in BUCKETS
        for version in Versions(bucket).of("")
        if any(part in version.key for part in parts)
    ]


def uploads_left() -> list[str]:
    found = boto3.client("s3").list_multipart_uploads(Bucket="raw")
    return [upload["Key"] for upload in found.get("Uploads", [])]


def sort_keys(ledger: Table, run_id: str = RUN) -> list[str]:
    return list(ledger.sort_keys(f"RUN#{run_id}"))


def land_tar(key: str, content: bytes = GOOD_TAR) -> list[str]:
    return send("bundle_unpacker", put(key, content))


def land_file(key: str, content: bytes) -> list[str]:
    boto3.client("s3").upload_fileobj(io.BytesIO(content), "raw", key)
    return send("fastq_validator", created(key))


def record_of(ledger: Table, run_id: str = RUN) -> dict[str, Any]:
    """The run's record without the times of this test."""
    record = RunLedger(ledger).get(run_id).model_dump(mode="json")
    deletion = record["deletion"] or {}
    for when in ("at", "done_at", "swept_at"):
        deletion.pop(when, None)
    for when in ("created_at", "updated_at", "completed_at", "problem"):
        record.pop(when)
    return record
