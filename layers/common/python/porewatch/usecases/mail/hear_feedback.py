"""What SES says of mail that it sent: addresses that bounce or complain get no more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain.mail.suppression import MailFeedback

if TYPE_CHECKING:
    from porewatch.adapters.people.mail_suppressions import Suppressions

_log = logging.getLogger(__name__)


def hear_feedback(feedback: MailFeedback, *, suppressions: Suppressions) -> int:
    """How many addresses get no mail from now on."""
    found = feedback.suppressed()
    for address, why in found:
        suppressions.add(address, why)
        _log.warning("an address gets no more mail: %s", why.code.value)
    return len(found)
