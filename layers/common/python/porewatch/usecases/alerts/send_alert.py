"""Send each notice once: alerts and their outcome on the alert topic, unacknowledged alerts on the
escalation topic, everything else on the notice topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from porewatch.domain.facts.alert_facts import AlertEscalated
from porewatch.domain.facts.fact import Fact
from porewatch.domain.notices.alert_notices import goes_to_alerts
from porewatch.domain.notices.run_notices import (
    Link,
    notice_of,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.messages.notices import Topic


@dataclass(frozen=True)
class Topics:
    """The SNS topics, by audience."""

    alerts: Topic
    notices: Topic
    escalations: Topic

    def of(self, fact: Fact) -> Topic:
        if isinstance(fact, AlertEscalated):
            return self.escalations
        return self.alerts if goes_to_alerts(fact) else self.notices


def send_notice(fact: Fact, *, inbox: Inbox, notices: Topic) -> None:
    """Send the notice of a fact that has one, from where the fact is recorded; later consumers of
    the fact find it sent. AlreadyDone when it was sent before."""
    keyed = notice_of(fact, str)
    if keyed is None:
        return
    key, notice = keyed
    with inbox.once(f"notice:{key}"):
        notices.publish(notice)


def send_alert(fact: Fact, *, inbox: Inbox, topics: Topics, link: Link) -> None:
    """AlreadyDone when it was sent before. Does nothing for facts without a notice."""
    keyed = notice_of(fact, link)
    if keyed is None:
        return
    key, notice = keyed
    with inbox.once(f"notice:{key}"):
        topics.of(fact).publish(notice)
