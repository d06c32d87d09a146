"""What projects are charged for a month, by the facility's rates: for who may see it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.money import charges as rules
from porewatch.domain.money.charges import (
    Charge,
    Month,
    MonthCharges,
    Rate,
    Rates,
    Statement,
)
from porewatch.domain.people import policy
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action, StackAction
from porewatch.usecases.people.places import reach_project
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.accounting.statements import Accounting
    from porewatch.adapters.money.charges import Charges
    from porewatch.adapters.money.facility_rates import FacilityRates

MONTHS_SHOWN = 12


class MonthAnswer(MonthCharges, Answer):
    """What all projects are charged."""


class StatementAnswer(Statement, Answer):
    """A project's month, with its runs."""


class RatesToSet(Model):
    """Rates from a month on: of this one, or one to come. What was stated stays."""

    from_month: Month
    markup_percent: Rate = 0.0
    report_usd: Rate = 0.0
    sample_usd: Rate = 0.0
    gigabase_usd: Rate = 0.0


class RatesList(Answer):
    rates: Annotated[tuple[Rates, ...], Field(description="by the month from which they hold")]


def charges_of_month(
    who: Principal, at: datetime, books: Accounting, month: str | None = None
) -> MonthAnswer:
    """Of all projects. `month`: YYYY-MM, in UTC; None: this one. Forbidden for who may not see the
    costs of the stack."""
    policy.require_in_stack(who, StackAction.SEE_COSTS)
    return MonthAnswer.model_validate(books.month(month, at).model_dump())


def project_statement(
    project_id: str, who: Principal, at: datetime, books: Accounting, month: str | None = None
) -> StatementAnswer:
    """Of one project, for its admins and operators."""
    project = reach_project(project_id, who, Action.SEE_STATEMENTS, accounts=books.accounts)
    return StatementAnswer.model_validate(books.statement(project, month, at).model_dump())


def recent_months(
    project_id: str, at: datetime, charges: Charges
) -> tuple[tuple[str, Charge], ...]:
    """The sums of the last MONTHS_SHOWN months, the newest last; of a project one may see."""
    months = [_before(at, back) for back in reversed(range(MONTHS_SHOWN))]
    found = charges.of_months(project_id, months)
    return tuple((month, found.get(month, rules.total_of(()))) for month in months)


def list_rates(who: Principal, rates: FacilityRates) -> RatesList:
    """For who sees the costs of the stack."""
    policy.require_in_stack(who, StackAction.SEE_COSTS)
    return RatesList(rates=rates.all())


def set_rates(asked: RatesToSet, who: Principal, at: datetime, rates: FacilityRates) -> RatesList:
    """For admins of the stack. MessageRefused for a month that is over."""
    policy.require_in_stack(who, StackAction.MANAGE_PROJECTS)
    made = Rates(**asked.model_dump(), by=who.name, at=at)
    rules.refuse_past(made, at)
    rates.keep(made)
    return RatesList(rates=rates.all())


def _before(at: datetime, months: int) -> str:
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return f"{year:04d}-{month + 1:02d}"
