"""Accepting an invitation. Its secret comes in a header: the link has it behind the `#`, so that it
is in no address that anything logs or keeps."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.base import now
from porewatch.domain.errors import AccountRefused, NotFound
from porewatch.domain.reasons.reason import Reason
from porewatch.edge import wiring
from porewatch.usecases.people import invite
from porewatch.web.router import Visit

SECRET_HEADER = "x-invitation"  # noqa: S105 - the name of a header


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/invitation")
    def invitation() -> Response[str]:
        visit = Visit(api)
        if not visit.asked("part")["part"]:
            return visit.page("invitation.html.j2")
        secret, offer, why = visit.header(SECRET_HEADER), None, ""
        try:
            offer = _offer(visit, secret)
        except NotFound:
            why = visit.text("web.invitation.none")
        except AccountRefused as error:
            reason = error.why
            why = reason.text(visit.language) if isinstance(reason, Reason) else error.problem
        return visit.page("invitation_part.html.j2", offer=offer, why=why, secret=secret)


def _offer(visit: Visit, secret: str) -> invite.Invited:
    return invite.look(
        secret,
        visit.who,
        now(),
        accounts=wiring.accounts(),
        invitations=wiring.invitations(),
    )
