"""fastq_validator: each arriving file is judged once, and what is no good is set aside."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any
from unittest.mock import Mock

import boto3
import pytest

from porewatch.adapters import clients
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain.errors import Unavailable
from porewatch.domain.records.file_record import FileState
from porewatch.domain.runs import RunState
from porewatch.domain.visible import visible
from porewatch.settings import settings
from tests.functional.doors import Context, batch, created, door, keys, object_event, put, send
from tests.mocked import facts_in

READ = b"@r1\nACGTACGT\n+\nIIIIIIII\n"
GOOD = gzip.compress(READ * 3)
KEY = "runs/run-1/fastq/barcode01/a.fastq.gz"
PATH = "fastq/barcode01/a.fastq.gz"


def test_a_sound_file_is_counted_and_valid(cloud: Table, runs: RunLedger) -> None:
    assert send("fastq_validator", put(KEY, GOOD)) == []
    record = runs.files_of("run-1")[PATH]
    assert (record.state, record.reads, record.bases) == (FileState.VALID, 3, 24)
    assert record.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert facts_in(cloud, "run-1") == ["FileValidated"]
    assert runs.get("run-1").state is RunState.RECEIVING


BAD: list[tuple[str, bytes, str]] = [
    ("fastq/cut.fastq.gz", GOOD[: len(GOOD) // 2], "ends early|truncated|cut"),
    ("fastq/len.fastq", b"@r1\nACGT\n+\nIII\n", "record 1"),
    ("fastq/plus.fastq", READ + b"@r2\nACGT\nIIII\n@r3\n", "record 2"),
    ("fastq/empty.fastq", b"", "empty"),
    ("fastq/none.fastq.gz", gzip.compress(b""), "empty|no reads"),
    ("fastq/fasta.fastq", b">r1\nACGT\n", "FASTA"),
    ("fastq/a.fast5", b"\x89HDF", "pod5 convert fast5"),
    ("fastq/a.fasta", b">r1\nACGT\n", "FASTQ"),
    ("fastq/notes.txt", b"hello", "fastq"),
    ("fastq/wrong.bam", b"BAM", "put it in bam/"),
    ("pod5/short.pod5", b"\x8bPOD\r\n\x1a\n" + b"x" * 50, "cut short"),
    ("pod5/not.pod5", b"PK\x03\x04", "not POD5"),
    ("bam/not.bam", b"BAM\x01", "not BAM"),
]


@pytest.mark.parametrize(("path", "content", "expected"), BAD, ids=[b[0] for b in BAD])
def test_a_bad_file_is_set_aside_with_the_reason_and_kept(
    cloud: Table, runs: RunLedger, path: str, content: bytes, expected: str
) -> None:
    key = f"runs/run-1/{path}"
    assert send("fastq_validator", put(key, content), put(KEY, GOOD)) == []
    record = runs.files_of("run-1")[path]
    assert record.state is FileState.QUARANTINED
    assert record.problem
    import re

    assert re.search(expected, record.problem), record.problem
    assert path in record.problem
    assert "Remedy" in record.problem
    kept = boto3.client("s3").get_object(Bucket="raw", Key=f"quarantine/{key}")["Body"].read()
    assert kept == content
    assert keys("runs/") == [KEY], "the neighbour is untouched, the bad one is gone from the run"
    assert sorted(facts_in(cloud, "run-1")) == ["FileQuarantined", "FileValidated"]


def test_the_same_event_twenty_times_is_one_record_and_one_fact(
    cloud: Table, runs: RunLedger
) -> None:
    event = put(KEY, GOOD)
    for _ in range(20):
        assert send("fastq_validator", event) == []
    assert facts_in(cloud, "run-1") == ["FileValidated"]


def test_an_older_event_never_overwrites_a_newer_one(cloud: Table, runs: RunLedger) -> None:
    put(KEY, GOOD)
    newer, older = created(KEY, sequencer="00F2"), created(KEY, sequencer="00F1FF")
    assert send("fastq_validator", newer, older) == []
    assert facts_in(cloud, "run-1") == ["FileValidated"]


def test_an_event_of_content_that_was_replaced_since_changes_nothing(
    cloud: Table, runs: RunLedger
) -> None:
    old = put(KEY, b"@broken\n")
    new = put(KEY, GOOD)
    assert send("fastq_validator", old) == []
    assert runs.files_of("run-1") == {}
    assert send("fastq_validator", new) == []
    assert runs.files_of("run-1")[PATH].state is FileState.VALID
    assert keys("quarantine/") == []


def test_a_corrected_file_replaces_the_verdict_on_the_bad_one(
    cloud: Table, runs: RunLedger
) -> None:
    send("fastq_validator", put(KEY, b"not gzip"))
    assert runs.files_of("run-1")[PATH].state is FileState.QUARANTINED
    send("fastq_validator", put(KEY, GOOD))
    assert runs.files_of("run-1")[PATH].state is FileState.VALID
    assert keys("runs/") == [KEY]


def test_a_move_that_a_crash_left_undone_is_done_by_the_next_delivery(
    cloud: Table, runs: RunLedger
) -> None:
    event = put(KEY, b"not gzip")
    send("fastq_validator", event)
    boto3.client("s3").put_object(Bucket="raw", Key=KEY, Body=b"not gzip")  # as before the move
    assert send("fastq_validator", event) == []
    assert keys("runs/") == []


@pytest.mark.parametrize(
    "run_id", ["my run", "rün", "-x", "a" * 64, "x;rm", "..", "%2e%2e", "r1\n"]
)
def test_objects_under_odd_run_ids_are_never_read_and_notified_once(
    cloud: Table, notices: Any, run_id: str
) -> None:
    event = object_event(f"runs/{run_id}/fastq/a.fastq", etag="e", size=5)  # no such object
    assert send("fastq_validator", event) == ["m0"], "it must reach the dead letters"
    assert send("fastq_validator", event) == ["m0"]
    (mail,) = notices()
    assert "odd name" in mail["Subject"]
    assert visible(run_id) in mail["Message"]


@pytest.mark.parametrize(
    "body", ["", "not json", "[]", "{}", '{"detail": {}}', '{"detail-type": "x", "detail": null}']
)
def test_rubbish_goes_to_the_dead_letters_and_its_neighbours_do_not(
    cloud: Table, runs: RunLedger, body: str
) -> None:
    assert send("fastq_validator", body, put(KEY, GOOD)) == ["m0"]
    assert runs.files_of("run-1")[PATH].state is FileState.VALID


def test_a_file_in_a_folder_within_the_run_is_checked_where_it_lies(
    cloud: Table, runs: RunLedger, notices: Any
) -> None:
    assert send("fastq_validator", put("runs/run-1/day-1/fastq/a.fastq.gz", GOOD)) == []
    assert runs.files_of("run-1")["day-1/fastq/a.fastq.gz"].state is FileState.VALID
    assert notices() == []


@pytest.mark.parametrize("trouble", [Unavailable("slow down"), OSError("connection reset")])
def test_what_could_not_be_read_just_now_comes_again_in_minutes_and_not_in_hours(
    cloud: Table, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """The queue hides a message for six times the function's fifteen minutes."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="files", Attributes={"VisibilityTimeout": "5400"})["QueueUrl"]
    monkeypatch.setenv("QUEUE_URL", url)
    settings.cache_clear()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    event = batch(put(KEY, GOOD))
    event["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
    waits = []

    def noted(**request: Any) -> None:
        waits.append(request["params"]["VisibilityTimeout"])

    clients.sqs().meta.events.register("provide-client-params.sqs.ChangeMessageVisibility", noted)
    monkeypatch.setattr("porewatch.adapters.objects.Objects.stream", Mock(side_effect=trouble))
    for receives in ("1", "2", "4", "9"):
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = receives
        failed = door("fastq_validator")(event, Context())["batchItemFailures"]
        assert failed == [{"itemIdentifier": event["Records"][0]["messageId"]}]
    assert waits == [60, 240, 3600, 3600]
