"""The run ledger: one conditional write for each move, whoever else is writing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from porewatch.adapters.items import run_key
from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.run_moves import OPEN, OPEN_RUNS, PROJECT, move_run, runs_of, there
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain.errors import NotFound, RunGone, Throttled
from porewatch.domain.inputs.seal_note import note_of
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.orders import DeleteRun
from porewatch.domain.rules import run_endings, run_lifecycle
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.rules.run_states import Move
from porewatch.domain.runs import ReadKind, RunManifest, RunState
from porewatch.domain.sealing import input_file, seal
from tests.mocked import facts_in

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
PIGS, MINE = "p-abcdefgh23456722", "p-bcdefghi23456722"


@pytest.fixture
def runs(ledger: Table) -> RunLedger:
    return RunLedger(ledger)


def a_manifest(day: int = 0, files: int = 1) -> RunManifest:
    some = [input_file(f"fastq/{i:06d}.fastq.gz", 9, "0" * 64) for i in range(files)]
    return seal(some, run_id="r", created_at=WHEN + timedelta(days=day))


def a_file(reads: int) -> FileRecord:
    return FileRecord(
        run_id="r",
        path="fastq/a.fastq",
        kind=ReadKind.FASTQ,
        state=FileState.VALID,
        size=1,
        etag="e",
        reads=reads,
        checked_at=WHEN,
    )


def test_a_sealed_run_keeps_digest_and_counts_of_its_manifest(runs: RunLedger) -> None:
    record = runs.seal(a_manifest(), sealed_by="run.json", at=WHEN)
    assert record == runs.get("r")
    assert runs.seal_note("r", 0) == note_of(a_manifest())


def test_of_two_manifests_sealed_at_once_each_has_its_own_revision(
    ledger: Table, runs: RunLedger
) -> None:
    def seal_it(day: int) -> None:
        for _ in range(5):
            try:
                runs.seal(a_manifest(day), sealed_by="run.json", at=WHEN)
            except Throttled:
                continue
            else:
                return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(seal_it, range(6)))
    last = runs.get("r")
    assert last.revision == 5
    digests = {runs.seal_note("r", revision).manifest_digest for revision in range(6)}
    assert digests == {a_manifest(day).digest() for day in range(6)}
    assert runs.seal_note("r", 5).manifest_digest == last.manifest_digest
    assert facts_in(ledger, "r") == ["RunSealed"] * 6


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [("01", "02", 2), ("02", "01", 1), ("0A", "0a", 1), ("00FF", "01", 2), ("01", "00FF", 1)],
)
def test_an_older_event_never_overwrites_a_newer_one(
    runs: RunLedger, first: str, second: str, kept: int
) -> None:
    assert runs.record_file(a_file(1), sequencer=first, fact=None)
    assert runs.record_file(a_file(2), sequencer=second, fact=None) is (kept == 2)
    assert runs.files_of("r")["fastq/a.fastq"].reads == kept


def test_runs_are_listed_newest_first(runs: RunLedger) -> None:
    for day in (2, 0, 1):
        runs.receive(f"run-{day}", WHEN + timedelta(days=day))
    assert [run.run_id for run in runs.list()] == ["run-2", "run-1", "run-0"]


def test_the_cost_is_a_sum_and_may_come_after_the_end(runs: RunLedger) -> None:
    runs.seal(a_manifest(), sealed_by="run.json", at=WHEN)
    runs.start(a_manifest(), execution_arn="arn:x", bundle="b", at=WHEN)
    why = {"stage": "s", "error": "WorkerLost", "problem": "p", "refused": False}
    runs.apply("r", run_endings.fail, revision=0, **why, at=WHEN)
    for _ in range(2):
        assert runs.apply_to_gone("r", run_endings.cost, 0.5, WHEN).cost_usd == 0.5
    assert runs.get("r").state is RunState.FAILED


def running(runs: RunLedger) -> None:
    runs.seal(a_manifest(), sealed_by="run.json", at=WHEN)
    runs.start(a_manifest(), execution_arn="arn:x", bundle="b", at=WHEN)


def listed_as_open(ledger: Table) -> list[tuple[str, str]]:
    return [(item.pk, item.sk) for item in ledger.query_kind(OPEN_RUNS)]


def complete(runs: RunLedger) -> None:
    ended = {"report_keys": {}, "findings": 0, "cost_usd": 1.0}
    runs.apply("r", run_endings.complete, 0, **ended, at=WHEN)


def test_a_sweep_finds_a_run_while_something_is_to_be_done_for_it(
    ledger: Table, runs: RunLedger
) -> None:
    runs.seal(a_manifest(), sealed_by="run.json", at=WHEN)
    assert listed_as_open(ledger) == [], "it has no execution yet"
    runs.start(a_manifest(), execution_arn="arn:x", bundle="b", at=WHEN)
    assert listed_as_open(ledger) == [("RUN#r", OPEN)]
    assert [run.run_id for run in runs.open()] == ["r"]
    complete(runs)
    assert listed_as_open(ledger) == []
    assert list(runs.open()) == []


def test_the_index_of_open_runs_is_written_only_when_a_run_opens_or_closes(
    ledger: Table, runs: RunLedger
) -> None:
    running(runs)
    ledger.delete(run_key("r"), OPEN)
    runs.apply("r", run_lifecycle.found, 0, 3, WHEN)
    assert runs.get("r").findings == 3
    assert ledger.get(run_key("r"), OPEN) is None


def test_a_run_that_is_being_deleted_is_changed_by_nothing_but_its_deletion(
    runs: RunLedger, ledger: Table
) -> None:
    running(runs)
    complete(runs)
    endings = Endings(ledger)
    endings.begin_deletion(DeleteRun(run_id="r", by="K. Mori"), WHEN)
    with pytest.raises(RunGone, match="run r"):
        runs.apply("r", run_lifecycle.found, 0, 3, WHEN)
    with pytest.raises(RunGone):
        runs.receive("r", WHEN)
    with pytest.raises(RunGone):
        endings.hold_covered("r", Hold(by="M. Sato", reason="complaint", at=WHEN), WHEN, WHEN)
    assert runs.apply_to_gone("r", run_endings.cost, 0.5, WHEN).state is RunState.DELETING


def test_a_run_is_listed_in_its_project_and_no_rule_gives_it_to_another(
    ledger: Table, runs: RunLedger
) -> None:
    owner = Registration(project=PIGS, name="Farm 7", submitted_by="user-1")
    move_run(ledger, "r", lambda run: run_lifecycle.register(run, "r", owner, WHEN))

    def taken(run: RunRecord | None) -> Move:
        others = {"project": MINE, "name": "Mine", "submitted_by": "me", "cost_usd": 1.0}
        return there(run, "r").model_copy(update=others), ()

    after = move_run(ledger, "r", taken)

    assert (after.project, after.name, after.submitted_by) == owner
    assert (after.cost_usd, runs.get("r")) == (1.0, after)
    listed = list(ledger.query_kind(runs_of(PIGS)))
    assert [(item.pk, item.sk, item.kind) for item in listed] == [
        ("RUN#r", PROJECT, (f"RUNS-OF#{PIGS}", runs.place(after)))
    ]
    assert list(ledger.query_kind(runs_of(MINE))) == []


def test_the_item_of_a_runs_project_is_written_with_its_first_record_only(
    ledger: Table, runs: RunLedger
) -> None:
    runs.receive("r", WHEN)
    ledger.delete(run_key("r"), PROJECT)
    runs.seal(a_manifest(), sealed_by="run.json", at=WHEN)
    assert ledger.get(run_key("r"), PROJECT) is None


def test_a_deleted_run_keeps_its_owner_and_loses_its_name(ledger: Table, runs: RunLedger) -> None:
    owner = Registration(project=PIGS, name="Farm 7", submitted_by="user-1")
    move_run(ledger, "r", lambda run: run_lifecycle.register(run, "r", owner, WHEN))
    running(runs)
    complete(runs)
    gone = Endings(ledger).begin_deletion(DeleteRun(run_id="r", by="K. Mori"), WHEN)
    assert (gone.project, gone.name, gone.submitted_by) == (PIGS, None, "user-1")


def test_a_run_that_is_not_there_is_named(runs: RunLedger) -> None:
    with pytest.raises(NotFound, match="there is no run 'r'"):
        runs.start(a_manifest(), execution_arn="arn:x", bundle="b", at=WHEN)
