"""A request that may be sent twice (`Idempotency-Key`) makes one thing.

The key is written in the transaction that makes the thing: so there is never the one without the
other, wherever something breaks off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from porewatch.domain.base import Model
from porewatch.domain.errors import AccountRefused, AlreadyDone, Throttled
from porewatch.domain.people.principal import Principal
from porewatch.domain.reasons.reason import PeopleCode, because

if TYPE_CHECKING:
    from porewatch.adapters.submission.request_keys import RequestKeys

T = TypeVar("T")


@dataclass(frozen=True)
class Repeat:
    """`asked`: of what, as `POST /projects`; `key`: None: each request makes something."""

    keys: RequestKeys
    asked: str
    key: str | None
    at: datetime


def once(
    repeat: Repeat | None,
    who: Principal,
    body: Model,
    *,
    fresh: str,
    make: Callable[[Sequence[Any]], T],
    again: Callable[[str], T],
) -> T:
    """What `make` makes under the id `fresh`, with writes beside its own; or `again` of the id that
    the first request made. `repeat` None: as without a key. Raises KeyReused, MessageRefused as
    `RequestKeys`."""
    if repeat is None or repeat.key is None:
        return make(())
    request = (who.user_id or who.name, repeat.asked, repeat.key)
    for _ in range(3):
        known = repeat.keys.known(request, body)
        if known is not None:
            return again(known)
        with suppress(AlreadyDone):
            return make([repeat.keys.bound(request, body, fresh, at=repeat.at)])
    raise Throttled("the same request came too often at once.")


def refuse_second_secret(what: str) -> Callable[[str], NoReturn]:
    """A secret is shown once: the second request learns that the first one made it. AccountRefused
    with the id, by which it can be revoked."""

    def refuse(its_id: str) -> NoReturn:
        why = because(PeopleCode.SHOWN_ONCE, what=what, id=its_id)
        raise AccountRefused(why, remedy="revoke it, and make another one with a new key.")

    return refuse
