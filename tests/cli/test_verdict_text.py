"""A run's result in `list` and `watch`, and the exit codes that scripts rely on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch_cli import exit_codes
from porewatch_cli.runs.verdict_text import (
    detections_text,
    result_text,
)

AT = datetime(2026, 11, 28, tzinfo=UTC)


def run(state: RunState, outcome: Outcome | None = None, **more: Any) -> RunRecord:
    verdict = None
    if outcome is not None:
        samples = more.pop("samples", {outcome: 2})
        verdict = Verdict(
            outcome=outcome, samples=samples, calls={Call.DETECTED: 2, Call.INDETERMINATE: 1}
        )
    return RunRecord(run_id="r", state=state, created_at=AT, updated_at=AT, verdict=verdict, **more)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (run(RunState.COMPLETED, Outcome.REPORTABLE), 0),
        (run(RunState.COMPLETED, Outcome.REPORTABLE_WITH_REMARKS), 0),
        (run(RunState.COMPLETED, Outcome.NOT_REPORTABLE), 3),
        (run(RunState.COMPLETED), 3),
        (run(RunState.REFUSED), 4),
        (run(RunState.FAILED), 5),
        (run(RunState.CANCELLED), 5),
    ],
)
def test_every_end_of_a_run_has_its_exit_code(record: RunRecord, code: int) -> None:
    assert exit_codes.of_run(record) == code
    assert exit_codes.of_run(record, exit_zero=True) == (0 if code == 3 else code)


def test_a_run_that_is_not_reportable_is_red_and_shows_no_count() -> None:
    record = run(RunState.COMPLETED, Outcome.NOT_REPORTABLE)
    assert result_text(record).plain == "not reportable"
    assert "red" in str(result_text(record).style)
    assert detections_text(record) == "not reportable"


def test_samples_of_other_outcomes_are_counted() -> None:
    samples = {Outcome.REPORTABLE_WITH_REMARKS: 5, Outcome.NOT_REPORTABLE: 17}
    record = run(RunState.COMPLETED, Outcome.REPORTABLE_WITH_REMARKS, samples=samples)
    text = result_text(record).plain
    assert text == (
        "reportable with remarks (samples: 5 reportable with remarks, 17 not reportable)"
    )
    assert detections_text(record) == "2 detected, 1 indeterminate"


def test_what_an_earlier_version_published_is_not_known() -> None:
    record = run(RunState.COMPLETED, findings=0)
    assert result_text(record).plain == "not known"
    assert detections_text(record) == "0 (not known)"
    assert result_text(run(RunState.RUNNING)).plain == ""
