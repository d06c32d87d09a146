"""The timeline: what happened to the run, in the reader's language.

Text of other programs (AWS, a worker's last lines) is printed as they wrote it, and marked.
"""

from __future__ import annotations

from porewatch.domain.results.report import Report
from porewatch.domain.stage.manifest import TimelineEntry
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Cell, Column, Section, Table
from porewatch_worker.report.parts.i18n import clauses, say, texts_of


def timeline(report: Report) -> Section:
    ordered = sorted(report.timeline, key=lambda entry: entry.at)
    begin = ordered[0].at if ordered else report.created_at
    rows = tuple(
        (
            Cell(numbers.moment(entry.at)),
            Cell(f"+ {numbers.duration((entry.at - begin).total_seconds())}"),
            Cell(clauses(entry.happened)),
            _details(entry),
        )
        for entry in ordered
    )
    table = Table(
        caption=say("timeline.caption"),
        columns=(
            Column(say("head.moment"), width=2.2),
            Column(say("head.elapsed"), number=True, width=1.1),
            Column(say("head.what"), width=2.4),
            Column(say("head.detail"), width=3.6),
        ),
        rows=rows,
        empty=say("timeline.none"),
    )
    return Section("timeline", say("timeline.title"), (table,))


def _details(entry: TimelineEntry) -> Cell:
    """The first line is the event, the others the response to it."""
    lines = [line for text in texts_of(entry.details) for line in text.splitlines()]
    return Cell(lines[0] if lines else numbers.NOTHING, note=" ".join(lines[1:]))
