"""The exit codes of `submit --wait`, `watch-folder`, `watch` and `screen`, and of refusals.

0 reportable, with or without remarks (other commands: done)
1 the command failed (the network, a defect)
2 the command line is invalid
3 finished, but the results may not be reported
4 refused: the input is invalid
5 the run failed, was cancelled or was deleted

`--exit-zero` turns 3 into 0, for scripts that read the report themselves.
"""

from __future__ import annotations

from porewatch.domain.calls.findings import Outcome
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState

REPORTABLE = 0
COMMAND_FAILED = 1
NOT_REPORTABLE = 3
REFUSED = 4
RUN_FAILED = 5

_OF_STATE = {
    RunState.REFUSED: REFUSED,
    RunState.FAILED: RUN_FAILED,
    RunState.CANCELLED: RUN_FAILED,
    RunState.DELETING: RUN_FAILED,
    RunState.DELETED: RUN_FAILED,
}


def of_outcome(outcome: Outcome | None, *, exit_zero: bool = False) -> int:
    """Of a finished report. An unknown outcome is not reportable."""
    if exit_zero or outcome in (Outcome.REPORTABLE, Outcome.REPORTABLE_WITH_REMARKS):
        return REPORTABLE
    return NOT_REPORTABLE


def of_run(run: RunRecord, *, exit_zero: bool = False) -> int:
    """Of a run that is over."""
    outcome = run.verdict.outcome if run.verdict else None
    return of_state(run.state, outcome, exit_zero=exit_zero)


def of_state(state: RunState, outcome: Outcome | None, *, exit_zero: bool = False) -> int:
    """Of a run that ended so."""
    return _OF_STATE.get(state, of_outcome(outcome, exit_zero=exit_zero))
