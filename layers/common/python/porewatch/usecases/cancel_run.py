"""A person stops a run: the ledger says so first, then it ends like every other (`end_run`)."""

from __future__ import annotations

from porewatch.domain.cancelling import Cancel, Cancelled
from porewatch.domain.revisions import newest
from porewatch.usecases.end_run import Brakes, end_run


def cancel_run(order: Cancel, brakes: Brakes) -> Cancelled:
    """NotFound for an unknown run, RunOver for one that ended otherwise; a cancelled one stays so
    and loses what may still be at work for it."""
    record = newest(brakes.runs.cancel(order, at=brakes.at))
    machines = end_run(record, brakes)
    return Cancelled(
        run_id=record.run_id,
        revision=record.revision,
        state=record.state,
        problem=record.problem or "",
        machines=machines,
        cost_usd=brakes.runs.get(order.run_id).cost_usd,
    )
