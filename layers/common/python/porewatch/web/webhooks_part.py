"""The part of the account page about webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from porewatch.domain.webhooks.events import CHOICES, EventKind
from porewatch.edge import wiring
from porewatch.usecases.people.places import ProjectView
from porewatch.usecases.webhooks.manage_webhooks import (
    DeliveryView,
    WebhookView,
    list_deliveries,
    list_webhooks,
)
from porewatch.web.router import Visit

LAST = 5


class Hook(NamedTuple):
    """A webhook and its last events, the newest first."""

    view: WebhookView
    deliveries: tuple[DeliveryView, ...]


class WebhooksPart(NamedTuple):
    """What the template of the part asks for. `projects`: names of those that can be chosen."""

    shown: tuple[Hook, ...]
    projects: Mapping[str, str]
    kinds: tuple[EventKind, ...] = CHOICES


def webhooks_part(visit: Visit, projects: Iterable[ProjectView]) -> WebhooksPart:
    known = wiring.webhooks()

    def last(one: WebhookView) -> tuple[DeliveryView, ...]:
        found = list_deliveries(one.webhook_id, visit.who, webhooks=known, most=LAST)
        return found.deliveries

    mine = list_webhooks(visit.who, webhooks=known).webhooks
    return WebhooksPart(
        shown=tuple(Hook(one, last(one)) for one in mine),
        projects={one.project_id: one.name for one in projects},
    )
