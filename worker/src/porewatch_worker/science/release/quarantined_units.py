"""What units that were given up mean for everything said about their samples.

Nothing is taken back that was found. But what was not found was looked for in fewer reads than were
sequenced, and no sample that lost reads is reportable without a remark.
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
from porewatch.domain.stage.quarantine import QuarantinedUnit

Units = Sequence[QuarantinedUnit]


def with_lost_units(result: Quantification, lost: Units) -> Quantification:
    """The same results with what must be said beside them."""
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
    said = _incomplete(lost)
    changed: dict[str, object] = {"remark": _joined(finding.remark, said)}
    if finding.lod95 is not None:
        remark = _joined(finding.lod95.remark, said)
        changed["lod95"] = finding.lod95.model_copy(update={"remark": remark})
    return finding.model_copy(update=changed)


def _outcome(outcome: SampleOutcome, lost: Units) -> SampleOutcome:
    if not lost:
        return outcome
    clean = outcome.outcome is Outcome.REPORTABLE
    return outcome.model_copy(
        update={
            "outcome": Outcome.REPORTABLE_WITH_REMARKS if clean else outcome.outcome,
            "reasons": (*outcome.reasons, *(_reason(unit) for unit in lost)),
        }
    )


def _perv(result: PervResult, lost: Units) -> PervResult:
    if not lost:
        return result
    return result.model_copy(update={"limits": (*result.limits, _incomplete(lost))})


def _incomplete(lost: Units) -> str:
    names = ", ".join(str(unit.unit) for unit in lost)
    units = "units" if len(lost) > 1 else "unit"
    return f"Reads of {units} {names}, which could not be computed, were not screened."


def _reason(unit: QuarantinedUnit) -> str:
    return f"incomplete: {unit.what} could not be computed ({unit.reason})"


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
