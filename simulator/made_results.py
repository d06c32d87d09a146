"""Small, complete results of a run, as the phases would leave them."""

from __future__ import annotations

from datetime import UTC, datetime

from porewatch.domain.calls.evidence import Histogram, QualityControl, ReadAccount, SampleScreen
from porewatch.domain.calls.findings import Call, Finding, Outcome, SampleOutcome
from porewatch.domain.calls.panel import Severity
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.spec import Phase

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NONE = Histogram(unit="bases", edges=(0, 1), counts=(0,))


def a_screen(sample: str, reads: int = 10) -> SampleScreen:
    quality = QualityControl(
        reads=reads,
        bases=reads * 100,
        passed_reads=reads,
        passed_bases=reads * 100,
        mean_length=100,
        median_length=100,
        n50=100,
        longest=100,
        mean_quality=12.0,
        lengths=NONE,
        qualities=NONE,
    )
    account = ReadAccount(total=reads, host=reads - 1, panel=1)
    return SampleScreen(sample=sample, account=account, quality=quality)


def some_findings() -> tuple[Finding, ...]:
    return (
        Finding(
            sample="pig",
            code="PERV-C",
            name="PERV-C",
            severity=Severity.CRITICAL,
            call=Call.DETECTED,
            why=verbatim("reads"),
        ),
        Finding(
            sample="ntc",
            code="PERV-C",
            name="PERV-C",
            severity=Severity.CRITICAL,
            call=Call.NOT_DETECTED,
            why=verbatim("none"),
        ),
    )


def some_outcomes() -> tuple[SampleOutcome, ...]:
    return tuple(SampleOutcome(sample=s, outcome=Outcome.REPORTABLE) for s in ("pig", "ntc"))


def a_phase() -> PhaseRecord:
    return PhaseRecord(
        phase=Phase.QUALITY_CONTROL, status="completed", started_at=WHEN, finished_at=WHEN
    )


def some_results() -> RunResults:
    return RunResults(
        run_id="run-1",
        revision=0,
        bundle="demo@1",
        bundle_sha256="0" * 64,
        synthetic=True,
        phases=(a_phase(),),
        outputs={},
        screens=(a_screen("pig"), a_screen("ntc")),
        unlisted_barcodes={},
        findings=some_findings(),
        outcomes=some_outcomes(),
    )
