"""Webhooks and their deliveries in the people table.

WEBHOOK#id       WEBHOOK | DELIVERY#time#id (forgotten by TTL)
WEBHOOKS#user    LIST (the ids of his webhooks)
WEBHOOKS#place   WEBHOOK#id, for each webhook; place: a project, or `all`

None of it is below a user, so whoever may write it may write nothing of users and roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from itertools import islice

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.batches import batches
from porewatch.adapters.items import Item, PutNew, Remove
from porewatch.adapters.people.changes import Stored, changed
from porewatch.adapters.table import Change, Table
from porewatch.domain.base import Model
from porewatch.domain.errors import AlreadyDone, NotFound
from porewatch.domain.people.absences import absent
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.webhooks.deliveries import Delivery, DeliveryOrder, forgotten_at
from porewatch.domain.webhooks.events import EventKind
from porewatch.domain.webhooks.webhook import WEBHOOK_ID, Webhook, with_one_more

LIST, WEBHOOK, DELIVERY = "LIST", "WEBHOOK", "DELIVERY#"
ALL = "all"
"""The place of webhooks that are not of one project."""
REMOVED_AT_ONCE = 100
"""As many as DynamoDB takes."""


class WebhookList(Model):
    """The webhooks of a user. One item, so that no two requests can pass his limit together."""

    webhook_ids: tuple[str, ...] = ()


class Webhooks:
    """In table `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, webhook: Webhook) -> None:
        """AccountRefused when its user has as many as he may have."""
        beside = [
            PutNew(_item(webhook)),
            PutNew(_pointer(webhook)),
        ]
        self._change_list(
            webhook.user_id, lambda ids: with_one_more(ids, webhook.webhook_id), beside
        )

    def find(self, webhook_id: str) -> Webhook | None:
        if not re.fullmatch(WEBHOOK_ID, webhook_id):
            return None  # what somebody wrote into an address: no key of ours
        item = self._table.get(_key(webhook_id), WEBHOOK)
        return item.model(Webhook) if item else None

    def change(self, webhook_id: str, rule: Callable[[Webhook], Webhook]) -> Webhook:
        """Apply a pure rule. NotFound."""
        problem = absent("webhook", webhook_id).problem
        return changed(
            self._table, Stored(_key(webhook_id), WEBHOOK, Webhook, _item, problem), rule
        )

    def remove(self, webhook: Webhook) -> None:
        """The webhook, and what is known of its deliveries. Idempotent."""
        without = lambda ids: tuple(one for one in ids if one != webhook.webhook_id)  # noqa: E731
        beside = [Remove(_item(webhook)), Remove(_pointer(webhook))]
        self._change_list(webhook.user_id, without, beside)
        key = _key(webhook.webhook_id)
        known = [Remove(Item(key, sk)) for sk in self._table.sort_keys(key)]
        for some in batches(known, REMOVED_AT_ONCE):
            self._table.transact(some)

    def of_user(self, user_id: str) -> tuple[Webhook, ...]:
        """In the order in which he made them."""
        item = self._table.get(_place_key(user_id), LIST)
        ids = item.model(WebhookList).webhook_ids if item else ()
        return self._some(ids)

    def wanting(self, kind: EventKind, project: ProjectId) -> tuple[Webhook, ...]:
        """Those that ask for such events of this project, whoever's they are."""
        ids = [
            item.sk.partition("#")[2]
            for place in (project, ALL)
            for item in self._table.query(_place_key(place))
            if kind.value in str(item.attributes["kinds"]).split()
        ]
        return tuple(one for one in self._some(tuple(ids)) if one.wants(kind, project))

    def add_delivery(self, delivery: Delivery) -> bool:
        """Whether it is new; what is stored of an event that came before stays."""
        try:
            self._table.put_new(_delivery_item(delivery))
        except AlreadyDone:
            return False
        return True

    def delivery(self, order: DeliveryOrder) -> Delivery | None:
        item = self._table.get(_key(order.webhook_id), _delivery_key(order))
        return item.model(Delivery) if item else None

    def change_delivery(
        self, order: DeliveryOrder, rule: Callable[[Delivery], Delivery]
    ) -> Delivery | None:
        """Apply a pure rule; None when the delivery was removed meanwhile."""
        stored = Stored(
            _key(order.webhook_id), _delivery_key(order), Delivery, _delivery_item, "it is gone."
        )
        try:
            return changed(self._table, stored, rule)
        except NotFound:
            return None

    def deliveries(self, webhook_id: str, most: int) -> tuple[Delivery, ...]:
        """The newest first."""
        items = self._table.query(_key(webhook_id), DELIVERY, newest_first=True)
        return tuple(item.model(Delivery) for item in islice(items, most))

    def _some(self, ids: tuple[str, ...]) -> tuple[Webhook, ...]:
        found = get_many(self._table, [(_key(one), WEBHOOK) for one in ids])
        there = (found.get((_key(one), WEBHOOK)) for one in ids)
        return tuple(item.model(Webhook) for item in there if item is not None)

    def _change_list(
        self,
        user_id: str,
        rule: Callable[[tuple[str, ...]], tuple[str, ...]],
        beside: list[PutNew] | list[Remove],
    ) -> None:
        def step(item: Item | None) -> Change | None:
            before = item.model(WebhookList) if item else WebhookList()
            after = WebhookList(webhook_ids=rule(before.webhook_ids))
            if after == before:
                return None
            return Change(Item.of(_place_key(user_id), LIST, after), beside=beside)

        self._table.change(_place_key(user_id), LIST, step)


def _key(webhook_id: str) -> str:
    return f"WEBHOOK#{webhook_id}"


def _place_key(place: str) -> str:
    return f"WEBHOOKS#{place}"


def _item(webhook: Webhook) -> Item:
    return Item.of(_key(webhook.webhook_id), WEBHOOK, webhook)


def _pointer(webhook: Webhook) -> Item:
    """Kinds and project of a webhook do not change."""
    kinds = " ".join(sorted(kind.value for kind in webhook.kinds))
    return Item(
        _place_key(webhook.project or ALL),
        f"WEBHOOK#{webhook.webhook_id}",
        attributes={"kinds": kinds},
    )


def _delivery_key(order: DeliveryOrder) -> str:
    at = order.event_at.astimezone(UTC)
    return f"{DELIVERY}{at:%Y-%m-%dT%H:%M:%S.%f}#{order.delivery_id}"


def _delivery_item(delivery: Delivery) -> Item:
    ttl = int(forgotten_at(delivery).timestamp())
    return Item.of(_key(delivery.webhook_id), _delivery_key(delivery.order()), delivery, ttl=ttl)
