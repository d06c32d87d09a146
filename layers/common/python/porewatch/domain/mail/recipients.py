"""Who gets which mail. Pure."""

from __future__ import annotations

from porewatch.domain.mail.occasions import MailKind
from porewatch.domain.people.accounts import MailChoice, User
from porewatch.domain.people.roles import Action
from porewatch.domain.reasons.catalogue import SOURCE, languages

ABOUT_FAILURES = frozenset({
    *(MailKind.RUN_NOT_REPORTABLE, MailKind.RUN_FAILED, MailKind.RUN_REFUSED),
    MailKind.REPORT_AMENDED,
})  # fmt: skip
"""What somebody who chose `failures` still gets: what he may have used already was corrected."""
WAITING = frozenset({MailKind.RUN_COMPLETED, MailKind.RUN_NOT_REPORTABLE})
"""A report is there that waits for its review; whoever may review it reads so."""


def reachable(user: User) -> bool:
    """Whether mail may be sent to him at all: an address that the identity provider does not vouch
    for may be somebody else's."""
    there = not user.disabled and not user.deleted
    return there and bool(user.email) and user.email_verified


def language_of(user: User | None) -> str:
    """Of somebody who never chose one, the language that all others are translated from."""
    return user.language if user is not None and user.language in languages() else SOURCE


def wants(user: User, kind: MailKind) -> bool:
    """By his own choice. Suspicions have a choice of their own: who wants no mail about finished
    runs may still have to act on a suspicion."""
    if kind is MailKind.SUSPICION:
        return user.mail_suspicions
    if kind in (MailKind.TIER_RAISED, MailKind.TIER_LOWERED):
        return True  # what he pays for, and when it ends, is no news that one declines
    if kind in (MailKind.EXPIRING, MailKind.THAWED):
        return user.mail is not MailChoice.NONE
    if user.mail is MailChoice.FAILURES:
        return kind in ABOUT_FAILURES
    return user.mail is MailChoice.ALL


def needed_right(kind: MailKind, submitted: bool) -> Action:
    """What a receiver must be allowed to do with the run. A suspicion is for those who can
    acknowledge it, and for whoever sent the run; a reviewed report for those who can release it."""
    if kind is MailKind.REPORT_REVIEWED:
        return Action.RELEASE
    if kind is MailKind.SUSPICION and not submitted:
        return Action.ACKNOWLEDGE
    return Action.SEE
