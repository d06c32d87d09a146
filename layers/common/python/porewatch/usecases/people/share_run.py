"""Links to one report of one run, for somebody without an account: read-only, for some days,
revocable. The run was reached before (`reach_run`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused, NotFound
from porewatch.domain.labels import Label
from porewatch.domain.people import account_rules, policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.credentials import LONGEST_SHARE, ShareLink
from porewatch.domain.people.principal import NOBODY, Means, Principal
from porewatch.domain.people.roles import USER_ID, Action
from porewatch.domain.people.secrets import Kind, digest_of, is_secret, new_secret
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import GONE_STATES
from porewatch.usecases.people.identify import user_principal
from porewatch.usecases.people.repeats import Repeat, once, refuse_second_secret
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.credentials import ShareLinks

USUAL_DAYS = 14


class NewShare(Model):
    """`note`: for whom, or why."""

    days: Annotated[int, Field(ge=1, le=LONGEST_SHARE.days)] = USUAL_DAYS
    note: Label | None = None


class ShareView(Answer):
    """A link without its secret. `views`: how often it was opened."""

    share_id: str
    run_id: str
    revision: int
    made_by: str
    made_at: Moment
    expires_at: Moment
    note: Label | None
    revoked_at: Moment | None
    views: int


class ShareMade(ShareView):
    """A new link. `secret` and `path` (of the pages) are shown here and never again."""

    secret: str
    path: str


class ShareList(Answer):
    shares: tuple[ShareView, ...]


class Shared(Model):
    """What an open link shows."""

    run_id: str
    revision: int
    expires_at: Moment
    note: Label | None


def share(
    run: RunRecord,
    new: NewShare,
    who: Principal,
    at: datetime,
    *,
    links: ShareLinks,
    repeat: Repeat | None = None,
) -> ShareMade:
    """A link to the report of the newest completed revision. NotFound while there is none; what
    `repeat` raises, and AccountRefused for a request that is sent twice."""
    shown = reported(run)
    if shown is None or run.state in GONE_STATES:
        problem = f"run {run.run_id} has no report: it is {run.state.value}."
        raise NotFound(problem, remedy="share it when it is completed.")
    secret = new_secret(Kind.SHARE)
    link = ShareLink(
        share_id=digest_of(secret),
        run_id=run.run_id,
        revision=shown.revision,
        made_by=who.user_id or who.name,
        made_at=at,
        expires_at=at + timedelta(days=new.days),
        note=new.note,
    )
    path = f"/web/share/{secret}"

    def make(beside: Sequence[Any]) -> ShareMade:
        links.add(link, beside)
        return ShareMade(secret=secret, path=path, **_view(link, 0).model_dump())

    return once(
        repeat, who, new, fresh=link.share_id, make=make, again=refuse_second_secret("link")
    )


def list_shares(run_id: str, *, links: ShareLinks) -> ShareList:
    """The newest first; those that are over stay for a week."""
    found = sorted(links.of_run(run_id), key=lambda one: one.made_at, reverse=True)
    views = links.views(found)
    return ShareList(shares=tuple(_view(one, views.get(one.share_id, 0)) for one in found))


def revoke_share(run_id: str, share_id: str, at: datetime, *, links: ShareLinks) -> ShareView:
    """Idempotent. NotFound for a link to another run, too."""
    found = links.find(share_id)
    if found is None or found.run_id != run_id:
        raise absent("link", share_id)
    revoked = links.change(share_id, lambda link: account_rules.revoke(link, at))
    return _view(revoked, links.views([revoked]).get(share_id, 0))


def open_share(
    secret: str, at: datetime, *, links: ShareLinks, runs: RunLedger, accounts: Accounts
) -> Shared:
    """What the link of this secret shows; the view is counted. NotFound for any other secret and
    for a deleted run; AccountRefused when it has expired, was revoked, or whoever made it may share
    the run no longer."""
    link = links.find(digest_of(secret)) if is_secret(Kind.SHARE, secret) else None
    if link is None:
        raise absent("link", secret[:8])
    account_rules.refuse_over(link, at)
    run = runs.find(link.run_id)
    if run is None or run.state in GONE_STATES:
        raise absent("link", secret[:8])
    _refuse_unless_shared(link, run, accounts)
    links.viewed(link)
    return Shared(
        run_id=link.run_id, revision=link.revision, expires_at=link.expires_at, note=link.note
    )


def _refuse_unless_shared(link: ShareLink, run: RunRecord, accounts: Accounts) -> None:
    """A member who was removed does not go on reading by a link of his own. A link whose maker is
    no user was made by the holder of a key: it is revoked by hand."""
    if not re.fullmatch(USER_ID, link.made_by):
        return
    maker = accounts.user(link.made_by)
    who = NOBODY
    if maker is not None and not maker.disabled:
        who = user_principal(maker, Means.SESSION, accounts)
    if not policy.may(who, Action.SHARE, run.project):
        raise AccountRefused(because(PeopleCode.SHARE_REVOKED), remedy=account_rules.ASK_AGAIN)


def _view(link: ShareLink, views: int) -> ShareView:
    return ShareView(**link.model_dump(), views=views)
