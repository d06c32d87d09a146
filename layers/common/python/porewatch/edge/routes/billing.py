"""Pay for a tier, change what is paid, and hear from the payment provider."""

from __future__ import annotations

from base64 import b64decode

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.billing.customers import CheckoutPlace
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import header
from porewatch.edge.site import root_of
from porewatch.settings import settings
from porewatch.usecases.billing.begin_checkout import begin_checkout, open_portal

ACCOUNT = "/web/account"


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.post("/me/checkout")
    def checkout() -> dict[str, object]:
        who, account = asker(api), _account(api)
        place = CheckoutPlace(settings().stripe_price, f"{account}?paid=1", account)
        return begin_checkout(who, place, wiring.till).public()

    @api.post("/me/portal")
    def portal() -> dict[str, object]:
        return open_portal(asker(api), _account(api), wiring.till).public()

    @api.post("/billing/events")
    def hear() -> dict[str, object]:
        event = wiring.verified_event(_bytes(api), header(api, "stripe-signature"))
        if event is not None:
            wiring.billing_queue().send(event)
        return {}


def _account(api: APIGatewayRestResolver) -> str:
    return root_of(api.current_event.raw_event) + ACCOUNT


def _bytes(api: APIGatewayRestResolver) -> bytes:
    """The body as it was sent: it was signed byte by byte."""
    event = api.current_event.raw_event
    body = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode()
