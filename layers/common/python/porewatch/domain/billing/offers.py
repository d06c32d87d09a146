"""What is for sale here."""

from __future__ import annotations

from porewatch.domain.errors import AccountRefused
from porewatch.domain.reasons.reason import PeopleCode, because


def nothing_sold() -> AccountRefused:
    """This stack has no payment provider, or its users have the highest tier anyway."""
    return AccountRefused(because(PeopleCode.NOTHING_SOLD))
