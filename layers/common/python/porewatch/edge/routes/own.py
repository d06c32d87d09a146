"""Oneself: account, tokens, sessions."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.domain.base import now
from porewatch.edge import wiring
from porewatch.edge.asker import asker, claims, repeat
from porewatch.edge.http import Created, json_answer, request_body
from porewatch.settings import settings
from porewatch.usecases.billing.show_tier import show_tier
from porewatch.usecases.people import own_account, own_credentials


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/me")
    def me() -> dict[str, object]:
        return own_account.me(
            asker(api), accounts=wiring.accounts(), suppressions=wiring.suppressions()
        ).public()

    @api.patch("/me")
    def change_me() -> dict[str, object]:
        change = request_body(api, own_account.MeChange)
        return own_account.change_me(
            change,
            asker(api),
            accounts=wiring.accounts(),
            suppressions=wiring.suppressions(),
        ).public()

    @api.get("/me/tier")
    def tier() -> tuple[dict[str, object], int]:
        return json_answer(
            show_tier(
                asker(api),
                now(),
                entitlements=wiring.entitlements(),
                limits=wiring.tier_limits(),
                unpaid=settings().unpaid_tier,
                sells=settings().sells,
            )
        )

    @api.delete("/me")
    def delete_me() -> dict[str, object]:
        return own_account.delete_me(
            asker(api),
            accounts=wiring.accounts(),
            sessions=wiring.sessions(),
            tokens=wiring.tokens(),
            webhooks=wiring.webhooks(),
            paying=own_account.Paying(
                wiring.entitlements(),
                wiring.customers(),
                lambda event: wiring.billing_queue().send(event),
            ),
        ).public()

    @api.get("/me/tokens")
    def tokens() -> dict[str, object]:
        return own_credentials.list_tokens(asker(api), now(), tokens=wiring.tokens()).public()

    @api.post("/me/tokens")
    def make_token() -> Created:
        new = request_body(api, own_credentials.NewToken)
        made = own_credentials.make_token(
            new,
            asker(api),
            now(),
            tokens=wiring.tokens(),
            repeat=repeat(api, "POST /me/tokens"),
        )
        return made.public(), 201

    @api.delete("/me/tokens/<token_id>")
    def revoke_token(token_id: str) -> dict[str, object]:
        own_credentials.revoke_token(token_id, asker(api), tokens=wiring.tokens())
        return {}

    @api.get("/me/sessions")
    def sessions() -> dict[str, object]:
        current = claims(api).session
        return own_credentials.list_sessions(
            asker(api), current, now(), sessions=wiring.sessions()
        ).public()

    @api.delete("/me/sessions/<session_id>")
    def end_session(session_id: str) -> dict[str, object]:
        own_credentials.end_session(session_id, asker(api), sessions=wiring.sessions())
        return {}
