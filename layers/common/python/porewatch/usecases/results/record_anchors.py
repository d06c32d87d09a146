"""Once a day, sign one record of all published audit heads, chained to the record before."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import AlreadyDone, ChainForged
from porewatch.domain.results.audit_anchors import (
    AnchorDay,
    day_due,
    next_record,
)

if TYPE_CHECKING:
    from porewatch.adapters.audit.anchors import Anchors
    from porewatch.adapters.audit.locked_anchors import LockedAnchors

MOST_DAYS = 60
"""Records per call: after a long pause the rest follows in an hour."""
_log = logging.getLogger(__name__)


def record_anchors(
    anchors: Anchors, clock: Callable[[], datetime], locked: LockedAnchors | None = None
) -> int:
    """Record every day that is over and has no record, a day without heads too, so that a missing
    record is noticed. Returns the number of new records. `locked`: where each record is copied
    before another one is signed over it; the newest is copied at the latest an hour later.

    Raises ChainForged when the newest record was not made by the key: a record signed over it would
    vouch for it. Unavailable or Throttled.
    """
    last = anchors.last_day()
    for made in range(MOST_DAYS):
        _refuse_forged(anchors, last)
        if locked is not None and last is not None:
            locked.keep(last)
        day = day_due(last, clock())
        if day is None:
            return made
        record = next_record(last, day, anchors.after(last.until if last else ""))
        try:
            anchors.keep_day(record)
        except AlreadyDone:
            _log.info("the record of %s was made by another call", day)
            return made
        last = anchors.last_day()
    return MOST_DAYS


def _refuse_forged(anchors: Anchors, last: AnchorDay | None) -> None:
    """Checked even when no day is due, so that a forged record is reported within the hour."""
    if last is None or anchors.made_day(last):
        return
    error = ChainForged(
        f"the record of {last.day} was not made by the audit key; nothing is recorded over it.",
        remedy="docs/runbooks/dead-letters.md",
    )
    _log.error("%s", error)
    raise error
