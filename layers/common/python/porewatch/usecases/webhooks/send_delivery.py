"""One attempt to send a delivery: may it be sent, is it accepted, and what follows if not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from porewatch.domain.errors import (
    AccountRefused,
    AlreadyDone,
    NotFound,
    ReceiverRefused,
    Unavailable,
)
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import GONE_STATES
from porewatch.domain.webhooks import deliveries
from porewatch.domain.webhooks import webhook as rules
from porewatch.domain.webhooks.addresses import Target, target_of
from porewatch.domain.webhooks.deliveries import (
    Delivery,
    DeliveryCode,
    DeliveryOrder,
    DeliveryState,
    Reply,
)
from porewatch.domain.webhooks.signatures import body_of, signed_headers
from porewatch.domain.webhooks.webhook import Webhook
from porewatch.usecases.webhooks.may_hear import may_hear

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.webhooks.store import Webhooks

HEADERS = {"content-type": "application/json", "user-agent": "Porewatch-Webhooks/1"}
COUNTED = "WebhookDeliveriesFailed"
"""The metric of those that were set aside."""
Post = Callable[[Target, bytes, Mapping[str, str]], Reply]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sender:
    """`unseal`: (webhook id, stored secret) -> secret; `root`: address of the API, without a slash
    at its end; `loopback`: http to this machine is allowed (the embedded AWS)."""

    runs: RunLedger
    accounts: Accounts
    webhooks: Webhooks
    unseal: Callable[[str, str], str]
    post: Post
    root: str
    loopback: bool


def send_delivery(order: DeliveryOrder, sender: Sender, at: Callable[[], datetime]) -> None:
    """Raises AlreadyDone when there is nothing to send, Unavailable when it is to be tried again,
    ReceiverRefused when it was tried for the last time."""
    webhook, delivery = sender.webhooks.find(order.webhook_id), sender.webhooks.delivery(order)
    if webhook is None or delivery is None or delivery.over:
        raise AlreadyDone(f"{order.delivery_id} is over, or was removed.")
    run = sender.runs.find(order.run_id) if order.run_id else None
    if code := _hindered(webhook, delivery, run, sender.accounts):
        sender.webhooks.change_delivery(order, lambda one: deliveries.dropped(one, code))
        raise AlreadyDone(f"{order.delivery_id} is not sent: {code.value}.")
    reply = _attempt(webhook, delivery, run, sender, at())
    after = sender.webhooks.change_delivery(
        order, lambda one: deliveries.attempted(one, reply, at())
    )
    _note(webhook, reply, sender.webhooks, at())
    _log.info("%s: %s %s", order.delivery_id, reply.code.value, reply.status or "")
    if after is not None:
        _settle(after)


def _hindered(
    webhook: Webhook, delivery: Delivery, run: RunRecord | None, accounts: Accounts
) -> DeliveryCode | None:
    """Why it must not be sent now."""
    if webhook.stopped is not None:
        return DeliveryCode.STOPPED
    about = delivery.event.run_id
    if about is not None and (run is None or run.state in GONE_STATES):
        return DeliveryCode.RUN_GONE
    heard = may_hear(webhook.user_id, run.project if run else None, accounts=accounts)
    return None if heard else DeliveryCode.NOT_VISIBLE


def _attempt(
    webhook: Webhook, delivery: Delivery, run: RunRecord | None, sender: Sender, at: datetime
) -> Reply:
    try:
        target = target_of(webhook.url, loopback=sender.loopback)
    except AccountRefused:  # it was taken under another setting
        return Reply(DeliveryCode.ADDRESS_REFUSED)
    body = body_of(
        delivery,
        name=(run.name or run.run_id) if run else None,
        project=run.project if run else None,
        links=_links(run, sender.root),
    )
    secrets = [sender.unseal(webhook.webhook_id, one) for one in webhook.sealed_secrets(at)]
    headers = HEADERS | signed_headers(secrets, delivery.delivery_id, body, at)
    return sender.post(target, body, headers)


def _links(run: RunRecord | None, root: str) -> dict[str, str]:
    if run is None:
        return {}
    return {
        "api": f"{root}/runs/{run.run_id}",
        "page": f"{root}/web/runs/{run.run_id}",
    }


def _note(webhook: Webhook, reply: Reply, webhooks: Webhooks, at: datetime) -> None:
    """At the webhook. A success of one that did not fail changes nothing, and writes nothing."""
    accepted = reply.code is DeliveryCode.ACCEPTED
    if accepted and not webhook.failures:
        return
    rule = rules.succeeded if accepted else partial(rules.failed, code=reply.code, at=at)
    try:
        webhooks.change(webhook.webhook_id, rule)
    except NotFound:
        _log.info("%s was deleted meanwhile", webhook.webhook_id)


def _settle(delivery: Delivery) -> None:
    """What becomes of the message. One that the receiver does not want any more (410) is no dead
    letter."""
    if delivery.state is DeliveryState.WAITING:
        raise Unavailable(f"{delivery.delivery_id} was not accepted: {_said(delivery)}.")
    if delivery.state is DeliveryState.FAILED and delivery.code is not DeliveryCode.GONE:
        raise ReceiverRefused(
            f"{delivery.delivery_id} to {delivery.webhook_id} was not accepted in "
            f"{delivery.attempts} attempts: {_said(delivery)}.",
            remedy="ask its user to look at the webhook's deliveries.",
        )


def _said(delivery: Delivery) -> str:
    """By code: what a stranger answered is kept out of the log."""
    code = delivery.code.value if delivery.code else ""
    return f"{code} {delivery.status}" if delivery.status else code
