"""Sessions, tokens, invitations and share links in the people table.

Each lies under the digest of its secret, which nobody but its owner has, and forgets itself (TTL)
after it is over. A pointer below its user, place or run lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Add, Item, PutNew, Write, run_key
from porewatch.adapters.people.accounts import joining_writes
from porewatch.adapters.people.changes import Stored, changed
from porewatch.adapters.people.keys import place_key, secret_key, user_key
from porewatch.adapters.table import Change, Table
from porewatch.domain.base import Model
from porewatch.domain.people.accounts import Invitation, Membership
from porewatch.domain.people.credentials import Session, ShareLink, Token
from porewatch.domain.people.secrets import SECRET_ID, SecretId

M = TypeVar("M", bound=Model)
C = TypeVar("C", Invitation, ShareLink)
VIEWS = "VIEWS"
FORGOTTEN_AFTER = timedelta(days=7)
"""After it is over: so that its list still says what it was."""


class Sessions:
    """Signed-in browsers."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, session: Session) -> None:
        _add(self._table, session, "SESSION", session.session_id, user_key(session.user_id))

    def find(self, session_id: SecretId) -> Session | None:
        return _find(self._table, "SESSION", session_id, Session)

    def used(self, session: Session, at: datetime) -> None:
        """Note its use. Lost to another request at the same moment: that one noted it."""
        later = session.model_copy(update={"used_at": at})
        item = _item(later, "SESSION", session.session_id)

        def step(stored: Item | None) -> Change | None:
            noted = stored is None or stored.model(Session).used_at >= at
            return None if noted else Change(item)

        self._table.change(item.pk, item.sk, step)

    def end(self, session: Session) -> None:
        """It is over at once. Idempotent."""
        self._table.delete(secret_key(session.session_id), "SESSION")
        self._table.delete(user_key(session.user_id), f"SESSION#{session.session_id}")

    def of_user(self, user_id: str) -> tuple[Session, ...]:
        return _listed(self._table, "SESSION", user_key(user_id), Session)


class Tokens:
    """Personal access tokens."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, token: Token, beside: Sequence[Write] = ()) -> None:
        _add(self._table, token, "TOKEN", token.token_id, user_key(token.user_id), beside=beside)

    def find(self, token_id: SecretId) -> Token | None:
        return _find(self._table, "TOKEN", token_id, Token)

    def used(self, token: Token, day: str) -> None:
        """Note the day of its use."""
        later = token.model_copy(update={"used_on": day})
        item = _item(later, "TOKEN", token.token_id)

        def step(stored: Item | None) -> Change | None:
            noted = stored is None or stored.model(Token).used_on >= day
            return None if noted else Change(item)

        self._table.change(item.pk, item.sk, step)

    def revoke(self, token: Token) -> None:
        """It opens nothing any more. Idempotent."""
        self._table.delete(secret_key(token.token_id), "TOKEN")
        self._table.delete(user_key(token.user_id), f"TOKEN#{token.token_id}")

    def of_user(self, user_id: str) -> tuple[Token, ...]:
        return _listed(self._table, "TOKEN", user_key(user_id), Token)


class Invitations:
    """Invitations to groups and projects."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, invitation: Invitation, beside: Sequence[Write] = ()) -> None:
        place = place_key(invitation.place)
        _add(self._table, invitation, "INVITATION", invitation.invitation_id, place, beside=beside)

    def find(self, invitation_id: SecretId) -> Invitation | None:
        return _find(self._table, "INVITATION", invitation_id, Invitation)

    def change(
        self, invitation_id: SecretId, rule: Callable[[Invitation], Invitation]
    ) -> Invitation:
        """Apply a pure rule. NotFound."""
        return _change(self._table, "INVITATION", invitation_id, Invitation, rule)

    def accept(
        self,
        invitation_id: SecretId,
        rule: Callable[[Invitation], Invitation],
        membership: Callable[[Invitation], Membership],
        before: Membership | None,
    ) -> Invitation:
        """Apply a pure rule and write what it makes of the one who accepts, who was `before` there,
        in one write; nothing when the rule changes nothing. NotFound; Throttled when he is no
        longer what he was."""
        stored = _stored("INVITATION", invitation_id, Invitation)
        beside = lambda _, after: joining_writes(before, membership(after))  # noqa: E731
        return changed(self._table, stored, rule, beside)

    def of_place(self, place: str) -> tuple[Invitation, ...]:
        return _listed(self._table, "INVITATION", place_key(place), Invitation)


class ShareLinks:
    """Links by which somebody without an account reads one report."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, link: ShareLink, beside: Sequence[Write] = ()) -> None:
        _add(self._table, link, "SHARE", link.share_id, run_key(link.run_id), beside=beside)
        forgotten = _item(link, VIEWS, link.share_id).ttl
        self._table.put(Item(secret_key(link.share_id), VIEWS, ttl=forgotten))

    def viewed(self, link: ShareLink) -> None:
        """Count a view."""
        counted = Item(secret_key(link.share_id), VIEWS)
        self._table.transact([Add(counted, {"views": 1})])

    def views(self, links: Sequence[ShareLink]) -> dict[SecretId, int]:
        """How often each was viewed."""
        found = get_many(self._table, [(secret_key(one.share_id), VIEWS) for one in links])
        return {
            pk.partition("#")[2]: int(i.attributes.get("views", 0)) for (pk, _), i in found.items()
        }

    def find(self, share_id: SecretId) -> ShareLink | None:
        return _find(self._table, "SHARE", share_id, ShareLink)

    def change(self, share_id: SecretId, rule: Callable[[ShareLink], ShareLink]) -> ShareLink:
        """Apply a pure rule. NotFound."""
        return _change(self._table, "SHARE", share_id, ShareLink, rule)

    def of_run(self, run_id: str) -> tuple[ShareLink, ...]:
        return _listed(self._table, "SHARE", run_key(run_id), ShareLink)


Credential = Session | Token | Invitation | ShareLink


def _item(one: Credential, sk: str, digest: SecretId) -> Item:
    forgotten = int((one.expires_at + FORGOTTEN_AFTER).timestamp())
    return Item.of(secret_key(digest), sk, one, ttl=forgotten)


def _add(
    table: Table,
    one: Credential,
    sk: str,
    digest: SecretId,
    below: str,
    *,
    beside: Sequence[Write] = (),
) -> None:
    item = _item(one, sk, digest)
    pointer = Item(below, f"{sk}#{digest}", ttl=item.ttl)
    table.transact([PutNew(item), PutNew(pointer), *beside])


def _find(table: Table, sk: str, digest: SecretId, cls: type[M]) -> M | None:
    if not re.fullmatch(SECRET_ID, digest):
        return None  # what somebody wrote into an address: no key of ours
    item = table.get(secret_key(digest), sk)
    return item.model(cls) if item else None


def _listed(table: Table, sk: str, below: str, cls: type[M]) -> tuple[M, ...]:
    pointers = table.query(below, f"{sk}#")
    keys = [(secret_key(item.sk.partition("#")[2]), sk) for item in pointers]
    return tuple(item.model(cls) for item in get_many(table, keys).values())


def _change(table: Table, sk: str, digest: SecretId, cls: type[C], rule: Callable[[C], C]) -> C:
    return changed(table, _stored(sk, digest, cls), rule)


def _stored(sk: str, digest: SecretId, cls: type[C]) -> Stored[C]:
    absent = "it is not there, or over."
    return Stored(secret_key(digest), sk, cls, lambda one: _item(one, sk, digest), absent)
