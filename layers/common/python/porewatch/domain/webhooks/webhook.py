"""A webhook, and what becomes of it: stopped by its user, or when its receiver fails. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import AccountRefused
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ProjectId, UserId
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.domain.webhooks.deliveries import DeliveryCode
from porewatch.domain.webhooks.events import EventKind, KindSet

WEBHOOK_ID = r"^w-[a-z2-7]{16}$"
WebhookId = Annotated[str, StringConstraints(pattern=WEBHOOK_ID)]
MOST_OF_A_USER = 5
FAILS_FOR = timedelta(days=3)
"""A receiver that has failed for so long, and so often, is sent nothing any more."""
FAILS_TIMES = 10
BOTH_SECRETS = timedelta(hours=24)
"""For so long after a rotation, requests are signed by the earlier secret as well."""


class StopCode(StrEnum):
    """Why nothing is sent to a webhook."""

    BY_USER = "by_user"
    GONE = "gone"  # the receiver answered 410
    FAILING = "failing"


class Webhook(Model):
    """Where a user wants to hear of which events: of one project, or of all that he may see.
    `sealed_secret`: by KMS, so that only the sender reads it (base64)."""

    webhook_id: WebhookId
    user_id: UserId
    name: Label
    url: str
    kinds: KindSet
    project: ProjectId | None = None
    sealed_secret: str
    earlier_secret: Annotated[str, Field(description="sealed; empty: none")] = ""
    earlier_until: Moment | None = None
    made_at: Moment
    stopped: StopCode | None = None
    stopped_at: Moment | None = None
    failures: Annotated[int, Field(ge=0, description="failed attempts since the last success")] = 0
    failing_since: Moment | None = None

    def wants(self, kind: EventKind, project: ProjectId) -> bool:
        return self.stopped is None and kind in self.kinds and self.project in (None, project)

    def sealed_secrets(self, at: datetime) -> tuple[str, ...]:
        """Those that sign at this moment, the newest first."""
        earlier = self.earlier_until is not None and at < self.earlier_until
        return (self.sealed_secret, self.earlier_secret) if earlier else (self.sealed_secret,)


def started(webhook: Webhook) -> Webhook:
    """It is sent again, and no earlier failure counts."""
    over = {"stopped": None, "stopped_at": None, "failures": 0, "failing_since": None}
    return webhook.model_copy(update=over)


def stopped(webhook: Webhook, code: StopCode, at: datetime) -> Webhook:
    """Nothing is sent to it any more. The first reason stays."""
    if webhook.stopped is not None:
        return webhook
    return webhook.model_copy(update={"stopped": code, "stopped_at": at})


def rotated(webhook: Webhook, sealed: str, at: datetime) -> Webhook:
    """With a new secret. The one before signs as well, for a day; one before that no more."""
    earlier = {"earlier_secret": webhook.sealed_secret, "earlier_until": at + BOTH_SECRETS}
    return webhook.model_copy(update={"sealed_secret": sealed, **earlier})


def succeeded(webhook: Webhook) -> Webhook:
    """A request was accepted."""
    return webhook.model_copy(update={"failures": 0, "failing_since": None})


def failed(webhook: Webhook, code: DeliveryCode, at: datetime) -> Webhook:
    """An attempt failed: it counts, and may be the last one for this webhook."""
    since = webhook.failing_since or at
    after = webhook.model_copy(update={"failures": webhook.failures + 1, "failing_since": since})
    if code is DeliveryCode.GONE:
        return stopped(after, StopCode.GONE, at)
    if after.failures >= FAILS_TIMES and at - since >= FAILS_FOR:
        return stopped(after, StopCode.FAILING, at)
    return after


def refuse_stopped(webhook: Webhook) -> None:
    """AccountRefused for a webhook that nothing is sent to."""
    if webhook.stopped is not None:
        raise AccountRefused(because(PeopleCode.WEBHOOK_STOPPED), remedy="start it again first.")


def with_one_more(webhook_ids: tuple[str, ...], webhook_id: str) -> tuple[str, ...]:
    """The webhooks of a user. AccountRefused for more than he may have."""
    if len(webhook_ids) >= MOST_OF_A_USER:
        why = because(PeopleCode.WEBHOOK_TOO_MANY, most=MOST_OF_A_USER)
        raise AccountRefused(why, remedy="delete one first.")
    return (*webhook_ids, webhook_id)
