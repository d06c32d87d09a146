"""Who is what in a project or a group: shown, given, taken away. The place was reached before
(`places.reach_project`, `places.reach_group`)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused
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
    if Role.ADMIN not in given.roles:
        _refuse_last_admin(place, user_id, who, accounts)
    before = accounts.membership(place, user_id)
    if before is None or before.roles != given.roles:
        before = Membership(
            place=place, user_id=user_id, roles=given.roles, given_by=who.user_id, at=at
        )
        accounts.put_member(before)
    return _view(before, user.name, user.email)


def remove_member(place: str, user_id: str, who: Principal, *, accounts: Accounts) -> None:
    """Idempotent. AccountRefused when the last admin would remove himself."""
    _refuse_last_admin(place, user_id, who, accounts)
    accounts.remove_member(place, user_id)


def _refuse_last_admin(place: str, user_id: str, who: Principal, accounts: Accounts) -> None:
    """Nobody leaves a place to which nobody could let him back in. Two admins who leave in the same
    moment are not seen: the operator's command line makes another admin."""
    if user_id != who.user_id or Role.ADMIN not in who.held(place):
        return
    others = (m for m in accounts.members(place) if m.user_id != user_id)
    if any(Role.ADMIN in member.roles for member in others):
        return
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
