"""The sweep does what a lost event would have done, and nothing twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from porewatch.adapters.executions import Executions
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.facts.run_facts import RunStands
from porewatch.domain.notices.run_notices import notice_of
from porewatch.domain.runs import RunState
from tests.functional.conftest import executions
from tests.functional.doors import created, keys, put, send
from tests.functional.test_pipeline_orchestrator import (
    GOOD,
    PATHS,
    SUMMARY,
    SUMMARY_KEY,
    a_manifest,
    put_files,
    put_seal,
)

CLOCK = {"source": "porewatch.clock", "detail-type": "IntakeSweep", "detail": {}}


@pytest.fixture
def sweep(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Time passes, then the clock's event comes."""

    def after(**passed: float) -> None:
        later = timedelta(**(passed or {"minutes": 2}))
        with monkeypatch.context() as patched:
            patched.setattr(base, "clock", lambda: base.wall() + later)
            assert send("pipeline_orchestrator", CLOCK) == []

    return after


def unchecked(*paths: str) -> list[dict[str, Any]]:
    return [put(f"runs/run-1/{path}", GOOD) for path in paths]


def test_a_run_whose_last_check_was_lost_starts(cloud: Table, sweep: Any) -> None:
    put_files(PATHS[0])
    (event,) = unchecked(PATHS[1])
    send("pipeline_orchestrator", put_seal(a_manifest()))
    sweep()
    assert executions() == []
    send("fastq_validator", event)
    sweep()
    assert len(executions()) == 1
    sweep()
    assert len(executions()) == 1


def test_a_seal_whose_event_was_lost_seals(cloud: Table, runs: RunLedger, sweep: Any) -> None:
    put_files()
    put_seal(a_manifest())
    sweep(seconds=30)
    assert runs.get("run-1").state is RunState.RECEIVING, "events may still be on their way"
    sweep()
    assert len(executions()) == 1


def test_a_final_summary_whose_event_was_lost_seals(cloud: Table, sweep: Any) -> None:
    put_files()
    put(SUMMARY_KEY, SUMMARY)
    sweep()
    send("pipeline_orchestrator", created("runs/run-1/run.json"))
    assert len(executions()) == 1


DEEP = "runs/run-1/exp/sample/20260301_1200_X1_FAX00001_abcdef01"


def test_a_nested_final_summary_whose_event_was_lost_seals(cloud: Table, sweep: Any) -> None:
    put_files()
    put(f"{DEEP}/final_summary_FAX00001_a_b.txt", SUMMARY)
    put(f"{DEEP}/report_FAX00001.html", b"<html>")
    sweep()
    send("pipeline_orchestrator", created("runs/run-1/run.json"))
    assert len(executions()) == 1


def test_one_that_came_after_a_search_is_found_by_the_next(cloud: Table, sweep: Any) -> None:
    put_files()
    sweep()
    put(f"{DEEP}/final_summary_FAX00001_a_b.txt", SUMMARY)
    sweep(minutes=4)
    assert keys("runs/run-1/run.json") == [], "a folder of thousands is not listed every time"
    sweep(minutes=13)
    send("pipeline_orchestrator", created("runs/run-1/run.json"))
    assert len(executions()) == 1


def test_a_final_summary_does_not_wait_for_ever_for_files_that_nobody_sends(
    cloud: Table, sweep: Any
) -> None:
    put_files(PATHS[0])
    assert send("pipeline_orchestrator", put(SUMMARY_KEY, SUMMARY)) == ["m0"]
    sweep(minutes=4)
    listed = boto3.client("s3").list_objects_v2(Bucket="raw", Prefix="runs/run-1/run.json")
    assert listed["KeyCount"] == 0
    sweep(minutes=6)
    send("pipeline_orchestrator", created("runs/run-1/run.json"))
    assert len(executions()) == 1


def test_an_execution_whose_function_died_is_started(
    cloud: Table, sweep: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_files()

    def crash(*_: object) -> bool:
        raise RuntimeError("the function died here")

    with monkeypatch.context() as patched:
        patched.setattr(Executions, "start", crash)
        assert send("pipeline_orchestrator", put_seal(a_manifest())) == ["m0"]
    sweep()
    assert len(executions()) == 1


def test_a_file_that_was_removed_while_the_run_waits_is_missed_in_the_end(
    cloud: Table, runs: RunLedger, sweep: Any
) -> None:
    put_files(PATHS[0])
    unchecked(PATHS[1])
    send("pipeline_orchestrator", put_seal(a_manifest()))
    boto3.client("s3").delete_object(Bucket="raw", Key=f"runs/run-1/{PATHS[1]}")
    sweep(minutes=9)
    assert runs.get("run-1").state is RunState.SEALED
    sweep(minutes=11)
    assert runs.get("run-1").state is RunState.REFUSED
    assert "not in the run's folder" in (runs.get("run-1").problem or "")


def test_one_run_that_cannot_be_read_keeps_no_other_waiting(
    cloud: Table, runs: RunLedger, sweep: Any
) -> None:
    put_files()
    put_seal(a_manifest())
    put("runs/other/fastq/a.fastq.gz", GOOD)
    send("fastq_validator", created("runs/other/fastq/a.fastq.gz"))
    put("runs/other/run.json", b"{")
    sweep()
    assert len(executions()) == 1
    tried = runs.get("other").attempt
    assert tried is not None and tried.state is RunState.REFUSED


def stands(cloud: Table) -> list[dict[str, Any]]:
    items = cloud.query("RUN#run-1", "FACT#RunStands:")
    return [json.loads(str(item.attributes["detail"])) for item in items]


def test_a_run_that_is_sealed_for_an_hour_sends_one_notice_with_its_unchecked_files(
    cloud: Table, runs: RunLedger, sweep: Any
) -> None:
    put_files(PATHS[0])
    unchecked(PATHS[1])
    send("pipeline_orchestrator", put_seal(a_manifest()))
    sweep(minutes=59)
    assert stands(cloud) == []
    for minutes in (61, 70, 600):
        sweep(minutes=minutes)
    (stand,) = stands(cloud)
    assert (stand["clock"], stand["files"], stand["count"]) == ("sealed", [PATHS[1]], 1)
    assert runs.get("run-1").state is RunState.SEALED


def test_a_run_whose_files_stop_coming_sends_one_notice_for_each_stand(
    cloud: Table, sweep: Any
) -> None:
    put_files(PATHS[0])
    sweep()
    sweep(hours=12)
    assert stands(cloud) == []
    for hours in (12.1, 13, 40):
        sweep(hours=hours)
    assert [(stand["clock"], stand["count"]) for stand in stands(cloud)] == [("receiving", 1)]
    put_files(PATHS[1])
    sweep(hours=41)
    sweep(hours=54)
    assert [stand["count"] for stand in stands(cloud)] == [1, 2]


def test_the_notice_names_the_problem_and_the_remedy() -> None:
    fact = RunStands(
        fact_id="RunStands:run-1:0:sealed",
        run_id="run-1",
        revision=0,
        at=base.wall(),
        clock="sealed",
        since=base.wall(),
        files=("fastq/a.fastq.gz",),
        count=3,
    )
    notice = notice_of(fact, lambda key: key)
    assert notice is not None
    assert "fastq/a.fastq.gz\n  and 2 more" in notice[1].body
    assert "porewatch redrive" in notice[1].body
