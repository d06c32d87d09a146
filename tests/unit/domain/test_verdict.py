"""What a finished run comes to, and what its notice has of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.verdict import (
    MOST_NAMED,
    Detection,
    Verdict,
)
from porewatch.domain.facts.metrics import measures_of
from porewatch.domain.facts.run_facts import RunCompleted
from porewatch.domain.notices.run_notices import (
    Notice,
    notice_of,
)
from porewatch_worker.report.assemble import assemble
from tests.web.made_up import clean, crowded, rich

HEV = Detection(sample="pig-1", code="HEV", name="Hepatitis E virus", severity=Severity.CRITICAL)


def completed(verdict: Verdict | None) -> RunCompleted:
    return RunCompleted(
        fact_id="RunCompleted:r:0",
        run_id="r",
        at=datetime(2026, 11, 28, tzinfo=UTC),
        findings=verdict.detected if verdict else 0,
        verdict=verdict,
        cost_usd=0.5,
        report_keys={"report.pdf": "runs/r/r0/report.pdf"},
    )


def notice(verdict: Verdict | None) -> Notice:
    rendered = notice_of(completed(verdict), lambda key: f"https://example.org/{key}")
    assert rendered is not None
    return rendered[1]


def verdict(outcome: Outcome, *found: Detection, detected: int | None = None) -> Verdict:
    number = len(found) if detected is None else detected
    calls = {Call.DETECTED: number, Call.NOT_DETECTED: 9}
    return Verdict(
        outcome=outcome,
        samples={outcome: 3},
        calls={call: n for call, n in calls.items() if n},
        detections=found,
    )


@pytest.mark.parametrize(
    ("outcome", "head"),
    [
        (Outcome.REPORTABLE, "Reportable"),
        (Outcome.REPORTABLE_WITH_REMARKS, "Reportable with remarks"),
        (Outcome.NOT_REPORTABLE, "NOT REPORTABLE"),
    ],
)
@pytest.mark.parametrize("found", [(), (HEV,)])
def test_the_subject_begins_with_the_outcome(
    outcome: Outcome, head: str, found: tuple[Detection, ...]
) -> None:
    assert re.match(rf"{head}[:,]", notice(verdict(outcome, *found)).subject)


@pytest.mark.parametrize("found", [(), (HEV,)])
def test_a_run_that_is_not_reportable_says_nothing_about_pathogens(
    found: tuple[Detection, ...],
) -> None:
    mail = notice(verdict(Outcome.NOT_REPORTABLE, *found))
    text = f"{mail.subject} {mail.body}".lower()
    for unexpected in ("nothing", "detected", "found", "hev", "no member"):
        assert unexpected not in text
    assert "3 not reportable" in mail.body


def test_detections_are_named_the_most_severe_first() -> None:
    pcv = Detection(sample="pig-2", code="PCV2", name="PCV2", severity=Severity.MEDIUM)
    mail = notice(verdict(Outcome.REPORTABLE, HEV, pcv, detected=44))
    assert mail.subject == "Reportable, 44 detected: run r"
    assert mail.body.index("critical: Hepatitis E virus (HEV) in pig-1") < mail.body.index("PCV2")
    assert "and 42 more in the report" in mail.body


def test_nothing_detected_has_its_limit() -> None:
    assert "limit of detection" in notice(verdict(Outcome.REPORTABLE)).body


def test_what_a_sample_holds_that_is_not_reportable_is_not_mailed() -> None:
    kept = HEV.model_copy(update={"sample": "pig-2", "code": "PCV2", "reportable": False})
    mixed = verdict(Outcome.REPORTABLE_WITH_REMARKS, HEV, kept)
    mail = notice(mixed.model_copy(update={"withheld": 1}))
    assert mail.subject == "Reportable with remarks, 1 detected: run r"
    assert "pig-1" in mail.body and "pig-2" not in mail.body and "more" not in mail.body


@pytest.mark.parametrize("outcome", Outcome)
def test_lost_files_are_named_whatever_the_outcome(outcome: Outcome) -> None:
    mail = notice(verdict(outcome).model_copy(update={"lost_files": 3}))
    assert "never received: 3 files" in mail.body
    assert "never received" not in notice(verdict(outcome)).body


def test_a_fact_of_an_earlier_version_claims_nothing() -> None:
    mail = notice(None)
    assert mail.subject == "Finished: run r"
    assert "not known" in mail.body


def test_the_verdict_counts_samples_and_leaves_controls_out() -> None:
    for inputs in (clean(), rich(), crowded()):
        report = assemble(inputs)
        found = report.verdict
        assert found.outcome is report.outcome
        assert sum(found.samples.values()) == len(report.subjects)
        assert found.detected == len(report.detected)
        assert {(d.sample, d.code) for d in found.detections} <= report.detected
        assert len(found.detections) == min(MOST_NAMED, len(report.detected))


def test_a_completed_run_is_measured_by_its_outcome() -> None:
    names = [m.name for m in measures_of(completed(verdict(Outcome.NOT_REPORTABLE)))]
    assert names == ["RunsCompleted", "Findings", "RunsNotReportable"]
    assert [m.name for m in measures_of(completed(None))] == ["RunsCompleted", "Findings"]
