"""A published report, saved in a folder."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from porewatch.domain import places
from porewatch.domain.report import Report
from porewatch.domain.runs import RunRecord, RunState
from porewatch_cli.reports import save_reports
from porewatch_cli.stack import Stack
from porewatch_worker.report.assemble import assemble
from tests.web import made_up

OLD = ("report.json", "report.html", "report.pdf", "bill.json")


@pytest.fixture
def stack(buckets: None, monkeypatch: pytest.MonkeyPatch) -> Stack:
    session = boto3.Session(region_name="eu-central-1")
    return Stack("s", session, {"ReportsBucketName": "reports"})


def published(stack: Stack, report: Report) -> RunRecord:
    keys = {name: places.report_key(report.run_id, report.revision, name) for name in OLD}
    for name, key in keys.items():
        content = report.model_dump_json() if name == "report.json" else name
        stack.bucket("Reports").put(key, content.encode())
    return RunRecord(
        run_id=report.run_id,
        state=RunState.COMPLETED,
        revision=report.revision,
        report_keys=keys,
        created_at=report.created_at,
        updated_at=report.created_at,
    )


def test_pages_that_an_older_worker_did_not_make_are_made_from_its_report(
    stack: Stack, tmp_path: Path
) -> None:
    run = published(stack, assemble(made_up.clean()))
    saved = save_reports(stack, run, tmp_path / "out")
    own = {"report-donor-7.pdf", "report-donor-7.ja.pdf"}
    assert set(saved) == {*OLD, "report.ja.html", "report.ja.pdf", *own}
    assert saved["report.html"].read_bytes() == b"report.html"
    assert 'lang="ja"' in saved["report.ja.html"].read_text("utf-8")
    assert saved["report.ja.pdf"].read_bytes().startswith(b"%PDF")
