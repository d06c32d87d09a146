"""What somebody shows to be known: a session's cookie, a personal access token, a share link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ScopeSet, UserId
from porewatch.domain.people.secrets import SecretId
from porewatch.domain.runs import RunId

SESSION_LIFE = timedelta(hours=12)
"""Of a session, from sign-in; it is never prolonged."""
SESSION_IDLE = timedelta(hours=2)
"""Of a session that nobody uses. (Written when half of it has passed, not at each request.)"""
LONGEST_TOKEN = timedelta(days=366)
LONGEST_SHARE = timedelta(days=90)


class Session(Model):
    """A signed-in browser. `csrf`: what its pages send with each change, beside the cookie."""

    session_id: SecretId
    user_id: UserId
    csrf: str
    began_at: Moment
    used_at: Moment
    expires_at: Moment
    agent: Annotated[str, Field(description="what the browser calls itself, shown to its user")] = (
        ""
    )

    def over(self, at: datetime) -> bool:
        return at >= self.expires_at or at >= self.used_at + SESSION_IDLE

    def grows_old(self, at: datetime) -> bool:
        """Whether its use must be written down, or it would end while it is used."""
        return at >= self.used_at + SESSION_IDLE / 2


class Token(Model):
    """A personal access token, for programs. It may do what its user may, within `scopes`."""

    token_id: SecretId
    user_id: UserId
    name: Label
    scopes: ScopeSet
    made_at: Moment
    expires_at: Moment
    used_on: Annotated[str, Field(description="day of its last use, YYYY-MM-DD")] = ""

    def over(self, at: datetime) -> bool:
        return at >= self.expires_at


class ShareLink(Model):
    """Who has it may read one report of one run, until it expires or is revoked."""

    share_id: SecretId
    run_id: RunId
    revision: int
    made_by: str
    made_at: Moment
    expires_at: Moment
    note: Label | None = None
    revoked_at: Moment | None = None

    def over(self, at: datetime) -> bool:
        return self.revoked_at is not None or at >= self.expires_at
