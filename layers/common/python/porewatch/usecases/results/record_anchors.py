"""Once a day, the heads that were published get one signed record, which holds the one before."""

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
    from porewatch.adapters.ledger.anchors import Anchors

MOST_DAYS = 60
"""Records of one call: of a stack whose clock stood still for long, the rest comes in an hour."""
_log = logging.getLogger(__name__)


def record_anchors(anchors: Anchors, clock: Callable[[], datetime]) -> int:
    """Every day that is over and has no record gets one, a day without heads too, so that a record
    that is missing shows. Answers how many were made.

    Raises ChainForged when the newest record is not the key's: what is signed over it would vouch
    for it. Unavailable or Throttled.
    """
    last = anchors.last_day()
    for made in range(MOST_DAYS):
        _refuse_forged(anchors, last)
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
    """Also while no day is due: it is said within the hour, and of a day in the future, too."""
    if last is None or anchors.made_day(last):
        return
    error = ChainForged(
        f"the record of {last.day} was not made by the audit key; nothing is recorded over it.",
        remedy="docs/runbooks/dead-letters.md",
    )
    _log.error("%s", error)
    raise error
