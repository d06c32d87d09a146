"""How far the reports of runs are signed: one item for each run, beside its signatures."""

from __future__ import annotations

from collections.abc import Sequence

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Item, Put, signatures_key
from porewatch.adapters.table import Table
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.signatures.steps import Reviewed, State, review_of

LAST = "LAST"


def reviewed_write(pk: str, last: Reviewed) -> Put:
    """Beside its signature, in one write."""
    return Put(Item.of(pk, LAST, last))


def review_states(table: Table, runs: Sequence[RunRecord]) -> dict[str, State | None]:
    """Of each of these runs, by its id."""
    found = get_many(table, [(signatures_key(run.run_id), LAST) for run in runs])
    last = {pk: item.model(Reviewed) for (pk, _), item in found.items()}
    return {run.run_id: review_of(run, last.get(signatures_key(run.run_id))) for run in runs}
