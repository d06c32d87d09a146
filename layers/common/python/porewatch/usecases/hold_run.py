"""A run comes under legal hold, or is released.

Order of a hold: the ledger first, so that no deletion begins from then on (a deletion that began
before wins) -> every version of every object is locked in S3, so that no lifecycle rule, no person
and no defect removes one either -> the ledger's word up to when. Of a release: the ledger's word
that somebody ended it -> every version is unlocked -> the hold is history. Each can be said again;
what was interrupted, and what was written into a held run since, the sweep does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from porewatch.domain.ending.orders import Held, HoldRun
from porewatch.domain.errors import PorewatchError
from porewatch.domain.runs import RunRecord
from porewatch.usecases.find_versions import Shelves

if TYPE_CHECKING:
    from porewatch.adapters.endings import Endings
    from porewatch.adapters.runs import RunLedger
    from porewatch.adapters.versions import Version

OVERLAP = timedelta(days=8)
"""How far back of its last look a hold looks again: S3 dates what is sent in parts by the start of
its upload, and uploads that do not end are aborted after seven days."""
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
    """Lock or unlock what the record says."""
    hold, begun = record.hold, keeper.clock()
    if hold is None:
        return Held(run_id=record.run_id, hold=None)
    on = hold.released is None
    since = hold.covered_to - OVERLAP if hold.covered_to and on else None
    locked, more = _lock(record.run_id, keeper, since, on=on)
    if not more and on:
        record = keeper.endings.hold_covered(record.run_id, hold, begun, keeper.clock())
    elif not more:
        record = keeper.endings.hold_released(record.run_id, hold, keeper.clock())
    return Held(run_id=record.run_id, hold=record.hold, locked=locked, more=more)


def _lock(run_id: str, keeper: Keeper, since: datetime | None, *, on: bool) -> tuple[int, bool]:
    """(how many versions, whether time was up before all)."""
    if on:
        for bucket in {id(b): b for b, _ in keeper.shelves.prefixes(run_id)}.values():
            bucket.allow_holds()
    done = 0
    for bucket, versions in keeper.shelves.of(run_id):
        for some in _batches(v for v in versions if since is None or v.modified >= since):
            if keeper.clock() >= keeper.until:
                return done, True
            done += bucket.hold(some, on=on)
    return done, False


def _batches(versions: Iterable[Version]) -> Iterator[list[Version]]:
    some: list[Version] = []
    for version in versions:
        some.append(version)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some
