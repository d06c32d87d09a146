"""The head of a published report's trail is signed outside the report, and `audit` compares it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from porewatch.adapters.anchors import Anchors
from porewatch.adapters.items import Item, run_key
from porewatch.domain import places
from porewatch.domain.base import now
from porewatch.domain.report import Report
from porewatch.domain.sealing import input_file, seal
from porewatch_cli import run_verbs
from porewatch_cli.main import app
from porewatch_cli.stack import Stack
from porewatch_worker.report.trail import trail_faults, with_trail
from tests.functional.test_finishing import a_report
from tests.mocked import make_buckets, make_ledger, make_mac_key, mocked_aws

WHEN = datetime(2026, 3, 2, tzinfo=UTC)
REPORT: Report = with_trail(a_report())
FORGED: Report = with_trail(a_report(decision="all is well"))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack that has published `REPORT` of run-1."""
    with mocked_aws():
        make_buckets()
        make_ledger()
        outputs = {
            "LedgerTable": "ledger",
            "ReportsBucketName": "reports",
            "AuditKeyArn": make_mac_key(),
        }
        made = Stack("porewatch-test", boto3.Session(), outputs)
        manifest = seal([input_file("bam/a.bam", 5)], run_id="run-1", created_at=now())
        made.runs.seal(manifest, sealed_by="run.json", at=now())
        made.runs.start(manifest, execution_arn="a", bundle="demo@1", at=now())
        published(made, REPORT)
        keys = {"report.json": places.report_key("run-1", 0, "report.json")}
        made.runs.complete("run-1", 0, report_keys=keys, findings=0, cost_usd=0, at=now())
        anchors_of(made).keep("run-1", 0, head(REPORT), WHEN)
        monkeypatch.setattr(run_verbs, "find_stack", lambda *_, **__: made)
        monkeypatch.setattr("porewatch_cli.reports.find_stack", lambda *_, **__: made)
        yield made


def head(report: Report) -> str:
    assert report.audit is not None
    return report.audit.head


def anchors_of(stack: Stack) -> Anchors:
    assert stack.anchors is not None
    return stack.anchors


def published(stack: Stack, report: Report) -> None:
    stack.bucket("Reports").put_json(places.report_key("run-1", 0, "report.json"), report)


def audited(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", "run-1", *options])
    return done.exit_code, " ".join(done.output.split())


def test_a_report_that_was_published_is_known_by_its_signed_head(stack: Stack) -> None:
    code, told = audited()
    assert code == 0, told
    assert "the stack signed this head when it was published (2026-03-02)" in told


def test_a_report_rewritten_with_its_whole_trail_is_told(stack: Stack) -> None:
    assert list(trail_faults(FORGED)) == [], "sound in itself"
    published(stack, FORGED)
    code, told = audited()
    assert code == 1
    assert f"the stack published another report: its head was {head(REPORT)}" in told
    code, told = audited("--json")
    assert (code, json.loads(told)["holds"]) == (1, False)


@pytest.mark.parametrize(
    "change", [{}, {"mac": "00" * 32}, {"mac": "no hex"}], ids=["old proof", "zeros", "no hex"]
)
def test_an_anchor_that_was_written_by_hand_proves_nothing(
    stack: Stack, change: dict[str, Any]
) -> None:
    """Whoever can write report and ledger cannot sign."""
    published(stack, FORGED)
    anchor = anchors_of(stack).of("run-1", 0)
    assert anchor is not None
    told = {**change, "head": head(FORGED)}
    forged = anchor.model_copy(update=told)
    stack.table.put(Item.of(run_key("run-1"), "ANCHOR#0000", forged))
    code, said = audited()
    assert code == 1
    assert "was not made by the stack's audit key" in said


def test_an_anchor_of_another_run_or_stack_proves_nothing(stack: Stack) -> None:
    kept = anchors_of(stack)
    anchor = kept.of("run-1", 0)
    assert anchor is not None
    assert kept.proves(anchor)
    assert not kept.proves(anchor.model_copy(update={"run_id": "run-2"}))
    assert not kept.proves(anchor.model_copy(update={"revision": 1}))
    assert not Anchors(stack.table, "other", stack.outputs["AuditKeyArn"]).proves(anchor)


def test_the_first_anchor_of_a_revision_stays(stack: Stack) -> None:
    anchors_of(stack).keep("run-1", 0, head(FORGED), WHEN)
    anchor = anchors_of(stack).of("run-1", 0)
    assert anchor is not None
    assert anchor.head == head(REPORT)


def test_a_report_without_an_anchor_is_audited_and_that_is_said(stack: Stack) -> None:
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")
    code, told = audited()
    assert code == 0
    assert "keeps no anchor" in told
