"""Whose tier a run is held to. Pure; doors, limits, sums by user and the archive ask here."""

from __future__ import annotations

import re

from porewatch.domain.people.roles import USER_ID, UserId


def held_to_tier(submitted_by: str | None) -> UserId | None:
    """The user, by what the run's record says of who registered it. None, so no tier: nobody did
    (operator's command line, sequencer), or an operator's program did, under the name of its key.

    >>> held_to_tier("u-aaaaaaaaaaaaaaaa")
    'u-aaaaaaaaaaaaaaaa'
    >>> held_to_tier("a program") is None
    True
    """
    if submitted_by is None or re.fullmatch(USER_ID, submitted_by) is None:
        return None
    return submitted_by
