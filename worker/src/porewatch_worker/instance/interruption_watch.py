"""Watches for what may end a worker early: a spot notice, a rebalance hint, a lost epoch.

A notice asks for an orderly stop, a rebalance recommendation only for a save, a
lost epoch for a silent stop. What cannot be asked right now is asked again at the next look:
UNKNOWN never stops a worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from porewatch.domain.errors import PorewatchError
from porewatch_worker.instance.instance_metadata import InstanceMetadata
from porewatch_worker.stage.stop import Stop

log = logging.getLogger(__name__)


def check_safely(check: Callable[[], None]) -> None:
    """One look; not being able to look is logged and means nothing."""
    try:
        check()
    except PorewatchError as e:
        log.warning("could not look: %s", e)


class InterruptionCheck:
    """Looks at the instance metadata for a spot notice and a rebalance recommendation."""

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
    """Asks whether the epoch is still ours; fences the worker when it is not."""

    def __init__(self, is_owner: Callable[[], bool], stop: Stop) -> None:
        self._is_owner, self._stop = is_owner, stop

    def __call__(self) -> None:
        if not self._is_owner():
            self._stop.fence("the ledger names another epoch for this stage")
