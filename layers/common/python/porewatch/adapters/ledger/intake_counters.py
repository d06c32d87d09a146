"""Counters and looks of the intake in the ledger (`domain.uploads.intake` explains them).

The counter of a run is sharded over a few items, so that many concurrent checks do not contend for
one. It is changed by additions alone, in the transaction of the file record.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections import Counter

from porewatch.adapters.items import Add, Item, run_key
from porewatch.adapters.table import Table
from porewatch.domain.errors import AlreadyDone, Conflict
from porewatch.domain.rules.stalled_runs import Still
from porewatch.domain.uploads.intake import (
    Counts,
    Look,
    kind_name,
)

TALLY_PREFIX = "TALLY#"
SHARES = 8
LOOK = "LOOK"
STILL = "STILL"


def one_more(run_id: str, path: str) -> Add:
    """The write that counts one recorded check of `path`."""
    share = zlib.crc32(path.encode()) % SHARES
    return Add(Item(run_key(run_id), f"{TALLY_PREFIX}{share}"), {kind_name(path): 1})


class Intake:
    """Counts and looks in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def recorded(self, run_id: str) -> Counts:
        """How many checks were recorded for the run so far, by kind."""
        total: Counter[str] = Counter()
        for item in self._table.query(run_key(run_id), TALLY_PREFIX):
            total.update({kind: int(n) for kind, n in item.attributes.items()})
        return dict(total)

    def look(self, run_id: str) -> Look | None:
        """The last look at the run's files, or None."""
        item = self._table.get(run_key(run_id), LOOK)
        return item.model(Look) if item else None

    def still(self, run_id: str) -> Still | None:
        """Since when a receiving run has not changed, as far as a sweep has looked."""
        item = self._table.get(run_key(run_id), STILL)
        return item.model(Still) if item else None

    def keep_still(self, run_id: str, still: Still) -> None:
        self._table.put(Item.of(run_key(run_id), STILL, still))

    def keep(self, run_id: str, look: Look) -> None:
        """Write a look unconditionally: for what no other worker looks at."""
        self._table.put(Item.of(run_key(run_id), LOOK, look))

    def replace(self, run_id: str, last: Look | None, look: Look) -> bool:
        """Write a look if `last` is still the latest; False when another writer was first."""
        there = self._table.get(run_key(run_id), LOOK)
        if (there.model(Look) if there else None) != last:
            return False
        item = Item.of(run_key(run_id), LOOK, look)
        try:
            if there is None:
                self._table.put_new(item)
            else:
                self._table.put_if(
                    dataclasses.replace(item, version=there.version + 1),
                    {"version": there.version},
                )
        except (AlreadyDone, Conflict):
            return False
        return True
