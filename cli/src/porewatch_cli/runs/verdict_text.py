"""Short texts for a run's state and verdict, the same in `list`, `watch` and at a run's end."""

from __future__ import annotations

from rich.text import Text

from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState

STATE_STYLES = {
    RunState.RECEIVING: "cyan",
    RunState.SEALED: "cyan",
    RunState.RUNNING: "yellow",
    RunState.COMPLETED: "",
    RunState.FAILED: "bold red",
    RunState.REFUSED: "bold red",
    RunState.CANCELLED: "magenta",
    RunState.DELETING: "dim",
    RunState.DELETED: "dim",
}
"""A completed run has the colour of its outcome."""
OUTCOME_STYLES = {
    Outcome.REPORTABLE: "green",
    Outcome.REPORTABLE_WITH_REMARKS: "yellow",
    Outcome.NOT_REPORTABLE: "bold red",
}
NOT_KNOWN = "not known"


def state_text(run: RunRecord) -> Text:
    return Text(run.state.value, style=STATE_STYLES[run.state])


def revisions_text(run: RunRecord) -> str:
    """Other revisions than the current one: in progress, or failed; blank for most runs."""
    parts = []
    if run.standing is not None:
        parts.append(f"revision {run.revision} is in progress; results of {run.standing.revision}")
    if run.attempt is not None:
        why = " ".join((run.attempt.problem or "").split())
        parts.append(f"revision {run.attempt.revision} was {run.attempt.state.value}: {why}")
    return "; ".join(parts)


def result_text(run: RunRecord) -> Text:
    """Whether the results may be reported; with the number of samples of each outcome when they
    differ. Blank while there are none, `not known` for a run published by an earlier version."""
    if run.state is not RunState.COMPLETED:
        return Text("")
    if run.verdict is None:
        return Text(NOT_KNOWN, style="yellow")
    outcomes = {o: n for o, n in run.verdict.samples.items() if o is not run.verdict.outcome}
    result = _outcome_text(run.verdict.outcome)
    if outcomes:
        counts = ", ".join(f"{n} {_outcome_text(o)}" for o, n in run.verdict.samples.items())
        result += f" (samples: {counts})"
    return Text(result, style=OUTCOME_STYLES[run.verdict.outcome])


def detections_text(run: RunRecord) -> str:
    """The number of detections; never a bare number when results may not be reported."""
    if run.verdict is None:
        return "" if run.findings is None else f"{run.findings} ({NOT_KNOWN})"
    if run.verdict.outcome is Outcome.NOT_REPORTABLE:
        return "not reportable"
    counts = {
        "detected": run.verdict.detected - run.verdict.withheld,
        "indeterminate": run.verdict.calls.get(Call.INDETERMINATE, 0),
        "in samples not reportable": run.verdict.withheld,
    }
    return ", ".join(f"{n} {label}" for label, n in counts.items() if n or label == "detected")


def _outcome_text(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
