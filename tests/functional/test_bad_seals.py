"""A bad seal is refused: a run that receives files goes on, and a good seal takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.rules.revisions import newest
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunState
from porewatch_cli.runs.verdict_text import revisions_text
from porewatch_cli.submit.wait_for_stack import Sent
from tests.functional.conftest import Runs, executions
from tests.functional.doors import created, fact_event, put, send
from tests.functional.test_pipeline_orchestrator import (
    PATHS,
    SUMMARY,
    SUMMARY_KEY,
    a_manifest,
    put_files,
    put_seal,
    validated,
)
from tests.functional.test_revisions import get
from tests.mocked import facts_in

Mail = Callable[[], list[dict[str, Any]]]
SEAL = "runs/run-1/run.json"
YEAR_1 = a_manifest().canonical_json().replace("2026-03-01T00:00:00Z", "0001-01-01T00:00:00+10:00")
BAD = {
    "nothing": (SEAL, b""),
    "rubbish": (SEAL, b"\xff\xfe{"),
    "a list": (SEAL, b"[]"),
    "nested without end": (SEAL, b"[" * 100_000),
    "another run's": (SEAL, a_manifest().canonical_json().replace("run-1", "run-2").encode()),
    "no files": (SEAL, a_manifest().canonical_json().replace("files", "file").encode()),
    "a path that leaves": (SEAL, a_manifest().canonical_json().replace("q/a", "q/../a").encode()),
    "year 1": (SEAL, YEAR_1.encode()),
    "6 MB of a summary": (SUMMARY_KEY, b"a" * (6 << 20)),
    "no summary": (SUMMARY_KEY, b"hello"),
    "a summary of year 1": (
        SUMMARY_KEY,
        b"acquisition_run_id=a\nstarted=0001-01-01T00:00:00+10:00",
    ),
}


def bad_seal(what: str = "rubbish") -> None:
    key, content = BAD[what]
    event = put(key, content)
    for _ in range(3):
        assert send("pipeline_orchestrator", event) == []


@pytest.mark.parametrize("what", BAD)
def test_a_bad_seal_refuses_itself_and_the_run_goes_on_receiving(
    cloud: Table, runs: Runs, what: str
) -> None:
    put_files()
    bad_seal(what)
    record = runs.get("run-1")
    assert (record.state, record.problem) == (RunState.RECEIVING, None)
    assert record.attempt is not None
    assert (record.attempt.state, record.attempt.revision) == (RunState.REFUSED, 0)
    assert "Remedy" in str(record.attempt.problem)
    assert facts_in(cloud, "run-1").count("RunRefused") == 1
    assert f"revision 0 was refused: {record.attempt.problem}"[:40] in revisions_text(record)
    assert get("/runs/run-1")[1]["attempt"]["problem"] == record.attempt.problem
    assert runs.revision("run-1", 0).problem == record.attempt.problem
    assert newest(record) is record

    good = a_manifest()
    assert send("pipeline_orchestrator", put_seal(good)) == []
    record = runs.get("run-1")
    assert (record.state, record.revision, record.attempt) == (RunState.RUNNING, 1, None)
    assert [e["manifest_digest"] for e in executions()] == [good.digest()]
    assert runs.revision("run-1", 0).state is RunState.REFUSED


def test_its_sender_is_notified_by_mail_once(cloud: Table, runs: Runs, notices: Mail) -> None:
    put_files()
    bad_seal()
    [fact] = [item for item in cloud.query("RUN#run-1", "FACT#RunRefused")]
    detail = json.loads(str(fact.attributes["detail"]))
    assert send("alert_handler", fact_event("RunRefused", detail)) == []
    [mail] = notices()
    assert "run.json" in str(mail) and "goes on" in str(mail)


def test_the_submitting_command_ends_with_the_refusal(cloud: Table, runs: Runs) -> None:
    """`submit --wait` waits for its own manifest's digest."""
    put_files()
    digest = "d" * 64
    runs.refuse_seal("run-1", digest=digest, what=Refusing("no good.", ()), at=datetime.now(UTC))
    with pytest.raises(ManifestRefused, match="no good"):
        Sent(digest).is_taken_in(runs.get("run-1"))


def test_two_bad_seals_are_two_refusals(cloud: Table, runs: Runs) -> None:
    put_files()
    bad_seal("rubbish")
    bad_seal("a list")
    bad_seal("rubbish")
    record = runs.get("run-1")
    assert (record.state, record.revision) == (RunState.RECEIVING, 3)
    assert facts_in(cloud, "run-1").count("RunRefused") == 3


@pytest.mark.parametrize("first", ["files", "summary", "bad seal"])
def test_a_bad_run_json_keeps_no_final_summary_from_sealing_the_run(
    cloud: Table, runs: Runs, first: str
) -> None:
    steps = {
        "files": put_files,
        "bad seal": bad_seal,
        "summary": lambda: send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)),
    }
    for step in (first, *(name for name in steps if name != first)):
        steps[step]()
    for event in map(validated, PATHS):
        assert send("pipeline_orchestrator", event) == []
    assert send("pipeline_orchestrator", created(SUMMARY_KEY)) == []
    assert send("pipeline_orchestrator", created(SEAL)) == []
    assert runs.get("run-1").state is RunState.RUNNING
    assert len(executions()) == 1


def test_a_refused_seal_is_not_read_again_by_the_sweep(
    cloud: Table, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_files()
    bad_seal()
    before = runs.get("run-1")
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(base, "clock", lambda: later)
    monkeypatch.setattr("porewatch.usecases.intake.sweep_intake.seal_by_manifest", None)
    assert send("pipeline_orchestrator", fact_event("IntakeSweep", {})) == []
    assert runs.get("run-1") == before
