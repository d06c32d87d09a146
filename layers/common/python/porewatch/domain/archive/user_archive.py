"""What the ledger holds of a user of whom something may be archived. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import UserId


class UserArchive(Model):
    """`listed`: the sweep looks whether he may read again what is archived."""

    user_id: UserId
    listed: bool = False
    thaw_asked_at: Annotated[Moment | None, Field(description="a thaw is under way since then")] = (
        None
    )


def listed(known: UserArchive | None, user_id: str) -> UserArchive | None:
    """Something of his is going to be archived. None: he is listed already."""
    if known is not None and known.listed:
        return None
    return (known or UserArchive(user_id=user_id)).model_copy(update={"listed": True})


def thawing(known: UserArchive | None, at: datetime) -> UserArchive | None:
    """A thaw begins. None: nothing is archived, or one is under way."""
    if known is None or not known.listed or known.thaw_asked_at is not None:
        return None
    return known.model_copy(update={"thaw_asked_at": at})


def all_back(known: UserArchive) -> UserArchive:
    """Nothing of his is away."""
    return UserArchive(user_id=known.user_id)
