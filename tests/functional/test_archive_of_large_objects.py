"""An object that one call of the archiver cannot copy: the next call goes on where it ended, also
after one whose process was killed; and what was begun is given up when it is to stay hot."""

# ruff: noqa: F811

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.archive import part_copies
from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.table import Table
from porewatch.domain.archive import steps
from porewatch.domain.archive.away import Away, State
from porewatch.domain.archive.steps import CLAIM
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.tiers.tier import TierName
from porewatch.settings import settings
from porewatch.usecases.archive import look_at_artefact
from tests.functional.doors import Context, batch, door
from tests.functional.test_archiver import (
    BULKY,
    RUN,
    USER,
    Clock,
    clock,  # noqa: F401 - a fixture
    deliver,
    pays,
    queue,  # noqa: F401 - a fixture
    restored,
    run,  # noqa: F401 - a fixture
    storage_class,
    sweep,
)

PART, PARTS = 5 << 20, 3
"""S3's smallest part."""
LARGE = ("results", f"runs/{RUN}/r1/screen/e1/AROA:i-1/outputs/large.bin")
BYTES = bytes(range(256)) * (2 * PART // 256) + b"the last part"


class Killed(BaseException):
    """No code of ours catches it."""


class Wire:
    """Counts what was asked of S3. Each part takes a minute; `kill_at`: the process dies at so many
    parts from now."""

    def __init__(self, clock: Clock) -> None:
        self.seen: Counter[str] = Counter()
        self.clock, self.kill_at = clock, 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        whole = BaseClient._make_api_call  # type: ignore[attr-defined]

        def heard(client: Any, operation: str, sent: Any) -> Any:
            if operation == "UploadPartCopy":
                if self.seen[operation] > 2 * PARTS:
                    pytest.fail("parts are copied again and again")
                self.clock.at += timedelta(minutes=1)
                self.kill_at -= 1
                if self.kill_at == 0:
                    raise Killed
            if sent.get("Key") == LARGE[1]:
                self.seen[operation] += 1
            return whole(client, operation, sent)

        with patch.object(BaseClient, "_make_api_call", heard):
            yield


@pytest.fixture
def wire(run: RunRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """A call of the function has time for one part."""
    boto3.client("s3").put_object(
        Bucket=LARGE[0], Key=LARGE[1], Body=BYTES, ContentType="application/x-reads",
        Metadata={"of": "a run"},
    )  # fmt: skip
    monkeypatch.setattr(steps, "LARGE", 2 * PART)
    monkeypatch.setattr(part_copies, "PART", PART)
    monkeypatch.setattr(part_copies, "PARTS_AT_ONCE", 1)
    monkeypatch.setattr(look_at_artefact, "COPYING", timedelta(seconds=30))
    return Wire(clock)


def record() -> Away | None:
    away = ArchiveLedger(Table("ledger")).all_away(USER)
    return next((one for one in away if one.artefact.key == LARGE[1]), None)


def one_call() -> None:
    """The next message about the large object alone, to a function that starts for it."""
    sqs, url = boto3.client("sqs"), settings().queue_url
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        mine = {one["Body"] for one in got if LARGE[1] in one["Body"]}
        if mine:
            assert door("archiver")(batch(mine.pop()), Context()) == {"batchItemFailures": []}
            return


def due(clock: Clock) -> None:
    """The look at the run has been taken."""
    clock.days(15)
    sweep()
    sqs, url = boto3.client("sqs"), settings().queue_url
    for message in sqs.receive_message(QueueUrl=url)["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert json.loads(message["Body"])["look"] == "run"
        door("archiver")(batch(message["Body"]), Context())


def uploads() -> int:
    return len(boto3.client("s3").list_multipart_uploads(Bucket=LARGE[0]).get("Uploads", []))


def test_each_call_goes_on_where_the_last_one_ended(clock: Clock, wire: Wire) -> None:
    due(clock)
    with wire():
        for number in range(1, PARTS + 1):
            one_call()
            assert wire.seen["UploadPartCopy"] == number, "each part once"
            known = record() or pytest.fail("no record")
            if number < PARTS:
                assert (known.state, known.claimed_until) == (State.ARCHIVING, None)
                assert known.upload and known.failures == 0 and uploads() == 1
    assert known.state is State.ARCHIVED and known.upload == ""
    assert wire.seen["CreateMultipartUpload"] == 1 and uploads() == 0
    head = boto3.client("s3").head_object(Bucket=LARGE[0], Key=LARGE[1])
    assert (head["StorageClass"], head["ContentLength"]) == ("GLACIER", len(BYTES))
    assert (head["ContentType"], head["Metadata"]) == ("application/x-reads", {"of": "a run"})
    with wire():
        assert deliver(pays(TierName.PREMIUM, clock.at)) == []
        assert deliver(restored(LARGE)) == []
    assert record() is None and storage_class(LARGE) == "STANDARD" and uploads() == 0
    body = boto3.client("s3").get_object(Bucket=LARGE[0], Key=LARGE[1])["Body"].read()
    assert body == BYTES
    assert wire.seen["UploadPartCopy"] == 2 * PARTS


def test_a_call_that_has_the_time_copies_all_of_it(clock: Clock, wire: Wire) -> None:
    boto3.client("s3").put_object(Bucket=BULKY[0], Key=BULKY[1], Body=BYTES)
    due(clock)
    assert deliver() == []
    assert [storage_class(place) for place in (LARGE, BULKY)] == ["GLACIER"] * 2
    assert uploads() == 0


def test_what_a_killed_process_copied_is_not_copied_again(clock: Clock, wire: Wire) -> None:
    due(clock)
    wire.kill_at = 2
    with wire():
        one_call()
        with suppress(Killed):
            deliver()
        assert wire.seen["UploadPartCopy"] == 1
        known = record() or pytest.fail("no record")
        assert known.claimed_until is not None, "nobody else may go on while it may be at work"
        clock.at += CLAIM
        for _ in range(3):
            sweep()
            deliver()
            clock.at += timedelta(minutes=6)
    assert storage_class(LARGE) == "GLACIER"
    assert wire.seen["UploadPartCopy"] == PARTS and wire.seen["CreateMultipartUpload"] == 1


def test_who_pays_while_it_is_copied_keeps_it_and_nothing_is_left_of_the_copy(
    clock: Clock, wire: Wire
) -> None:
    due(clock)
    with wire():
        one_call()
    assert uploads() == 1
    pays(TierName.PREMIUM, clock.at)
    one_call()
    assert record() is None and storage_class(LARGE) == "STANDARD" and uploads() == 0
    assert wire.seen["UploadPartCopy"] == 1


def test_a_copy_that_s3_has_ended_is_begun_from_its_first_part(clock: Clock, wire: Wire) -> None:
    due(clock)
    with wire():
        one_call()
        known = record() or pytest.fail("no record")
        boto3.client("s3").abort_multipart_upload(
            Bucket=LARGE[0], Key=LARGE[1], UploadId=known.upload
        )
        one_call()
        known = record() or pytest.fail("no record")
        assert known.failures == 1 and "is gone" in known.problem and known.upload == ""
        clock.days(1)
        sweep()
        deliver()
    assert storage_class(LARGE) == "GLACIER"
    assert wire.seen["CreateMultipartUpload"] == 2
    assert wire.seen["UploadPartCopy"] == PARTS + 1
