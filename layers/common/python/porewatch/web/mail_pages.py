"""Declining mail by a link in it, without sign-in: opening the link changes nothing, a POST does.
Mail programs send that POST themselves (RFC 8058). And confirming an address that gets no mail."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.base import now
from porewatch.domain.mail.declining import LASTS
from porewatch.edge import wiring
from porewatch.edge.http import pages_root
from porewatch.usecases.mail import confirm_address, decline_mail
from porewatch.web.render import page_headers
from porewatch.web.router import Visit


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/unsubscribe")
    def ask() -> Response[str]:
        visit = Visit(api)
        asked = decline_mail.look_at(_token(visit), tokens=wiring.unsubscribe_tokens())
        over = asked.over(now())
        return visit.page(
            "unsubscribe.html.j2",
            HTTPStatus.GONE if over else HTTPStatus.OK,
            group=asked.group.value,
            over=over,
            days=LASTS.days,
        )

    @api.post("/web/unsubscribe")
    def do() -> Response[str]:
        visit = Visit(api)
        decline_mail.decline(
            _token(visit), now(), tokens=wiring.unsubscribe_tokens(), accounts=wiring.accounts()
        )
        return _done(visit)

    @api.post("/web/account/confirmation")
    def send() -> Response[str]:
        visit = Visit(api)
        confirm_address.ask_to_confirm(visit.who, now(), wiring.mail_counter(pages_root(api)))
        return _done(visit)

    @api.get("/web/confirm-mail")
    def confirmation() -> Response[str]:
        return Visit(api).signed_in().page("confirm_mail.html.j2")

    @api.post("/web/confirm-mail")
    def confirm() -> Response[str]:
        visit = Visit(api)
        confirm_address.confirm(
            visit.asked("secret")["secret"] or "",
            visit.who,
            now(),
            accounts=wiring.accounts(),
            suppressions=wiring.suppressions(),
        )
        return _done(visit)


def _done(visit: Visit) -> Response[str]:
    return Response(HTTPStatus.NO_CONTENT, body="", headers=page_headers(visit.site))


def _token(visit: Visit) -> str:
    return visit.asked("token")["token"] or ""
