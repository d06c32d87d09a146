"""The files of a run that were not screened: left out, lost, or counted by MinKNOW and not here."""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.domain.errors import parts_of
from porewatch.domain.results.report import Report
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import (
    Cell,
    Column,
    Table,
)
from porewatch_worker.report.parts.i18n import (
    named,
    say,
)

Row = tuple[Cell, ...]


def not_screened(report: Report) -> Table:
    """One row a reason; lost files by name, because they make a sample not reportable."""
    return Table(
        caption=say("aside.caption"),
        columns=(
            Column(say("head.reasons"), width=2.4),
            Column(say("aside.files"), number=True, width=0.8),
            Column(say("head.file"), width=3.4, code=True),
        ),
        rows=(*_lost(report), *_missing(report), *_left_out(report)),
        empty=say("aside.none"),
    )


def _lost(report: Report) -> Iterator[Row]:
    for file in report.lost:
        cell = Cell(say("aside.lost"), note=parts_of(file.problem).problem, tone="bad")
        yield cell, Cell("1"), Cell(file.path)


def _missing(report: Report) -> Iterator[Row]:
    for kind in report.expected:
        text = say("aside.missing", came=kind.came, counted=kind.counted, failed=kind.failed)
        yield Cell(text, tone="bad"), Cell(numbers.count(kind.missing)), Cell(kind.kind)


def _left_out(report: Report) -> Iterator[Row]:
    for found in report.left_out:
        more = ", …" if found.files > len(found.names) else ""
        yield (
            Cell(named("why", found.why.value)),
            Cell(numbers.count(found.files)),
            Cell(", ".join(found.names) + more),
        )
