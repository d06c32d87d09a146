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
    GroupId,
    ProjectId,
    Role,
    Scope,
    StackAction,
)
from porewatch.domain.reasons.reason import PeopleCode, because

Place = ProjectId | GroupId


def may(who: Principal, action: Action, place: Place) -> bool:
    """Whether a role of `who`, in the project or group or in the stack, allows it, and his token's
    scopes do."""
    return bool(_held(who, place) & ALLOWED[action]) and _in_scope(who, action)


def may_in_stack(who: Principal, action: StackAction) -> bool:
    """The same for the stack as a whole."""
    return bool(_of_stack(who) & STACK_ALLOWED[action]) and _in_scope(who, action)


def require(who: Principal, action: Action, place: Place, *, absent: PorewatchError) -> None:
    """Raises `absent` when `who` has no role in the place, Forbidden when his roles or scopes do
    not allow it, NotSignedIn for nobody."""
    refuse_nobody(who)
    if not _held(who, place):
        raise absent
    if not may(who, action, place):
        raise _forbidden(who, action, may(_whole(who), action, place))


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


def require_user(who: Principal, scope: Scope) -> str:
    """The id of the user who asks about himself. NotSignedIn for nobody; Forbidden for the holder
    of the API key, who is no user, and for a token without `scope`."""
    refuse_nobody(who)
    if not who.user_id:
        raise Forbidden(because(PeopleCode.ASKS_FOR_PERSON), remedy="sign in, or use a token.")
    if who.scopes is not None and scope not in who.scopes:
        raise _lacks(scope)
    return who.user_id


def require_session(who: Principal) -> str:
    """As `require_user`, of somebody at a browser: no program does it for him."""
    user_id = require_user(who, Scope.MANAGE)
    if who.means is not Means.SESSION:
        raise Forbidden(because(PeopleCode.ASKS_FOR_SESSION), remedy="sign in with a browser.")
    return user_id


def refuse_to_give(who: Principal, roles: frozenset[Role], place: Place) -> None:
    """Forbidden when one of the roles allows in this place what no role of `who` does there."""
    held = _held(who, place)
    mine = {action for action, allowed in ALLOWED.items() if held & allowed}
    for role in sorted(roles - held):
        if any(role in allowed for action, allowed in ALLOWED.items() if action not in mine):
            why = because(PeopleCode.ROLE_NOT_HELD, role=role.value)
            raise Forbidden(why, remedy="ask an admin who has it.")


def may_give(who: Principal, roles: frozenset[Role], place: Place) -> bool:
    """Whether `who` may make somebody a member of this place with these roles."""
    try:
        refuse_to_give(who, roles, place)
    except Forbidden:
        return False
    return bool(_held(who, place) & ALLOWED[Action.MANAGE_MEMBERS])


def _held(who: Principal, place: Place) -> frozenset[Role]:
    return who.held(place) | _of_stack(who)


def _of_stack(who: Principal) -> frozenset[Role]:
    return frozenset({who.stack_role}) if who.stack_role else frozenset()


def _in_scope(who: Principal, action: Action | StackAction) -> bool:
    if who.actions is not None and action not in who.actions:
        return False
    return who.scopes is None or SCOPE_OF[action] in who.scopes


def _whole(who: Principal) -> Principal:
    return who.model_copy(update={"scopes": None})


def _forbidden(who: Principal, action: Action | StackAction, but_scope: bool) -> Forbidden:
    if but_scope:
        return _lacks(SCOPE_OF[action])
    allowed = ALLOWED if isinstance(action, Action) else STACK_ALLOWED
    roles = ", ".join(sorted(role.value for role in allowed[action]))  # type: ignore[index]
    where = "in this project" if isinstance(action, Action) else "in the whole stack"
    return Forbidden(
        f"{action.value.replace('_', ' ')} needs one of these roles {where}: {roles}.",
        remedy="ask an admin for it.",
    )


def _lacks(scope: Scope) -> Forbidden:
    return Forbidden(
        f"the token has no scope {scope.value}.",
        remedy="make a token that has it, on the account page.",
    )
