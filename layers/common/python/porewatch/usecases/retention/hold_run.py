"""Put a run under legal hold, or release it.

Order of a hold: the ledger first, so that no deletion begins from then on (one that began before
wins) -> every version of every object is locked in S3, so that no lifecycle rule, person or defect
removes one -> the ledger records up to when. Of a release: the ledger records who released it ->
every version is unlocked -> the hold is history. A call works for a limited time and records how
far it came; the next one continues there. Each is idempotent; the sweep finishes what was
interrupted, and locks what was written into a held run since.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.records.retention_record import Reached
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.orders import (
    Held,
    HoldRun,
)
from porewatch.usecases.retention.find_versions import (
    Shelves,
    by_object,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.retention import Endings
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.domain.records.retention_record import Hold

OVERLAP = timedelta(days=8)
"""How far before its last pass a hold looks again: S3 dates a multipart upload by its start, and
incomplete uploads are aborted after seven days."""
SLICE_SECONDS = 45
"""Duration of a call of a person: the command line waits that long for the answer."""
BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeper:
    """Dependencies of legal holds. `until`: when to stop and leave the rest to the next call."""

    runs: RunLedger
    endings: Endings
    shelves: Shelves
    clock: Callable[[], datetime]
    until: datetime


def hold_run(order: HoldRun, keeper: Keeper) -> Held:
    """NotFound for an unknown run, or a release without a hold; RunGone for a deleted run."""
    record = keeper.endings.hold(order, keeper.clock())
    return _settle(record, keeper)


def sweep_holds(keeper: Keeper) -> None:
    """Finish holds and releases, and lock new objects. One that fails does not block the others."""
    for listed in keeper.runs.list():
        if listed.hold is not None and keeper.clock() < keeper.until:
            try:
                # Read again: the list may be minutes old, and the run held again since.
                _settle(keeper.runs.get(listed.run_id), keeper)
            except PorewatchError as reason:
                _log.warning("the hold of run %s is not complete: %s", listed.run_id, reason)


def _settle(record: RunRecord, keeper: Keeper) -> Held:
    """Lock or unlock what the record says, from where an earlier call stopped."""
    hold = record.hold
    if hold is None:
        return Held(run_id=record.run_id, hold=None)
    on = hold.released is None
    begun = hold.reached.begun if hold.reached else keeper.clock()
    done = _pass(record.run_id, hold, keeper, begun, on=on)
    if done.reached is not None:
        place = done.reached
        record = keeper.endings.hold_reached(record.run_id, hold, place, keeper.clock())
    elif not done.more and on:
        record = keeper.endings.hold_covered(record.run_id, hold, begun, keeper.clock())
    elif not done.more:
        record = keeper.endings.hold_released(record.run_id, hold, keeper.clock())
    return Held(run_id=record.run_id, hold=record.hold, locked=done.versions, more=done.more)


@dataclass(frozen=True)
class _Done:
    """Number of versions; whether time ran out, and the last object that is done."""

    versions: int
    more: bool = False
    reached: Reached | None = None


def _pass(run_id: str, hold: Hold, keeper: Keeper, begun: datetime, *, on: bool) -> _Done:
    since = hold.covered_to - OVERLAP if hold.covered_to and on else None
    buckets = {bucket.bucket: bucket for bucket, _ in keeper.shelves.prefixes(run_id)}
    if on:
        for bucket in buckets.values():
            bucket.allow_holds()
    locks = {name for name, bucket in buckets.items() if on or bucket.allows_holds()}
    versions, place = 0, hold.reached
    for folder, bucket, found in keeper.shelves.of(run_id, hold.reached):
        if bucket.bucket not in locks:
            continue  # a hold that was released before Object Lock was turned on
        for some in by_object(found, BATCH):
            if keeper.clock() >= keeper.until:
                return _Done(versions, more=True, reached=place)
            old = (v for v in some if since is None or v.modified >= since)
            versions += bucket.hold(old, on=on)
            place = Reached(begun=begun, folder=folder, key=some[-1].key)
    return _Done(versions)
