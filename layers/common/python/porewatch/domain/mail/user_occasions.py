"""What a user gets mail about that concerns himself and no run: his tier, and his archive. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.base import Model, Moment
from porewatch.domain.mail.occasions import MailKind
from porewatch.domain.people.roles import UserId
from porewatch.domain.tiers.entitlement import Entitlement, grace_until, tier_of
from porewatch.domain.tiers.tier import TierName
from porewatch.domain.tiers.tier_changed import TierChanged

UserEvent = TierChanged | ResultsThawed
USER_EVENTS: dict[str, type[TierChanged] | type[ResultsThawed]] = {
    one.__name__: one for one in (TierChanged, ResultsThawed)
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


def user_occasion(
    event: UserEvent, entitlement: Entitlement | None, unpaid: TierName, at: datetime
) -> UserOccasion | None:
    """None for a tier that he does not have any more, or not yet: the event came late, and another
    one says what is true. `unpaid`: the tier of users without a subscription."""
    if isinstance(event, ResultsThawed):
        key = f"thawed:{event.user_id}:{event.asked_at.isoformat()}"
        return UserOccasion(kind=MailKind.THAWED, user_id=event.user_id, at=event.at, key=key)
    if event.before is event.after or tier_of(entitlement, unpaid, at) is not event.after:
        return None
    raised = RISING.index(event.after) > RISING.index(event.before)
    return UserOccasion(
        kind=MailKind.TIER_RAISED if raised else MailKind.TIER_LOWERED,
        user_id=event.user_id,
        at=event.at,
        key=f"tier:{event.user_id}:{event.after.value}:{event.at:%Y-%m-%d}",
        tier=event.after,
        until=None if raised else grace_until(entitlement, unpaid, at),
    )
