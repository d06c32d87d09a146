"""What of a run is signed, and signing it."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.people.absences import absent
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.signatures.show_signatures import show_signatures
from porewatch.usecases.signatures.sign_report import begun, own_act
from porewatch.web.render import ALWAYS, HTML, REPORT_POLICY, transport
from porewatch.web.router import Visit
from porewatch.web.sign_in.sign_in_pages import sign_in_again
from porewatch.web.signatures.signature_page import signature_page


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/runs/<run_id>/signatures")
    def signatures(run_id: str) -> Response[str]:
        visit = Visit(api)
        run = reach_run(run_id, visit.who, Action.SEE, runs=wiring.runs())
        desk = wiring.signing_desk(signature_page)
        shown = show_signatures(run, visit.who, desk=desk)
        return visit.page("signatures.html.j2", run=run, shown=shown)

    @api.get("/web/runs/<run_id>/signatures/<number>")
    def one(run_id: str, number: str) -> Response[str]:
        visit = Visit(api)
        run = reach_run(run_id, visit.who, Action.SEE, runs=wiring.runs())
        there = wiring.signing_desk(signature_page).signatures.of(run.run_id)
        found = next((one for one in there if str(one.number) == number), None)
        if found is None:
            raise absent("signature", number)
        headers = {**ALWAYS, "Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-store"}
        return Response(HTTPStatus.OK, HTML, signature_page(found), headers | transport(visit.site))

    @api.get("/web/signing/<act_id>")
    def signing(act_id: str) -> Response[str]:
        visit = Visit(api).signed_in()
        desk = wiring.signing_desk(signature_page)
        act = own_act(act_id, visit.who, desk=desk)
        done = desk.signatures.by_act(act.run_id, act_id)
        return visit.page("signing.html.j2", act=begun(act), done=done)

    @api.post("/web/signing/<act_id>/confirm")
    def confirm(act_id: str) -> Response[str]:
        visit = Visit(api).signed_in()
        act = own_act(act_id, visit.who, desk=wiring.signing_desk(signature_page))
        return sign_in_again(visit, act)
