"""Cancel a run at the request of a person: the ledger first, then the run ends like any other
(`end_run`)."""

from __future__ import annotations

from porewatch.domain.rules import run_endings
from porewatch.domain.rules.cancelling import (
    Cancel,
    Cancelled,
)
from porewatch.domain.rules.revisions import cancelled
from porewatch.domain.runs import RunState
from porewatch.usecases.stages.end_run import (
    Brakes,
    end_run,
)


def cancel_run(order: Cancel, brakes: Brakes) -> Cancelled:
    """NotFound for an unknown run, RunOver for one that ended otherwise; a cancelled one stays
    cancelled, and whatever is still running for it is stopped."""
    run = brakes.runs.apply(order.run_id, run_endings.cancel, order, brakes.at)
    machines = [
        name
        for left in run.unended
        if left.state is RunState.CANCELLED
        for name in end_run(run.run_id, left, brakes)
    ]
    stopped = cancelled(run) or run
    return Cancelled(
        run_id=run.run_id,
        revision=stopped.revision,
        state=stopped.state,
        problem=stopped.problem or "",
        machines=tuple(machines),
        cost_usd=brakes.runs.get(order.run_id).cost_usd,
    )
