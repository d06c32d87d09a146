"""A run's state and verdict in a few words, the same in `list`, `watch` and at a run's end."""

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
"""A completed run has no colour of its own: that is its outcome's."""
OUTCOME_STYLES = {
    Outcome.REPORTABLE: "green",
    Outcome.REPORTABLE_WITH_REMARKS: "yellow",
    Outcome.NOT_REPORTABLE: "bold red",
}
NOT_KNOWN = "not known"


def state_text(run: RunRecord) -> Text:
    return Text(run.state.value, style=STATE_STYLES[run.state])


def revisions_text(run: RunRecord) -> str:
    """What there is beside the revision that the run goes by; blank for most runs."""
    said = []
    if run.standing is not None:
        said.append(f"revision {run.revision} is under way; results of {run.standing.revision}")
    if run.attempt is not None:
        why = " ".join((run.attempt.problem or "").split())
        said.append(f"revision {run.attempt.revision} was {run.attempt.state.value}: {why}")
    return "; ".join(said)


def result_text(run: RunRecord) -> Text:
    """Whether the results may be reported; with the number of samples of each outcome when they
    differ. Blank while there are none, `not known` for a run published by an earlier version."""
    if run.state is not RunState.COMPLETED:
        return Text("")
    if run.verdict is None:
        return Text(NOT_KNOWN, style="yellow")
    outcomes = {o: n for o, n in run.verdict.samples.items() if o is not run.verdict.outcome}
    said = _words(run.verdict.outcome)
    if outcomes:
        counts = ", ".join(f"{n} {_words(o)}" for o, n in run.verdict.samples.items())
        said += f" (samples: {counts})"
    return Text(said, style=OUTCOME_STYLES[run.verdict.outcome])


def detections_text(run: RunRecord) -> str:
    """How many were detected; never a bare number where results may not be reported."""
    if run.verdict is None:
        return "" if run.findings is None else f"{run.findings} ({NOT_KNOWN})"
    if run.verdict.outcome is Outcome.NOT_REPORTABLE:
        return "not reportable"
    told = {
        "detected": run.verdict.detected - run.verdict.withheld,
        "indeterminate": run.verdict.calls.get(Call.INDETERMINATE, 0),
        "in samples not reportable": run.verdict.withheld,
    }
    return ", ".join(f"{n} {word}" for word, n in told.items() if n or word == "detected")


def _words(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
