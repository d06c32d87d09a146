"""Invitations to a project or group: made, listed, withdrawn, accepted. The place was reached
before (`places.reach_project`, `places.reach_group`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused
from porewatch.domain.people import account_rules, policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.accounts import Email, Invitation, Membership
from porewatch.domain.people.principal import NOBODY, Means, Principal
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, is_secret, new_secret
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.usecases.people.identify import user_principal
from porewatch.usecases.people.members import Roles
from porewatch.usecases.people.repeats import Repeat, once, refuse_second_secret
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.credentials import Invitations

LONGEST_DAYS, USUAL_DAYS = 30, 7
PAGE = "/web/invitation#"
"""Where a secret is accepted in a browser. What stands behind the sign stays in the browser: in no
log, and in no session."""


class NewInvitation(Model):
    """`email`: whom it is meant for; it is mailed there, if this stack sends mail."""

    roles: Roles
    email: Email
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = USUAL_DAYS


class Acceptance(Model):
    secret: Annotated[str, Field(max_length=200)]


class InvitationView(Answer):
    """An invitation without its secret."""

    invitation_id: str
    place: str
    roles: tuple[Role, ...]
    email: str
    given_by: str
    at: Moment
    expires_at: Moment
    accepted_by: str | None
    withdrawn: bool


class InvitationMade(InvitationView):
    """A new invitation. `secret` and `path` (of the pages) are shown here and never again: whoever
    has one of them may accept."""

    secret: str
    path: str
    mailed: Annotated[bool, Field(description="it was sent to the address")] = False


class InvitationList(Answer):
    invitations: tuple[InvitationView, ...]


class Invited(Answer):
    """What accepting would make of whoever asks. `given_by`: a name; empty: by the operator."""

    place: str
    name: str
    roles: tuple[Role, ...]
    given_by: str
    expires_at: Moment
    accepted: Annotated[bool, Field(description="he accepted it before")]


class Accepted(Answer):
    """Where somebody is a member now, and what he was invited to be."""

    place: str
    roles: tuple[Role, ...]


def invite(
    place: str,
    new: NewInvitation,
    who: Principal,
    at: datetime,
    *,
    invitations: Invitations,
    repeat: Repeat | None = None,
) -> InvitationMade:
    """Forbidden for a role that `who` does not have; what `repeat` raises, and AccountRefused for a
    request that is sent twice."""
    policy.refuse_to_give(who, new.roles, place)
    secret = new_secret(Kind.INVITATION)
    made = Invitation(
        invitation_id=digest_of(secret),
        place=place,
        roles=new.roles,
        email=new.email,
        given_by=who.user_id,
        at=at,
        expires_at=at + timedelta(days=new.days),
    )

    def make(beside: Sequence[Any]) -> InvitationMade:
        invitations.add(made, beside)
        return InvitationMade(secret=secret, path=PAGE + secret, **_view(made).model_dump())

    again = refuse_second_secret("invitation")
    return once(repeat, who, new, fresh=made.invitation_id, make=make, again=again)


def list_invitations(place: str, *, invitations: Invitations) -> InvitationList:
    """The newest first; those that are over stay for a week."""
    found = sorted(invitations.of_place(place), key=lambda one: one.at, reverse=True)
    return InvitationList(invitations=tuple(map(_view, found)))


def withdraw(place: str, invitation_id: str, *, invitations: Invitations) -> InvitationView:
    """Idempotent. NotFound for an invitation to another place, too; AccountRefused for a used
    one."""
    found = invitations.find(invitation_id)
    if found is None or found.place != place:
        raise absent("invitation", invitation_id)
    return _view(invitations.change(invitation_id, account_rules.withdraw))


def look(
    secret: str, who: Principal, at: datetime, *, accounts: Accounts, invitations: Invitations
) -> Invited:
    """What this secret offers to the user who asks. Refuses as `accept` does, and changes
    nothing."""
    user_id = policy.require_user(who, Scope.MANAGE)
    found = _found(secret, accounts, invitations)
    account_rules.accept(found, user_id, at)
    giver = accounts.user(found.given_by) if found.given_by else None
    group = found.place.startswith("g-")
    name = (accounts.group if group else accounts.project)(found.place).name
    return Invited(
        place=found.place,
        name=name,
        roles=tuple(sorted(found.roles)),
        given_by=giver.name if giver else "",
        expires_at=found.expires_at,
        accepted=found.accepted_by is not None,
    )


def accept(
    acceptance: Acceptance,
    who: Principal,
    at: datetime,
    *,
    accounts: Accounts,
    invitations: Invitations,
) -> Accepted:
    """The user who asks becomes a member, beside what he is there already. Once: a second time it
    answers the same and gives nothing. AccountRefused when it was used by somebody else, withdrawn
    or has expired; NotFound for any other secret."""
    user_id = policy.require_user(who, Scope.MANAGE)
    found = _found(acceptance.secret, accounts, invitations)
    before = accounts.membership(found.place, user_id)

    def member(invitation: Invitation) -> Membership:
        held = before.roles if before else frozenset()
        return Membership(
            place=invitation.place,
            user_id=user_id,
            roles=held | invitation.roles,
            given_by=invitation.given_by,
            at=at,
        )

    done = invitations.accept(
        found.invitation_id, lambda one: account_rules.accept(one, user_id, at), member, before
    )
    return Accepted(place=done.place, roles=tuple(sorted(done.roles)))


def _found(secret: str, accounts: Accounts, invitations: Invitations) -> Invitation:
    found = invitations.find(digest_of(secret)) if is_secret(Kind.INVITATION, secret) else None
    if found is None:
        raise absent("invitation", secret[:8])
    _refuse_unless_given(found, accounts)
    return found


def _refuse_unless_given(invitation: Invitation, accounts: Accounts) -> None:
    """AccountRefused when whoever gave the invitation could not give it today: somebody who was
    removed must not come back by an invitation of his own. One of the operator's command line names
    no user."""
    if not invitation.given_by:
        return
    giver = accounts.user(invitation.given_by)
    who = (
        NOBODY
        if giver is None or giver.disabled
        else user_principal(giver, Means.SESSION, accounts)
    )
    if not policy.may_give(who, invitation.roles, invitation.place):
        why = because(PeopleCode.INVITATION_WITHDRAWN)
        raise AccountRefused(why, remedy=account_rules.ASK_AGAIN)


def _view(invitation: Invitation) -> InvitationView:
    shown = invitation.model_dump(exclude={"roles"})
    return InvitationView(**shown, roles=tuple(sorted(invitation.roles)))
