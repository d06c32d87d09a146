"""Put the service costs of a run on its bill, once, when the run ends.

Instances are settled as they are terminated; the rest is computed from the ledger when the report
is published, or when the run failed, was refused or was stopped.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.forecast.prices import ServicePrices
from porewatch.domain.forecast.service_usage import (
    Activity,
    activity,
    overhead,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.ledger.stages import StageLedger


def activity_of(
    run_id: str,
    revision: int,
    *,
    runs: RunLedger,
    stages: StageLedger,
    at: datetime | None = None,
) -> Activity:
    """The activity of a revision so far; `at` as in `activity`."""
    return activity(
        stages.of_run(run_id, revision),
        stages.cost_lines(run_id, revision),
        runs.seal_note(run_id, revision),
        facts=len(stages.facts(run_id, revision)),
        at=at,
    )


def settle_overhead(
    run_id: str,
    revision: int,
    *,
    runs: RunLedger,
    stages: StageLedger,
    prices: ServicePrices,
    at: datetime,
) -> None:
    """Put it on the bill and into the budget. Existing lines are kept."""
    done = activity_of(run_id, revision, runs=runs, stages=stages, at=at)
    for line in overhead(done, prices, settled=True):
        stages.settle_overhead(run_id, revision, line, at)
