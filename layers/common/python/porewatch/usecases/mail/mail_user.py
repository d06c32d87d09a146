"""An event about a user becomes a mail to him."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import AlreadyDone
from porewatch.domain.mail.declining import Declined, MailGroup
from porewatch.domain.mail.letter import user_letter
from porewatch.domain.mail.occasions import OLDEST, MailKind
from porewatch.domain.mail.recipients import language_of, reachable, wants
from porewatch.domain.mail.user_occasions import UserEvent, UserOccasion, user_occasion
from porewatch.domain.people.accounts import User
from porewatch.usecases.mail.send_mails import PostOffice

if TYPE_CHECKING:
    from porewatch.adapters.people.entitlements import Entitlements
    from porewatch.domain.tiers.tier import TierName

_log = logging.getLogger(__name__)


def mail_user(
    event: UserEvent,
    office: PostOffice,
    at: datetime,
    *,
    entitlements: Entitlements,
    unpaid: TierName,
) -> bool:
    """Whether a mail was sent now. Raises Unavailable when it is to be tried again, ReceiverRefused
    when SES will never take it."""
    occasion = user_occasion(event, entitlements.of(event.user_id), unpaid, at)
    if occasion is None or at - occasion.at > OLDEST:
        return False
    user = office.accounts.user(event.user_id)
    if user is None or not reachable(user) or not wants(user, occasion.kind):
        return False
    if office.suppressions.find(user.email) is not None:
        _log.info("no mail to %s: his address is suppressed", user.user_id)
        return False
    try:
        with office.inbox.once(f"mail:{occasion.key}"):
            link = _unsubscribe(occasion, user, office)
            mail_id = office.send(
                user.email, user_letter(occasion, language_of(user), office.root, link)
            )
    except AlreadyDone:
        return False
    _log.info("%s is mail %s", occasion.key, mail_id)
    return True


def _unsubscribe(occasion: UserOccasion, user: User, office: PostOffice) -> str:
    """Empty for what cannot be declined."""
    if occasion.kind is not MailKind.THAWED:
        return ""
    token = office.token(Declined(user_id=user.user_id, group=MailGroup.RUNS))
    return f"{office.root}/web/unsubscribe?token={token}"
