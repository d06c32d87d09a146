"""What projects are charged for a month, and the facility's rates."""

from __future__ import annotations

from typing import NamedTuple

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.base import now
from porewatch.domain.money.budget import MILLION
from porewatch.domain.money.charges import Charge, rates_of
from porewatch.domain.people.roles import StackAction
from porewatch.edge import wiring
from porewatch.usecases.money import statements
from porewatch.web.charges.months import beside
from porewatch.web.router import Visit


class MonthBar(NamedTuple):
    """One month of a chart: USD by settled bills, and its share of the largest month."""

    month: str
    reports: int
    samples: int
    usd: float
    share: float


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/charges")
    def charges() -> Response[str]:
        visit, at, books = Visit(api).signed_in(), now(), wiring.accounting()
        asked = visit.asked("month")["month"]
        shown = statements.charges_of_month(visit.who, at, books, asked)
        rates = statements.list_rates(visit.who, books.rates).rates
        return visit.page(
            "charges.html.j2",
            shown=shown,
            months=beside(shown.month, f"{at:%Y-%m}"),
            this_month=f"{at:%Y-%m}",
            rates=rates,
            now=rates_of(rates, f"{at:%Y-%m}"),
            sets=visit.may_in_stack(StackAction.MANAGE_PROJECTS),
        )

    @api.get("/web/projects/<project_id>/statement")
    def statement(project_id: str) -> Response[str]:
        visit, at, books = Visit(api).signed_in(), now(), wiring.accounting()
        asked = visit.asked("month")["month"]
        shown = statements.project_statement(project_id, visit.who, at, books, asked)
        return visit.page(
            "statement.html.j2",
            shown=shown,
            months=beside(shown.month, f"{at:%Y-%m}"),
            bars=_bars(statements.recent_months(project_id, at, books.charges)),
        )


def _bars(months: tuple[tuple[str, Charge], ...]) -> tuple[MonthBar, ...]:
    largest = max(charge.cost for _, charge in months) or 1
    return tuple(
        MonthBar(
            month, charge.reports, charge.samples, charge.cost / MILLION, charge.cost / largest
        )
        for month, charge in months
    )
