"""The facts of runs in the ledger, exactly as they were published."""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.adapters.items import run_key, signatures_key
from porewatch.adapters.table import Table
from porewatch.domain.facts.outbox import (
    FACT_PREFIX,
    OutboxRecord,
)


class FactLog:
    """The facts in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of_run(self, run_id: str) -> Iterator[OutboxRecord]:
        """Every fact of a run in order of its id, read page by page, and then those of its
        signatures. `sequence` is empty: only the stream has one."""
        for key in (run_key(run_id), signatures_key(run_id)):
            for item in self._table.query(key, FACT_PREFIX):
                yield OutboxRecord(
                    sequence="",
                    fact_id=item.sk.removeprefix(FACT_PREFIX),
                    detail_type=str(item.attributes["detail_type"]),
                    at=str(item.attributes["at"]),
                    detail=str(item.attributes["detail"]),
                )
