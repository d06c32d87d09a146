"""Webhooks of the user who asks: made, stopped, given a new secret, tried, deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from porewatch.domain.base import Model, Moment
from porewatch.domain.labels import Label
from porewatch.domain.people import policy
from porewatch.domain.people.absences import absent
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import Action, ProjectId, Scope
from porewatch.domain.people.secrets import new_id
from porewatch.domain.webhooks import webhook as rules
from porewatch.domain.webhooks.addresses import LONGEST, target_of
from porewatch.domain.webhooks.deliveries import (
    Delivery,
    DeliveryCode,
    DeliveryState,
    delivery_id,
    minute_of,
)
from porewatch.domain.webhooks.events import CHOICES, Event, EventKind
from porewatch.domain.webhooks.signatures import new_signing_secret
from porewatch.domain.webhooks.webhook import StopCode, Webhook
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.webhooks.delivery_queue import DeliveryQueue
    from porewatch.adapters.webhooks.store import Webhooks

MOST_SHOWN = 50

Seal = Callable[[str, str], str]
"""(webhook id, secret) -> the secret as it is stored."""


def _chosen(kind: EventKind) -> EventKind:
    if kind not in CHOICES:
        raise ValueError(f"use one of {', '.join(CHOICES)}")
    return kind


Chosen = Annotated[
    EventKind,
    AfterValidator(_chosen),
    WithJsonSchema({"type": "string", "enum": [kind.value for kind in CHOICES]}),
]


@dataclass(frozen=True)
class Setup:
    """`loopback`: http to this machine is allowed (the embedded AWS)."""

    webhooks: Webhooks
    seal: Seal
    loopback: bool


class NewWebhook(Model):
    """`project`: only events of this one; None: of all runs that you may see."""

    name: Label
    url: Annotated[str, StringConstraints(max_length=LONGEST)]
    kinds: Annotated[frozenset[Chosen], Field(min_length=1)]
    project: ProjectId | None = None


class WebhookChange(Model):
    """What is not sent stays. `rotate_secret`: a new secret; the one before signs for 24 hours
    more."""

    enabled: bool | None = None
    rotate_secret: bool = False


class WebhookView(Answer):
    """A webhook without its secret. `stopped`: why nothing is sent to it; None: it is sent.
    `failures`: failed attempts since the last success."""

    webhook_id: str
    name: Label
    url: str
    kinds: tuple[EventKind, ...]
    project: ProjectId | None
    made_at: Moment
    stopped: StopCode | None
    stopped_at: Moment | None
    failures: int
    failing_since: Moment | None


class WebhookMade(WebhookView):
    """A webhook. `secret` is shown here and never again; None: it was not changed."""

    secret: str | None = None


class WebhookList(Answer):
    webhooks: tuple[WebhookView, ...]


class DeliveryView(Answer):
    """What became of one event. `delivery_id`: header `webhook-id`; `code`: what the last attempt
    came to; `answer`: the first characters of what the receiver said."""

    delivery_id: str
    kind: EventKind
    at: Moment
    run_id: str | None
    state: DeliveryState
    code: DeliveryCode | None
    status: int | None
    answer: str
    attempts: int
    attempted_at: Moment | None


class DeliveryList(Answer):
    """The newest first, of the last four weeks."""

    deliveries: tuple[DeliveryView, ...]


class TestSent(Answer):
    """A test is under way: its delivery says what becomes of it. One is sent in a minute."""

    delivery_id: str


def make_webhook(new: NewWebhook, who: Principal, at: datetime, setup: Setup) -> WebhookMade:
    """AccountRefused for an address that is never sent to, and for too many; NotFound for a project
    where he has no role."""
    user_id = policy.require_user(who, Scope.MANAGE)
    target_of(new.url, loopback=setup.loopback)
    if new.project is not None:
        policy.require(who, Action.SEE, new.project, absent=absent("project", new.project))
    webhook_id, secret = new_id("w"), new_signing_secret()
    webhook = Webhook(
        webhook_id=webhook_id,
        user_id=user_id,
        name=new.name,
        url=new.url,
        kinds=new.kinds,
        project=new.project,
        sealed_secret=setup.seal(webhook_id, secret),
        made_at=at,
    )
    setup.webhooks.add(webhook)
    return _made(webhook, secret)


def list_webhooks(who: Principal, *, webhooks: Webhooks) -> WebhookList:
    """In the order in which they were made."""
    mine = webhooks.of_user(policy.require_user(who, Scope.READ))
    return WebhookList(webhooks=tuple(map(_view, mine)))


def change_webhook(
    webhook_id: str, change: WebhookChange, who: Principal, at: datetime, setup: Setup
) -> WebhookMade:
    """NotFound for one of somebody else, too."""
    _own(webhook_id, who, Scope.MANAGE, setup.webhooks)
    secret = new_signing_secret() if change.rotate_secret else None
    sealed = setup.seal(webhook_id, secret) if secret else None

    def rule(webhook: Webhook) -> Webhook:
        after = rules.rotated(webhook, sealed, at) if sealed else webhook
        if change.enabled is None:
            return after
        if change.enabled:
            return rules.started(after)
        return rules.stopped(after, StopCode.BY_USER, at)

    return _made(setup.webhooks.change(webhook_id, rule), secret)


def delete_webhook(webhook_id: str, who: Principal, *, webhooks: Webhooks) -> None:
    """With all that is known of its deliveries. NotFound for one of somebody else, too."""
    webhooks.remove(_own(webhook_id, who, Scope.MANAGE, webhooks))


def list_deliveries(
    webhook_id: str, who: Principal, *, webhooks: Webhooks, most: int = MOST_SHOWN
) -> DeliveryList:
    """NotFound for a webhook of somebody else, too."""
    _own(webhook_id, who, Scope.READ, webhooks)
    return DeliveryList(deliveries=tuple(map(_sent, webhooks.deliveries(webhook_id, most))))


def send_test(
    webhook_id: str, who: Principal, at: datetime, *, webhooks: Webhooks, queue: DeliveryQueue
) -> TestSent:
    """A signed request without a run. AccountRefused for a webhook that is stopped."""
    webhook = _own(webhook_id, who, Scope.MANAGE, webhooks)
    rules.refuse_stopped(webhook)
    minute = minute_of(at)
    delivery = Delivery(
        delivery_id=delivery_id(webhook_id, f"test {minute.isoformat()}"),
        webhook_id=webhook_id,
        event=Event(kind=EventKind.TEST, at=minute),
    )
    if webhooks.add_delivery(delivery):  # however often he asks, one message in a minute
        queue.send(delivery.order())
    return TestSent(delivery_id=delivery.delivery_id)


def _own(webhook_id: str, who: Principal, scope: Scope, webhooks: Webhooks) -> Webhook:
    user_id = policy.require_user(who, scope)
    webhook = webhooks.find(webhook_id)
    if webhook is None or webhook.user_id != user_id:
        raise absent("webhook", webhook_id)
    return webhook


def _view(webhook: Webhook) -> WebhookView:
    shown = webhook.model_dump(include=set(WebhookView.model_fields) - {"kinds"})
    return WebhookView(**shown, kinds=_in_order(webhook.kinds))


def _made(webhook: Webhook, secret: str | None) -> WebhookMade:
    return WebhookMade(**_view(webhook).model_dump(), secret=secret)


def _in_order(kinds: frozenset[EventKind]) -> tuple[EventKind, ...]:
    return tuple(kind for kind in CHOICES if kind in kinds)


def _sent(delivery: Delivery) -> DeliveryView:
    event = delivery.event
    shown = delivery.model_dump(include=set(DeliveryView.model_fields))
    return DeliveryView(**shown, kind=event.kind, at=event.at, run_id=event.run_id)
