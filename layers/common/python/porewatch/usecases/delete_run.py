"""A person deletes a run: all its data go, in every revision; a record of it stays.

Order: nobody waits for anything of it (alerts, machines) -> what there is is counted -> the ledger,
on condition that the run has ended and is not held: from then on nothing brings it back -> objects,
every version -> rows of the registry -> items of the ledger -> the tombstone's last word, with its
fact. Each step can be done again, so the same order finishes what an earlier one began; the sweep
does as well, and looks once more later, for what was on its way meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from porewatch.domain.ending.orders import Deleted, DeleteRun
from porewatch.domain.ending.records import Counts
from porewatch.domain.ending.rules import LATER, may_delete
from porewatch.domain.ending.stays import STAYS
from porewatch.domain.errors import PorewatchError, RunNotOver
from porewatch.domain.runs import GONE_STATES, RunRecord, RunState
from porewatch.usecases.find_versions import Shelves

if TYPE_CHECKING:
    from porewatch.adapters.alerts import AlertLedger
    from porewatch.adapters.budget import Budget
    from porewatch.adapters.endings import Endings
    from porewatch.adapters.registry import Registry
    from porewatch.adapters.registry_erasure import RegistryErasure
    from porewatch.adapters.runs import RunLedger

BATCH = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Eraser:
    """What it takes. `until`: when to stop and leave the rest to the next call."""

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
    """NotFound for an unknown run; UnderHold; RunNotOver while something is under way. Said of a
    deleted run, it removes what came for it since."""
    record = eraser.runs.get(order.run_id)
    if record.state not in GONE_STATES:
        may_delete(record)
        _nobody_waits(record, eraser)
    found = _survey(order.run_id, eraser)
    if order.dry_run:
        return _answer(record, found, dry_run=True)
    record = eraser.endings.begin_deletion(order, found, eraser.clock())
    after = _erase(record, found, eraser)
    return _answer(after or record, found, more=after is None)


def sweep_deletions(eraser: Eraser) -> None:
    """Finish what was begun, and look once more later. One that fails keeps no other from it."""
    for record in eraser.runs.list():
        if record.state in GONE_STATES and _is_due(record, eraser.clock()):
            try:
                _erase(record, _survey(record.run_id, eraser), eraser)
            except PorewatchError as reason:
                _log.warning("run %s is not deleted yet: %s", record.run_id, reason)


def _is_due(record: RunRecord, at: datetime) -> bool:
    told = record.deletion
    if told is None or told.done_at is None:
        return True
    return told.swept_at is None and at - told.done_at >= LATER


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


def _survey(run_id: str, eraser: Eraser) -> Counts:
    versions = size = 0
    for _, found in eraser.shelves.of(run_id):
        for version in found:
            versions, size = versions + 1, size + version.size
    items = sum(1 for _ in eraser.endings.left(run_id))
    return Counts(versions=versions, bytes=size, items=items, rows=eraser.rows.count(run_id))


def _erase(record: RunRecord, found: Counts, eraser: Eraser) -> RunRecord | None:
    """The tombstone when all is gone, None when time was up before that."""
    told = record.deletion
    if told is None or not _erase_objects(record.run_id, eraser):
        return None
    with eraser.registry.transaction():
        eraser.rows.erase(record.run_id, by=told.by, reason=told.reason, at=told.at)
    eraser.endings.erase(record.run_id)
    return eraser.endings.finish_deletion(record.run_id, found, eraser.clock())


def _erase_objects(run_id: str, eraser: Eraser) -> bool:
    for bucket, prefix in eraser.shelves.prefixes(run_id):
        bucket.end_uploads(prefix)
    for bucket, versions in eraser.shelves.of(run_id):
        while some := list(islice(versions, BATCH)):
            if eraser.clock() >= eraser.until:
                return False
            bucket.delete(some)
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
        more=more or (not dry_run and record.state is not RunState.DELETED),
    )
