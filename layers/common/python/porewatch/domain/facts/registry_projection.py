"""What the registry shows of a finished revision: small, and kept with its reports.

`results.json` holds more than that and expires with the intermediate results, before the facts do.
The fact of the run's end names this document, so that a replay of facts fills the registry as the
first delivery did. Order: the rows, the document, its two sources.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.calls.evidence import ReadAccount
from porewatch.domain.calls.findings import Call, Outcome
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.results.run_results import RunResults


class SampleRow(Model):
    """One sample, controls too."""

    sample: str
    outcome: Outcome | None = None
    reasons: tuple[str, ...] | None = None
    reads: int
    bases: int
    account: ReadAccount


class FindingRow(Model):
    """One panel member in one sample. `detail`: the finding without its evidence."""

    sample: str
    code: str
    name: str
    severity: Severity
    call: Call
    reads: int
    detail: dict[str, Any]


class Projection(Model):
    """`registry.json`. `complete` is false for what was put together from a verdict: such findings
    give way to those of a complete one, whichever comes first."""

    schema_version: Literal["1"] = "1"
    run_id: str
    revision: int
    complete: Annotated[bool, Field(description="whether it holds every row there was")] = True
    samples: tuple[SampleRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()


def projection_of(results: RunResults) -> Projection:
    """Every row of the final results."""
    outcomes = {outcome.sample: outcome for outcome in results.outcomes}
    samples = []
    for screen in results.screens:
        known = outcomes.get(screen.sample)
        samples.append(
            SampleRow(
                sample=screen.sample,
                outcome=known.outcome if known else None,
                reasons=known.reasons if known else None,
                reads=screen.quality.reads,
                bases=screen.quality.bases,
                account=screen.account,
            )
        )
    findings = tuple(
        FindingRow(
            sample=finding.sample,
            code=finding.code,
            name=finding.name,
            severity=finding.severity,
            call=finding.call,
            reads=finding.evidence.reads if finding.evidence else 0,
            detail=finding.model_dump(mode="json", exclude={"evidence"}),
        )
        for finding in results.findings
    )
    return Projection(
        run_id=results.run_id,
        revision=results.revision,
        samples=tuple(samples),
        findings=findings,
    )


def projection_of_verdict(run_id: str, revision: int, verdict: Verdict) -> Projection:
    """What a verdict names: its detections. It counts the rest, which makes no row."""
    findings = tuple(
        FindingRow(
            sample=detection.sample,
            code=detection.code,
            name=detection.name,
            severity=detection.severity,
            call=Call.DETECTED,
            reads=0,
            detail={"reportable": detection.reportable},
        )
        for detection in verdict.detections
    )
    return Projection(run_id=run_id, revision=revision, complete=False, findings=findings)
