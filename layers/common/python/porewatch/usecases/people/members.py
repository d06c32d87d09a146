"""Who is what in a project or a group: shown, given, taken away. The place was reached before
(`places.reach_project`, `places.reach_group`)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused, Forbidden
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.accounts import Membership
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Role
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts

MANY = 1_000
"""Users that are read at a time to find an admin."""
Roles = Annotated[frozenset[Role], Field(min_length=1)]


class GivenRoles(Model):
    """Instead of those that he has there."""

    roles: Roles


class MemberView(Answer):
    user_id: str
    name: str
    email: str
    roles: tuple[Role, ...]
    given_by: str
    at: Moment


class MemberList(Answer):
    members: tuple[MemberView, ...]


def list_members(place: str, *, accounts: Accounts) -> MemberList:
    """Members of the place itself, by name; those of a project's group are the group's."""
    members = accounts.members(place)
    users = accounts.some_users([m.user_id for m in members])
    shown = [
        _view(m, users[m.user_id].name, users[m.user_id].email)
        for m in members
        if m.user_id in users
    ]
    return MemberList(members=tuple(sorted(shown, key=lambda m: (m.name.casefold(), m.user_id))))


def give_roles(
    place: str,
    user_id: str,
    given: GivenRoles,
    who: Principal,
    at: datetime,
    *,
    accounts: Accounts,
) -> MemberView:
    """Idempotent. Forbidden for a role that `who` does not have; NotFound for a user who is not
    there; AccountRefused when the last admin would take his own role away."""
    policy.refuse_to_give(who, given.roles, place)
    user = accounts.user(user_id)
    if user is None or user.disabled:
        raise absent("user", user_id)
    before = accounts.membership(place, user_id)
    if before is None or before.roles != given.roles:
        before = Membership(
            place=place, user_id=user_id, roles=given.roles, given_by=who.user_id, at=at
        )
        accounts.put_member(before, lambda: _kept(place, user_id, given, who, accounts))
    return _view(before, user.name, user.email)


def remove_member(place: str, user_id: str, who: Principal, *, accounts: Accounts) -> None:
    """Idempotent. AccountRefused when the last admin would remove himself."""
    accounts.remove_member(place, user_id, lambda: _witnesses(place, user_id, who, accounts))


def _kept(
    place: str, user_id: str, given: GivenRoles, who: Principal, accounts: Accounts
) -> tuple[Membership, ...]:
    """`_witnesses`, where roles are given: who gives himself admin leaves nobody without."""
    if user_id == who.user_id and Role.ADMIN in given.roles:
        return ()
    return _witnesses(place, user_id, who, accounts)


def _witnesses(
    place: str, user_id: str, who: Principal, accounts: Accounts
) -> tuple[Membership, ...]:
    """What must stay as it is while a membership is taken away. Of somebody else's: that by which
    `who` may do it, so that two who remove each other do not both succeed. Of his own: another
    admin's, so that two who leave do not leave nobody; nobody leaves a place to which nobody could
    let him back in."""
    if user_id != who.user_id:
        return _authority(place, who, accounts)
    if Role.ADMIN not in who.held(place):
        return ()
    others = [m for m in accounts.members(place) if m.user_id != user_id]
    admins = [member for member in others if Role.ADMIN in member.roles]
    if not admins:
        _refuse_without_stack_admin(accounts)
    return tuple(admins[:1])


def _authority(place: str, who: Principal, accounts: Accounts) -> tuple[Membership, ...]:
    """The membership by which he manages members, as it is now; none for an admin of the stack.
    Forbidden when it was taken away."""
    if who.stack_role is Role.ADMIN:
        return ()
    for mine in accounts.memberships(who.user_id):
        of_group = mine.place.startswith("g-") and accounts.projects_of_group(mine.place)
        covers = mine.place == place or place in (of_group or ())
        if Role.ADMIN in mine.roles and covers:
            return (mine,)
    raise Forbidden("your role here was taken away just now.", remedy="ask an admin for it.")


def _refuse_without_stack_admin(accounts: Accounts) -> None:
    admins = (u for u in accounts.users(page=MANY) if u.stack_role is Role.ADMIN)
    if not any(not user.disabled for user in admins):
        raise AccountRefused(because(PeopleCode.LAST_ADMIN), remedy="make somebody else an admin.")


def _view(member: Membership, name: str, email: str) -> MemberView:
    return MemberView(
        user_id=member.user_id,
        name=name,
        email=email,
        roles=tuple(sorted(member.roles)),
        given_by=member.given_by,
        at=member.at,
    )
