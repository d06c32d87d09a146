"""A refused message: moved to the dead-letter queue with its reason, and counted."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError, Refused
from porewatch.domain.facts.metrics import Measure

if TYPE_CHECKING:
    from porewatch.adapters.messages.metrics import Metrics
    from porewatch.adapters.messages.worker_queue import DeadLetters

COUNTED = "WorkerMessagesRefused"
_log = logging.getLogger(__name__)


def set_message_aside(
    body: str,
    mac: str,
    error: Refused,
    *,
    dead_letters: DeadLetters,
    metrics: Metrics,
    at: datetime,
    counted: str = COUNTED,
) -> None:
    """Raises Throttled or Unavailable when it could not be stored; a failure to count it is logged
    only."""
    dead_letters.put(body, mac, str(error))
    try:
        metrics.put([Measure(name=counted, value=1, at=at)])
    except PorewatchError as problem:
        _log.warning("a refused message was not counted: %s", problem)
