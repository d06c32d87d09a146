"""Who asks? From what a request shows (token, cookie, API key) to claims; from claims to a
principal with his roles as they are now."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.people.accounts import User
from porewatch.domain.people.claims import NO_CLAIMS, Claims, scopes_text
from porewatch.domain.people.principal import KEY_HOLDER, NOBODY, Means, Principal
from porewatch.domain.people.request import Shown
from porewatch.domain.people.roles import GroupId, ProjectId, Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, is_secret

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.credentials import Sessions, Tokens


@dataclass(frozen=True)
class Directory:
    """Where people are looked up. `api_key`: gives the stack's own key, when it is needed."""

    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    api_key: Callable[[], str]


def identify(shown: Shown, directory: Directory, at: datetime) -> Claims:
    """No claims for nothing, and for what is wrong, over, revoked or of a disabled user. Of several
    things shown one counts: the token before the session before the API key."""
    if shown.token:
        return _by_token(shown.token, directory, at)
    if shown.session:
        return _by_session(shown.session, directory, at)
    if shown.api_key and _same(shown.api_key, directory.api_key()):
        return Claims(means=Means.API_KEY)
    return NO_CLAIMS


def principal_of(claims: Claims, accounts: Accounts) -> Principal:
    """Who asks, with his roles. A user who was disabled meanwhile is nobody."""
    if claims.means is Means.API_KEY:
        return KEY_HOLDER
    user = _enabled(claims.user_id, accounts) if claims.user_id else None
    if user is None:
        return NOBODY
    known = user_principal(user, claims.means, accounts, claims.scope_set)
    until = datetime.fromisoformat(claims.until) if claims.until else None
    return known.model_copy(update={"until": until})


def user_principal(
    user: User, means: Means, accounts: Accounts, scopes: frozenset[Scope] | None = None
) -> Principal:
    """The user with his roles: those of a group count in each of its projects."""
    roles: dict[ProjectId, frozenset[Role]] = defaultdict(frozenset)
    groups: dict[GroupId, frozenset[Role]] = {}
    for membership in accounts.memberships(user.user_id):
        place = membership.place
        projects: tuple[ProjectId, ...] = (place,)
        if place.startswith("g-"):
            groups[place] = membership.roles
            projects = accounts.projects_of_group(place)
        for project in projects:
            roles[project] |= membership.roles
    return Principal(
        means=means,
        user_id=user.user_id,
        name=user.name,
        stack_role=user.stack_role,
        roles=dict(roles),
        groups=groups,
        scopes=scopes,
    )


def _same(shown: str, key: str) -> bool:
    """A key that is disabled has no text, and nothing is the same as it."""
    return bool(key) and hmac.compare_digest(shown.encode(), key.encode())


def _by_token(secret: str, directory: Directory, at: datetime) -> Claims:
    if not is_secret(Kind.TOKEN, secret):
        return NO_CLAIMS
    token = directory.tokens.find(digest_of(secret))
    if token is None or token.over(at) or _enabled(token.user_id, directory.accounts) is None:
        return NO_CLAIMS
    today = f"{at:%Y-%m-%d}"
    if token.used_on != today:
        directory.tokens.used(token, today)
    return Claims(
        means=Means.TOKEN,
        user_id=token.user_id,
        scopes=scopes_text(token.scopes),
        until=token.expires_at.isoformat(),
    )


def _by_session(secret: str, directory: Directory, at: datetime) -> Claims:
    if not is_secret(Kind.SESSION, secret):
        return NO_CLAIMS
    session = directory.sessions.find(digest_of(secret))
    if session is None or session.over(at):
        return NO_CLAIMS
    if _enabled(session.user_id, directory.accounts) is None:
        return NO_CLAIMS
    if session.grows_old(at):
        directory.sessions.used(session, at)
    return Claims(
        means=Means.SESSION,
        user_id=session.user_id,
        session=session.session_id,
        csrf=session.csrf,
    )


def _enabled(user_id: str, accounts: Accounts) -> User | None:
    user = accounts.user(user_id)
    return None if user is None or user.disabled else user
