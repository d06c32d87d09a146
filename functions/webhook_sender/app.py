"""Sends one delivery of a webhook; puts it off when it is not accepted, and aside at last."""

from functools import partial

from porewatch.adapters.messages.metrics import Metrics
from porewatch.adapters.messages.worker_queue import DeadLetters
from porewatch.adapters.webhooks.request import post
from porewatch.adapters.webhooks.sealed_secrets import unseal
from porewatch.domain.base import now
from porewatch.domain.errors import Refused
from porewatch.domain.webhooks.deliveries import DeliveryOrder
from porewatch.edge import wiring
from porewatch.edge.queue import QueueMessage, on_queue
from porewatch.settings import settings
from porewatch.usecases.stages.set_message_aside import set_message_aside
from porewatch.usecases.webhooks.send_delivery import COUNTED, Sender, send_delivery


def put_off(receipt: str, receives: int) -> None:
    wiring.delivery_queue().again(receipt, receives)


def set_aside(raw: QueueMessage, error: Refused) -> None:
    letters = DeadLetters(settings().delivery_dead_letters_url)
    metrics = Metrics(settings().stack_name)
    set_message_aside(
        raw.body, raw.mac, error, dead_letters=letters, metrics=metrics, at=now(), counted=COUNTED
    )


@on_queue(DeliveryOrder, again=put_off, aside=set_aside)
def lambda_handler(order: DeliveryOrder) -> None:
    config = settings()
    sender = Sender(
        runs=wiring.runs(),
        accounts=wiring.accounts(),
        webhooks=wiring.webhooks(),
        unseal=partial(unseal, config.webhook_key_arn),
        post=post,
        root=config.api_url,
        loopback=config.webhooks_to_loopback,
    )
    send_delivery(order, sender, now)
