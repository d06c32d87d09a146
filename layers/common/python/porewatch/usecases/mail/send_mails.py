"""A fact becomes mails: one to each person who should know, each once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import (
    AlreadyDone,
    NotFound,
    ReceiverRefused,
    Unavailable,
)
from porewatch.domain.facts.fact import Fact
from porewatch.domain.mail.declining import Declined, group_of, link_holds
from porewatch.domain.mail.letter import AboutRun, Letter, letter_about
from porewatch.domain.mail.occasions import OLDEST, MailKind, Occasion, occasion_of
from porewatch.domain.mail.recipients import (
    WAITING,
    language_of,
    needed_right,
    reachable,
    wants,
)
from porewatch.domain.people import policy
from porewatch.domain.people.accounts import User
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Action
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import GONE_STATES
from porewatch.usecases.people.identify import user_principal

if TYPE_CHECKING:
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.mail_suppressions import Suppressions

_log = logging.getLogger(__name__)
Send = Callable[[str, Letter], str]
"""(address, letter) -> the id that SES gives it. None of a stack that sends no mail."""


@dataclass(frozen=True)
class PostOffice:
    """`token`: what a link to unsubscribe holds; `root`: address of the pages' root, without a
    slash at its end."""

    runs: RunLedger
    accounts: Accounts
    inbox: Inbox
    suppressions: Suppressions
    send: Send
    token: Callable[[Declined], str]
    root: str


def send_mails(fact: Fact, office: PostOffice, at: datetime) -> int:
    """How many were sent. A fact that comes again sends those that are missing.

    Raises Unavailable when some could not be sent yet (nobody waits for a receiver whose mail is
    refused), ReceiverRefused when SES will never take some of them.
    """
    occasion = occasion_of(fact)
    if occasion is None or at - occasion.at > OLDEST:
        return 0
    run = office.runs.find(fact.run_id)
    if run is None or run.state in GONE_STATES or not _visible(occasion, run):
        return 0
    sent, refused = 0, []
    for user in _receivers(occasion, run, office):
        try:
            sent += _send(occasion, run, user, office, at)
        except ReceiverRefused as error:
            _log.warning("mail to %s is refused: %s", user.user_id, error)
            refused.append(user.user_id)
    if refused:
        raise ReceiverRefused(
            f"{occasion.key} was not sent to {', '.join(refused)}: SES refuses it.",
            remedy="docs/mail.md, then porewatch redrive.",
        )
    return sent


def _visible(occasion: Occasion, run: RunRecord) -> bool:
    """Whether pages show what the mail leads to. Raises Unavailable while they do not yet: a mail
    must not arrive before its result."""
    if occasion.kind not in (MailKind.RUN_COMPLETED, MailKind.RUN_NOT_REPORTABLE):
        return True
    shown = [one for one in (run, run.standing) if one is not None and one.report_keys]
    if not any(one.revision >= occasion.revision for one in shown):
        raise Unavailable(f"{occasion.key}: its report is not shown yet.")
    return True


def _receivers(occasion: Occasion, run: RunRecord, office: PostOffice) -> Iterator[User]:
    """In one order, so that two calls do not wait for each other."""
    accounts = office.accounts
    ids = {one.user_id for one in accounts.members(run.project)}
    if group := _group(run, accounts):
        ids |= {one.user_id for one in accounts.members(group)}
    ids |= {run.submitted_by} if run.submitted_by else set()
    for _, user in sorted(accounts.some_users(sorted(ids - {occasion.by})).items()):
        if reachable(user) and wants(user, occasion.kind) and _may(occasion, run, user, accounts):
            yield user


def _group(run: RunRecord, accounts: Accounts) -> str | None:
    try:
        return accounts.project(run.project).group_id
    except NotFound:
        return None


def _may(occasion: Occasion, run: RunRecord, user: User, accounts: Accounts) -> bool:
    right = needed_right(occasion.kind, submitted=user.user_id == run.submitted_by)
    return policy.may(user_principal(user, Means.SESSION, accounts), right, run.project)


def _waits(occasion: Occasion, run: RunRecord, user: User, accounts: Accounts) -> bool:
    """Whether there is a report that he may review."""
    if occasion.kind not in WAITING:
        return False
    who = user_principal(user, Means.SESSION, accounts)
    return policy.may(who, Action.REVIEW, run.project)


def _send(occasion: Occasion, run: RunRecord, user: User, office: PostOffice, at: datetime) -> int:
    """1, or 0 when he has it already or his address gets none."""
    if office.suppressions.find(user.email) is not None:
        _log.info("no mail to %s: his address is suppressed", user.user_id)
        return 0
    declined = link_holds(user.user_id, group_of(occasion.kind), at)
    about = AboutRun(
        name=run.name or run.run_id,
        project=_project(run, office),
        root=office.root,
        waits=_waits(occasion, run, user, office.accounts),
    )
    try:
        with office.inbox.once(f"mail:{occasion.key}:{user.user_id}"):
            token = office.token(declined)
            unsubscribe = f"{office.root}/web/unsubscribe?token={token}"
            letter = letter_about(occasion, about, language_of(user), unsubscribe)
            mail_id = office.send(user.email, letter)
    except AlreadyDone:
        return 0
    _log.info("%s to %s is mail %s", occasion.key, user.user_id, mail_id)
    return 1


def _project(run: RunRecord, office: PostOffice) -> str:
    try:
        return office.accounts.project(run.project).name
    except NotFound:
        return run.project
