"""Declining mail by a link in it, without sign-in: opening the link changes nothing, a POST does.
Mail programs send that POST themselves (RFC 8058)."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.edge import wiring
from porewatch.usecases.mail import decline_mail
from porewatch.web.render import page_headers
from porewatch.web.router import Visit


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/unsubscribe")
    def ask() -> Response[str]:
        visit = Visit(api)
        group = decline_mail.look_at(_token(visit), tokens=wiring.unsubscribe_tokens())
        return visit.page("unsubscribe.html.j2", group=group.value)

    @api.post("/web/unsubscribe")
    def do() -> Response[str]:
        visit = Visit(api)
        decline_mail.decline(
            _token(visit), tokens=wiring.unsubscribe_tokens(), accounts=wiring.accounts()
        )
        return Response(HTTPStatus.NO_CONTENT, body="", headers=page_headers(visit.site))


def _token(visit: Visit) -> str:
    return visit.asked("token")["token"] or ""
