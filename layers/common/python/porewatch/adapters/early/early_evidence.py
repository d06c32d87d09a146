"""Evidence of early screening in the ledger: a file and the totals of its run in one write.

RUN#id   EARLY-FILE#path    EarlyFile: what the file holds, as it lies there now
RUN#id   EARLY              numbers by name (`domain.early.evidence`)

A file that is delivered twice counts once; one that was replaced counts as it is now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from porewatch.adapters.items import Add, Item, run_key
from porewatch.adapters.retries import PATIENT
from porewatch.adapters.table import Change, Table
from porewatch.domain.early.evidence import EarlyFile, EarlyTotals, judged_name, totals_of

FILE, TOTAL = "EARLY-FILE#", "EARLY"


class EarlyEvidence:
    """The evidence in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def file(self, run_id: str, path: str) -> EarlyFile | None:
        """What is known of the file; None: it was not screened."""
        item = self._table.get(run_key(run_id), FILE + path)
        return item.model(EarlyFile) if item else None

    def files(self, run_id: str) -> tuple[EarlyFile, ...]:
        """All that were screened, by path."""
        found = self._table.query(run_key(run_id), FILE)
        return tuple(item.model(EarlyFile) for item in found)

    def totals(self, run_id: str) -> EarlyTotals:
        """Of all files that were screened."""
        item = self._table.get(run_key(run_id), TOTAL)
        return totals_of({k: int(v) for k, v in item.attributes.items()} if item else {})

    def add(self, file: EarlyFile) -> None:
        """Count the file. Idempotent; of a file that was replaced the difference is added."""
        place = run_key(file.run_id), FILE + file.file.path

        def step(before: Item | None) -> Change | None:
            known = before.model(EarlyFile) if before else None
            if known is not None and known.etag == file.etag:
                return None
            item = Item.of(*place, file, version=before.version + 1 if before else 0)
            change = _difference(file.amounts, known.amounts if known else Counter())
            return Change(item, beside=[Add(Item(place[0], TOTAL), change)])

        self._table.change(*place, step, retries=PATIENT)

    def judged(self, run_id: str, totals: EarlyTotals, now: Mapping[tuple[str, str], int]) -> None:
        """The rule was asked over `now`, when `totals` were so."""
        more = {
            judged_name(*pair): reads - totals.judged.get(pair, 0) for pair, reads in now.items()
        }
        self._table.transact([Add(Item(run_key(run_id), TOTAL), more)])


def _difference(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: after.get(name, 0) - before.get(name, 0) for name in {*after, *before}}
