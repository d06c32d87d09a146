"""Charges as tables for spreadsheets (CSV, RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from porewatch.domain.money.charges import MonthCharges, Statement
from porewatch.domain.money.spreadsheet import as_text

COLUMNS = ("month", "project", "name", "reports", "samples", "bases", "cost_usd", "usd", "final")
RUN_COLUMNS = ("month", "project", "run", "name", "reports", "samples", "bases", "cost_usd")


def charges_csv(shown: MonthCharges) -> str:
    """A line for each project, below COLUMNS."""
    return _csv(
        COLUMNS,
        (
            (
                shown.month, row.project, as_text(row.name), row.reports, row.samples, row.bases,
                f"{row.cost_usd:.6f}", f"{row.usd:.2f}", "yes" if shown.final else "no",
            )
            for row in shown.projects
        ),
    )  # fmt: skip


def statement_csv(shown: Statement) -> str:
    """A line for each run, below RUN_COLUMNS."""
    return _csv(
        RUN_COLUMNS,
        (
            (
                shown.month, shown.project, run.run_id, as_text(run.name or ""), run.reports,
                run.samples, run.bases, f"{run.cost_usd:.6f}",
            )
            for run in shown.runs
        ),
    )  # fmt: skip


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(columns)
    lines.writerows(rows)
    return text.getvalue()
