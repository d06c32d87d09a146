"""Money: what machines cost, by the second."""

from __future__ import annotations

from typing import Literal

from porewatch.domain.base import Model, Moment


class CostLine(Model):
    """One line of the bill. USD.

    For a machine, `seconds` = boot (launch to claim) + useful (kept by a checkpoint or a published
    result) + wasted (after the last checkpoint of an epoch that did not publish). None: not known.
    """

    what: str
    stage: str | None = None
    epoch: int | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    purchase: Literal["spot", "on-demand"] | None = None
    seconds: float = 0.0
    boot_seconds: float | None = None
    useful_seconds: float | None = None
    wasted_seconds: float | None = None
    usd: float
    on_demand_usd: float | None = None
    settled: bool = True


class Bill(Model):
    """The bill of a run. `saved_usd` = on-demand price of the same seconds minus `total_usd`."""

    currency: Literal["USD"] = "USD"
    price_snapshot: str
    lines: tuple[CostLine, ...]
    total_usd: float
    saved_usd: float
    as_of: Moment
    remark: str = ""
    useful_usd: float | None = None
    wasted_usd: float | None = None
    boot_usd: float | None = None
    orchestration_usd: float | None = None
    interruptions: int = 0
