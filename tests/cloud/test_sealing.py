"""Three doors for one run, and however often its event comes, one execution."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime

import pytest

from porewatch.domain import s3_keys
from porewatch.domain.calls.findings import Call
from porewatch.domain.facts.run_facts import RunSealed, RunStarted
from tests.cloud.lab import Lab, found
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
PIECES = 3
TIMES = 20
BY_MANIFEST, SUMMARY_LAST, SUMMARY_FIRST, BY_TAR = (
    "by-manifest", "summary-last", "summary-first", "by-tar",
)  # fmt: skip
SLOW_DOORS = {SUMMARY_LAST, SUMMARY_FIRST}
"""Sent with the slow tests only: tests/functional/test_pipeline_orchestrator.py has both."""
DOORS = {
    BY_MANIFEST: "run.json",
    SUMMARY_LAST: "final_summary",
    SUMMARY_FIRST: "final_summary",
    BY_TAR: "bundle",
}
SUMMARY = f"""instrument=MN00001
flow_cell_id=FAX00001
sample_id=donor
protocol=sequencing/sequencing_MIN114_DNA:FLO-MIN114:SQK-NBD114-24:400
acquisition_run_id=0123456789abcdef
started=2026-11-02T09:00:00+00:00
acquisition_stopped=2026-11-02T19:00:00+00:00
fastq_files_in_final_dest={PIECES}
"""


def pieces(lab: Lab) -> dict[str, bytes]:
    """Some reads of one barcode, as files of a run."""
    return {
        f"fastq/barcode01/reads_{number}.fastq.gz": content
        for number, content in enumerate(lab.donor[:PIECES])
    }


def send_runs(lab: Lab) -> None:
    sends = {
        BY_MANIFEST: send_by_manifest,
        SUMMARY_LAST: send_summary_last,
        SUMMARY_FIRST: send_summary_first,
        BY_TAR: send_by_tar,
    }
    for door, send in sends.items():
        if door not in SLOW_DOORS or door in lab.selected:
            lab.later(send, lab)


def send_by_manifest(lab: Lab) -> None:
    """The seal is written twenty times, and its event comes twenty times more, all at once."""
    run_id, files = lab.run_id(BY_MANIFEST), pieces(lab)
    lab.put_files(run_id, files)
    manifest = lab.manifest(run_id, files)
    lab.put_seal(run_id, manifest)
    head = lab.stack.bucket("Raw").head(s3_keys.seal_key(run_id))
    assert head is not None
    event = created_event(lab, s3_keys.seal_key(run_id), head.etag, head.size)
    sqs, queue = lab.cloud.client("sqs"), lab.stack.output("IntakeQueueUrl")
    with ThreadPoolExecutor(TIMES) as hands:
        again = [hands.submit(lab.put_seal, run_id, manifest) for _ in range(TIMES)]
        again += [
            hands.submit(sqs.send_message, QueueUrl=queue, MessageBody=event) for _ in range(TIMES)
        ]
    assert not [one.exception() for one in wait(again).done if one.exception()]


def created_event(lab: Lab, key: str, etag: str, size: int) -> str:
    """EventBridge's event of a new object in the raw bucket."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": lab.cloud.local.account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": lab.cloud.local.region,
        "resources": [],
        "detail": {
            "version": "0",
            "bucket": {"name": lab.stack.output("RawBucketName")},
            "object": {"key": key, "size": size, "etag": etag, "sequencer": "00F0"},
            "reason": "PutObject",
        },
    }
    return json.dumps(event)


def send_summary_last(lab: Lab) -> None:
    run_id = lab.run_id(SUMMARY_LAST)
    lab.put_files(run_id, pieces(lab))
    lab.put_files(run_id, {"final_summary_FAX00001.txt": SUMMARY.encode()})


def send_summary_first(lab: Lab) -> None:
    """The files come when the summary was looked at already, one by one."""
    run_id = lab.run_id(SUMMARY_FIRST)
    lab.put_files(run_id, {"final_summary_FAX00001.txt": SUMMARY.encode()})
    for number, (path, content) in enumerate(pieces(lab).items(), 1):
        lab.put_files(run_id, {path: content})
        wait_for(lambda n=number: checked(lab, run_id) == n, 60, f"the check of {path}")  # type: ignore[misc]


def checked(lab: Lab, run_id: str) -> int:
    view = lab.find(run_id)
    return len(view.files) if view else 0


def send_by_tar(lab: Lab) -> None:
    """A MinKNOW folder as it is, twice; the second time before the first is dealt with."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in pieces(lab).items():
            member = tarfile.TarInfo(f"run/20261102/{path.replace('fastq/', 'fastq_pass/')}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    for _ in range(2):
        lab.put(f"inbox/{lab.run_id(BY_TAR)}.tar", packed.getvalue())


each = pytest.mark.parametrize(
    "door",
    [pytest.param(d, marks=pytest.mark.slow) if d in SLOW_DOORS else d for d in DOORS],
)


@each
def test_every_door_leads_to_the_same_answer(lab: Lab, door: str) -> None:
    run = lab.completed(lab.run_id(door)).run
    report = lab.findings(run)
    assert found(report, Call.DETECTED) == {"PCV2", "HEV"}
    assert [sample.barcode for sample in report.samples] == ["barcode01"]
    assert {file.path for file in report.inputs} == set(pieces(lab))
    assert all(screen.account.balanced for screen in report.screens)


@each
def test_one_manifest_starts_one_execution(lab: Lab, door: str) -> None:
    run = lab.completed(lab.run_id(door)).run
    (execution,) = lab.executions(run.run_id)
    assert run.execution_arn and run.execution_arn.endswith(f":{execution}")
    assert (run.revision, len(lab.facts(run.run_id, RunStarted))) == (0, 1)
    (sealed,) = lab.facts(run.run_id, RunSealed)
    assert sealed.sealed_by == DOORS[door]


@pytest.mark.slow
def test_what_the_sequencer_said_is_in_the_report(lab: Lab) -> None:
    report = lab.findings(lab.completed(lab.run_id(SUMMARY_FIRST)).run)
    assert report.sequencing.kit == "SQK-NBD114-24"
    assert report.sequencing.flow_cell == "FAX00001"


def test_the_tar_stays_where_it_was_put_and_its_files_lie_in_the_run(lab: Lab) -> None:
    run_id = lab.run_id(BY_TAR)
    lab.completed(run_id)
    raw = lab.stack.bucket("Raw")
    assert raw.head(f"inbox/{run_id}.tar") is not None
    there = {head.key for head in raw.keys(f"runs/{run_id}/")}
    assert there == {s3_keys.raw_key(run_id, path) for path in (*pieces(lab), "run.json")}
    assert list(raw.keys(f"quarantine/inbox/{run_id}")) == []
