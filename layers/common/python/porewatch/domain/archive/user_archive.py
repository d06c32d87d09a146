"""What the ledger holds of a user of whom something may be archived. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from porewatch.domain.archive.retrieval import Plan
from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import UserId


class UserArchive(Model):
    """`listed`: the sweep looks whether he may read again what is archived."""

    user_id: UserId
    listed: bool = False
    thaw_asked_at: Annotated[Moment | None, Field(description="a thaw is under way since then")] = (
        None
    )
    plan: Annotated[
        Plan | None, Field(description="how fast what comes back together is asked for")
    ] = None
    came_back: Annotated[bool, Field(description="something did, in this thaw")] = False
    said: Annotated[
        bool, Field(description="that all of this thaw is back may have been published")
    ] = False
    looked_at: Annotated[
        Moment | None, Field(description="when what is to come back was last asked for")
    ] = None


LOOK_AGAIN = timedelta(hours=1)
"""How long a thaw is left to itself before somebody looks whether an event was lost."""


def listed(known: UserArchive | None, user_id: str) -> UserArchive:
    """Something of his is going to be archived. If it was published that all is back, that thaw is
    over, though whoever published it died before he noted it: what comes back of this is another
    one, with an event of its own."""
    if known is None or known.said:
        known = UserArchive(user_id=user_id)
    return known.model_copy(update={"listed": True})


def thawing(known: UserArchive | None, at: datetime, plan: Plan) -> UserArchive | None:
    """A thaw begins, or goes on, as it was planned. None: nothing is archived."""
    if known is None or not known.listed:
        return None
    changes: dict[str, object] = {"looked_at": at}
    if known.thaw_asked_at is None:
        changes |= {"thaw_asked_at": at, "plan": plan}
    return known.model_copy(update=changes)


def planned(known: UserArchive | None, plan: Plan) -> UserArchive | None:
    """Something of his comes back that he did not ask for: a run under legal hold. None: a thaw of
    his is under way, which is planned already, or nothing is archived."""
    if known is None or not known.listed or known.thaw_asked_at is not None or known.plan == plan:
        return None
    return known.model_copy(update={"plan": plan})


def saying(known: UserArchive) -> UserArchive:
    """That all is back is going to be published."""
    return known.model_copy(update={"said": True})


def waits(user: UserArchive, at: datetime) -> bool:
    """Whether his thaw is left to itself for now."""
    return user.looked_at is not None and at < user.looked_at + LOOK_AGAIN


def back(known: UserArchive | None) -> UserArchive | None:
    """Something is readable again. None: there is no thaw, or it is known already."""
    if known is None or known.thaw_asked_at is None or known.came_back:
        return None
    return known.model_copy(update={"came_back": True})


def all_back(known: UserArchive) -> UserArchive:
    """Nothing of his is away."""
    return UserArchive(user_id=known.user_id)


def thaw_over(known: UserArchive | None, asked_at: datetime | None) -> UserArchive | None:
    """The thaw that was asked then is over, and something was archived meanwhile: what comes back
    of that is another thaw. None: that one is not under way."""
    if known is None or asked_at is None or known.thaw_asked_at != asked_at:
        return None
    return UserArchive(user_id=known.user_id, listed=known.listed)
