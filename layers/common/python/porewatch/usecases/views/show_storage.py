"""Where the files of a run's report lie, and which of them may be read now: the one answer of page,
API, links and downloads.

Bulky results are refused from the deadline on, whether they are archived by then or not. Inside the
window they are refused while they come back from the archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.archive.artefact import Artefact, Shelf, may_be_bulky
from porewatch.domain.archive.away import Away, State
from porewatch.domain.archive.window import Window, window_of
from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused, TierRefused
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.expiry import expires
from porewatch.domain.signatures.signed_copies import newest_copies
from porewatch.domain.tiers.entitlement import Entitlement, tier_of
from porewatch.domain.tiers.held import held_to_tier
from porewatch.domain.tiers.tier import TierName, tiers

if TYPE_CHECKING:
    from porewatch.adapters.archive.archive_ledger import ArchiveLedger
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.people.entitlements import Entitlements

LINK_SECONDS = 300
"""Of a link to what will not be readable for ever."""
LONGEST = timedelta(hours=13)
"""From when a thaw was asked until a file is back at the latest of which S3 was not asked yet: a
bulk retrieval."""


class FileState(StrEnum):
    HOT = "hot"
    ARCHIVING = "archiving"
    ARCHIVED = "archived"
    RESTORING = "restoring"
    REHYDRATING = "rehydrating"


class FileStorage(Model):
    """Of one file of a report."""

    state: FileState = FileState.HOT
    readable_until: Annotated[
        Moment | None, Field(description="from then on it is refused; None: while it is kept")
    ] = None
    expected_at: Annotated[
        Moment | None,
        Field(
            description="when it should be back from the archive, at the latest; None: not known"
        ),
    ] = None
    refused: Annotated[
        PeopleCode | None, Field(description="why it cannot be read now; None: it can")
    ] = None


def files_of(record: RunRecord, reports: Objects) -> dict[str, str]:
    """Name -> key of the files of this revision's report: what was published, and of each page the
    newest copy that has the signatures."""
    prefix = s3_keys.signed_prefix(record.run_id, record.revision)
    return record.report_keys | newest_copies(head.key for head in reports.keys(prefix))


@dataclass(frozen=True)
class Storage:
    """Of the files of one report, by the names of `RunRecord.report_keys`; hot when not named.
    `window`: where who pays decides what expires; None: the age of each file does."""

    by_name: Mapping[str, FileStorage]
    tier: TierName
    at: datetime
    window: Window | None = None

    def of(self, name: str) -> FileStorage:
        return self.by_name.get(name, FileStorage())

    def expires(self, written: datetime, days: int) -> datetime | None:
        """When a file that was written then is removed by its age; None: it is kept."""
        if self.window is None:
            return expires(written, days)
        return None if self.window.until is None else expires(self.window.until, days)

    def seconds(self, name: str, most: int) -> int:
        """How long a link may be valid: not past the deadline."""
        until = self.of(name).readable_until
        if until is None:
            return most
        return max(1, min(most, LINK_SECONDS, int((until - self.at).total_seconds())))

    def refuse(self, name: str) -> None:
        """TierRefused when the time to read the file is over, AccountRefused while it comes back
        from the archive."""
        file = self.of(name)
        if file.refused is PeopleCode.RESULTS_CLOSED:
            day = f"{file.readable_until:%Y-%m-%d %H:%M}" if file.readable_until else ""
            why = because(PeopleCode.RESULTS_CLOSED, file=name, until=day, tier=self.tier.value)
            error = TierRefused(why, remedy="your account has the tiers that keep it readable.")
            error.tier = self.tier.value
            raise error
        if file.refused is PeopleCode.RESULTS_THAWING:
            when = f"{file.expected_at:%Y-%m-%d %H:%M}" if file.expected_at else "-"
            why = because(PeopleCode.RESULTS_THAWING, file=name, expected=when)
            raise AccountRefused(why, remedy="ask again then; nothing else is to be done.")


@dataclass(frozen=True)
class StorageSources:
    """`unpaid`: tier of users without a subscription."""

    entitlements: Entitlements
    archive: ArchiveLedger
    unpaid: TierName


def show_storage(
    record: RunRecord,
    keys: Mapping[str, str],
    *,
    sources: StorageSources,
    at: datetime,
    of: RunRecord | None = None,
) -> Storage:
    """`keys`: of the report's files by name, of revision `of` of the run; None: of the newest one
    that is completed."""
    user = held_to_tier(record.submitted_by)
    if user is None:
        return Storage({}, sources.unpaid, at)
    paid: Entitlement | None = sources.entitlements.of(user)
    window = window_of(record, paid, sources.unpaid, at)
    own = window_of(record, paid, sources.unpaid, at, of=of)
    found = {}
    for name, key in keys.items():
        if may_be_bulky(Shelf.REPORTS, key):
            artefact = Artefact(run_id=record.run_id, shelf=Shelf.REPORTS, key=key)
            away = sources.archive.away(user, artefact)
            asked = _thaw_asked(user, sources) if away and own.open else None
            found[name] = _storage(away[0] if away else None, own, asked)
    pays = tiers()[sources.unpaid].results_days is not None
    return Storage(found, tier_of(paid, sources.unpaid, at), at, window if pays else None)


def _thaw_asked(user: str, sources: StorageSources) -> datetime | None:
    known = sources.archive.user(user)
    return known.thaw_asked_at if known else None


def _storage(away: Away | None, window: Window, thaw_asked: datetime | None) -> FileStorage:
    state = FileState(away.state.value) if away else FileState.HOT
    if not window.open:
        closed = PeopleCode.RESULTS_CLOSED
        return FileStorage(state=state, readable_until=window.until, refused=closed)
    if away is None:
        return FileStorage(readable_until=window.until)
    latest = thaw_asked + LONGEST if thaw_asked else None
    expected = away.expected_at if away.state is State.RESTORING else latest
    return FileStorage(
        state=state,
        readable_until=window.until,
        expected_at=expected,
        refused=PeopleCode.RESULTS_THAWING,
    )
