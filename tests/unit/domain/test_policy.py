"""Every role, every action, own, foreign and nobody: one table, asked by every door."""

from __future__ import annotations

import pytest

from porewatch.domain.errors import Forbidden, NotFound, NotSignedIn
from porewatch.domain.people import policy
from porewatch.domain.people.principal import KEY_HOLDER, NOBODY, Means, Principal
from porewatch.domain.people.roles import (
    ALLOWED,
    SCOPE_OF,
    STACK_ALLOWED,
    STACK_ROLES,
    Action,
    Role,
    Scope,
    StackAction,
)

MINE, OTHER = "p-aaaaaaaaaaaaaaaa", "p-bbbbbbbbbbbbbbbb"
ABSENT = NotFound("there is no run 'x'.")
SIGNING = {Action.REVIEW, Action.RELEASE, Action.AMEND}
MAY = {
    Role.VIEWER: {Action.SEE},
    Role.SUBMITTER: {Action.SEE, Action.SUBMIT, Action.CANCEL, Action.SHARE},
    Role.REVIEWER: {Action.SEE, Action.ACKNOWLEDGE, Action.SHARE, *SIGNING},
    Role.OPERATOR: set(Action) - {Action.MANAGE_MEMBERS, *SIGNING},
    Role.ADMIN: set(Action),
}
"""Written from the other side than the product's table."""


def member(*roles: Role, scopes: frozenset[Scope] | None = None) -> Principal:
    held = {MINE: frozenset(roles)}
    return Principal(means=Means.TOKEN, user_id="u-a", roles=held, scopes=scopes)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_the_table_says_and_nothing_in_another_project(
    role: Role, action: Action
) -> None:
    who = member(role)
    assert policy.may(who, action, MINE) == (action in MAY[role])
    assert not policy.may(who, action, OTHER)
    with pytest.raises(NotFound) as raised:
        policy.require(who, action, OTHER, absent=ABSENT)
    assert raised.value is ABSENT, "a foreign run is answered as one that is not there"
    if action not in MAY[role]:
        with pytest.raises(Forbidden):
            policy.require(who, action, MINE, absent=ABSENT)
    else:
        policy.require(who, action, MINE, absent=ABSENT)


@pytest.mark.parametrize("action", Action)
def test_nobody_may_nothing(action: Action) -> None:
    assert not policy.may(NOBODY, action, MINE)
    with pytest.raises(NotSignedIn):
        policy.require(NOBODY, action, MINE, absent=ABSENT)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", StackAction)
def test_roles_in_a_project_are_none_in_the_stack(action: StackAction, role: Role) -> None:
    assert not policy.may_in_stack(member(role), action)
    whole = Principal(means=Means.SESSION, user_id="u-a", stack_role=role)
    assert policy.may_in_stack(whole, action) == (role in STACK_ALLOWED[action])
    with pytest.raises(Forbidden):
        policy.require_in_stack(member(role), action)


def test_a_stack_role_reaches_every_project() -> None:
    admin = Principal(means=Means.SESSION, user_id="u-a", stack_role=Role.ADMIN)
    assert all(policy.may(admin, action, OTHER) for action in Action)
    assert not policy.may(KEY_HOLDER, Action.MANAGE_MEMBERS, OTHER)
    assert policy.may(KEY_HOLDER, Action.CANCEL, OTHER)


@pytest.mark.parametrize("action", Action)
def test_a_token_may_no_more_than_its_scopes(action: Action) -> None:
    for scope in Scope:
        who = member(Role.ADMIN, scopes=frozenset({scope}))
        assert policy.may(who, action, MINE) == (SCOPE_OF[action] is scope)
    with pytest.raises(Forbidden, match="scope"):
        policy.require(member(Role.ADMIN, scopes=frozenset()), action, MINE, absent=ABSENT)
    assert not policy.may(member(Role.VIEWER, scopes=frozenset(Scope)), Action.DELETE, MINE)


def test_the_tables_are_whole() -> None:
    assert set(ALLOWED) == set(Action)
    assert set(STACK_ALLOWED) == set(StackAction)
    assert set(SCOPE_OF) == set(Action) | set(StackAction)
    assert all(roles <= STACK_ROLES for roles in STACK_ALLOWED.values())
