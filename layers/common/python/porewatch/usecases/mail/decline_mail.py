"""Somebody declines mail by a link in it, without sign-in."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import NotFound
from porewatch.domain.mail import declining
from porewatch.domain.mail.declining import Declined, MailGroup

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.unsubscribe_tokens import UnsubscribeTokens

_log = logging.getLogger(__name__)


def look_at(token: str, *, tokens: UnsubscribeTokens) -> Declined:
    """Which mail the link declines, and until when. Changes nothing. NotFound for a link that is
    not ours."""
    return tokens.read(token)


def decline(
    token: str, at: datetime, *, tokens: UnsubscribeTokens, accounts: Accounts
) -> MailGroup:
    """He gets no more mail of that group. Idempotent; the same for a user who is gone.
    AccountRefused for a link that is too old."""
    asked = tokens.read(token)
    asked.refuse_over(at)
    try:
        accounts.change_user(asked.user_id, lambda user: declining.declined(user, asked.group))
    except NotFound:
        _log.info("%s is gone: he gets no mail anyhow", asked.user_id)
    return asked.group
