"""Legal holds and deletions in the ledger. The rules are in `domain.retention.rules`.

Order: legal holds, the record of a deletion, the tars that hold data of a run, and everything else
that the ledger has of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from porewatch.adapters.items import Item, run_key
from porewatch.adapters.ledger.run_moves import (
    PROJECT,
    RUN,
    move_run,
    there,
)
from porewatch.adapters.table import Table
from porewatch.domain.facts.outbox import FACT_PREFIX
from porewatch.domain.records.retention_record import Counts, Hold, Reached
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention import rules as ending
from porewatch.domain.retention.orders import (
    DeleteRun,
    HoldRun,
)
from porewatch.domain.retention.stays import KEPT_FACTS

TAR_PREFIX = "TAR#"
ELSEWHERE_PREFIX = "TAR_OF_ANOTHER#"


class Endings:
    """Holds and deletions of runs in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def hold(self, order: HoldRun, at: datetime) -> RunRecord:
        """See `ending.hold` and `ending.release`."""
        rule = ending.release if order.release else ending.hold
        return move_run(
            self._table, order.run_id, lambda record: rule(there(record, order.run_id), order, at)
        )

    def hold_covered(self, run_id: str, hold: Hold, to: datetime, at: datetime) -> RunRecord:
        """See `ending.covered`."""
        return move_run(
            self._table, run_id, lambda record: ending.covered(there(record, run_id), hold, to, at)
        )

    def hold_released(self, run_id: str, hold: Hold, at: datetime) -> RunRecord:
        """See `ending.released`."""
        return move_run(
            self._table, run_id, lambda record: ending.released(there(record, run_id), hold, at)
        )

    def hold_reached(self, run_id: str, hold: Hold, place: Reached, at: datetime) -> RunRecord:
        """See `ending.reached`."""
        return move_run(
            self._table,
            run_id,
            lambda record: ending.reached(there(record, run_id), hold, place, at),
        )

    def begin_deletion(self, order: DeleteRun, at: datetime) -> RunRecord:
        """See `ending.begin`; UnderHold, RunNotOver."""
        return move_run(
            self._table,
            order.run_id,
            lambda record: ending.begin(there(record, order.run_id), order, at),
            gone=True,
        )

    def going(self, run_id: str, what: Counts, folder: str, key: str, at: datetime) -> RunRecord:
        """See `ending.going`."""
        return move_run(
            self._table,
            run_id,
            lambda record: ending.going(there(record, run_id), what, folder, key, at),
            gone=True,
        )

    def finish_deletion(self, run_id: str, at: datetime) -> RunRecord:
        """See `ending.finish`."""
        return move_run(
            self._table,
            run_id,
            lambda record: ending.finish(there(record, run_id), at),
            gone=True,
        )

    def note_tar(self, run_id: str, key: str, *, named: str) -> None:
        """This tar holds data of the run, whatever its name. If it is `named` after another run,
        the ledger records for that run that the tar is not its own."""
        self._table.put(Item(run_key(run_id), TAR_PREFIX + key))
        if named != run_id:
            self._table.put(Item(run_key(named), ELSEWHERE_PREFIX + key))

    def has_tar(self, run_id: str, key: str) -> bool:
        """Whether the ledger says that this tar belongs to the run."""
        return self._table.get(run_key(run_id), TAR_PREFIX + key) is not None

    def tars(self, run_id: str) -> frozenset[str]:
        """Keys of all tars that belong to the run."""
        return self._keys(run_id, TAR_PREFIX)

    def tars_of_others(self, run_id: str) -> frozenset[str]:
        """Keys of tars that are named after the run and belong to another one."""
        return self._keys(run_id, ELSEWHERE_PREFIX)

    def _keys(self, run_id: str, prefix: str) -> frozenset[str]:
        items = self._table.query(run_key(run_id), prefix)
        return frozenset(item.sk.removeprefix(prefix) for item in items)

    def left(self, run_id: str) -> Iterator[str]:
        """Sort keys of all items of the run that a deletion removes."""
        for sk in self._table.sort_keys(run_key(run_id)):
            if sk not in (RUN, PROJECT) and not sk.startswith(_KEPT):
                yield sk

    def erase(self, run_id: str, sort_keys: Sequence[str]) -> None:
        """Remove these items of the run."""
        self._table.delete_all(run_key(run_id), sort_keys)


_KEPT = (*(f"{FACT_PREFIX}{kind}:" for kind in KEPT_FACTS), ELSEWHERE_PREFIX)
"""With what says that a tar of this name is another run's: a deleted run is swept once more."""
