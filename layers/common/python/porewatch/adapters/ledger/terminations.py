"""Sightings of orphaned resources and their terminations, in the ledger.

    REAP#<what>#<name>  SIGHT        first and last sighting; expires after two days
    REAP#<what>#<name>  KILL#<time>  what was terminated and why (kind KILLS); expires after 90 days

A termination is recorded before it happens, and its outcome after: one of unknown outcome stays
`asked`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from porewatch.adapters.items import Item
from porewatch.adapters.table import Table
from porewatch.domain.rules.orphans import (
    SIGHT_LASTS,
    Kill,
    Orphan,
)

KILLS = "KILLS"
KEPT = timedelta(days=90)
SIGHT_KEPT = timedelta(days=2)
SIGHT = "SIGHT"


class Kills:
    """The sightings and terminations in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def first_seen(self, orphan: Orphan, at: datetime) -> datetime | None:
        """First of the uninterrupted sightings; None when there is none."""
        item = self._table.get(_place(orphan), SIGHT)
        if item is None or at - _moment(item.attributes["last"]) > SIGHT_LASTS:
            return None
        return _moment(item.attributes["first"])

    def note(self, orphan: Orphan, at: datetime) -> datetime:
        """Record a sighting. Returns the first one."""
        first = self.first_seen(orphan, at) or at
        times: dict[str, str | int] = {"first": _stamp(first), "last": _stamp(at)}
        ttl = _stamp(at + SIGHT_KEPT)
        self._table.put(Item(_place(orphan), SIGHT, attributes=times, ttl=ttl))
        return first

    def record(self, kill: Kill) -> None:
        """Record a termination, or its outcome."""
        when = f"{kill.at:%Y-%m-%dT%H:%M:%SZ}"
        place = f"REAP#{kill.what.value}#{kill.name}"
        kind = (KILLS, f"{when}#{kill.name}")
        ttl = _stamp(kill.at + KEPT)
        self._table.put(Item.of(place, f"KILL#{when}", kill, kind=kind, ttl=ttl))

    def all(self) -> Iterator[Kill]:
        """All terminations of the last 90 days, newest first."""
        for item in self._table.query_kind(KILLS, newest_first=True):
            yield item.model(Kill)


def _place(orphan: Orphan) -> str:
    return f"REAP#{orphan.what.value}#{orphan.name}"


def _stamp(at: datetime) -> int:
    return int(at.timestamp())


def _moment(stamp: str | int) -> datetime:
    return datetime.fromtimestamp(int(stamp), UTC)
