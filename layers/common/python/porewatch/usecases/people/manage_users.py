"""Users of the stack, for its admins."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment, now
from porewatch.domain.errors import Forbidden
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.account_rules import refuse_own_loss
from porewatch.domain.people.accounts import AskedBy, User
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Role, StackAction
from porewatch.domain.tiers.caps import KeptCap, UserCap
from porewatch.usecases.views.pages import cursor_of, limit_of, place_of
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.items import Write
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.credentials import Sessions
    from porewatch.adapters.people.entitlements import UserCaps

_log = logging.getLogger(__name__)
MOST_READ = 1_000
"""Users that are read for one page."""
PLACE = re.compile(r".{0,400}#u-[a-z2-7]{16}", re.DOTALL)


class UserChange(Model):
    """What is not sent stays; `cap` is replaced as a whole. `stack_role` null: none in the stack
    any more."""

    stack_role: Literal[Role.OPERATOR, Role.ADMIN] | None = None
    disabled: bool | None = None
    cap: UserCap | None = None


class UserView(Answer):
    user_id: str
    name: str
    email: str
    email_verified: bool
    stack_role: Role | None
    disabled: bool
    cap: UserCap = UserCap()
    created_at: Moment
    seen_at: Moment


class UserList(Answer):
    users: tuple[UserView, ...]
    next: Annotated[str | None, Field(description="`cursor` of the next page; None: none")] = None


def list_users(
    who: Principal,
    *,
    accounts: Accounts,
    caps: UserCaps,
    limit: str | None = None,
    cursor: str | None = None,
    name: str | None = None,
) -> UserList:
    """All users but deleted ones, by name; `name`: a part of their names or addresses. A page ends
    after MOST_READ users, however few of them match. Needs an admin of the stack."""
    policy.require_in_stack(who, StackAction.MANAGE_USERS)
    most = limit_of(limit)
    shown: list[User] = []
    last: User | None = None
    page = MOST_READ if name else most + 1
    for seen, user in enumerate(accounts.users(place_of(cursor, PLACE), page)):
        if last is not None and (len(shown) == most or seen == MOST_READ):
            place = cursor_of(accounts.user_place(last))
            return UserList(users=_views(shown, caps), next=place)
        if _named(user, name):
            shown.append(user)
        last = user
    return UserList(users=_views(shown, caps))


def change_user(
    user_id: str,
    change: UserChange,
    who: Principal,
    *,
    accounts: Accounts,
    sessions: Sessions,
    caps: UserCaps,
) -> UserView:
    """Needs an admin of the stack; AccountRefused for his own role and account. Who is disabled is
    signed out everywhere at once; his tokens open nothing as long as he is."""
    policy.require_in_stack(who, StackAction.MANAGE_USERS)
    changes = change.model_dump(include=change.model_fields_set, exclude={"disabled", "cap"})
    if change.disabled is not None:
        changes["disabled"] = change.disabled

    def rule(user: User) -> User:
        if user.deleted:
            raise absent("user", user_id)
        after = user.model_copy(update=changes)
        refuse_own_loss(user, after.stack_role, after.disabled, who.user_id)
        return after

    by = AskedBy(who.user_id, _refuse_no_admin)
    changed = accounts.change_user(user_id, rule, by)
    if change.cap is not None:
        kept = KeptCap(user_id=user_id, cap=change.cap, set_by=who.user_id or who.name, at=now())
        keep_cap(kept, caps, lambda: accounts.still(by, user_id))
    if changed.disabled:
        for session in sessions.of_user(user_id):
            sessions.end(session)
    return _views([changed], caps)[0]


def keep_cap(kept: KeptCap, caps: UserCaps, beside: Callable[[], Sequence[Write]]) -> None:
    """What an admin lets a user do in a month, with a line in the log: who, whom, before, after."""
    before = caps.keep(kept, beside)
    texts = before.canonical_json(), kept.cap.canonical_json()
    _log.info("%s capped user %s: %s -> %s", kept.set_by, kept.user_id, *texts)


def _named(user: User, part: str | None) -> bool:
    return not part or part.casefold() in f"{user.name}\n{user.email}".casefold()


def _refuse_no_admin(user: User | None) -> None:
    """Of two admins who take each other's role, one was first: the other is none any more."""
    if user is None or user.disabled or user.stack_role is not Role.ADMIN:
        raise Forbidden("your role in the stack was taken away just now.")


def _views(users: Sequence[User], caps: UserCaps) -> tuple[UserView, ...]:
    kept = caps.of_many([user.user_id for user in users])
    own = set(UserView.model_fields)
    shown = (UserView.model_validate(user.model_dump(include=own)) for user in users)
    return tuple(one.model_copy(update={"cap": kept.get(one.user_id, one.cap)}) for one in shown)
