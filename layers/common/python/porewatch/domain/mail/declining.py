"""Declining mail: what a link to unsubscribe stands for, and what follows. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused
from porewatch.domain.mail.occasions import MailKind
from porewatch.domain.people.accounts import MailChoice, User
from porewatch.domain.people.roles import UserId
from porewatch.domain.reasons.reason import PeopleCode, because

LASTS = timedelta(days=90)
"""How long a link to unsubscribe works: our choice. Who finds the mail later must not be able to
change what its receiver chose since."""


class MailGroup(StrEnum):
    """What is declined together."""

    RUNS = "runs"
    SUSPICIONS = "suspicions"


class Declined(Model):
    """One user and one group of mails, as a link to unsubscribe holds them."""

    user_id: UserId
    group: MailGroup
    until: Annotated[
        Moment | None, Field(description="the link works until then; None: of an earlier version")
    ] = None

    def over(self, at: datetime) -> bool:
        """Whether the link does not work any more. One without a time is of an earlier version, and
        may be of any age."""
        return self.until is None or at >= self.until

    def refuse_over(self, at: datetime) -> None:
        """AccountRefused when the link does not work any more."""
        if self.over(at):
            raise AccountRefused(because(PeopleCode.UNSUBSCRIBE_OVER, days=LASTS.days))


def link_holds(user_id: UserId, group: MailGroup, at: datetime) -> Declined:
    """What a link holds that is sent now."""
    return Declined(user_id=user_id, group=group, until=at + LASTS)


def group_of(kind: MailKind) -> MailGroup:
    return MailGroup.SUSPICIONS if kind is MailKind.SUSPICION else MailGroup.RUNS


def declined(user: User, group: MailGroup) -> User:
    """He gets no more mail of this group. Idempotent."""
    if group is MailGroup.SUSPICIONS:
        return user.model_copy(update={"mail_suspicions": False})
    return user.model_copy(update={"mail": MailChoice.NONE})
