"""May this principal do this here? Every door asks here, and nowhere else.

What is in a project where one has no role does not exist: NotFound, in the very words of a thing
that is not there. What one may see and not do is Forbidden.
"""

from __future__ import annotations

from porewatch.domain.errors import Forbidden, NotSignedIn, PorewatchError
from porewatch.domain.people.principal import Means, Principal
from porewatch.domain.people.roles import (
    ALLOWED,
    SCOPE_OF,
    STACK_ALLOWED,
    Action,
    ProjectId,
    Role,
    StackAction,
)


def may(who: Principal, action: Action, project: ProjectId) -> bool:
    """Whether a role of `who`, in the project or in the stack, allows it, and his token's scopes
    do."""
    held = who.roles.get(project, frozenset()) | _of_stack(who)
    return bool(held & ALLOWED[action]) and _in_scope(who, action)


def may_in_stack(who: Principal, action: StackAction) -> bool:
    """The same for the stack as a whole."""
    return bool(_of_stack(who) & STACK_ALLOWED[action]) and _in_scope(who, action)


def require(who: Principal, action: Action, project: ProjectId, *, absent: PorewatchError) -> None:
    """Raises `absent` when `who` has no role in the project, Forbidden when his roles or scopes do
    not allow it, NotSignedIn for nobody."""
    refuse_nobody(who)
    if not (who.roles.get(project) or _of_stack(who)):
        raise absent
    if not may(who, action, project):
        raise _forbidden(who, action, may(_whole(who), action, project))


def require_in_stack(who: Principal, action: StackAction) -> None:
    """Forbidden unless `who` may do it in the whole stack; NotSignedIn for nobody."""
    refuse_nobody(who)
    if not may_in_stack(who, action):
        raise _forbidden(who, action, may_in_stack(_whole(who), action))


def refuse_nobody(who: Principal) -> None:
    """NotSignedIn unless somebody asks."""
    if who.means is Means.NOBODY:
        raise NotSignedIn(
            "this asks for somebody who is signed in.",
            remedy="sign in, or send `Authorization: Bearer` with a token.",
        )


def _of_stack(who: Principal) -> frozenset[Role]:
    return frozenset({who.stack_role}) if who.stack_role else frozenset()


def _in_scope(who: Principal, action: Action | StackAction) -> bool:
    return who.scopes is None or SCOPE_OF[action] in who.scopes


def _whole(who: Principal) -> Principal:
    return who.model_copy(update={"scopes": None})


def _forbidden(who: Principal, action: Action | StackAction, but_scope: bool) -> Forbidden:
    if but_scope:
        return Forbidden(
            f"the token has no scope {SCOPE_OF[action].value}.",
            remedy="make a token that has it, on the account page.",
        )
    allowed = ALLOWED if isinstance(action, Action) else STACK_ALLOWED
    roles = ", ".join(sorted(role.value for role in allowed[action]))  # type: ignore[index]
    where = "in this project" if isinstance(action, Action) else "in the whole stack"
    return Forbidden(
        f"{action.value.replace('_', ' ')} needs one of these roles {where}: {roles}.",
        remedy="ask an admin for it.",
    )
