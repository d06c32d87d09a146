"""Links to the report of a run."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.domain.people.roles import Action
from porewatch.edge import wiring
from porewatch.edge.asker import asker, repeat
from porewatch.edge.http import Created, request_body
from porewatch.usecases.people import share_run
from porewatch.usecases.people.reach_run import reach_run


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/runs/<run_id>/shares")
    def shares(run_id: str) -> dict[str, object]:
        reach_run(run_id, asker(api), Action.SHARE, runs=wiring.runs())
        return share_run.list_shares(run_id, links=wiring.share_links()).public()

    @api.post("/runs/<run_id>/shares")
    def share(run_id: str) -> Created:
        who = asker(api)
        run = reach_run(run_id, who, Action.SHARE, runs=wiring.runs())
        new = request_body(api, share_run.NewShare)
        return share_run.share(
            run,
            new,
            who,
            now(),
            links=wiring.share_links(),
            repeat=repeat(api, f"POST shares {run_id}"),
        ).public(), 201

    @api.delete("/runs/<run_id>/shares/<share_id>")
    def revoke_share(run_id: str, share_id: str) -> dict[str, object]:
        reach_run(run_id, asker(api), Action.SHARE, runs=wiring.runs())
        return share_run.revoke_share(run_id, share_id, now(), links=wiring.share_links()).public()
