"""Tokens and sessions of the user who asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused, Forbidden
from porewatch.domain.labels import Label
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.credentials import LONGEST_TOKEN, Session, Token
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_secret
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.usecases.people.repeats import Repeat, once, refuse_second_secret
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.people.credentials import Sessions, Tokens

USUAL_DAYS = 90
MOST_TOKENS = 50
"""Of one user."""

LAST = datetime.max.replace(tzinfo=UTC)


class NewToken(Model):
    """`days`: until it expires."""

    name: Label
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=LONGEST_TOKEN.days)] = USUAL_DAYS


class TokenView(Answer):
    """A token without its secret. `used_on`: day of its last use, empty for none."""

    token_id: str
    name: Label
    scopes: tuple[Scope, ...]
    made_at: Moment
    expires_at: Moment
    used_on: str


class TokenMade(TokenView):
    """A new token. `secret` is shown here and never again."""

    secret: str


class TokenList(Answer):
    tokens: tuple[TokenView, ...]


class SessionView(Answer):
    """A signed-in browser. `current`: the one that asks."""

    session_id: str
    began_at: Moment
    used_at: Moment
    expires_at: Moment
    agent: str
    current: bool


class SessionList(Answer):
    sessions: tuple[SessionView, ...]


def make_token(
    new: NewToken, who: Principal, at: datetime, *, tokens: Tokens, repeat: Repeat | None = None
) -> TokenMade:
    """A token for the user who asks. Forbidden for scopes that the asking token does not have; one
    made by a token does not outlive it. AccountRefused for more than `MOST_TOKENS` that are valid
    (some more when many are made at the same moment), and for a request that is sent twice; what
    `repeat` raises."""
    user_id = policy.require_user(who, Scope.MANAGE)
    for scope in sorted(new.scopes - (who.scopes if who.scopes is not None else new.scopes)):
        why = because(PeopleCode.SCOPE_NOT_HELD, scope=scope.value)
        raise Forbidden(why, remedy="sign in with a browser to make such a token.")
    secret = new_secret(Kind.TOKEN)
    token = Token(
        token_id=digest_of(secret),
        user_id=user_id,
        name=new.name,
        scopes=new.scopes,
        made_at=at,
        expires_at=min(at + timedelta(days=new.days), who.until or LAST),
    )

    def make(beside: Sequence[Any]) -> TokenMade:
        if sum(not one.over(at) for one in tokens.of_user(user_id)) >= MOST_TOKENS:
            why = because(PeopleCode.TOO_MANY_TOKENS, most=MOST_TOKENS)
            raise AccountRefused(why, remedy="revoke one that is not used any more.")
        tokens.add(token, beside)
        return TokenMade(secret=secret, **_token(token).model_dump())

    return once(
        repeat, who, new, fresh=token.token_id, make=make, again=refuse_second_secret("token")
    )


def list_tokens(who: Principal, at: datetime, *, tokens: Tokens) -> TokenList:
    """Those that open something, the newest first."""
    mine = tokens.of_user(policy.require_user(who, Scope.READ))
    valid = sorted((t for t in mine if not t.over(at)), key=lambda t: t.made_at, reverse=True)
    return TokenList(tokens=tuple(map(_token, valid)))


def revoke_token(token_id: str, who: Principal, *, tokens: Tokens) -> None:
    """NotFound for a token of somebody else, too."""
    user_id = policy.require_user(who, Scope.MANAGE)
    token = tokens.find(token_id)
    if token is None or token.user_id != user_id:
        raise absent("token", token_id)
    tokens.revoke(token)


def list_sessions(who: Principal, current: str, at: datetime, *, sessions: Sessions) -> SessionList:
    """Those that are not over, the newest first. `current`: id of the one that asks."""
    mine = sessions.of_user(policy.require_user(who, Scope.READ))
    valid = sorted((s for s in mine if not s.over(at)), key=lambda s: s.began_at, reverse=True)
    return SessionList(sessions=tuple(_session(one, current) for one in valid))


def end_session(session_id: str, who: Principal, *, sessions: Sessions) -> None:
    """NotFound for a session of somebody else, too."""
    user_id = policy.require_user(who, Scope.MANAGE)
    session = sessions.find(session_id)
    if session is None or session.user_id != user_id:
        raise absent("session", session_id)
    sessions.end(session)


def _token(token: Token) -> TokenView:
    shown = token.model_dump(exclude={"user_id", "scopes"})
    return TokenView(**shown, scopes=tuple(sorted(token.scopes)))


def _session(session: Session, current: str) -> SessionView:
    shown = session.model_dump(exclude={"user_id", "csrf"})
    return SessionView(**shown, current=session.session_id == current)
