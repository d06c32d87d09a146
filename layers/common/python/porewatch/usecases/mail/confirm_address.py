"""Somebody whose address gets no mail confirms it, and gets mail again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.mail.confirming import Confirmation
from porewatch.domain.mail.letter import confirmation_letter
from porewatch.domain.mail.recipients import language_of, reachable
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.accounts import User
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.secrets import Kind, digest_of, is_secret, new_secret
from porewatch.usecases.mail.mail_invitation import Counter

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.mail_suppressions import Suppressions


def ask_to_confirm(who: Principal, at: datetime, counter: Counter) -> None:
    """Send the mail. NotFound when his address gets mail already; AccountRefused for a second one
    within an hour; what sending raises."""
    user = _user(policy.require_session(who), counter.accounts)
    if not reachable(user) or counter.suppressions.find(user.email) is None:
        raise absent("suppression", "of this address")
    secret = new_secret(Kind.CONFIRMATION)
    asked = Confirmation(user_id=user.user_id, secret_id=digest_of(secret), asked_at=at)
    counter.suppressions.note_asked(user.email, asked)
    url = f"{counter.root}/web/confirm-mail?secret={secret}"
    counter.send(user.email, confirmation_letter(url, language_of(user)))


def confirm(
    secret: str,
    who: Principal,
    at: datetime,
    *,
    accounts: Accounts,
    suppressions: Suppressions,
) -> None:
    """His address gets mail again. NotFound for a link that is not his, or is over."""
    user = _user(policy.require_session(who), accounts)
    asked = suppressions.asked(user.email)
    ours = asked if is_secret(Kind.CONFIRMATION, secret) else None
    if ours is None or not ours.opened_by(user.user_id, digest_of(secret), at):
        raise absent("confirmation", secret[:8])
    suppressions.lift(user.email)


def _user(user_id: str, accounts: Accounts) -> User:
    user = accounts.user(user_id)
    if user is None:
        raise absent("user", user_id)
    return user
