"""The results in the notice of a finished run: three texts, by the run's outcome."""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.calls.verdict import Verdict

HEADS = {
    Outcome.REPORTABLE: "Reportable",
    Outcome.REPORTABLE_WITH_REMARKS: "Reportable with remarks",
    Outcome.NOT_REPORTABLE: "NOT REPORTABLE",
}


def result(verdict: Verdict | None) -> tuple[str, str]:
    """(how the subject begins, what was found). A result that may not be reported says nothing
    about pathogens here: neither that there are any, nor that there are none."""
    if verdict is None:
        return "Finished", "Whether its results may be reported is not known: read the report."
    head, samples = HEADS[verdict.outcome], _samples(verdict)
    if verdict.outcome is Outcome.NOT_REPORTABLE:
        why = "Its results may not be reported; the report says why."
        return head, f"{why}{_lost(verdict)}\nSamples: {samples}."
    detected = verdict.detected - verdict.withheld
    if not detected:
        found = (
            "In the samples that may be reported no member of the panel reached the rule of "
            "detection. The report states the limit of detection of each."
        )
    else:
        head += f", {detected} detected"
        found = "Detected:\n" + "\n".join(_detections(verdict))
    open_calls = verdict.calls.get(Call.INDETERMINATE, 0)
    doubt = f"\nIndeterminate: {open_calls}; the report says why." if open_calls else ""
    return head, f"{found}{doubt}{_lost(verdict)}\nSamples: {samples}."


def _lost(verdict: Verdict) -> str:
    """Files whose reads are missing in the result."""
    if not verdict.lost_files:
        return ""
    files = "1 file" if verdict.lost_files == 1 else f"{verdict.lost_files} files"
    return f"\nNot screened, because damaged or never received: {files}; the report names them."


def _samples(verdict: Verdict) -> str:
    """`5 reportable with remarks, 17 not reportable`."""
    return ", ".join(f"{n} {o.value.replace('_', ' ')}" for o, n in verdict.samples.items())


def _detections(verdict: Verdict) -> Iterator[str]:
    """Those of samples that may be reported: what another sample holds stands in its report."""
    reportable = [d for d in verdict.detections if d.reportable]
    for d in reportable:
        yield f"  {d.severity.value}: {d.name} ({d.code}) in {d.sample}"
    if more := verdict.detected - verdict.withheld - len(reportable):
        yield f"  and {more} more in the report"
