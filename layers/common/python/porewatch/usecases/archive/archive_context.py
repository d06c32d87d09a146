"""What the archive works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from porewatch.domain.archive.artefact import Shelf, revision_of
from porewatch.domain.archive.looks import Look
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.archive.window import Window, window_of
from porewatch.domain.errors import NotFound, Unavailable
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.held import held_to_tier
from porewatch.domain.tiers.tier import TierName

if TYPE_CHECKING:
    from porewatch.adapters.archive.archive_ledger import ArchiveLedger
    from porewatch.adapters.archive.cold_storage import ColdStorage
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.messages.bus import Bus
    from porewatch.adapters.people.entitlements import Entitlements


ArchiveEvent = ResultsExpiring | ResultsThawed
"""What the archiver says on the bus."""


class Looks(Protocol):
    """The archiver's queue."""

    def send(self, looks: Sequence[Look]) -> None: ...


@dataclass(frozen=True)
class ArchiveContext:
    """`say` publishes an event; `inbox`: so that it is said once; `unpaid`: tier of users without a
    subscription."""

    runs: RunLedger
    entitlements: Entitlements
    ledger: ArchiveLedger
    shelves: Mapping[Shelf, ColdStorage]
    looks: Looks
    say: Callable[[ArchiveEvent], object]
    inbox: Inbox
    unpaid: TierName
    clock: Callable[[], datetime]

    def entitlement(self, record: RunRecord) -> Entitlement | None:
        """Of who registered the run, as it is now."""
        user = held_to_tier(record.submitted_by)
        return None if user is None else self.entitlements.of(user)

    def windows(self, record: RunRecord) -> Windows:
        """As things stand now."""
        return Windows(record, self.entitlement(record), self)


class Windows:
    """Until when artefacts of `record` can be read, as its doors judge it (`window_of`): each by
    the end of its own revision. A revision is read once. `at`: as things stand then."""

    def __init__(
        self, record: RunRecord, paid: Entitlement | None, context: ArchiveContext
    ) -> None:
        self._record, self._paid, self._context = record, paid, context
        self.at = context.clock()
        self.of_run = window_of(record, paid, context.unpaid, self.at)
        self._known: dict[int | None, Window] = {None: self.of_run}

    def of(self, key: str) -> Window:
        """Of the artefact with this key."""
        number = revision_of(key)
        if number not in self._known:
            of = self._revision(number) if number is not None else None
            window = window_of(self._record, self._paid, self._context.unpaid, self.at, of=of)
            self._known[number] = window
        return self._known[number]

    @property
    def asked(self) -> Iterable[Window]:
        """Of the run, and of every revision that was asked for."""
        return self._known.values()

    def _revision(self, number: int) -> RunRecord | None:
        try:
            return self._context.runs.revision(self._record.run_id, number, self._record)
        except NotFound:
            return None


def announced(bus: Bus) -> Callable[[ArchiveEvent], None]:
    """Publishes the event on this bus. Raises Unavailable when the bus did not take it."""

    def say(event: ArchiveEvent) -> None:
        record = event.record()
        if bus.publish([record]):
            raise Unavailable(f"{record.fact_id} could not be published.")

    return say
