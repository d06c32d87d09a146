"""Users, groups, projects, and who is what where."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model, Moment
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import STACK_ROLES, GroupId, ProjectId, Role, RoleSet, UserId
from porewatch.domain.people.secrets import SecretId
from porewatch.domain.reasons.catalogue import SOURCE

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
Email = Annotated[
    str,
    StringConstraints(
        pattern=rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*$",
        max_length=254,
    ),
]
"""An address as forms of browsers take it (HTML standard, `input type=email`): ASCII alone, so
nothing in it begins a header of a mail."""


class MailChoice(StrEnum):
    """Which runs of his projects a user gets mail about."""

    ALL = "all"
    FAILURES = "failures"
    NONE = "none"


class User(Model):
    """Somebody who signed in once. Known by issuer and subject, never by an address: an address
    can be given to somebody else."""

    user_id: UserId
    issuer: str
    subject: str
    name: str
    email: str = ""
    email_verified: bool = False
    stack_role: Annotated[Role | None, Field(description="in the whole stack")] = None
    language: str = SOURCE
    mail: MailChoice = MailChoice.ALL
    mail_suspicions: Annotated[
        bool, Field(description="mail about suspicions, whatever he chose for runs")
    ] = True
    disabled: bool = False
    deleted: Annotated[
        bool, Field(description="his data were deleted; what is left is the id that runs name")
    ] = False
    created_at: Moment
    seen_at: Annotated[Moment, Field(description="when he last signed in")]


class AskedBy(NamedTuple):
    """Who asks for a change; `refuse` raises when he, as he is now, may not."""

    user_id: str
    refuse: Callable[[User | None], None]


class Group(Model):
    """A laboratory or a client: its members are members of all its projects."""

    group_id: GroupId
    name: Label
    created_at: Moment
    created_by: str


class Quota(Model):
    """How much a project may take up; None: no limit of its own."""

    runs_at_once: Annotated[int | None, Field(ge=0)] = None
    run_gigabytes: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="10^9 bytes of one run")
    ] = None
    month_usd: Annotated[
        float | None, Field(ge=0, allow_inf_nan=False, description="cost in a calendar month")
    ] = None


class Project(Model):
    """Runs that belong together, and to the same people."""

    project_id: ProjectId
    name: Label
    group_id: GroupId | None = None
    quota: Quota = Quota()
    created_at: Moment
    created_by: str
    closed: Annotated[bool, Field(description="takes no more runs; all of it stays visible")] = (
        False
    )


class Membership(Model):
    """What a user is in a project or a group (`place`: its id)."""

    place: str
    user_id: UserId
    roles: RoleSet
    given_by: str
    at: Moment


class Invitation(Model):
    """To become a member. Who has its secret may accept it, once, while it lasts."""

    invitation_id: SecretId
    place: str
    roles: RoleSet
    email: Annotated[str, Field(description="whom it was sent to; anybody who has it may accept")]
    given_by: str
    at: Moment
    expires_at: Moment
    accepted_by: str | None = None
    withdrawn: bool = False


def refuse_stack_role(role: Role | None) -> None:
    """Raises ValueError for a role that nobody can have in the whole stack."""
    if role is not None and role not in STACK_ROLES:
        known = ", ".join(sorted(STACK_ROLES))
        raise ValueError(f"{role.value} is no role in the whole stack; use one of {known}.")
