"""A published report, saved in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.domain import s3_keys
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunState
from porewatch_cli.commands import output
from porewatch_cli.main import app
from porewatch_cli.reports.reports import save_reports
from porewatch_cli.stack import Stack
from porewatch_worker.report.assemble import assemble
from tests.web import made_up
from tests.web.version_1 import signed_version_1

OLD = ("report.json", "report.html", "report.pdf", "bill.json")


@pytest.fixture
def stack(buckets: None, monkeypatch: pytest.MonkeyPatch) -> Stack:
    session = boto3.Session(region_name="eu-central-1")
    return Stack("s", session, {"ReportsBucketName": "reports"})


def published(stack: Stack, report: Report, names: tuple[str, ...] = OLD) -> RunRecord:
    keys = {name: s3_keys.report_key(report.run_id, report.revision, name) for name in names}
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


def test_json_of_an_earlier_version_is_printed_as_it_is_stored_and_its_trail_holds(
    stack: Stack,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = assemble(made_up.rich())
    run, text = published(stack, report), signed_version_1(report)
    stack.bucket("Reports").put(run.report_keys["report.json"], text.encode())
    monkeypatch.setattr(output, "with_report", lambda *_: run)
    output.report(stack, run.run_id, out=None, as_json=True)
    printed = tmp_path / "report.json"
    printed.write_text(capsys.readouterr().out)
    assert json.loads(printed.read_text()) == json.loads(text)
    held = CliRunner().invoke(app, ["audit", str(printed)])
    assert held.exit_code == 0, held.output


def test_what_was_published_of_single_samples_is_copied_as_it_is(
    stack: Stack, tmp_path: Path
) -> None:
    report = assemble(made_up.clean())
    run = published(stack, report, (*OLD, "report-donor-7.pdf", "report-donor-7.ja.pdf"))
    saved = save_reports(stack, run, tmp_path)
    for name in ("report-donor-7.pdf", "report-donor-7.ja.pdf"):
        assert saved[name].read_bytes() == name.encode()


def test_reports_of_samples_that_an_earlier_revision_had_do_not_stay(
    stack: Stack, tmp_path: Path
) -> None:
    report = assemble(made_up.clean())
    save_reports(stack, published(stack, report), tmp_path)
    mine = tmp_path / "report-of-my-own.pdf"
    mine.write_bytes(b"not ours")
    changed = report.model_dump_json().replace("donor 7", "donor 8")
    again = Report.model_validate_json(changed).model_copy(update={"revision": report.revision + 1})
    save_reports(stack, published(stack, again), tmp_path)
    there = {path.name for path in tmp_path.glob("report-*.pdf")}
    assert there == {"report-donor-8.pdf", "report-donor-8.ja.pdf", mine.name}


def test_what_is_in_the_archive_is_named_and_the_rest_is_copied(
    stack: Stack,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = published(stack, assemble(made_up.clean()), (*OLD, "tables.zip"))
    ColdStorage("reports", stack.s3).archive(run.report_keys["tables.zip"])
    saved = save_reports(stack, run, tmp_path)
    assert "tables.zip" not in saved and "report.html" in saved
    monkeypatch.setattr(output, "with_report", lambda *_: run)
    output.report(stack, run.run_id, out=tmp_path, as_json=False)
    assert "tables.zip  in the archive" in capsys.readouterr().out
