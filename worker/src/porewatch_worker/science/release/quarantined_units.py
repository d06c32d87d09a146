"""Effect of quarantined units on the results of their samples.

Findings are kept. But absent targets were searched in fewer reads than were sequenced, and no
sample that lost reads is reportable without a remark.
"""

from __future__ import annotations

from collections.abc import Sequence

from porewatch.domain.calls.findings import (
    Call,
    Finding,
    Outcome,
    PervResult,
    Quantification,
    SampleOutcome,
)
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.stage.quarantine import QuarantinedUnit

Units = Sequence[QuarantinedUnit]


def with_lost_units(result: Quantification, lost: Units) -> Quantification:
    """The same results with remarks about lost units."""
    if not lost:
        return result
    return result.model_copy(
        update={
            "findings": tuple(_finding(f, _of(f.sample, lost)) for f in result.findings),
            "outcomes": tuple(_outcome(o, _of(o.sample, lost)) for o in result.outcomes),
            "perv": tuple(_perv(p, _of(p.sample, lost)) for p in result.perv),
        }
    )


def _of(sample: str, lost: Units) -> Units:
    return [unit for unit in lost if unit.concerns(sample)]


def _finding(finding: Finding, lost: Units) -> Finding:
    if not lost or finding.call is Call.NOT_SCREENED:
        return finding
    remark = _incomplete(lost)
    changed: dict[str, object] = {"remarks": (*finding.remarks, remark)}
    if finding.lod95 is not None:
        remarks = (*finding.lod95.remarks, remark)
        changed["lod95"] = finding.lod95.model_copy(update={"remarks": remarks})
    return finding.model_copy(update=changed)


def _outcome(outcome: SampleOutcome, lost: Units) -> SampleOutcome:
    if not lost:
        return outcome
    clean = outcome.outcome is Outcome.REPORTABLE
    return outcome.model_copy(
        update={
            "outcome": Outcome.REPORTABLE_WITH_REMARKS if clean else outcome.outcome,
            "why": (*outcome.why, *(_reason(unit) for unit in lost)),
        }
    )


def _perv(result: PervResult, lost: Units) -> PervResult:
    if not lost:
        return result
    return result.model_copy(update={"limit_reasons": (*result.limit_reasons, _incomplete(lost))})


def _incomplete(lost: Units) -> Reason:
    return because(Code.UNITS_LOST, count=len(lost), units=tuple(str(unit.unit) for unit in lost))


def _reason(unit: QuarantinedUnit) -> Reason:
    return because(Code.UNIT_NOT_COMPUTED, stretch=unit.what, why=unit.why)
