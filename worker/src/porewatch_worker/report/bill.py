"""The bill as far as it is known when the report is made.

Seconds of a machine are known only when it is gone, and the report is made on the last machine:
its line is an estimate and marked as not settled. `bill.json`, published later, has all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from porewatch.domain.cost import Bill, CostLine

LAST_STAGE = (
    "The stage that makes this report is not settled yet; bill.json beside the report has the "
    "final amount."
)


def open_line(
    stage: str,
    *,
    epoch: int | None = None,
    instance_id: str | None = None,
    instance_type: str | None = None,
    purchase: str | None = None,
    seconds: float = 0.0,
    usd_per_hour: float = 0.0,
    on_demand_usd_per_hour: float | None = None,
) -> CostLine:
    """The stage in progress: seconds so far at the given hourly prices (USD), not settled."""
    on_demand = None if on_demand_usd_per_hour is None else seconds / 3600 * on_demand_usd_per_hour
    return CostLine.model_validate(
        {
            "what": "instance, so far",
            "stage": stage,
            "epoch": epoch,
            "instance_id": instance_id,
            "instance_type": instance_type,
            "purchase": purchase,
            "seconds": seconds,
            "usd": seconds / 3600 * usd_per_hour,
            "on_demand_usd": on_demand,
            "settled": False,
        }
    )


def make_bill(
    lines: Sequence[CostLine],
    *,
    as_of: datetime,
    price_snapshot: str,
    in_progress: CostLine | None = None,
) -> Bill:
    """Sum the lines. `saved_usd` counts only lines whose on-demand price is known."""
    every = (*lines, *((in_progress,) if in_progress else ()))
    saved = sum(line.on_demand_usd - line.usd for line in every if line.on_demand_usd is not None)
    return Bill(
        price_snapshot=price_snapshot,
        lines=every,
        total_usd=sum(line.usd for line in every),
        saved_usd=saved,
        as_of=as_of,
        remark=LAST_STAGE,
    )
