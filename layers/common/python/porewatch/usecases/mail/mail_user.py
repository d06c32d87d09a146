"""An event about a user becomes a mail to him."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.mail.declining import MailGroup, link_holds
from porewatch.domain.mail.expiring import Ending, expiring_letter
from porewatch.domain.mail.letter import Letter, user_letter
from porewatch.domain.mail.occasions import OLDEST, MailKind
from porewatch.domain.mail.recipients import language_of, reachable, wants
from porewatch.domain.mail.user_occasions import (
    UserEvent,
    UserOccasion,
    expiring_occasion,
    thawed_occasion,
    tier_occasion,
)
from porewatch.domain.people.accounts import User
from porewatch.usecases.mail.find_ending import PaidTiers, find_ending
from porewatch.usecases.mail.send_mails import PostOffice

CAN_BE_DECLINED = frozenset({MailKind.EXPIRING, MailKind.THAWED})
"""With mail about runs."""
_log = logging.getLogger(__name__)
Write = Callable[[str], Letter]
"""A link to unsubscribe (empty for what cannot be declined) -> the letter."""


def mail_user(event: UserEvent, office: PostOffice, at: datetime, *, paid: PaidTiers) -> bool:
    """Whether a mail was sent now. Raises Unavailable when it is to be tried again, ReceiverRefused
    when SES will never take it."""
    occasion = _occasion(event, at, paid)
    if occasion is None or at - occasion.at > OLDEST:
        return False
    user = office.accounts.user(event.user_id)
    if user is None or not reachable(user) or not wants(user, occasion.kind):
        return False
    if isinstance(event, ResultsExpiring):
        if office.inbox.done(_key(occasion)):
            return False  # of 200 runs of one day, 199 events find that here
        ending = find_ending(event, user, at, paid=paid, runs=office.runs, accounts=office.accounts)
        return ending is not None and _send(
            occasion, user, _about(ending, user, at, office), office, at
        )
    return _send(occasion, user, _about_himself(occasion, user, office), office, at)


def _occasion(event: UserEvent, at: datetime, paid: PaidTiers) -> UserOccasion | None:
    if isinstance(event, ResultsExpiring):
        return expiring_occasion(event)
    if isinstance(event, ResultsThawed):
        return thawed_occasion(event)
    known = paid.entitlements.of(event.user_id)
    return tier_occasion(event, known, paid.unpaid, at, paid.results_days)


def _about(ending: Ending, user: User, at: datetime, office: PostOffice) -> Write:
    return lambda link: expiring_letter(ending, at, language_of(user), office.root, link)


def _about_himself(occasion: UserOccasion, user: User, office: PostOffice) -> Write:
    return lambda link: user_letter(occasion, language_of(user), office.root, link)


def _send(
    occasion: UserOccasion, user: User, write: Write, office: PostOffice, at: datetime
) -> bool:
    if office.suppressions.find(user.email) is not None:
        _log.info("no mail to %s: his address is suppressed", user.user_id)
        return False
    try:
        with office.inbox.once(_key(occasion)):
            mail_id = office.send(user.email, write(_unsubscribe(occasion, user, office, at)))
    except AlreadyDone:
        return False
    _log.info("%s is mail %s", occasion.key, mail_id)
    return True


def _key(occasion: UserOccasion) -> str:
    return f"mail:{occasion.key}"


def _unsubscribe(occasion: UserOccasion, user: User, office: PostOffice, at: datetime) -> str:
    """Empty for what cannot be declined."""
    if occasion.kind not in CAN_BE_DECLINED:
        return ""
    token = office.token(link_holds(user.user_id, MailGroup.RUNS, at))
    return f"{office.root}/web/unsubscribe?token={token}"
