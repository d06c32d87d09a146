"""When a machine is bought on-demand although spot might be had: the three rules of a replacement.

An interruption costs a restart. It is not worth the risk of another one when it would be the second
one already, when little is left to do, or when the stage's time is running out (the latency
argument of chanzuckerberg/swipe). Pure.
"""

from __future__ import annotations

from datetime import datetime

from porewatch.domain.forecast.estimate import START_SECONDS
from porewatch.domain.reasons.reason import Reason, RunCode, because
from porewatch.domain.stage.record import StageRecord
from porewatch.domain.stage.spec import StageSpec

RESTARTS = 3
"""Less work left than so many restarts: not worth another interruption."""
ENOUGH = 2
"""So many interruptions of a stage are enough."""


def why_on_demand(record: StageRecord, stage: StageSpec, at: datetime) -> Reason | None:
    """Why this stage's next machine is bought on-demand; None when spot is fine."""
    if record.interruptions >= ENOUGH:
        return because(RunCode.OFTEN_INTERRUPTED, n=record.interruptions)
    if not record.interruptions:
        return None
    restart, left = START_SECONDS[1], _seconds_left(record, stage)
    if left < RESTARTS * restart:
        return because(RunCode.LITTLE_LEFT, left=round(left), cost=round(restart))
    began = record.first_launched_at
    spent = (at - began).total_seconds() if began else 0.0
    if spent + left + restart > stage.phase_deadline_s:
        return because(RunCode.LITTLE_TIME, spent=round(spent), limit=stage.phase_deadline_s)
    return None


def _seconds_left(record: StageRecord, stage: StageSpec) -> float:
    """By the share of units that no checkpoint holds; the 90th percentile of all the work."""
    work = max(0.0, (stage.p90_seconds or stage.phase_deadline_s) - START_SECONDS[2])
    progress = record.progress
    if progress is None or not progress.units_total:
        return work
    return work * max(0.0, 1 - progress.units_done / progress.units_total)
