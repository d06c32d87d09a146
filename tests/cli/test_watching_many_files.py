"""Watching a run of many files: what a look reads does not grow with them while nothing changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.domain.facts.run_facts import FileValidated, RunRefused
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import ReadKind
from porewatch_cli.runs import files_seen
from porewatch_cli.runs.files_seen import FilesSeen
from porewatch_cli.runs.run_view import look
from porewatch_cli.stack import Stack

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
FILES = 40


@contextmanager
def items_read() -> Iterator[Counter[str]]:
    seen: Counter[str] = Counter()
    call = BaseClient._make_api_call

    def counting(self: Any, operation: str, request: Any) -> Any:
        reply = call(self, operation, request)
        seen["items"] += reply.get("ScannedCount", 0) if operation == "Query" else 0
        seen["items"] += "Item" in reply if operation == "GetItem" else 0
        return reply

    with patch.object(BaseClient, "_make_api_call", counting):
        yield seen


def check(ledger: Table, number: int) -> None:
    path = f"fastq/{number}.fastq"
    record = FileRecord(
        run_id="r", path=path, kind=ReadKind.FASTQ, state=FileState.VALID, size=9, etag="e",
        sha256="0" * 64, reads=1, bases=4, checked_at=WHEN,
    )  # fmt: skip
    fact = FileValidated(
        fact_id=FileValidated.id_of("r", path, "01"), run_id="r", at=WHEN, path=path, size=9,
        reads=1, bases=4,
    )  # fmt: skip
    RunLedger(ledger).record_file(record, sequencer="01", fact=fact)


@pytest.fixture
def stack(ledger: Table) -> Stack:
    RunLedger(ledger).receive("r", WHEN)
    for number in range(FILES):
        check(ledger, number)
    return Stack("s", boto3.Session(region_name="eu-central-1"), {"LedgerTable": ledger.name})


def test_another_look_reads_no_file_again(stack: Stack, ledger: Table) -> None:
    files = FilesSeen()
    assert len(look("r", stack, files).files) == FILES
    with items_read() as seen:
        assert len(look("r", stack, files).files) == FILES
    assert seen["items"] <= 10, "the run, and eight shares of the count"


def test_a_new_check_is_seen_and_a_stream_of_them_is_not_read_at_every_look(
    stack: Stack, ledger: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_seen, "FILES_A_SECOND", 1e9)
    files = FilesSeen()
    files.of("r", stack)
    check(ledger, FILES)
    assert len(files.of("r", stack)) == FILES + 1
    monkeypatch.setattr(files_seen, "FILES_A_SECOND", 1e-9)
    check(ledger, FILES + 1)
    assert len(files.of("r", stack)) == FILES + 2
    check(ledger, FILES + 2)
    with items_read() as seen:
        assert len(files.of("r", stack)) == FILES + 2
    assert seen["items"] <= 8
    assert len(files.of("r", stack, over=True)) == FILES + 3


def test_what_happened_in_a_run_is_read_without_the_facts_about_its_files(
    stack: Stack, ledger: Table
) -> None:
    fact = RunRefused(
        fact_id=RunRefused.id_of("r", 0, "d"), run_id="r", at=WHEN, revision=0, problem="why"
    )
    ledger.record([fact])
    with items_read() as seen:
        assert StageLedger(ledger).facts("r", 0) == [fact]
    assert seen["items"] == 1
