"""What a file costs the intake: the same in a run of a hundred files and in one of thousands."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.items import Item, request, run_key
from porewatch.adapters.ledger.intake_counters import (
    Intake,
    one_more,
)
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import ReadKind, RunState
from porewatch.domain.sealing import input_file, parse_manifest, seal
from porewatch.domain.uploads import intake as rules
from porewatch.usecases.intake import check_for_completeness
from tests.functional.conftest import executions
from tests.functional.doors import fact_event, put, send

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
LAST = 5
"""Files of a run that are watched on their way in; those before them are there already."""
SUMMARY = (
    b"instrument=MN1\nflow_cell_id=FAX1\nprotocol=sequencing/x:FLO-MIN114:SQK-LSK114:400\n"
    b"acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\n"
)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """What is read meanwhile: keys that S3 listed, items that the ledger gave."""
    seen: Counter[str] = Counter()
    call = BaseClient._make_api_call

    def counting(self: Any, operation: str, request: Any) -> Any:
        reply = call(self, operation, request)
        seen["keys"] += reply.get("KeyCount", 0) if operation == "ListObjectsV2" else 0
        seen["items"] += len(reply.get("Items", ())) if operation == "Query" else 0
        seen["items"] += "Item" in reply if operation == "GetItem" else 0
        return reply

    with patch.object(BaseClient, "_make_api_call", counting):
        yield seen


def content(number: int) -> bytes:
    """No two files hold the same bytes, and all are equally long."""
    return gzip.compress(b"@r%06d\nACGTACGT\n+\nIIIIIIII\n" % number, compresslevel=0, mtime=0)


def sha256(number: int) -> str:
    return hashlib.sha256(content(number)).hexdigest()


def path(number: int) -> str:
    return f"fastq/barcode{number % 24 + 1:02d}/a_{number:05d}.fastq.gz"


def lay_down(ledger: Table, numbers: range) -> None:
    """Files that lie there and were checked: as the validator leaves them."""
    client, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    RunLedger(ledger).receive("run-1", WHEN)
    for number in numbers:
        key = f"runs/run-1/{path(number)}"
        etag = client.put_object(Bucket="raw", Key=key, Body=content(number))["ETag"].strip('"')
        record = FileRecord(
            run_id="run-1",
            path=path(number),
            kind=ReadKind.FASTQ,
            state=FileState.VALID,
            size=len(content(number)),
            etag=etag,
            sha256=sha256(number),
            reads=1,
            bases=8,
            checked_at=WHEN,
        )
        # Not by record_file: a transaction of the mock copies its whole table.
        kept = {"sequencer": "01".ljust(32, "0"), "state": "valid"}
        ledger.put(Item.of(run_key("run-1"), f"FILE#{path(number)}", record, attributes=kept))
    for number in numbers:
        count = request(ledger.name, one_more("run-1", path(number)))
        dynamodb.update_item(**count)


def checked(number: int, event: dict[str, Any]) -> None:
    """The validator gets the file, and the orchestrator the fact that it was checked; each twice,
    as queues do."""
    detail = {"fact_id": path(number), "run_id": "run-1", "at": WHEN.isoformat()}
    more = {"path": path(number), "size": 1, "reads": 1, "bases": 8}
    for _ in range(2):
        assert send("fastq_validator", event) == []
    for _ in range(2):
        assert send("pipeline_orchestrator", fact_event("FileValidated", {**detail, **more})) == []


def manifest_of(files: int) -> bytes:
    some = [input_file(path(n), len(content(n)), sha256(n)) for n in range(files)]
    return seal(some, run_id="run-1", created_at=WHEN).canonical_json().encode()


def cost_of_the_last(ledger: Table, files: int, way: str) -> tuple[float, float, int]:
    """(keys, items) read for each of the last files, and keys listed in all, for a run of `files`
    that is sealed after, before, or by a summary before its last files are checked."""
    lay_down(ledger, range(files - LAST))
    events = [put(f"runs/run-1/{path(n)}", content(n)) for n in range(files - LAST, files)]
    with counted() as all_of_it:
        if way == "seal first":
            assert (
                send("pipeline_orchestrator", put("runs/run-1/run.json", manifest_of(files))) == []
            )
        if way == "summary first":
            counts = f"fastq_files_in_final_dest={files}\n".encode()
            event = put("runs/run-1/final_summary_FAX1_a_b.txt", SUMMARY + counts)
            assert send("pipeline_orchestrator", event) == ["m0"]
        with counted() as seen:
            for number, event in zip(range(files - LAST, files - 1), events, strict=False):
                checked(number, event)
        checked(files - 1, events[-1])
        if way == "seal last":
            assert (
                send("pipeline_orchestrator", put("runs/run-1/run.json", manifest_of(files))) == []
            )
        if way == "summary first":
            key = "runs/run-1/run.json"
            body = boto3.client("s3").get_object(Bucket="raw", Key=key)["Body"].read()
            assert send("pipeline_orchestrator", put(key, body)) == []
    assert len(executions()) == 1
    assert RunLedger(ledger).get("run-1").state is RunState.RUNNING
    return seen["keys"] / (LAST - 1), seen["items"] / (LAST - 1), all_of_it["keys"]


WAYS = {"seal last": 6, "seal first": 24, "summary first": 24}
"""Items that a file may cost, delivered twice to validator and orchestrator: its record, its run
and, once somebody waits for it, the last look and the eight shares of the count."""
LISTINGS = {"seal last": 1, "seal first": 2, "summary first": 3}
"""By the call that seals, by the one that gets the last check; and of the manifest of a summary."""
SIZES = [20, 60, *(pytest.param(n, marks=pytest.mark.slow) for n in (1000, 10_000))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("files", SIZES)
def test_a_file_costs_the_same_however_many_there_are(cloud: Table, files: int, way: str) -> None:
    keys, items, listed = cost_of_the_last(cloud, files, way)
    assert keys == 0, "nothing is listed for a file that cannot complete the run"
    assert items <= WAYS[way]
    most = LISTINGS[way] * (files + 3)
    assert listed <= most, "the whole folder is listed a fixed number of times, whatever its size"


@contextmanager
def meanwhile(*acts: Callable[[], object]) -> Iterator[list[int]]:
    """While somebody looks at all files, and has passed the last ones by, these things happen: as
    when several orchestrators run at once. Answers, for each look, how many were under way."""
    left, under_way, seen = list(acts), 0, []
    whole = RunLedger.files_of

    def slow(self: RunLedger, run_id: str) -> dict[str, FileRecord]:
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        found = whole(self, run_id)
        while left:
            left.pop(0)()
        under_way -= 1
        return found

    with patch.object(RunLedger, "files_of", slow):
        yield seen


def test_only_one_lists_while_many_get_checks(cloud: Table) -> None:
    """The last checks of the run come while its folder is being listed, and no other event after
    them: whoever lists has to see that they came."""
    files = 12
    lay_down(cloud, range(files - 4))
    events = [put(f"runs/run-1/{path(n)}", content(n)) for n in range(files - 4, files)]
    late = [partial(checked, files - 4 + n, event) for n, event in enumerate(events)]
    with meanwhile(*late) as listings:
        event = put("runs/run-1/run.json", manifest_of(files))
        assert send("pipeline_orchestrator", event) == []
    assert listings == [1, 1], "listed once, and once more for what came meanwhile"
    assert len(executions()) == 1


def test_a_summary_is_looked_at_by_one_as_well(cloud: Table) -> None:
    files = 12
    lay_down(cloud, range(files - 4))
    events = [put(f"runs/run-1/{path(n)}", content(n)) for n in range(files - 4, files)]
    late = [partial(checked, files - 4 + n, event) for n, event in enumerate(events)]
    counts = f"fastq_files_in_final_dest={files}\n".encode()
    event = put("runs/run-1/final_summary_FAX1_a_b.txt", SUMMARY + counts)
    with meanwhile(*late) as listings:
        assert send("pipeline_orchestrator", event) == []
    assert listings == [1, 1]
    sealed = boto3.client("s3").get_object(Bucket="raw", Key="runs/run-1/run.json")["Body"].read()
    assert len(parse_manifest(sealed).files) == files


def test_a_look_whose_function_died_is_made_by_the_next(
    cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_down(cloud, range(3))

    class Died(BaseException):
        """Nothing of the function runs after it."""

    def die(*_: object) -> None:
        raise Died

    event = put("runs/run-1/run.json", manifest_of(3))
    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(Objects, "keys", die)
        patched.setattr(check_for_completeness.Begun, "give_back", lambda _: None)
        send("pipeline_orchestrator", event)
    assert send("pipeline_orchestrator", event) == []
    assert executions() == [], "somebody may still be looking"
    with monkeypatch.context() as patched:
        patched.setattr(base, "clock", lambda: base.wall() + rules.CLAIM)
        assert send("pipeline_orchestrator", event) == []
    assert len(executions()) == 1


def test_looking_for_every_file_is_noticed_by_these_numbers(
    cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_for_completeness, "worth_a_look", lambda *_: True)
    keys, items, _ = cost_of_the_last(cloud, 40, "seal first")
    assert keys > 40
    assert items > 40


def looked(**changes: Any) -> rules.Look:
    return rules.Look(of="manifest", at=WHEN, **changes)


@pytest.mark.parametrize(
    ("look", "recorded", "after_s", "worth"),
    [
        (looked(), {}, 0, True),
        (looked(lacking={"fastq": 3}, seen={"fastq": 5}), {"fastq": 7}, 0, False),
        (looked(lacking={"fastq": 3}, seen={"fastq": 5}), {"fastq": 8}, 0, True),
        (looked(lacking={"fastq": 3}), {"bam": 9, "fastq": 2}, 0, False),
        (looked(missing=4), {"bam": 2, "fastq": 1}, 0, False),
        (looked(missing=4), {"bam": 2, "fastq": 2}, 0, True),
        (looked(missing=4), {}, 29, False),
        (looked(missing=4), {}, 30, True),
        (looked(lacking={"fastq": 1}), {}, 99, False),
        (looked(missing=4, patience_until=WHEN + timedelta(seconds=9)), {}, 8, False),
        (looked(missing=4, patience_until=WHEN + timedelta(seconds=9)), {}, 10, True),
        (looked(lacking={"pod5": 1}, patience_until=WHEN), {}, 10, False),
        (looked(looks=20), {}, 29, False),
        (looked(looks=20), {}, 30, True),
    ],
)
def test_counts_decide_whether_to_look(
    look: rules.Look, recorded: dict[str, int], after_s: int, worth: bool
) -> None:
    assert rules.worth_a_look(look, recorded, WHEN + timedelta(seconds=after_s)) is worth


def test_a_file_is_counted_once_for_each_of_its_versions(cloud: Table, runs: RunLedger) -> None:
    first = put(f"runs/run-1/{path(0)}", content(0))
    for _ in range(3):
        send("fastq_validator", first)
    assert Intake(cloud).recorded("run-1") == {"fastq": 1}
    second = put(f"runs/run-1/{path(0)}", gzip.compress(b"@r2\nACGT\n+\nIIII\n"))
    send("fastq_validator", second, first)
    bad = put(f"runs/run-1/{path(1)}", b"rubbish")
    send("fastq_validator", bad, bad)
    assert Intake(cloud).recorded("run-1") == {"fastq": 3}


def test_a_crash_keeps_both_the_record_and_its_count_or_neither(
    cloud: Table, runs: RunLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = put(f"runs/run-1/{path(0)}", content(0))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the function died here")

    with monkeypatch.context() as patched:
        patched.setattr(Table, "_send", broken)
        assert send("fastq_validator", event) == ["m0"]
    assert Intake(cloud).recorded("run-1") == {}
    assert runs.files_of("run-1") == {}
    assert send("fastq_validator", event) == []
    assert Intake(cloud).recorded("run-1") == {"fastq": 1}
