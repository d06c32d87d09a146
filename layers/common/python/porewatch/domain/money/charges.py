"""What a facility charges a project for a month: what its runs cost by settled bills, and the
facility's own rates. Pure.

A cost belongs to the month (UTC) in which it was settled. So a month that is over does not change,
whatever settles late: that is charged in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.errors import MessageRefused
from porewatch.domain.labels import Label
from porewatch.domain.money.budget import MILLION, Micro, micro
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunId, RunState

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
Month = Annotated[str, Field(pattern=MONTH, description="a calendar month in UTC, 2026-11")]
CLOSES = timedelta(minutes=15)
"""After its end a month changes no more: a change of a run carries the time at which a function
began, which runs for at most so long."""
Rate = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


class Charge(Model):
    """What of a run is charged in a month. `samples` (without controls) and `bases` (of samples and
    controls) are those of the reports that came in it, `reports` how many they were."""

    run_id: RunId
    cost: Annotated[Micro, Field(ge=0)] = 0
    reports: Count = 0
    samples: Count = 0
    bases: Count = 0


class Rates(Model):
    """What a facility asks for, in USD. Holds from the first day of a month until others do."""

    from_month: Month
    markup_percent: Annotated[Rate, Field(description="on what the machines cost")] = 0.0
    report_usd: Annotated[Rate, Field(description="for each report")] = 0.0
    sample_usd: Annotated[Rate, Field(description="for each sample, without controls")] = 0.0
    gigabase_usd: Annotated[Rate, Field(description="for 10^9 bases of samples and controls")] = 0.0
    by: Annotated[str, Field(description="who set them")] = ""
    at: Moment | None = None


class What(StrEnum):
    """What is charged for; shown in words of a language."""

    MACHINES = "machines"
    REPORTS = "reports"
    SAMPLES = "samples"
    GIGABASES = "gigabases"


class StatementItem(Model):
    """`quantity` at `unit_usd` each; of machines USD by settled bills, and what is charged for each
    of them. `usd`: in whole cents."""

    what: What
    quantity: float
    unit_usd: float
    usd: float


class ChargedRun(Model):
    """A run of the month. `name` None: its id; or it was deleted."""

    run_id: RunId
    name: Label | None
    reports: Count
    samples: Count
    bases: Count
    cost_usd: float


class Statement(Model):
    """A project's month. `final`: the month is over, and nothing of it changes any more."""

    project: ProjectId
    name: Label
    month: Month
    final: bool
    as_of: Moment
    rates: Rates
    items: tuple[StatementItem, ...]
    usd: Annotated[float, Field(description="the sum of `items`")]
    runs: tuple[ChargedRun, ...]


class ProjectCharge(Model):
    """A project's month in one line. `cost_usd`: by settled bills; `usd`: by the rates."""

    project: ProjectId
    name: str
    reports: Count
    samples: Count
    bases: Count
    cost_usd: float
    usd: float


class MonthCharges(Model):
    """Of all projects that are charged for anything, in order of their names."""

    month: Month
    final: bool
    rates: Rates
    projects: tuple[ProjectCharge, ...]
    cost_usd: float
    usd: float


class ProjectMonth(NamedTuple):
    """Whose month it is."""

    project: ProjectId
    name: Label
    month: str


def charged(before: RunRecord | None, after: RunRecord) -> Charge | None:
    """What a change of a run adds to its project's month; None: nothing."""
    cost = micro(after.cost_usd) - (micro(before.cost_usd) if before else 0)
    if not _reported(before, after):
        return Charge(run_id=after.run_id, cost=cost) if cost > 0 else None
    return Charge(
        run_id=after.run_id,
        cost=max(cost, 0),
        reports=1,
        samples=sum(after.verdict.samples.values()) if after.verdict else 0,
        bases=after.bases or 0,
    )


def _reported(before: RunRecord | None, after: RunRecord) -> bool:
    """Whether a report came: a run is completed once more, too, when a later revision of it comes
    to nothing, and the earlier report stands."""
    if after.state is not RunState.COMPLETED or before is None:
        return False
    stood = before.standing is not None and before.standing.revision == after.revision
    return before.state is not RunState.COMPLETED and not stood


