"""What of a user's results is archived on the day that an event names, as things stand now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.archive.ahead import day_of
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.window import ends_for
from porewatch.domain.errors import NotFound
from porewatch.domain.mail.expiring import MOST_LISTED, Ending, EndingRun, Ends, ending_on
from porewatch.domain.people import policy
from porewatch.domain.people.accounts import User
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Action
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.expiry import expires
from porewatch.domain.tiers.entitlement import Entitlement, readable_until, tier_of
from porewatch.domain.tiers.limits import next_tier
from porewatch.domain.tiers.tier import TierName, tiers
from porewatch.usecases.people.identify import user_principal

if TYPE_CHECKING:
    from porewatch.adapters.archive.archive_ledger import ArchiveLedger
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.entitlements import Entitlements


@dataclass(frozen=True)
class PaidTiers:
    """`unpaid`: the tier of users without a subscription; `sells`: whether one can be bought here;
    `results_days`: how long the archive keeps what nobody pays for."""

    entitlements: Entitlements
    archive: ArchiveLedger
    unpaid: TierName
    sells: bool
    results_days: int


def find_ending(
    event: ResultsExpiring,
    user: User,
    at: datetime,
    *,
    paid: PaidTiers,
    runs: RunLedger,
    accounts: Accounts,
) -> Ending | None:
    """All his runs of that day, whichever of them the event is about. None when nothing ends then
    any more: he pays, the run is held or deleted, or he may not see it."""
    entitlement, day = paid.entitlements.of(user.user_id), day_of(event.until)
    until = _rule(entitlement, paid.unpaid, at)
    found = ending_on(day, paid.archive.ending_of(user.user_id), until)
    named = tuple(_named(found, user, until, runs, accounts))
    if not named or at >= named[-1].until:
        return None
    return Ending(
        day=day,
        count=len(found),
        runs=named,
        kept_until=expires(named[0].until, paid.results_days),
        upgrade=_upgrade(entitlement, paid, at),
    )


def _rule(
    entitlement: Entitlement | None, unpaid: TierName, at: datetime
) -> Callable[[datetime], datetime | None]:
    return lambda completed_at: readable_until(entitlement, unpaid, completed_at, at)


def _named(
    found: Sequence[Ends],
    user: User,
    until: Callable[[datetime], datetime | None],
    runs: RunLedger,
    accounts: Accounts,
) -> Iterator[EndingRun]:
    """Those whose records say the same, and that he may see."""
    names: dict[str, str] = {}
    who = user_principal(user, Means.SESSION, accounts)
    for one in found[:MOST_LISTED]:
        record = runs.find(one.run_id)
        ends = ends_for(record) if record else None
        end = until(ends[1]) if ends else None
        if record is None or end is None or day_of(end) != day_of(one.until):
            continue
        project = record.project
        if not policy.may(who, Action.SEE, project):
            continue
        if project not in names:
            names[project] = _project(record, accounts)
        yield EndingRun(
            run_id=record.run_id,
            name=record.name or record.run_id,
            project=names[project],
            until=end,
        )


def _project(record: RunRecord, accounts: Accounts) -> str:
    try:
        return accounts.project(record.project).name
    except NotFound:
        return record.project


def _upgrade(entitlement: Entitlement | None, paid: PaidTiers, at: datetime) -> TierName | None:
    above = next_tier(tier_of(entitlement, paid.unpaid, at)) if paid.sells else None
    return above if above and tiers()[above].results_days is None else None
