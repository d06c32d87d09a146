"""A report on a terminal: the tables of the printed report."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from porewatch.domain.money.cost import Bill
from porewatch.domain.results.report import Report
from porewatch_cli.terminal import console, table
from porewatch_worker.report.parts.i18n import say, speaking
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.report.summary import Rows, summary

TONES = {"bad": "bold red", "warn": "yellow", "good": "green", "plain": ""}


def show_report(report: Report, *, bill: Bill | None = None, language: Language = SOURCE) -> None:
    """Print the summary. `bill` (the settled one) replaces the one in the report."""
    shown = summary(report, bill, language)
    with speaking(language):
        bold, rest = say("page.banner_bold"), say("page.banner_short")
        verdict = say("sentence.whole", said=shown.verdict)
        decision = say("sentence.joint").join((verdict, shown.decision))
    if report.synthetic:
        console.print(Text.assemble((bold, "bold magenta"), rest))
    first_line = Text(decision)
    first_line.stylize("bold", 0, len(shown.verdict))
    console.print(first_line)
    for remark in shown.remarks:
        console.print(f"  {remark}", style="dim")
    for rows in (
        shown.findings,
        shown.ticks,
        shown.controls,
        shown.accounting,
        shown.cost,
        shown.shares,
    ):
        if rows is not None:
            console.print()
            console.print(draw(rows))


def draw(rows: Rows) -> Table | str:
    """A table for the terminal, or the sentence for an empty one."""
    if not rows.rows:
        return f"{rows.title}: {rows.empty}"
    numeric = tuple(head for head, right in zip(rows.heads, rows.numeric, strict=True) if right)
    drawn = table(rows.title, *rows.heads, numeric=numeric)
    for cells, tones in zip(rows.rows, rows.tones, strict=True):
        drawn.add_row(
            *(
                Text(cell, style=TONES.get(tone or "plain", ""))
                for cell, tone in zip(cells, tones, strict=True)
            )
        )
    return drawn
