"""Delete a run: all its data, in every revision; a tombstone stays.

Order: nothing waits for the run (alerts, instances) -> the ledger, on condition that the run has
ended and is not held: from then on nothing brings it back -> objects, every version -> rows of the
registry -> items of the ledger -> the final tombstone, with its fact. One call works for a limited
time and leaves the rest to the next; what is deleted is counted in the record of the run as it
goes, and is not listed again. Each step is idempotent, so the same order finishes what an earlier
one began; so does the sweep, which also checks once more later, for objects that were in flight.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError, RunNotOver
from porewatch.domain.records.retention_record import Counts, Deletion, Reached
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.orders import (
    Deleted,
    DeleteRun,
)
from porewatch.domain.retention.rules import (
    LATER,
    may_delete,
)
from porewatch.domain.retention.stays import STAYS
from porewatch.domain.runs import GONE_STATES
from porewatch.usecases.retention.find_versions import (
    Shelves,
    by_object,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.adapters.ledger.retention import Endings
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.registry.database import Registry
    from porewatch.adapters.registry.erasure import RegistryErasure

SLICE_SECONDS = 45
"""Duration of a call of a person: the command line waits that long for the answer."""
BATCH = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Eraser:
    """Dependencies of a deletion. `until`: when to stop and leave the rest to the next call."""

    runs: RunLedger
    endings: Endings
    alerts: AlertLedger
    budget: Budget
    shelves: Shelves
    registry: Registry
    rows: RegistryErasure
    clock: Callable[[], datetime]
    until: datetime


def delete_run(order: DeleteRun, eraser: Eraser) -> Deleted:
    """NotFound for an unknown run; UnderHold; RunNotOver while something is under way. For a
    deleted run, removes what has arrived for it since."""
    record = eraser.runs.get(order.run_id)
    if record.state not in GONE_STATES:
        may_delete(record)
        _nobody_waits(record, eraser)
    if order.dry_run:
        found, all_of_it = _survey(order.run_id, eraser)
        return _answer(record, found, dry_run=True, more=not all_of_it)
    eraser.endings.begin_deletion(order, eraser.clock())
    done = _erase(order.run_id, eraser)
    record = eraser.runs.get(order.run_id)
    found = record.deletion.counts if record.deletion else Counts()
    return _answer(record, found, more=not done)


def sweep_deletions(runs: RunLedger, at: datetime, make_eraser: Callable[[], Eraser]) -> None:
    """Finish deletions, and check once more later. One that fails does not block the others.

    The ledger says what is due; the eraser, which resumes a paused registry, is made only then.
    """
    due = [r.run_id for r in runs.list() if r.state in GONE_STATES and _is_due(r, at)]
    if not due:
        return
    eraser = make_eraser()
    for run_id in due:
        try:
            _erase(run_id, eraser)
        except PorewatchError as reason:
            _log.warning("run %s is not deleted yet: %s", run_id, reason)


def _is_due(record: RunRecord, at: datetime) -> bool:
    deletion = record.deletion
    if deletion is None or deletion.done_at is None:
        return True
    return deletion.swept_at is None and at - deletion.done_at >= LATER


def _nobody_waits(record: RunRecord, eraser: Eraser) -> None:
    run_id = record.run_id
    waiting = [alert for alert in eraser.alerts.of_run(run_id) if alert.waits]
    if waiting:
        raise RunNotOver(
            f"{len(waiting)} alerts of run {run_id} wait for somebody "
            f"(the first: {waiting[0].code} in sample {waiting[0].sample}).",
            remedy=f"acknowledge them first: porewatch alerts --run {run_id}, porewatch ack.",
        )
    revisions = range(record.revision + 1)
    if any(held.held for n in revisions for held in eraser.budget.of_run(run_id, n)):
        raise RunNotOver(
            f"machines of run {run_id} are not paid yet.",
            remedy="give the same order in a few minutes.",
        )


def _survey(run_id: str, eraser: Eraser) -> tuple[Counts, bool]:
    """What would be deleted, and whether the time sufficed to count all of it."""
    versions = size = 0
    for _, _, found in eraser.shelves.of(run_id):
        for version in found:
            versions, size = versions + 1, size + version.size
            if versions % BATCH == 0 and eraser.clock() >= eraser.until:
                return Counts(versions=versions, bytes=size), False
    items = sum(1 for _ in eraser.endings.left(run_id))
    rows = eraser.rows.count(run_id)
    return Counts(versions=versions, bytes=size, items=items, rows=rows), True


def _erase(run_id: str, eraser: Eraser) -> bool:
    """Whether everything is deleted; False when time ran out."""
    deletion = eraser.runs.get(run_id).deletion
    if deletion is None:
        return False
    if not _erase_objects(run_id, deletion.reached, eraser):
        return False
    _erase_rows(run_id, deletion, eraser)
    if not _erase_items(run_id, deletion.reached, eraser):
        return False
    eraser.endings.finish_deletion(run_id, eraser.clock())
    return True


def _erase_objects(run_id: str, counted: Reached | None, eraser: Eraser) -> bool:
    for bucket, prefix in eraser.shelves.prefixes(run_id):
        bucket.end_uploads(prefix)
    for folder, bucket, versions in eraser.shelves.of(run_id):
        for some in by_object(versions, BATCH):
            if eraser.clock() >= eraser.until:
                return False
            new = [v for v in some if counted is None or not counted.passed(folder, v.key)]
            going = Counts(versions=len(new), bytes=sum(version.size for version in new))
            eraser.endings.going(run_id, going, folder, some[-1].key, eraser.clock())
            bucket.delete(some)
    return True


def _erase_rows(run_id: str, deletion: Deletion, eraser: Eraser) -> None:
    rows = Counts(rows=eraser.rows.count(run_id))
    eraser.endings.going(run_id, rows, "registry", "", eraser.clock())
    with eraser.registry.transaction():
        eraser.rows.erase(run_id, by=deletion.by, reason=deletion.reason, at=deletion.at)


def _erase_items(run_id: str, counted: Reached | None, eraser: Eraser) -> bool:
    items = eraser.endings.left(run_id)
    while some := list(islice(items, BATCH)):
        if eraser.clock() >= eraser.until:
            return False
        new = [key for key in some if counted is None or not counted.passed("ledger", key)]
        going = Counts(items=len(new))
        eraser.endings.going(run_id, going, "ledger", some[-1], eraser.clock())
        eraser.endings.erase(run_id, some)
    return True


def _answer(
    record: RunRecord, found: Counts, *, dry_run: bool = False, more: bool = False
) -> Deleted:
    return Deleted(
        run_id=record.run_id,
        state=record.state,
        dry_run=dry_run,
        found=found,
        stays=STAYS,
        problem=(record.problem or "") if record.state in GONE_STATES else "",
        more=more,
    )
