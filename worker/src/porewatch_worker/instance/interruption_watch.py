"""Watch for events that end a worker early: a spot notice, a rebalance hint, a lost epoch.

A notice requests an orderly stop, a rebalance recommendation only a save, a lost epoch a stop
without a message. A failed check is repeated at the next interval: it never stops a worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from porewatch.domain.errors import PorewatchError
from porewatch_worker.instance.instance_metadata import InstanceMetadata
from porewatch_worker.stage.stop import Stop

log = logging.getLogger(__name__)


def check_safely(check: Callable[[], None]) -> None:
    """Run one check; a failed check is logged and changes nothing."""
    try:
        check()
    except PorewatchError as e:
        log.warning("check failed: %s", e)


class InterruptionCheck:
    """Reads spot notices and rebalance recommendations from the instance metadata."""

    def __init__(self, metadata: InstanceMetadata, stop: Stop) -> None:
        self._metadata, self._stop = metadata, stop
        self._rebalance = ""

    def __call__(self) -> None:
        action = self._metadata.spot_action()
        if action is not None:
            self._stop.request(f"spot notice {action.strip()}")
            return
        hint = self._metadata.rebalance()
        if hint is not None and hint != self._rebalance:
            self._rebalance = hint
            log.info("rebalance recommended (%s): saving and carrying on", hint.strip())
            self._stop.rebalance()


class OwnershipCheck:
    """Checks that the epoch is still ours; fences the worker when it is not."""

    def __init__(self, is_owner: Callable[[], bool], stop: Stop) -> None:
        self._is_owner, self._stop = is_owner, stop

    def __call__(self) -> None:
        if not self._is_owner():
            self._stop.fence("the ledger names another epoch for this stage")
