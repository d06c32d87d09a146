"""Tell people, each thing once: alerts and what becomes of them on the alert topic, alerts that
nobody acknowledged on the escalation topic, the rest as a notice."""

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
    """Where messages go."""

    alerts: Topic
    notices: Topic
    escalations: Topic

    def of(self, fact: Fact) -> Topic:
        if isinstance(fact, AlertEscalated):
            return self.escalations
        return self.alerts if goes_to_alerts(fact) else self.notices


def send_notice(fact: Fact, *, inbox: Inbox, notices: Topic) -> None:
    """The notice of a fact that has one, from the place where it came about; whoever hears of the
    fact later finds it sent. AlreadyDone when that was first."""
    keyed = notice_of(fact, str)
    if keyed is None:
        return
    key, notice = keyed
    with inbox.once(f"notice:{key}"):
        notices.publish(notice)


def send_alert(fact: Fact, *, inbox: Inbox, topics: Topics, link: Link) -> None:
    """AlreadyDone when it was sent before; facts nobody is sent are passed over."""
    keyed = notice_of(fact, link)
    if keyed is None:
        return
    key, notice = keyed
    with inbox.once(f"notice:{key}"):
        topics.of(fact).publish(notice)