def rates_of(known: Iterable[Rates], month: str) -> Rates:
    """Those that hold in a month; before the first ones: at cost."""
    past = [rates for rates in known if rates.from_month <= month]
    return max(past, key=lambda rates: rates.from_month, default=Rates(from_month="2000-01"))


def items_of(total: Charge, rates: Rates) -> tuple[StatementItem, ...]:
    """What a month comes to, by what is charged for: the cost with its mark-up, and whatever else
    has a rate. Each in whole cents; half a cent is rounded up."""
    costs, bases = Decimal(total.cost) / MILLION, Decimal(total.bases) / 10**9
    units = (
        (What.MACHINES, costs, 1 + _exact(rates.markup_percent) / 100),
        (What.REPORTS, Decimal(total.reports), _exact(rates.report_usd)),
        (What.SAMPLES, Decimal(total.samples), _exact(rates.sample_usd)),
        (What.GIGABASES, bases, _exact(rates.gigabase_usd)),
    )
    return tuple(
        StatementItem(
            what=what, quantity=float(quantity), unit_usd=float(unit), usd=_cents(quantity * unit)
        )
        for what, quantity, unit in units
        if unit
    )


def price_of(items: Iterable[StatementItem]) -> float:
    """Their sum, in USD, to the cent."""
    return sum(round(item.usd * 100) for item in items) / 100


def total_of(charges: Iterable[Charge], run_id: RunId = "all") -> Charge:
    """Their sum."""
    known = tuple(charges)
    return Charge(
        run_id=run_id,
        cost=sum(one.cost for one in known),
        reports=sum(one.reports for one in known),
        samples=sum(one.samples for one in known),
        bases=sum(one.bases for one in known),
    )


def statement(
    of: ProjectMonth,
    charges: Sequence[Charge],
    names: Mapping[RunId, Label | None],
    rates: Rates,
    at: Moment,
) -> Statement:
    """`charges` by run; `names` of those runs that have one."""
    items = items_of(total_of(charges), rates)
    return Statement(
        project=of.project,
        name=of.name,
        month=of.month,
        final=is_over(of.month, at),
        as_of=at,
        rates=rates,
        items=items,
        usd=price_of(items),
        runs=tuple(
            ChargedRun(
                run_id=charge.run_id,
                name=names.get(charge.run_id),
                reports=charge.reports,
                samples=charge.samples,
                bases=charge.bases,
                cost_usd=charge.cost / MILLION,
            )
            for charge in charges
        ),
    )


def month_charges(
    month: str,
    sums: Mapping[ProjectId, Charge],
    names: Mapping[ProjectId, str],
    rates: Rates,
    at: datetime,
) -> MonthCharges:
    """`sums` by project; `names` of those that have one."""
    rows = [
        ProjectCharge(
            project=project,
            name=names.get(project, project),
            reports=total.reports,
            samples=total.samples,
            bases=total.bases,
            cost_usd=total.cost / MILLION,
            usd=price_of(items_of(total, rates)),
        )
        for project, total in sums.items()
    ]
    return MonthCharges(
        month=month,
        final=is_over(month, at),
        rates=rates,
        projects=tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.project))),
        cost_usd=total_of(sums.values()).cost / MILLION,
        usd=sum(round(row.usd * 100) for row in rows) / 100,
    )


def month_of(asked: str | None, at: datetime) -> str:
    """YYYY-MM; None: this month. MessageRefused for anything else."""
    if asked is None:
        return f"{at:%Y-%m}"
    if not re.fullmatch(MONTH, asked):
        raise MessageRefused(f"month {asked[:20]!r} is refused.", remedy="use YYYY-MM.")
    return asked


def refuse_past(rates: Rates, at: datetime) -> None:
    """MessageRefused for rates of a month that is over."""
    if is_over(rates.from_month, at):
        raise MessageRefused(
            f"{rates.from_month} is over: statements of it may have been sent.",
            remedy=f"set rates from {at:%Y-%m} on.",
        )


def is_over(month: str, at: datetime) -> bool:
    """Whether no change of a run counts in this month any more."""
    return f"{at - CLOSES:%Y-%m}" > month


def _cents(usd: Decimal) -> float:
    return float(usd.quantize(Decimal("0.01"), ROUND_HALF_UP))


def _exact(usd: float) -> Decimal:
    """As it is written: 0.1 is a tenth."""
    return Decimal(str(usd))
