"""Tell people, each thing once: suspicions to the alert topic at once, the rest as a notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain.events import Fact, PathogenSuspected
from porewatch.domain.notices import Link, notice_of

if TYPE_CHECKING:
    from porewatch.adapters.inbox import Inbox
    from porewatch.adapters.notices import Topic


def send_alert(fact: Fact, *, inbox: Inbox, alerts: Topic, notices: Topic, link: Link) -> None:
    """AlreadyDone when it was told before; facts nobody is told of are passed over."""
    told = notice_of(fact, link)
    if told is None:
        return
    key, notice = told
    topic = alerts if isinstance(fact, PathogenSuspected) else notices
    with inbox.once(f"notice:{key}"):
        topic.publish(notice)
