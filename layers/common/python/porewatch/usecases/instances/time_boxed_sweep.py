"""Visit many items in limited time: a sweep resumes after the last item of the previous one, so
that every item is visited eventually, and stops in time to save its cursor."""

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
    """`ends_at`: time of the monotonic clock after which no further item is visited."""

    name: str
    cursor: SweepCursor
    ends_at: float

    def over(self, items: Mapping[str, T], look: Callable[[T], object]) -> None:
        """Visit the items in order of name while time lasts, at least one. `look` must not raise
        PorewatchError."""
        last = self._last()
        names = sorted(items, key=lambda name: (name <= last, name))
        for done, name in enumerate(names):
            if done and time.monotonic() > self.ends_at:
                _log.warning("%s: out of time after %d of %d", self.name, done, len(names))
                self._keep(names[done - 1])
                return
            look(items[name])
        if last:
            self._keep("")

    def _last(self) -> str:
        try:
            return self.cursor.last(self.name)
        except PorewatchError as error:
            _log.warning("cannot read the sweep cursor: %s", error)
            return ""

    def _keep(self, last: str) -> None:
        try:
            self.cursor.keep(self.name, last)
        except PorewatchError as error:
            _log.warning("cannot save the sweep cursor: %s", error)
