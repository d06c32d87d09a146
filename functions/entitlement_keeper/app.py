"""Reads a customer's subscriptions again and keeps what he may; once a day, all customers'."""

from porewatch.adapters.messages.bus import Bus
from porewatch.adapters.messages.metrics import Metrics
from porewatch.adapters.messages.worker_queue import DeadLetters
from porewatch.domain.base import now
from porewatch.domain.billing.billing_event import BillingEvent
from porewatch.domain.errors import Refused
from porewatch.edge import wiring
from porewatch.edge.queue import QueueMessage, on_queue
from porewatch.settings import settings
from porewatch.usecases.billing.read_subscriptions import Reader, read_subscriptions
from porewatch.usecases.stages.set_message_aside import set_message_aside

COUNTED = "BillingEventsRefused"


def put_off(receipt: str, receives: int) -> None:
    wiring.billing_queue().again(receipt, receives)


def set_aside(raw: QueueMessage, error: Refused) -> None:
    letters = DeadLetters(settings().billing_dead_letters_url)
    metrics = Metrics(settings().stack_name)
    set_message_aside(
        raw.body, raw.mac, error, dead_letters=letters, metrics=metrics, at=now(), counted=COUNTED
    )


@on_queue(BillingEvent, again=put_off, aside=set_aside)
def lambda_handler(event: BillingEvent) -> None:
    reader = Reader(
        accounts=wiring.accounts(),
        customers=wiring.customers(),
        entitlements=wiring.entitlements(),
        provider=wiring.stripe_api(),
        publish=Bus(settings().bus_name).publish,
        ask=wiring.billing_queue().send,
        unpaid=settings().unpaid_tier,
        clock=now,
    )
    read_subscriptions(event, reader)
