"""The report for a terminal: the same tables as on paper, and one line of totals.

`summary` gives tables of the printed document with plain text in them; a command line only has to
draw them. `--json` prints `report.json` itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from porewatch.domain.money.cost import Bill
from porewatch.domain.results.report import Report
from porewatch_worker.report.compose import decision_of
from porewatch_worker.report.pages.first_page import findings_table, outcomes_table, positive
from porewatch_worker.report.pages.results.limits import could_be_seen
from porewatch_worker.report.pages.results.samples import accounting
from porewatch_worker.report.pages.run_record.cost import cost_table, shares_table
from porewatch_worker.report.pages.verdicts import badge
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.control_ticks import control_ticks
from porewatch_worker.report.parts.document import Cell, Section, Table, Tone
from porewatch_worker.report.parts.i18n import say, speaking, texts_of
from porewatch_worker.report.parts.languages import SOURCE, Language


@dataclass(frozen=True)
class Rows:
    """A table for the terminal. `numeric[i]`: column i is right-aligned. `tones[row][column]`."""

    title: str
    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    tones: tuple[tuple[Tone | None, ...], ...]
    empty: str


@dataclass(frozen=True)
class Summary:
    """`cost` is None when no instance was billed. `detected` counts findings in samples only."""

    verdict: str
    decision: str
    remarks: tuple[str, ...]
    detected: int
    findings: Rows
    controls: Rows
    ticks: Rows
    accounting: Rows
    detection_limits: Rows
    shares: Rows | None
    cost: Rows | None


def summary(report: Report, bill: Bill | None = None, language: Language = SOURCE) -> Summary:
    """Rows for the command line; `bill`, such as the settled one, replaces the report's own."""
    with speaking(language):
        return _summary(report, bill)


def _summary(report: Report, bill: Bill | None) -> Summary:
    money = bill or report.bill
    return Summary(
        verdict=badge(report).text,
        decision=decision_of(report),
        remarks=texts_of(report.remark_reasons),
        detected=len(report.detected),
        findings=table_rows(findings_table(report, positive(report), say("summary.findings"))),
        controls=table_rows(outcomes_table(report)),
        ticks=table_rows(control_ticks(report)),
        accounting=table_rows(_table(accounting(report))),
        detection_limits=table_rows(_table(could_be_seen(report))),
        shares=table_rows(shares_table(money)) if money else None,
        cost=table_rows(cost_table(money)) if money else None,
    )


def _table(section: Section) -> Table:
    return next(block for block in section.blocks if isinstance(block, Table))


def table_rows(table: Table) -> Rows:
    """A printed table for the terminal."""
    every = (*table.rows, *((table.total,) if table.total else ()))
    return Rows(
        title=_plain(table.caption),
        heads=tuple(_plain(column.head) for column in table.columns),
        numeric=tuple(column.number for column in table.columns),
        rows=tuple(tuple(_text(cell) for cell in row) for row in every),
        tones=tuple(tuple(cell.tone for cell in row) for row in every),
        empty=table.empty,
    )


def _text(cell: Cell) -> str:
    """Text and note on one line."""
    return _plain(
        f"{cell.text} ({cell.note})" if cell.note and cell.text else cell.text or cell.note
    )


def _plain(text: str) -> str:
    return text.replace(numbers.GAP, " ")
