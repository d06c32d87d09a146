"""Who asks: a user by session or token, the holder of the stack's API key, or nobody."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import Action, GroupId, ProjectId, Role, Scope, StackAction


class Means(StrEnum):
    """How somebody showed who he is."""

    SESSION = "session"  # the cookie of a browser
    TOKEN = "token"  # noqa: S105 - a personal access token
    API_KEY = "api_key"  # the stack's own key: an operator's program
    AWS = "aws"  # AWS credentials: the operator's command line
    NOBODY = "nobody"


class Principal(Model):
    """Who asks, and what he is where. Made for each request: roles are never kept from before."""

    means: Means
    user_id: Annotated[str, Field(description="empty: no user of ours")] = ""
    name: str = ""
    stack_role: Role | None = None
    roles: dict[ProjectId, frozenset[Role]] = {}
    groups: Annotated[
        dict[GroupId, frozenset[Role]], Field(description="his roles there; `roles` has them, too")
    ] = {}
    scopes: Annotated[
        frozenset[Scope] | None, Field(description="of a token; None: everything the user may")
    ] = None

    until: Annotated[Moment | None, Field(description="when his token expires")] = None
    actions: Annotated[
        frozenset[Action | StackAction] | None,
        Field(description="the only ones he may ever do; None: what roles and scopes allow"),
    ] = None

    def held(self, place: str) -> frozenset[Role]:
        """His own roles in a project or a group, without that in the whole stack."""
        return self.roles.get(place) or self.groups.get(place, frozenset())

    @property
    def projects(self) -> tuple[ProjectId, ...]:
        """Where he has any role, in order of their ids."""
        return tuple(sorted(self.roles))


NOBODY = Principal(means=Means.NOBODY)
KEY_HOLDER = Principal(
    means=Means.API_KEY,
    name="API key",
    stack_role=Role.OPERATOR,
    actions=frozenset({Action.SEE, Action.CANCEL, Action.ACKNOWLEDGE, StackAction.SEE_ALL_RUNS}),
)
"""The stack's API key reads all runs, cancels them and acknowledges alerts, as it did before there
were users."""
OPERATOR = Principal(means=Means.AWS, name="operator", stack_role=Role.ADMIN)
"""AWS decided already what the operator's command line may do."""
