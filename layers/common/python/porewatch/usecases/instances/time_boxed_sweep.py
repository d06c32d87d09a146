"""A round over many things in a limited time: it begins where the last one stopped, so that
everything has its turn however much there is, and ends in time to say where it stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from porewatch.domain.errors import PorewatchError

if TYPE_CHECKING:
    from porewatch.adapters.ledger.sweep_cursor import SweepCursor

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TimeBoxedSweep:
    """`ends_at`: the monotonic clock's time after which nothing new is begun."""

    name: str
    cursor: SweepCursor
    ends_at: float

    def over(self, items: Mapping[str, T], look: Callable[[T], object]) -> None:
        """Look at as many of the things as there is time for, at one at least, in order of their
        names. `look` must not raise errors of ours."""
        last = self._last()
        names = sorted(items, key=lambda name: (name <= last, name))
        for done, name in enumerate(names):
            if done and time.monotonic() > self.ends_at:
                _log.warning("%s: %d of %d had their turn", self.name, done, len(names))
                self._keep(names[done - 1])
                return
            look(items[name])
        if last:
            self._keep("")

    def _last(self) -> str:
        try:
            return self.cursor.last(self.name)
        except PorewatchError as error:
            _log.warning("nobody knows where the last round stopped: %s", error)
            return ""

    def _keep(self, last: str) -> None:
        try:
            self.cursor.keep(self.name, last)
        except PorewatchError as error:
            _log.warning("the next round begins where this one did: %s", error)
