"""What projects are charged for a month, put together from where charges, rates and names are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from porewatch.adapters.money.charges import Charges
from porewatch.adapters.money.facility_rates import FacilityRates
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.domain.money.charges import (
    MonthCharges,
    ProjectMonth,
    Statement,
    month_charges,
    month_of,
    rates_of,
    statement,
)
from porewatch.domain.people.accounts import Project


@dataclass(frozen=True)
class Accounting:
    """Asks nobody who asks."""

    charges: Charges
    rates: FacilityRates
    accounts: Accounts
    runs: ProjectRuns

    def month(self, month: str | None, at: datetime) -> MonthCharges:
        """Of all projects. `month`: YYYY-MM, in UTC; None: this one. MessageRefused for others."""
        asked = month_of(month, at)
        sums = self.charges.of_month(asked)
        names = {p.project_id: p.name for p in self.accounts.some_projects(sorted(sums))}
        return month_charges(asked, sums, names, rates_of(self.rates.all(), asked), at)

    def statement(self, project: Project, month: str | None, at: datetime) -> Statement:
        """Of one project, with its runs."""
        asked = month_of(month, at)
        found = tuple(self.charges.of(project.project_id, asked))
        return statement(
            ProjectMonth(project.project_id, project.name, asked),
            found,
            self.runs.names([charge.run_id for charge in found]),
            rates_of(self.rates.all(), asked),
            at,
        )
