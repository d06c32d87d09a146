"""Roles, actions, and which role may do what: the one table that every door asks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import PlainSerializer, StringConstraints

PROJECT_ID = r"^(default|p-[a-z2-7]{16})$"
ProjectId = Annotated[str, StringConstraints(pattern=PROJECT_ID)]
"""A project: `p-` and 80 random bits, or `default`, to which belong runs that nobody registered."""
GroupId = Annotated[str, StringConstraints(pattern=r"^g-[a-z2-7]{16}$")]
"""A group of projects: a laboratory, or a client."""
USER_ID = r"^u-[a-z2-7]{16}$"
UserId = Annotated[str, StringConstraints(pattern=USER_ID)]

DEFAULT_PROJECT: ProjectId = "default"
"""Of runs that came without registration: by the operator's CLI, by a sequencer, before projects
existed."""


class Role(StrEnum):
    """What somebody is in a project, in a group (so in all its projects), or in the whole stack."""

    VIEWER = "viewer"
    SUBMITTER = "submitter"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


RoleSet = Annotated[frozenset[Role], PlainSerializer(sorted, when_used="json")]
"""Roles. In JSON always in one order: what is written is compared with what was read."""


class Action(StrEnum):
    """What is asked for in a project."""

    SEE = "see"
    SUBMIT = "submit"
    CANCEL = "cancel"
    ACKNOWLEDGE = "acknowledge"
    SHARE = "share"
    HOLD = "hold"
    DELETE = "delete"
    REVIEW = "review"
    RELEASE = "release"
    AMEND = "amend"
    MANAGE_MEMBERS = "manage_members"
    SEE_STATEMENTS = "see_statements"


class StackAction(StrEnum):
    """What is asked for in the stack as a whole."""

    SEE_ALL_RUNS = "see_all_runs"
    SEE_COSTS = "see_costs"
    MANAGE_PROJECTS = "manage_projects"
    MANAGE_USERS = "manage_users"


class Scope(StrEnum):
    """What a token may be used for: never more than its user may do."""

    READ = "read"
    SUBMIT = "submit"
    REVIEW = "review"
    MANAGE = "manage"


ScopeSet = Annotated[frozenset[Scope], PlainSerializer(sorted, when_used="json")]


_V, _S, _R, _O, _A = Role
ALLOWED: dict[Action, frozenset[Role]] = {
    Action.SEE: frozenset(Role),
    Action.SUBMIT: frozenset({_S, _O, _A}),
    Action.CANCEL: frozenset({_S, _O, _A}),
    Action.ACKNOWLEDGE: frozenset({_R, _O, _A}),
    Action.SHARE: frozenset({_S, _R, _O, _A}),
    Action.HOLD: frozenset({_O, _A}),
    Action.DELETE: frozenset({_O, _A}),
    Action.REVIEW: frozenset({_R, _A}),
    Action.RELEASE: frozenset({_R, _A}),
    Action.AMEND: frozenset({_R, _A}),
    Action.MANAGE_MEMBERS: frozenset({_A}),
    Action.SEE_STATEMENTS: frozenset({_O, _A}),
}
"""Roles that may do it in the project where they are held."""
STACK_ALLOWED: dict[StackAction, frozenset[Role]] = {
    StackAction.SEE_ALL_RUNS: frozenset({_O, _A}),
    StackAction.SEE_COSTS: frozenset({_O, _A}),
    StackAction.MANAGE_PROJECTS: frozenset({_A}),
    StackAction.MANAGE_USERS: frozenset({_A}),
}
"""Roles that may do it when they are held in the whole stack."""
STACK_ROLES = frozenset({_O, _A})
"""Roles that somebody may have in the whole stack."""
SCOPE_OF: dict[Action | StackAction, Scope] = {
    Action.SEE: Scope.READ,
    Action.SUBMIT: Scope.SUBMIT,
    Action.CANCEL: Scope.SUBMIT,
    Action.ACKNOWLEDGE: Scope.REVIEW,
    Action.SHARE: Scope.REVIEW,
    Action.HOLD: Scope.MANAGE,
    Action.DELETE: Scope.MANAGE,
    Action.REVIEW: Scope.REVIEW,
    Action.RELEASE: Scope.REVIEW,
    Action.AMEND: Scope.REVIEW,
    Action.MANAGE_MEMBERS: Scope.MANAGE,
    Action.SEE_STATEMENTS: Scope.READ,
    StackAction.SEE_ALL_RUNS: Scope.READ,
    StackAction.SEE_COSTS: Scope.READ,
    StackAction.MANAGE_PROJECTS: Scope.MANAGE,
    StackAction.MANAGE_USERS: Scope.MANAGE,
}
"""The scope that a token needs for it."""
