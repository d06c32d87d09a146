"""What becomes of users, invitations and share links. Pure; each rule refuses by code."""

from __future__ import annotations

from datetime import datetime

from porewatch.domain.errors import AccountRefused
from porewatch.domain.people.accounts import Invitation, User
from porewatch.domain.people.credentials import ShareLink
from porewatch.domain.people.roles import Role
from porewatch.domain.reasons.reason import PeopleCode, because

ASK_AGAIN = "ask whoever sent it for another one."


def accept(invitation: Invitation, user_id: str, at: datetime) -> Invitation:
    """Accepted by this user; by him a second time, it stays as it is. AccountRefused when it was
    used by somebody else, withdrawn, or has expired."""
    if invitation.accepted_by == user_id:
        return invitation
    if invitation.accepted_by is not None:
        raise AccountRefused(because(PeopleCode.INVITATION_USED), remedy=ASK_AGAIN)
    if invitation.withdrawn:
        raise AccountRefused(because(PeopleCode.INVITATION_WITHDRAWN), remedy=ASK_AGAIN)
    if at >= invitation.expires_at:
        day = f"{invitation.expires_at:%Y-%m-%d}"
        raise AccountRefused(because(PeopleCode.INVITATION_EXPIRED, day=day), remedy=ASK_AGAIN)
    return invitation.model_copy(update={"accepted_by": user_id})


def withdraw(invitation: Invitation) -> Invitation:
    """Nobody may accept it any more. AccountRefused when somebody did."""
    if invitation.accepted_by is not None:
        remedy = "remove the member instead."
        raise AccountRefused(because(PeopleCode.INVITATION_USED), remedy=remedy)
    return invitation.model_copy(update={"withdrawn": True})


def revoke(link: ShareLink, at: datetime) -> ShareLink:
    """It shows nothing any more."""
    return link if link.revoked_at else link.model_copy(update={"revoked_at": at})


def refuse_over(link: ShareLink, at: datetime) -> None:
    """AccountRefused unless the link shows its report at this moment."""
    if link.revoked_at is not None:
        raise AccountRefused(because(PeopleCode.SHARE_REVOKED), remedy=ASK_AGAIN)
    if link.over(at):
        day = f"{link.expires_at:%Y-%m-%d}"
        raise AccountRefused(because(PeopleCode.SHARE_EXPIRED, day=day), remedy=ASK_AGAIN)


def tombstone(user: User) -> User:
    """What is left of a user whose data are deleted: the id that runs and audit trails name."""
    return User(
        user_id=user.user_id,
        issuer="",
        subject="",
        name="",
        disabled=True,
        deleted=True,
        created_at=user.created_at,
        seen_at=user.created_at,
    )


def refuse_own_loss(user: User, stack_role: Role | None, disabled: bool, by: str) -> None:
    """AccountRefused when an admin would take his own role or account away."""
    loses = user.stack_role is Role.ADMIN and stack_role is not Role.ADMIN
    if user.user_id == by and (loses or disabled):
        remedy = "ask another admin for it."
        raise AccountRefused(because(PeopleCode.OWN_ADMIN_ROLE), remedy=remedy)
