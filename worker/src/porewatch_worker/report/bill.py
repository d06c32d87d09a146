"""The bill as far as it is known when the report is made.

Seconds of a machine are known only when it is gone, and the report is made on the last machine:
its line is not in this bill. `bill.json`, published later, has all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from porewatch.domain.cost import Bill, CostLine

LAST_STAGE = (
    "Machines are billed by the second, 60 seconds at least. The machine that made this report is "
    "not in this bill; bill.json beside the report has the final amount."
)


def make_bill(lines: Sequence[CostLine], *, as_of: datetime, price_snapshot: str) -> Bill:
    """Sum the lines. `saved_usd` counts only lines whose on-demand price is known."""
    saved = sum(line.on_demand_usd - line.usd for line in lines if line.on_demand_usd is not None)
    return Bill(
        price_snapshot=price_snapshot,
        lines=tuple(lines),
        total_usd=sum(line.usd for line in lines),
        saved_usd=saved,
        as_of=as_of,
        remark=LAST_STAGE,
    )
