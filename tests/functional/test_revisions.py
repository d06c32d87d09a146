"""Revisions are records of their own: what a later one comes to hides nothing of an earlier one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.table import Table
from porewatch.domain.errors import NotFound, StaleEpoch
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.revisions import (
    newest,
    reported,
)
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import input_file
from tests.functional.conftest import Runs
from tests.functional.doors import KEY_HOLDER, Context, door, put, send
from tests.functional.test_pipeline_orchestrator import WHEN, a_manifest, put_files, put_seal

AT = datetime(2026, 3, 2, tzinfo=UTC)
KEYS = {"report.json": "runs/run-1/r0/report.json"}


def get(path: str, **query: str) -> tuple[int, dict[str, Any]]:
    """GET of the API."""
    resource = path.replace("/run-1", "/{run_id}")
    event = {
        "resource": resource,
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "pathParameters": {"run_id": "run-1"} if resource != path else None,
        "requestContext": {"authorizer": KEY_HOLDER, "stage": "v1", "path": path},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} or None,
    }
    answer = door("api")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def completed(runs: Runs) -> RunRecord:
    """Revision 0 has a report with two findings."""
    put_files()
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    return runs.apply(
        "run-1", run_endings.complete, 0, report_keys=KEYS, findings=2, cost_usd=1.0, at=AT
    )


def again(number: int = 1) -> RunManifest:
    return a_manifest(when=WHEN + timedelta(days=number))


def running(runs: Runs, number: int = 1) -> None:
    assert send("pipeline_orchestrator", put_seal(again(number))) == []
    assert runs.get("run-1").state is RunState.RUNNING


def bad_seal(runs: Runs) -> None:
    missing = a_manifest(input_file("fastq/none.fastq.gz", 5), when=WHEN + timedelta(days=1))
    assert send("pipeline_orchestrator", put_seal(missing)) == []


def unreadable_seal(runs: Runs) -> None:
    assert send("pipeline_orchestrator", put("runs/run-1/run.json", b"{")) == []


def failed(runs: Runs, *, refused: bool = False) -> None:
    running(runs)
    failure: Any = {
        "stage": "s",
        "error": "WorkerFailed",
        "problem": "it broke.",
        "refused": refused,
    }
    for _ in range(2):
        runs.apply("run-1", run_endings.fail, revision=1, **failure, at=AT)


def refused_by_worker(runs: Runs) -> None:
    failed(runs, refused=True)


def cancelled(runs: Runs) -> None:
    running(runs)
    for _ in range(2):
        order = Cancel(run_id="run-1", by="me", reason="why")
        runs.apply("run-1", run_endings.cancel, order=order, at=AT)


ENDS: dict[str, tuple[Callable[[Runs], None], RunState]] = {
    "bad seal": (bad_seal, RunState.REFUSED),
    "unreadable seal": (unreadable_seal, RunState.REFUSED),
    "failed": (failed, RunState.FAILED),
    "refused by its worker": (refused_by_worker, RunState.REFUSED),
    "cancelled": (cancelled, RunState.CANCELLED),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_revision_that_comes_to_nothing_hides_nothing(cloud: Table, runs: Runs, end: str) -> None:
    before = completed(runs)
    make, state = ENDS[end]
    make(runs)
    after = runs.get("run-1")
    same = ("state", "revision", "findings", "report_keys", "verdict", "completed_at", "problem")
    assert [getattr(after, n) for n in same] == [getattr(before, n) for n in same]
    assert after.attempt is not None and (after.attempt.revision, after.attempt.state) == (1, state)
    assert after.attempt.problem and newest(after) == after.attempt

    status, shown = get("/runs/run-1")
    assert (status, shown["state"], shown["findings"]) == (200, "completed", 2)
    assert shown["attempt"]["state"] == state and shown["attempt"]["problem"]
    assert get("/runs/run-1/report")[0] == 200
    assert get("/runs")[1]["runs"][0]["findings"] == 2
    assert get("/runs/run-1", revision="1")[1]["state"] == state
    status, body = get("/runs/run-1/report", revision="1")
    assert (status, body["error"]) == (404, "NotFound")
    with pytest.raises(StaleEpoch):
        runs.apply("run-1", run_endings.complete, 1, report_keys={}, findings=0, cost_usd=0, at=AT)


@pytest.mark.parametrize("end", ENDS)
def test_the_next_revision_has_a_number_and_a_record_of_its_own(
    cloud: Table, runs: Runs, end: str
) -> None:
    completed(runs)
    ENDS[end][0](runs)
    running(runs, 2)
    record = runs.get("run-1")
    assert (record.revision, record.findings, record.report_keys) == (2, None, {})
    assert (standing := reported(record)) is not None and standing.revision == 0
    _, shown = get("/runs/run-1")
    assert (shown["state"], shown["findings"], shown["reported_revision"]) == ("running", 2, 0)
    assert get("/runs/run-1/report")[1]["revision"] == 0
    runs.apply(
        "run-1",
        run_endings.complete,
        2,
        report_keys={"report.json": "k"},
        findings=0,
        cost_usd=2,
        at=AT,
    )
    assert get("/runs/run-1/report")[1]["revision"] == 2
    assert get("/runs/run-1/report", revision="0")[1]["revision"] == 0
    records = [runs.revision("run-1", n) for n in range(3)]
    assert [r.state for r in records] == [RunState.COMPLETED, ENDS[end][1], RunState.COMPLETED]
    assert [r.findings for r in records] == [2, None, 0]
    with pytest.raises(NotFound, match="has no revision 3"):
        runs.revision("run-1", 3)


def test_a_seal_that_is_refused_while_the_run_goes_on_is_its_own_refusal(
    cloud: Table, runs: Runs
) -> None:
    put_files()
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    event = put_seal(again())
    for _ in range(3):
        assert send("pipeline_orchestrator", event) == []
    record = runs.get("run-1")
    assert (record.state, record.revision) == (RunState.RUNNING, 0)
    assert record.attempt is not None and "under way" in str(record.attempt.problem)
    assert record.last_revision == 1, "recorded once"
    runs.apply("run-1", run_endings.complete, 0, report_keys=KEYS, findings=2, cost_usd=1.0, at=AT)
    assert send("pipeline_orchestrator", event) == [], "now it may"
    assert (runs.get("run-1").state, runs.get("run-1").revision) == (RunState.RUNNING, 2)


def test_a_bad_seal_delivered_again_is_one_refusal(cloud: Table, runs: Runs) -> None:
    completed(runs)
    bad_seal(runs)
    before = runs.get("run-1")
    bad_seal(runs)
    assert runs.get("run-1") == before


def test_what_a_run_without_report_tried_last_is_what_it_is(cloud: Table, runs: Runs) -> None:
    put_files()
    assert send("pipeline_orchestrator", put_seal(a_manifest())) == []
    failure: Any = {"stage": "s", "error": "WorkerFailed", "problem": "p", "refused": False}
    runs.apply("run-1", run_endings.fail, revision=0, **failure, at=AT)
    unreadable_seal(runs)
    record = runs.get("run-1")
    assert (record.state, record.revision) == (RunState.REFUSED, 1)
    assert runs.revision("run-1", 0).state is RunState.FAILED


BAD = ("-1", "x", "9" * 5000, "1e3", "٣", "", "０")


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("path", ["/runs/run-1", "/runs/run-1/report"])
def test_a_revision_that_is_no_number_is_a_bad_request(
    cloud: Table, runs: Runs, path: str, value: str
) -> None:
    runs.receive("run-1", AT)
    assert get(path, revision=value)[0] == 400


def test_all_runs_can_be_reached(cloud: Table, runs: Runs) -> None:
    for number in range(23):
        runs.receive(f"run-{number}", AT + timedelta(seconds=number // 3))
    found: list[str] = []
    query: dict[str, str] = {"limit": "5"}
    for _ in range(10):
        status, page = get("/runs", **query)
        assert status == 200
        found += [run["run_id"] for run in page["runs"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(found) == len(set(found)) == 23


def test_a_page_of_a_rare_state_reads_only_so_many_runs(
    cloud: Table, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("porewatch.usecases.views.show_runs.MOST_READ", 4)
    for number in range(10):
        runs.receive(f"run-{number}", AT + timedelta(seconds=number))
    runs.refuse("run-0", digest="d", what=Refusing("p", ()), at=AT)
    pages, cursor = [], {}
    while True:
        _, page = get("/runs", state="refused", **cursor)
        pages.append([run["run_id"] for run in page["runs"]])
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert pages == [[], [], ["run-0"]]


@pytest.mark.parametrize(
    "query",
    [
        *({"cursor": c} for c in ("", "x", "=", "é", "AAAA", "A" * 5000, "MjAyNg", "٣٣٣٣")),
        *({"state": s} for s in ("lost", "x" * 5000, "RUNNING", "ＲＵＮ")),
        *({"limit": n} for n in ("0", "201", "٣", "9" * 5000, "-1", " 1", "1.0")),
    ],
    ids=lambda q: str(q)[:30],
)
def test_a_bad_query_is_a_bad_request(cloud: Table, query: dict[str, str]) -> None:
    status, body = get("/runs", **query)
    assert (status, body["error"]) == (400, "MessageRefused")
    assert len(body["problem"]) < 300
