"""What a user gets mail about that concerns himself and no run: his tier, and his archive. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from porewatch.domain.archive.ahead import day_of
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.mail.occasions import MailKind
from porewatch.domain.people.roles import UserId
from porewatch.domain.retention.expiry import expires
from porewatch.domain.tiers.entitlement import Entitlement, grace_until, tier_of
from porewatch.domain.tiers.tier import TierName
from porewatch.domain.tiers.tier_changed import TierChanged

UserEvent = TierChanged | ResultsExpiring | ResultsThawed
USER_EVENTS: dict[str, type[UserEvent]] = {
    one.__name__: one for one in (TierChanged, ResultsExpiring, ResultsThawed)
}
"""Detail-type on the bus -> event. The template's rule lets these through; a test compares."""
RISING = tuple(TierName)
"""Tiers, the one that allows least first."""


class UserOccasion(Model):
    """One thing that a user gets one mail about. `key`: the same for each event about it."""

    kind: MailKind
    user_id: UserId
    at: Moment
    key: str
    tier: TierName | None = None
    until: Annotated[
        Moment | None, Field(description="until when what a higher tier kept can be read")
    ] = None
    kept_until: Annotated[
        Moment | None, Field(description="how long the archive keeps it, if nobody pays till then")
    ] = None
    runs: Annotated[Count, Field(description="of which something came back")] = 0
    files: Annotated[Count, Field(description="that came back")] = 0


def expiring_occasion(event: ResultsExpiring) -> UserOccasion:
    """The same for all runs of a user whose time is over on one day."""
    key = f"expiring:{event.user_id}:{day_of(event.until)}:{event.days}"
    return UserOccasion(kind=MailKind.EXPIRING, user_id=event.user_id, at=event.at, key=key)


def thawed_occasion(event: ResultsThawed) -> UserOccasion:
    return UserOccasion(
        kind=MailKind.THAWED,
        user_id=event.user_id,
        at=event.at,
        key=f"thawed:{event.user_id}:{event.asked_at.isoformat()}",
        runs=event.runs,
        files=event.files,
    )


def tier_occasion(
    event: TierChanged,
    entitlement: Entitlement | None,
    unpaid: TierName,
    at: datetime,
    results_days: int,
) -> UserOccasion | None:
    """None for a tier that he does not have any more, or not yet: the event came late, and another
    one says what is true. `unpaid`: the tier of users without a subscription; `results_days`: how
    long the archive keeps what nobody pays for."""
    if event.before is event.after or tier_of(entitlement, unpaid, at) is not event.after:
        return None
    raised = RISING.index(event.after) > RISING.index(event.before)
    until = None if raised else grace_until(entitlement, unpaid, at)
    return UserOccasion(
        kind=MailKind.TIER_RAISED if raised else MailKind.TIER_LOWERED,
        user_id=event.user_id,
        at=event.at,
        key=f"tier:{event.user_id}:{event.after.value}:{event.at:%Y-%m-%d}",
        tier=event.after,
        until=until,
        kept_until=expires(until, results_days) if until else None,
    )
