"""Declining mail: what a link to unsubscribe stands for, and what follows. Pure."""

from __future__ import annotations

from enum import StrEnum

from porewatch.domain.base import Model
from porewatch.domain.mail.occasions import MailKind
from porewatch.domain.people.accounts import MailChoice, User
from porewatch.domain.people.roles import UserId


class MailGroup(StrEnum):
    """What is declined together."""

    RUNS = "runs"
    SUSPICIONS = "suspicions"


class Declined(Model):
    """One user and one group of mails."""

    user_id: UserId
    group: MailGroup


def group_of(kind: MailKind) -> MailGroup:
    return MailGroup.SUSPICIONS if kind is MailKind.SUSPICION else MailGroup.RUNS


def declined(user: User, group: MailGroup) -> User:
    """He gets no more mail of this group. Idempotent."""
    if group is MailGroup.SUSPICIONS:
        return user.model_copy(update={"mail_suspicions": False})
    return user.model_copy(update={"mail": MailChoice.NONE})
