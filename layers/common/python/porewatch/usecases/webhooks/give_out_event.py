"""An event goes to each webhook that asks for it and may hear of it: one delivery each."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from porewatch.domain.facts.fact import Fact
from porewatch.domain.runs import GONE_STATES
from porewatch.domain.webhooks.deliveries import Delivery, delivery_id
from porewatch.domain.webhooks.events import OLDEST, event_of
from porewatch.usecases.webhooks.may_hear import may_hear

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.webhooks.delivery_queue import DeliveryQueue
    from porewatch.adapters.webhooks.store import Webhooks

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Givers:
    """Where runs, people and webhooks are known, and where deliveries are queued."""

    runs: RunLedger
    accounts: Accounts
    webhooks: Webhooks
    queue: DeliveryQueue


def give_out_event(fact: Fact, givers: Givers, at: datetime) -> int:
    """How many webhooks it goes to. A fact that comes again finds its deliveries, and queues again
    those that nobody tried: the queue's message may have been lost with the first call."""
    event = event_of(fact)
    if event is None or at - event.at > OLDEST:
        return 0
    run = givers.runs.find(fact.run_id)
    if run is None or run.state in GONE_STATES:
        return 0
    hears = cache(partial(may_hear, project=run.project, accounts=givers.accounts))
    heard = 0
    for webhook in givers.webhooks.wanting(event.kind, run.project):
        if not hears(webhook.user_id):
            continue
        delivery = Delivery(
            delivery_id=delivery_id(webhook.webhook_id, fact.fact_id),
            webhook_id=webhook.webhook_id,
            event=event,
        )
        if givers.webhooks.add_delivery(delivery) or _untried(delivery, givers.webhooks):
            givers.queue.send(delivery.order())
        heard += 1
    _log.info("%s goes to %d webhooks", event.kind.value, heard)
    return heard


def _untried(delivery: Delivery, webhooks: Webhooks) -> bool:
    return webhooks.delivery(delivery.order()) == delivery
