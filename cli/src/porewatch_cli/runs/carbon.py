"""The carbon estimate on a terminal: the table and sentences of the report."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from porewatch.domain.money.cost import Bill
from porewatch_cli.reports.summary import draw
from porewatch_worker.report.pages.run_record.carbon import carbon_blocks
from porewatch_worker.report.parts.document import Prose
from porewatch_worker.report.parts.document import Table as Printed
from porewatch_worker.report.summary import table_rows


def carbon_parts(bill: Bill) -> Iterator[Table | str]:
    """The parts of the report's estimate, in order; nothing for a bill without one."""
    for block in carbon_blocks(bill):
        if isinstance(block, Printed):
            yield draw(table_rows(block))
        elif isinstance(block, Prose):
            yield block.text.replace("\u00a0", " ")
