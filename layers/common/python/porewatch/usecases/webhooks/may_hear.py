"""May this webhook hear of this project now? Asked when an event is given out and again at each
attempt: roles and accounts change in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain.people import policy
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Action, ProjectId
from porewatch.usecases.people.identify import user_principal

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts


def may_hear(user_id: str, project: ProjectId | None, *, accounts: Accounts) -> bool:
    """Whether the user is there, is not disabled, and may see the project's runs (None: a test,
    which is about no run)."""
    user = accounts.user(user_id)
    if user is None or user.disabled:
        return False
    if project is None:
        return True
    return policy.may(user_principal(user, Means.TOKEN, accounts), Action.SEE, project)
