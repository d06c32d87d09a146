"""One event to one webhook: what became of it, and when it is tried again. Pure."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model, Moment
from porewatch.domain.runs import RunId
from porewatch.domain.visible import visible
from porewatch.domain.webhooks.events import OLDEST, Event

DeliveryId = Annotated[str, StringConstraints(pattern=r"^msg_[a-z2-7]{32}$")]
WAITS = (30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
"""Seconds before each further attempt: ten attempts in a day. (SQS hides a message for at most
twelve hours.)"""
MOST_ATTEMPTS = len(WAITS) + 1
LONGEST_ANSWER = 200
KEPT = 2 * OLDEST
"""Longer than an event is sent at all: one that comes twice finds its delivery."""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"  # it should not be sent any more


class DeliveryCode(StrEnum):
    """What the last attempt came to, or why there is none."""

    ACCEPTED = "accepted"  # 2xx
    REFUSED = "refused"  # any other status
    REDIRECTED = "redirected"  # 3xx: not followed
    GONE = "gone"  # 410
    TIMED_OUT = "timed_out"
    NOT_FOUND = "not_found"  # the name has no address
    ADDRESS_REFUSED = "address_refused"  # an address of the name is not of the public internet
    NOT_CONNECTED = "not_connected"
    NOT_TRUSTED = "not_trusted"  # the certificate does not hold for the name
    NOT_HTTP = "not_http"
    STOPPED = "stopped"  # the webhook is
    NOT_VISIBLE = "not_visible"  # its user may not see the run any more
    RUN_GONE = "run_gone"


class Reply(NamedTuple):
    """What an attempt came to. `text`: the first characters of the answer's body."""

    code: DeliveryCode
    status: int | None = None
    text: str = ""


class Delivery(Model):
    """An event on its way to a webhook. Its id is the same however often the event comes, and no
    two webhooks have one in common."""

    delivery_id: DeliveryId
    webhook_id: str
    event: Event
    state: DeliveryState = DeliveryState.WAITING
    code: DeliveryCode | None = None
    status: Annotated[int | None, Field(description="HTTP status of the last answer")] = None
    answer: Annotated[str, Field(description="the first characters of its body")] = ""
    attempts: Annotated[int, Field(ge=0)] = 0
    attempted_at: Moment | None = None

    @property
    def over(self) -> bool:
        """Nothing more is to be done. (One that failed may be sent again by an operator.)"""
        return self.state in (DeliveryState.DELIVERED, DeliveryState.DROPPED)

    def order(self) -> DeliveryOrder:
        event = self.event
        return DeliveryOrder(
            webhook_id=self.webhook_id,
            delivery_id=self.delivery_id,
            event_at=event.at,
            run_id=event.run_id,
        )


class DeliveryOrder(Model):
    """The message by which a delivery is sent. `event_at`: a part of its key."""

    webhook_id: str
    delivery_id: DeliveryId
    event_at: Moment
    run_id: RunId | None = None


def delivery_id(webhook_id: str, about: str) -> DeliveryId:
    """Of the event `about` (a fact's id) to this webhook. Whoever receives it cannot guess from it
    what a fact's id holds (a sample, a pathogen): it is mixed with an id of 80 random bits that is
    never sent."""
    digest = hashlib.sha256(f"{webhook_id}\n{about}".encode()).digest()[:20]
    return f"msg_{base64.b32encode(digest).decode().lower()}"


def attempted(delivery: Delivery, reply: Reply, at: datetime) -> Delivery:
    """After an attempt. It has failed when no further one follows."""
    attempts = delivery.attempts + 1
    state = DeliveryState.WAITING
    if reply.code is DeliveryCode.ACCEPTED:
        state = DeliveryState.DELIVERED
    elif reply.code is DeliveryCode.GONE or attempts >= MOST_ATTEMPTS:
        state = DeliveryState.FAILED
    return delivery.model_copy(
        update={
            "state": state,
            "code": reply.code,
            "status": reply.status,
            "answer": visible(reply.text)[:LONGEST_ANSWER],
            "attempts": attempts,
            "attempted_at": at,
        }
    )


def dropped(delivery: Delivery, code: DeliveryCode) -> Delivery:
    """It is not sent, and this is why."""
    return delivery.model_copy(update={"state": DeliveryState.DROPPED, "code": code})


def wait_after(receives: int) -> int:
    """Seconds until a message that was received so often is tried again.

    >>> wait_after(1), wait_after(99)
    (30, 28800)
    """
    return WAITS[min(receives, len(WAITS)) - 1]


def forgotten_at(delivery: Delivery) -> datetime:
    return delivery.event.at + KEPT


def minute_of(at: datetime) -> datetime:
    """Tests of a webhook are sent once a minute at most."""
    return at - timedelta(seconds=at.second, microseconds=at.microsecond)
