"""Webhooks of the user who asks: made, changed, tried, deleted."""

from functools import partial

from porewatch.adapters.webhooks.sealed_secrets import seal
from porewatch.domain.base import now
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import on_http, request_body, routes
from porewatch.settings import settings
from porewatch.usecases.webhooks import manage_webhooks as use

api = routes()
lambda_handler = on_http(api)
Answered = tuple[dict[str, object], int]


def setup() -> use.Setup:
    config = settings()
    sealed = partial(seal, config.webhook_key_arn)
    return use.Setup(wiring.webhooks(), sealed, config.webhooks_to_loopback)


@api.get("/me/webhooks")
def webhook_list() -> dict[str, object]:
    return use.list_webhooks(asker(api), webhooks=wiring.webhooks()).public()


@api.post("/me/webhooks")
def make_webhook() -> Answered:
    new = request_body(api, use.NewWebhook)
    return use.make_webhook(new, asker(api), now(), setup()).public(), 201


@api.patch("/me/webhooks/<webhook_id>")
def change_webhook(webhook_id: str) -> dict[str, object]:
    change = request_body(api, use.WebhookChange)
    return use.change_webhook(webhook_id, change, asker(api), now(), setup()).public()


@api.delete("/me/webhooks/<webhook_id>")
def delete_webhook(webhook_id: str) -> dict[str, object]:
    use.delete_webhook(webhook_id, asker(api), webhooks=wiring.webhooks())
    return {}


@api.get("/me/webhooks/<webhook_id>/deliveries")
def deliveries(webhook_id: str) -> dict[str, object]:
    return use.list_deliveries(webhook_id, asker(api), webhooks=wiring.webhooks()).public()


@api.post("/me/webhooks/<webhook_id>/test")
def send_test(webhook_id: str) -> Answered:
    webhooks, queue = wiring.webhooks(), wiring.delivery_queue()
    sent = use.send_test(webhook_id, asker(api), now(), webhooks=webhooks, queue=queue)
    return sent.public(), 202
