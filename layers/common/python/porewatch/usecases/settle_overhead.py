"""What a run cost besides its machines goes on its bill, once, when it ends.

Machines are settled as they end; the rest is reckoned from what the ledger remembers of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.cost import CostLine
from porewatch.domain.orchestration import (
    BEAT_SECONDS,
    CHECKPOINT_SECONDS,
    Activity,
    files_line,
    orchestration_line,
)
from porewatch.domain.prices import ServicePrices

if TYPE_CHECKING:
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.stages import StageLedger


def activity_of(run_id: str, revision: int, *, runs: RunLedger, stages: StageLedger) -> Activity:
    """What a revision went through so far."""
    records = stages.of_run(run_id, revision)
    files = runs.manifest(run_id, revision).files
    seconds = sum(line.seconds for line in stages.cost_lines(run_id, revision))
    return Activity(
        stages=len(records),
        epochs=sum(record.epoch for record in records),
        retries=sum(record.errors + record.waits for record in records),
        beats=seconds / BEAT_SECONDS,
        checkpoints=round(seconds / CHECKPOINT_SECONDS),
        facts=len(stages.facts(run_id, revision)),
        files=len(files),
        bytes=sum(file.size for file in files),
    )


def overhead(done: Activity, prices: ServicePrices, *, settled: bool) -> Sequence[CostLine]:
    """The lines of the bill that are no machines."""
    return (
        orchestration_line(done, prices, settled=settled),
        files_line(done, prices, settled=settled),
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
    """Put it on the bill and into the budget. Lines that are there stay as they are."""
    done = activity_of(run_id, revision, runs=runs, stages=stages)
    for line in overhead(done, prices, settled=True):
        stages.settle_overhead(run_id, revision, line, at)
