"""What the archive works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from porewatch.domain.archive.artefact import Shelf
from porewatch.domain.archive.looks import Look
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.archive.window import Window, window_of
from porewatch.domain.errors import Unavailable
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

    def window(self, record: RunRecord) -> Window:
        """As things stand now."""
        return window_of(record, self.entitlement(record), self.unpaid, self.clock())


def announced(bus: Bus) -> Callable[[ArchiveEvent], None]:
    """Publishes the event on this bus. Raises Unavailable when the bus did not take it."""

    def say(event: ArchiveEvent) -> None:
        record = event.record()
        if bus.publish([record]):
            raise Unavailable(f"{record.fact_id} could not be published.")

    return say
