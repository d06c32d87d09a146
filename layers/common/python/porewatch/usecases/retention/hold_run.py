"""A run comes under legal hold, or is released.

Order of a hold: the ledger first, so that no deletion begins from then on (a deletion that began
before wins) -> every version of every object is locked in S3, so that no lifecycle rule, no person
and no defect removes one either -> the ledger's word up to when. Of a release: the ledger's word
that somebody ended it -> every version is unlocked -> the hold is history. A call works for a while
and keeps how far it came; the next one goes on from there. Each can be said again; what was
interrupted, and what was written into a held run since, the sweep does.
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
"""How far back of its last look a hold looks again: S3 dates what is sent in parts by the start of
its upload, and uploads that do not end are aborted after seven days."""
SLICE_SECONDS = 45
"""How long a call of a person works: so long the command line hears nothing."""
BATCH = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeper:
    """What it takes. `until`: when to stop and leave the rest to the next call."""

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
    """Finish what was begun, and lock what came since. One that fails keeps no other from it."""
    for listed in keeper.runs.list():
        if listed.hold is not None and keeper.clock() < keeper.until:
            try:
                # As it is now: a list may be minutes old, and the run held again since.
                _settle(keeper.runs.get(listed.run_id), keeper)
            except PorewatchError as reason:
                _log.warning("the hold of run %s is not complete: %s", listed.run_id, reason)


def _settle(record: RunRecord, keeper: Keeper) -> Held:
    """Lock or unlock what the record says, from where an earlier call had to stop."""
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
    """How many versions; whether time was up before all, and the last object that is done."""

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
            continue  # a hold that was ended before it had turned Object Lock on
        for some in by_object(found, BATCH):
            if keeper.clock() >= keeper.until:
                return _Done(versions, more=True, reached=place)
            old = (v for v in some if since is None or v.modified >= since)
            versions += bucket.hold(old, on=on)
            place = Reached(begun=begun, folder=folder, key=some[-1].key)
    return _Done(versions)
