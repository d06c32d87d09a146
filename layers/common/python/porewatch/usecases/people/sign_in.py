"""From an identity that a provider vouches for to a user, and a session of his browser."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from porewatch.domain.errors import AlreadyDone, Forbidden
from porewatch.domain.people.accounts import User
from porewatch.domain.people.credentials import SESSION_LIFE, Session
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_secret

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.credentials import Sessions
    from porewatch.domain.people.oidc import Identity

LONGEST_AGENT = 200


class SignedIn(NamedTuple):
    """`secret`: the session's, for its browser alone."""

    user: User
    secret: str


def sign_in(
    identity: Identity,
    *,
    language: str,
    agent: str,
    accounts: Accounts,
    sessions: Sessions,
    at: datetime,
) -> SignedIn:
    """A new session of the user of this identity, who is made at his first sign-in: with no role
    anywhere. `language`: of a new user's browser. Forbidden for a disabled user."""
    user = _user_of(identity, language, accounts, at)
    if user.disabled:
        raise Forbidden("this account is disabled.", remedy="ask an admin of this site.")
    secret = new_secret(Kind.SESSION)
    sessions.add(
        Session(
            session_id=digest_of(secret),
            user_id=user.user_id,
            csrf=secrets.token_urlsafe(32),
            began_at=at,
            used_at=at,
            expires_at=at + SESSION_LIFE,
            agent=agent[:LONGEST_AGENT],
        )
    )
    return SignedIn(user, secret)


def sign_out(session_id: str, *, sessions: Sessions) -> None:
    """The session is over at once. Idempotent."""
    if session_id and (session := sessions.find(session_id)):
        sessions.end(session)


def _user_of(identity: Identity, language: str, accounts: Accounts, at: datetime) -> User:
    known = accounts.user_of(identity.issuer, identity.subject)
    if known is None:
        new = User(
            user_id=new_id("u"),
            issuer=identity.issuer,
            subject=identity.subject,
            language=language,
            created_at=at,
            seen_at=at,
            **_words_of(identity),
        )
        try:
            accounts.add_user(new)
        except AlreadyDone:  # at the same moment, in another window
            known = accounts.user_of(identity.issuer, identity.subject)
        if known is None:
            return new
    update = {**_words_of(identity), "seen_at": at}
    return accounts.change_user(known.user_id, lambda user: user.model_copy(update=update))


def _words_of(identity: Identity) -> dict[str, object]:
    """What the provider says of a person, as it says it today."""
    return {
        "name": identity.name or identity.preferred_username or identity.email or identity.subject,
        "email": identity.email,
        "email_verified": identity.email_verified,
    }
