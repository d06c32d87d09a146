"""An invitation is mailed to the address that it is meant for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.mail.letter import Letter, invitation_letter
from porewatch.domain.mail.recipients import language_of
from porewatch.usecases.people.invite import InvitationMade

if TYPE_CHECKING:
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.mail_suppressions import Suppressions

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counter:
    """Where one letter is handed in. `root`: address of the pages' root, without a slash at its
    end."""

    send: Callable[[str, Letter], str]
    suppressions: Suppressions
    accounts: Accounts
    root: str


def mail_invitation(made: InvitationMade, counter: Counter) -> InvitationMade:
    """The same, and whether it was mailed. Never an error: who invites has the link as well, and a
    second request would make a second invitation."""
    try:
        if counter.suppressions.find(made.email) is not None:
            return made
        mail_id = counter.send(made.email, _letter(made, counter))
    except PorewatchError as error:
        _log.warning("an invitation was not mailed: %s", error)
        return made
    _log.info("invitation %s is mail %s", made.invitation_id[:12], mail_id)
    return made.model_copy(update={"mailed": True})


def _letter(made: InvitationMade, counter: Counter) -> Letter:
    accounts = counter.accounts
    giver = accounts.user(made.given_by) if made.given_by else None
    find = accounts.group if made.place.startswith("g-") else accounts.project
    return invitation_letter(
        place=find(made.place).name,
        given_by=giver.name if giver else "",
        roles=tuple(role.value for role in made.roles),
        until=made.expires_at,
        url=counter.root + made.path,
        language=language_of(giver),
    )
