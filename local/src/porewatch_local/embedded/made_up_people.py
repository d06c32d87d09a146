"""What the made-up people of the local identity provider may do in the local stack.

On AWS nobody is made up: there the first admin is named by an operator's command.
"""

from __future__ import annotations

from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.people.accounts import Membership, User
from porewatch.domain.people.roles import DEFAULT_PROJECT, Role
from porewatch.domain.people.secrets import new_id
from porewatch_local.embedded.clients import client
from porewatch_local.embedded.identity_provider import USERS
from porewatch_local.paths import LocalStack

STACK_ROLES = {"Aiko Tanaka": Role.ADMIN}
ROLES = {"Mateo Ruiz": {Role.SUBMITTER, Role.REVIEWER}, "Priya Nair": {Role.VIEWER}}
"""In the default project."""


def put_made_up_people(stack: LocalStack) -> None:
    """Users and roles of the people who can be chosen at sign-in. Idempotent; what was changed of
    somebody since stays."""
    table = stack.outputs.get("PeopleTable")
    if table is None or stack.identity is None:
        return
    accounts = Accounts(Table(table, client(stack, "dynamodb")))
    for person in USERS:
        name, at = str(person["name"]), now()
        if name not in STACK_ROLES and name not in ROLES:
            continue
        user = User(
            user_id=new_id("u"),
            issuer=stack.identity.issuer,
            subject=str(person["sub"]),
            name=name,
            email=str(person["email"]),
            email_verified=bool(person["email_verified"]),
            stack_role=STACK_ROLES.get(name),
            language="",  # as his browser asks
            created_at=at,
            seen_at=at,
        )
        if accounts.user_of(user.issuer, user.subject) is not None:
            continue
        try:
            accounts.add_user(user)
        except AlreadyDone:
            continue
        if roles := ROLES.get(name):
            accounts.put_member(
                Membership(
                    place=DEFAULT_PROJECT,
                    user_id=user.user_id,
                    roles=frozenset(roles),
                    given_by="",
                    at=at,
                )
            )
