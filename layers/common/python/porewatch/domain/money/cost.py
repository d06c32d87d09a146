"""Money: what machines cost, by the second, and what of it was useful.

Order: a line of the bill, how a machine's seconds split, the bill and how it sums up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model, Moment
from porewatch.domain.money.budget import (
    MILLION,
    micro,
)
from porewatch.domain.money.carbon import (
    Carbon,
    Factors,
)
from porewatch.domain.money.carbon_estimate import carbon_estimate
from porewatch.domain.reasons.reason import Reasons, clauses, of_version_1, sentences

ORCHESTRATION, FILES = "orchestration", "files"
"""`CostLine.what` of what is not a machine."""


class CostLine(Model):
    """One line of the bill. USD.

    For a machine, `seconds` = boot (launch to claim) + useful (kept by a checkpoint or a published
    result) + wasted (after the last checkpoint of an epoch that did not publish). None: not known.
    `usd` and `on_demand_usd` hold the machine's disk, which is `volume_usd` of both. `gib_hours`:
    what a machine's disk, or the files kept, stored (None: not known).
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
    volume_usd: float | None = None
    settled: bool = True
    detail: str = ""
    gib_hours: float | None = None


class Split(NamedTuple):
    """Seconds of one machine; they add up to its life."""

    boot: float
    useful: float
    wasted: float


def split_seconds(
    launched_at: datetime,
    ended_at: datetime,
    *,
    claimed_at: datetime | None,
    kept_until: datetime | None,
    published: bool,
) -> Split:
    """How the life of a machine splits. `claimed_at` None: it never owned its epoch, and all of it
    was for nothing. `kept_until`: when the last checkpoint that counts was written."""
    whole = max(0.0, (ended_at - launched_at).total_seconds())
    if claimed_at is None:
        return Split(0.0, 0.0, whole)
    boot = min(whole, max(0.0, (claimed_at - launched_at).total_seconds()))
    if published:
        return Split(boot, whole - boot, 0.0)
    kept = (kept_until - claimed_at).total_seconds() if kept_until else 0.0
    useful = min(whole - boot, max(0.0, kept))
    return Split(boot, useful, whole - boot - useful)


class Bill(Model):
    """The bill of a run. `saved_usd` = on-demand price of the same seconds minus what was paid.

    total = useful + wasted + boot + orchestration + files, to the micro-dollar; these are None
    when a machine's seconds could not be split.
    """

    currency: Literal["USD"] = "USD"
    prices: Annotated[Reasons, Field(description="which prices, by code")] = ()
    lines: tuple[CostLine, ...]
    total_usd: float
    saved_usd: float
    as_of: Moment
    remarks: Annotated[Reasons, Field(description="what the bill holds, by code")] = ()
    useful_usd: float | None = None
    wasted_usd: float | None = None
    boot_usd: float | None = None
    orchestration_usd: float | None = None
    files_usd: float | None = None
    interruptions: int = 0
    carbon: Carbon | None = None

    @computed_field(description="`prices` in English")  # type: ignore[prop-decorator]
    @property
    def price_snapshot(self) -> str:
        return clauses(self.prices)

    @computed_field(description="`remarks` in English")  # type: ignore[prop-decorator]
    @property
    def remark(self) -> str:
        return sentences(self.remarks)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, price_snapshot="prices", remark="remarks")


def make_bill(
    lines: Sequence[CostLine],
    *,
    prices: Reasons,
    as_of: Moment,
    remarks: Reasons = (),
    interruptions: int = 0,
    factors: Factors | None = None,
) -> Bill:
    """Sum the lines. `saved_usd` counts lines whose on-demand price is known. `factors`: what the
    estimate of carbon beside the sums is made of (None: no estimate)."""
    machines = [line for line in lines if line.what not in (ORCHESTRATION, FILES)]
    priced = [line for line in lines if line.on_demand_usd is not None]
    saved = sum(micro(line.on_demand_usd or 0.0) - micro(line.usd) for line in priced)
    files = [line for line in lines if line.what == FILES]
    parts = _parts(machines)
    return Bill(
        prices=prices,
        lines=tuple(lines),
        total_usd=_usd(line.usd for line in lines),
        saved_usd=saved / MILLION,
        as_of=as_of,
        remarks=remarks,
        boot_usd=parts[0] if parts else None,
        useful_usd=parts[1] if parts else None,
        wasted_usd=parts[2] if parts else None,
        orchestration_usd=_of_kind(lines, ORCHESTRATION),
        files_usd=_of_kind(lines, FILES),
        interruptions=interruptions,
        carbon=carbon_estimate(machines, files, factors) if factors else None,
    )


def _parts(machines: Iterable[CostLine]) -> tuple[float, float, float] | None:
    """What was paid for boot, useful and wasted seconds; None when a line does not split."""
    boot = useful = wasted = 0
    for line in machines:
        seconds = (line.boot_seconds, line.useful_seconds, line.wasted_seconds)
        if None in seconds:
            return None
        paid, whole = micro(line.usd), sum(part or 0.0 for part in seconds)
        lost = round(paid * (line.wasted_seconds or 0.0) / whole) if whole else 0
        used = round(paid * (line.useful_seconds or 0.0) / whole) if whole else 0
        used = min(used, paid - lost)  # both may be rounded up
        wasted, useful, boot = wasted + lost, useful + used, boot + paid - lost - used
    return boot / MILLION, useful / MILLION, wasted / MILLION


def _of_kind(lines: Iterable[CostLine], what: str) -> float | None:
    found = [line.usd for line in lines if line.what == what]
    return _usd(found) if found else None


def _usd(amounts: Iterable[float]) -> float:
    return sum(micro(usd) for usd in amounts) / MILLION
