"""`porewatch charges`: by AWS credentials, of all projects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain.base import Model, now
from porewatch.domain.money.charge_tables import charges_csv, statement_csv
from porewatch.domain.money.charges import (
    Rates,
    Statement,
    refuse_past,
)
from porewatch_cli.terminal import console, print_json, table
from porewatch_worker.report.statement_pdf import statement_pdf

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


class RatesKept(Model):
    """By the month from which they hold."""

    rates: tuple[Rates, ...]


def show_month(stack: Stack, month: str | None, csv: Path | None, *, as_json: bool) -> None:
    """What each project is charged; into `csv`, if there is one, too."""
    shown = stack.accounting.month(month, now())
    if csv is not None:
        csv.write_text(charges_csv(shown), encoding="utf-8", newline="")
    if as_json:
        print_json(shown)
        return
    rows = table(shown.month, "project", "reports", "samples", "Gb", "cost USD", "charged USD")
    for one in shown.projects:
        rows.add_row(
            Text(one.name), str(one.reports), str(one.samples), f"{one.bases / 1e9:.2f}",
            f"{one.cost_usd:.4f}", f"{one.usd:.2f}",
        )  # fmt: skip
    console.print(rows if shown.projects else f"nothing was settled in {shown.month}")
    if shown.projects:
        console.print(f"total: {shown.cost_usd:.4f} USD cost, {shown.usd:.2f} USD charged")
    _say_whether_final(shown.final)


def show_statement(
    stack: Stack,
    project: str,
    month: str | None,
    *,
    pdf: Path | None,
    csv: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """What one project is charged; into `pdf` and `csv`, if there are any, too. NotFound."""
    found = stack.accounts.project(project)
    shown = stack.accounting.statement(found, month, now())
    if csv is not None:
        csv.write_text(statement_csv(shown), encoding="utf-8", newline="")
    if pdf is not None:
        pdf.write_bytes(statement_pdf(shown, language))
    if as_json:
        print_json(shown)
    else:
        _show(shown)


def show_rates(stack: Stack, *, as_json: bool) -> None:
    """All rates, by the month from which they hold."""
    kept = RatesKept(rates=stack.accounting.rates.all())
    if as_json:
        print_json(kept)
        return
    rows = table("", "from", "mark-up %", "USD/report", "USD/sample", "USD/Gb", "set by")
    for one in kept.rates:
        rows.add_row(
            one.from_month, f"{one.markup_percent:g}", f"{one.report_usd:g}",
            f"{one.sample_usd:g}", f"{one.gigabase_usd:g}", Text(one.by),
        )  # fmt: skip
    console.print(rows if kept.rates else "no rates: projects are charged what the machines cost")


def set_rates(stack: Stack, rates: Rates, *, as_json: bool) -> None:
    """Rates from a month on; shows all. MessageRefused for a month that is over."""
    refuse_past(rates, now())
    stack.accounting.rates.keep(rates)
    show_rates(stack, as_json=as_json)


def _show(shown: Statement) -> None:
    console.print(Text(f"{shown.month}  ").append(shown.name, style="bold"))
    rows = table("", "item", "quantity", "USD each", "USD")
    for item in shown.items:
        rows.add_row(
            item.what.value, f"{item.quantity:.6g}", f"{item.unit_usd:g}", f"{item.usd:.2f}"
        )
    console.print(rows)
    console.print(f"total: {shown.usd:.2f} USD, of {len(shown.runs)} runs")
    _say_whether_final(shown.final)


def _say_whether_final(final: bool) -> None:
    if not final:
        console.print("the month is not over: more may come", style="dim")
