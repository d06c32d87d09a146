"""The registry on a real PostgreSQL: migrations, and rows that end the same in whatever order."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.registry.database import (
    Registry,
    migrations,
    statements,
)
from porewatch.adapters.registry.rows import RegistryRows
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.verdict import (
    Detection,
    Verdict,
)
from porewatch.domain.errors import ConfigurationRefused, NotFound
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.registry_projection import projection_of
from porewatch.usecases.facts.find_projection import Sources
from porewatch.usecases.facts.update_status import update_status
from porewatch_cli.operate.registry import (
    Rebuilt,
    send_again,
)
from porewatch_local.embedded.postgres import (
    start_postgres,
    stop_postgres,
)
from porewatch_local.paths import Home
from simulator.made_results import some_results
from tests.functional.data_api import DataApi
from tests.functional.doors import ROOT, fact_event, send
from tests.mocked import make_ledger

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = ("workflow_records", "samples", "phase_records", "findings", "costs", "files")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL of this test session; answers the DSN of its administrator."""
    folder = Path(tempfile.mkdtemp(prefix="porewatch-registry-"))
    folder.chmod(0o711)
    home = Home(root=folder, tools=ROOT / ".porewatch", repository=ROOT)
    try:
        yield start_postgres(home).dsn()
    finally:
        stop_postgres(home)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def api(server: str) -> DataApi:
    """The Data API on an empty database."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS registry WITH (FORCE)")
        connection.execute("CREATE DATABASE registry")
    return DataApi(server.replace("/postgres", "/registry"))


@pytest.fixture
def registry(api: DataApi) -> Registry:
    made = Registry("arn:cluster", "arn:secret", "registry", client=api)  # type: ignore[arg-type]
    made.migrate()
    return made


def a_fact(kind: str, at: int = 0, **detail: Any) -> Fact:
    when = WHEN + timedelta(seconds=at)
    common = {"fact_id": f"{kind}-{at}", "run_id": "run-1", "at": when}
    return FACTS[kind].model_validate({**common, **detail})


def phase(epoch: int, reads: int) -> dict[str, Any]:
    return {
        "stage": "screen",
        "epoch": epoch,
        "record": {
            "phase": "quality_control",
            "status": "completed",
            "started_at": WHEN,
            "finished_at": WHEN,
            "counts": {"reads": reads},
        },
    }


MACHINE = {
    "stage": "screen",
    "epoch": 1,
    "instance_id": "i-1",
    "instance_type": "m7g.large",
    "purchase": "spot",
}
STORY: list[Fact] = [
    a_fact("FileValidated", 0, path="fastq/a.fastq", size=9, reads=3, bases=24),
    a_fact("FileQuarantined", 1, path="fastq/b.fastq", problem="p", quarantine_key="q"),
    a_fact("RunSealed", 2, manifest_digest="d", sealed_by="run.json", files=2, samples=2),
    a_fact(
        "RunStarted",
        3,
        execution_arn="arn:x",
        manifest_digest="d",
        profile="default",
        bundle="demo@1",
        samples=("pig", "ntc"),
    ),
    a_fact("InstanceLaunched", 4, **MACHINE, availability_zone="a"),
    a_fact("StageClaimed", 5, stage="screen", epoch=1, instance_id="i-1"),
    a_fact("PhaseCompleted", 6, **phase(1, 10)),
    a_fact("SpotInterrupted", 7, stage="screen", epoch=1, instance_id="i-1", last_checkpoint=3),
    a_fact("InstanceTerminated", 8, **MACHINE, seconds=60.5, cost_usd=0.01, reason="spot"),
    a_fact("StageClaimed", 9, stage="screen", epoch=2, instance_id="i-2"),
    a_fact("PhaseCompleted", 10, **phase(2, 20)),
    a_fact(
        "PathogenSuspected", 11, sample="pig", code="PERV-C", name="n", severity="critical", reads=5
    ),
    a_fact(
        "StageCompleted", 12, stage="screen", epoch=2, manifest_key="k", phases=["quality_control"]
    ),
    a_fact("FileValidated", 13, path="fastq/b.fastq", size=9, reads=3, bases=24),
    a_fact(
        "RunCompleted",
        14,
        findings=1,
        cost_usd=0.5,
        report_keys={"report.json": "k"},
        projection_key=s3_keys.projection_key("run-1", 0),
    ),
]


@pytest.fixture
def sources(buckets: None) -> Sources:
    """What run-1 found: its results, and what the registry shows of them."""
    results, reports = Objects("results"), Objects("reports")
    results.put_json(s3_keys.results_key("run-1", 0), some_results())
    reports.put_json(s3_keys.projection_key("run-1", 0), projection_of(some_results()))
    return Sources(reports=reports, results=results)


def project(registry: Registry, sources: Sources, facts: list[Fact]) -> None:
    for fact in facts:
        update_status(fact, registry=registry, rows=RegistryRows(registry), sources=sources)


def emptied(registry: Registry) -> None:
    for table in TABLES:
        registry.execute(f"TRUNCATE {table}")


def snapshot(registry: Registry) -> dict[str, list[dict[str, Any]]]:
    return {table: registry.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES}


def test_every_migration_is_applied_once(registry: Registry) -> None:
    assert registry.migrate() == []
    noted = registry.execute("SELECT name FROM schema_migrations ORDER BY name")
    assert [row["name"] for row in noted] == [name for name, _ in migrations()]


def test_a_fact_that_says_no_owner_changes_none(registry: Registry, sources: Sources) -> None:
    sealed = STORY[2].model_copy(update={"project": "p-aaaaaaaaaaaaaaaa"})
    project(registry, sources, [sealed, a_fact("RunRefused", 9, problem="p")])
    (record,) = registry.execute("SELECT project, state FROM workflow_records")
    assert record == {"project": "p-aaaaaaaaaaaaaaaa", "state": "refused"}


def test_rows_of_earlier_versions_take_todays_values(registry: Registry) -> None:
    (migration,) = (sql for name, sql in migrations() if name.startswith("0005"))
    old = {"released": "reportable", "released_with_remarks": "reportable_with_remarks",
           "invalid": "not_reportable", "reportable": "reportable"}  # fmt: skip
    for outcome in old:
        registry.execute(
            "INSERT INTO samples (run_id, revision, sample, outcome, at) "
            "VALUES ('old', 0, :sample, :outcome, now())", sample=outcome, outcome=outcome,
        )  # fmt: skip
    for statement in statements(migration):
        registry.execute(statement)
    rows = registry.execute("SELECT sample, outcome FROM samples WHERE run_id = 'old'")
    assert {row["sample"]: row["outcome"] for row in rows} == old


def test_eight_migrations_at_once_apply_each_once(api: DataApi) -> None:
    def migrate(_: int) -> list[str]:
        return Registry("c", "s", "registry", client=api).migrate()  # type: ignore[arg-type]

    with ThreadPoolExecutor(8) as pool:
        applied = [name for names in pool.map(migrate, range(8)) for name in names]
    assert sorted(applied) == [name for name, _ in migrations()], "whoever of them it was"


def test_a_migration_that_breaks_leaves_nothing_behind(
    api: DataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    from porewatch.adapters.registry import database as module

    broken = [("9999_broken.sql", "CREATE TABLE half (a int);\nCREATE TABLE half (a int);\n")]
    monkeypatch.setattr(module, "migrations", lambda: broken)
    made = Registry("c", "s", "registry", client=api)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationRefused, match="already exists"):
        made.migrate()
    assert made.execute("SELECT to_regclass('half') AS t") == [{"t": None}]


def test_a_row_says_whose_the_run_is_in_any_order(registry: Registry, sources: Sources) -> None:
    owner = {"project": "p-aaaaaaaaaaaaaaaa", "name": "herd 7", "submitted_by": "u-a"}
    sealed = STORY[2].model_copy(update=owner)
    for order in ((sealed, STORY[3]), (STORY[3], sealed)):
        emptied(registry)
        project(registry, sources, list(order))
        (record,) = registry.execute("SELECT project, name, submitted_by FROM workflow_records")
        assert record == owner


def test_rows_of_earlier_versions_belong_to_the_default_project(api: DataApi) -> None:
    made = Registry("c", "s", "registry", client=api)  # type: ignore[arg-type]
    made.execute("DROP SCHEMA public CASCADE")
    made.execute("CREATE SCHEMA public")
    for name, text in migrations():
        if name.startswith("0011"):
            made.execute("INSERT INTO workflow_records (run_id, revision, state, state_at) "
                         "VALUES ('old', 0, 'completed', now())")  # fmt: skip
        for statement in statements(text):
            made.execute(statement)
    assert made.execute("SELECT project, name FROM workflow_records") == [
        {"project": "default", "name": None}
    ]


def test_a_story_in_order_fills_every_table(registry: Registry, sources: Sources) -> None:
    project(registry, sources, STORY)
    (record,) = registry.execute("SELECT * FROM workflow_records")
    assert (record["state"], record["stage"], record["stage_state"]) == (
        "completed",
        "screen",
        "published",
    )
    assert (record["bundle"], record["samples"], record["findings"]) == ("demo@1", 2, 1)
    (interrupted,) = registry.execute("SELECT epoch, counts->>'reads' AS reads FROM phase_records")
    assert interrupted == {"epoch": 2, "reads": "20"}
    (finding,) = registry.execute("SELECT call, final FROM findings WHERE sample = 'pig'")
    assert finding == {"call": "detected", "final": True}
    assert registry.execute("SELECT sample, outcome FROM samples ORDER BY sample") == [
        {"sample": "ntc", "outcome": "reportable"},
        {"sample": "pig", "outcome": "reportable"},
    ]
    assert registry.execute("SELECT usd FROM costs") == [{"usd": 0.01}]
    assert registry.execute("SELECT state FROM files WHERE path = 'fastq/b.fastq'") == [
        {"state": "valid"}
    ]


@pytest.mark.parametrize("seed", range(8))
def test_facts_twice_and_in_any_order_end_in_the_same_rows(
    api: DataApi, registry: Registry, sources: Sources, seed: int
) -> None:
    project(registry, sources, STORY)
    expected = snapshot(registry)
    emptied(registry)
    shuffled = random.Random(seed).sample(STORY * 2, 2 * len(STORY))
    project(registry, sources, shuffled)
    assert snapshot(registry) == expected


def test_a_late_start_does_not_bring_a_failed_run_back(
    registry: Registry, sources: Sources
) -> None:
    project(
        registry, sources, [a_fact("RunFailed", 9, stage=None, error="WorkerLost", problem="p")]
    )
    project(registry, sources, [STORY[3]])
    (record,) = registry.execute("SELECT state, problem, bundle FROM workflow_records")
    assert record == {"state": "failed", "problem": "p", "bundle": "demo@1"}


def test_a_cancelled_run_is_shown_as_such(registry: Registry, sources: Sources) -> None:
    fields = {"was": "running", "by": "M. Sato", "reason": "r", "problem": "it was cancelled."}
    project(registry, sources, [STORY[3], a_fact("RunCancelled", 9, **fields)])
    (record,) = registry.execute("SELECT state, problem FROM workflow_records")
    assert record == {"state": "cancelled", "problem": "it was cancelled."}


def test_the_registry_is_rebuilt_when_the_results_are_gone(
    registry: Registry, sources: Sources
) -> None:
    project(registry, sources, STORY)
    expected = snapshot(registry)
    sources.results.remove(s3_keys.results_key("run-1", 0))
    emptied(registry)
    project(registry, sources, STORY)
    assert snapshot(registry) == expected
    assert len(expected["findings"]) == len(some_results().findings)


def without_key(**more: Any) -> Fact:
    """The end of the run as an earlier version published it."""
    return STORY[-1].model_copy(update={"projection_key": "", **more})


def test_a_run_that_ended_before_there_was_a_projection_is_read_from_its_results(
    registry: Registry, sources: Sources
) -> None:
    project(registry, sources, STORY)
    expected = snapshot(registry)
    emptied(registry)
    sources.reports.remove(s3_keys.projection_key("run-1", 0))
    project(registry, sources, [*STORY[:-1], without_key()])
    assert snapshot(registry) == expected
    emptied(registry)
    project(registry, sources, STORY)  # it names one, which is gone
    assert snapshot(registry) == expected


VERDICT = Verdict(
    outcome=Outcome.REPORTABLE,
    samples={Outcome.REPORTABLE: 1},
    calls={Call.DETECTED: 1},
    detections=(Detection(sample="pig", code="PERV-C", name="n", severity=Severity.CRITICAL),),
)


def test_when_nothing_else_is_kept_the_verdict_of_the_fact_makes_the_rows(
    registry: Registry, sources: Sources
) -> None:
    ended = STORY[-1].model_copy(update={"verdict": VERDICT})
    gone = Sources(reports=Objects("raw"), results=Objects("raw"))
    project(registry, gone, [*STORY[:-1], ended])
    (record,) = registry.execute("SELECT state, outcome FROM workflow_records")
    assert record == {"state": "completed", "outcome": "reportable"}
    found = "SELECT sample, code, call, final FROM findings"
    row = {"sample": "pig", "code": "PERV-C", "call": "detected", "final": False}
    assert registry.execute(found) == [row]
    names = registry.execute("SELECT sample FROM samples ORDER BY sample")
    assert names == [{"sample": "ntc"}, {"sample": "pig"}]


def test_rows_from_a_verdict_give_way_to_full_ones_in_any_order(
    registry: Registry, sources: Sources
) -> None:
    ended = STORY[-1].model_copy(update={"verdict": VERDICT})
    gone = Sources(reports=Objects("raw"), results=Objects("raw"))
    ends = []
    for order in ([gone, sources], [sources, gone]):
        emptied(registry)
        project(registry, sources, STORY[:-1])
        for there in order:
            project(registry, there, [ended])
        ends.append(snapshot(registry))
    assert ends[0] == ends[1]
    assert all(row["final"] for row in ends[0]["findings"])


def test_a_completed_run_of_which_nothing_is_kept_still_has_its_record(
    registry: Registry, sources: Sources
) -> None:
    project(registry, Sources(reports=Objects("raw"), results=Objects("raw")), [without_key()])
    assert registry.execute("SELECT state FROM workflow_records") == [{"state": "completed"}]
    assert registry.execute("SELECT * FROM findings") == []


def test_hostile_text_stays_text(registry: Registry, sources: Sources) -> None:
    nasty = "'); DROP TABLE files; -- % %s :run_id \\ é"
    project(
        registry,
        sources,
        [a_fact("FileQuarantined", 1, path="fastq/x.fastq", problem=nasty, quarantine_key="q")],
    )
    assert registry.execute("SELECT problem FROM files") == [{"problem": nasty}]


def test_the_function_writes_what_the_bus_brings(
    api: DataApi, buckets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from porewatch.adapters import clients

    for name in ("DB_CLUSTER_ARN", "DB_SECRET_ARN", "DB_NAME"):
        monkeypatch.setenv(name, "registry")
    monkeypatch.setattr(clients, "rds_data", lambda: api)
    sealed = fact_event("RunSealed", STORY[2].model_dump(mode="json"))
    assert send("status_updater", sealed, fact_event("Unknown", {}), sealed) == ["m1"]
    made = Registry("c", "s", "registry", client=api)  # type: ignore[arg-type]
    assert made.execute("SELECT state FROM workflow_records") == [{"state": "sealed"}]


class LocalStack:
    """As much of a stack as `porewatch registry rebuild` needs."""

    session = boto3
    endpoint = None

    def __init__(self, ledger: Table, queue: str) -> None:
        self.table, self.runs, self._queue = ledger, RunLedger(ledger), queue

    def output(self, name: str) -> str:
        return {"StatusQueueUrl": self._queue}[name]


def test_porewatch_registry_rebuild_brings_every_row_back(
    api: DataApi, registry: Registry, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    from porewatch.adapters import clients

    for name in ("DB_CLUSTER_ARN", "DB_SECRET_ARN", "DB_NAME"):
        monkeypatch.setenv(name, "registry")
    monkeypatch.setattr(clients, "rds_data", lambda: api)
    ledger, queue = make_ledger(), boto3.client("sqs").create_queue(QueueName="status")["QueueUrl"]
    stack: Any = LocalStack(ledger, queue)
    stack.runs.receive("run-1", WHEN)
    ledger.record(STORY)
    project(registry, sources, STORY)
    expected = snapshot(registry)
    sources.results.remove(s3_keys.results_key("run-1", 0))
    emptied(registry)
    assert send_again(stack) == Rebuilt(runs=1, facts=len(STORY))
    sqs = boto3.client("sqs")
    while letters := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        assert send("status_updater", *(letter["Body"] for letter in letters)) == []
        for letter in letters:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=letter["ReceiptHandle"])
    assert snapshot(registry) == expected
    with pytest.raises(NotFound, match="no run 'other'"):
        send_again(stack, ["other"])


def test_statements_of_a_migration_have_no_comments_left() -> None:
    for _, sql in migrations():
        for statement in statements(sql):
            assert statement.startswith(("CREATE", "ALTER", "UPDATE")), statement
            assert "--" not in statement
