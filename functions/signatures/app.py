"""Signs reports: review, release, amendment. It alone writes signatures, by the audit key."""

from typing import Any

from porewatch.domain.base import now
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.edge.asker import asker
from porewatch.edge.http import Created, json_answer, on_http, request_body, routes
from porewatch.settings import settings
from porewatch.usecases.people.reach_run import reach_run
from porewatch.usecases.signatures import show_signatures as show
from porewatch.usecases.signatures import sign_report as use
from porewatch.web.signatures.signature_page import signature_page

api = routes()
answer = on_http(api)


def desk() -> use.Desk:
    return wiring.signing_desk(signature_page, settings().audit_key_arn)


@api.get("/runs/<run_id>/signatures")
def signatures(run_id: str) -> dict[str, object]:
    who = asker(api)
    run = reach_run(run_id, who, Action.SEE, runs=wiring.runs())
    return json_answer(show.show_signatures(run, who, desk=desk()))[0]


@api.post("/runs/<run_id>/signatures")
def begin(run_id: str) -> Created:
    who = asker(api)
    run = reach_run(run_id, who, Action.REVIEW, runs=wiring.runs())
    order = request_body(api, use.Sign)
    return use.begin_signature(run, order, who, now(), desk=desk()).public(), 201


@api.post("/runs/<run_id>/signatures/<act_id>")
def complete(run_id: str, act_id: str) -> Created:
    who = asker(api)
    run = reach_run(run_id, who, Action.REVIEW, runs=wiring.runs())
    signed = use.complete_signature(run, act_id, who, now(), desk=desk())
    return json_answer(show.view(signed), 201)


@api.get("/runs/<run_id>/amendments")
def amendments(run_id: str) -> dict[str, object]:
    who = asker(api)
    run = reach_run(run_id, who, Action.SEE, runs=wiring.runs())
    return json_answer(show.show_amendments(run, who, desk=desk()))[0]


@api.post("/runs/<run_id>/amendments")
def amend(run_id: str) -> Created:
    who = asker(api)
    run = reach_run(run_id, who, Action.AMEND, runs=wiring.runs())
    order = request_body(api, use.Amend).order
    return use.begin_signature(run, order, who, now(), desk=desk()).public(), 201


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
