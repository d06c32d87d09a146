"""Confirming an address that gets no mail: one mail is sent there after all, and whoever is signed
in as its owner opens the link in it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused
from porewatch.domain.people.roles import UserId
from porewatch.domain.people.secrets import SecretId

REST = timedelta(hours=1)
"""Between two mails to confirm one address."""
LASTS = timedelta(days=2)


class Confirmation(Model):
    """A mail to confirm an address was sent."""

    user_id: UserId
    secret_id: SecretId
    asked_at: Moment

    def refuse_again(self, at: datetime) -> None:
        """AccountRefused when the next mail would come too soon."""
        if at - self.asked_at < REST:
            raise AccountRefused(
                "a mail to confirm this address was sent within the last hour.",
                remedy="open the link in it, or ask again later.",
            )

    def opened_by(self, user_id: str, secret_id: SecretId, at: datetime) -> bool:
        mine = (self.user_id, self.secret_id) == (user_id, secret_id)
        return mine and at - self.asked_at <= LASTS
