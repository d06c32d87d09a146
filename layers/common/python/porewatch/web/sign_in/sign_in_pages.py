"""Signing in at the identity provider, coming back, signing out."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.domain.base import now
from porewatch.domain.errors import SignInRefused
from porewatch.domain.people.credentials import SESSION_LIFE
from porewatch.domain.people.oidc import ATTEMPT_MINUTES, BEGIN_AGAIN, site_path
from porewatch.domain.people.principal import Means
from porewatch.domain.reasons.reason import SignInCode, because
from porewatch.domain.results.publishing import JSON
from porewatch.domain.signatures.signing_act import renewal_of
from porewatch.edge import wiring
from porewatch.edge.authorizer import SESSION_COOKIE, cookie
from porewatch.usecases.people.sign_in import sign_in, sign_out
from porewatch.usecases.signatures.confirm_signature import confirm_signature
from porewatch.web.render import page_headers, redirect
from porewatch.web.router import Visit

if TYPE_CHECKING:
    from porewatch.adapters.people.oidc_client import OidcClient
    from porewatch.domain.people.oidc import Attempt, Identity
    from porewatch.domain.signatures.signing_act import SigningAct

ATTEMPT_COOKIE = "__Host-porewatch-sign-in"
FIRST_PAGE = "/web/runs"


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web")
    def welcome() -> Response[str]:
        visit = Visit(api)
        if visit.who.means is not Means.NOBODY:
            return redirect(visit.site, FIRST_PAGE)
        return visit.page("welcome.html.j2")

    @api.get("/web/sign-in")
    def begin() -> Response[str]:
        visit = Visit(api)
        attempt = client_of(visit).begin(_own_page(visit.asked("to")["to"]))
        secret = wiring.sign_in_attempts().keep(attempt)
        kept = _cookie(ATTEMPT_COOKIE, secret, ATTEMPT_MINUTES * 60)
        return redirect(visit.site, attempt.url, (kept,))

    @api.get("/web/signed-in")
    def finish() -> Response[str]:
        visit = Visit(api)
        secret = cookie(visit.header("cookie"), ATTEMPT_COOKIE)
        attempt = wiring.sign_in_attempts().take(secret)
        if attempt is None:
            raise SignInRefused(because(SignInCode.SIGN_IN_STATE_DIFFERS), remedy=BEGIN_AGAIN)
        sent = visit.event.get("queryStringParameters") or {}
        identity = client_of(visit).finish(attempt, sent)
        if attempt.renewal is not None:
            return _confirmed(visit, attempt, identity)
        signed_in = sign_in(
            identity,
            language=visit.language,
            agent=visit.header("user-agent"),
            accounts=wiring.accounts(),
            sessions=wiring.sessions(),
            at=now(),
        )
        sign_out(visit.claims.session, sessions=wiring.sessions())  # of whoever was here before
        life = int(SESSION_LIFE.total_seconds())
        cookies = _cookie(SESSION_COOKIE, signed_in.secret, life), _cookie(ATTEMPT_COOKIE, "", 0)
        return redirect(visit.site, attempt.return_to, cookies)

    @api.post("/web/sign-out")
    def leave() -> Response[str]:
        visit = Visit(api)
        if visit.claims.means is not Means.SESSION:  # another site sent the form: without a cookie
            return Response(HTTPStatus.NO_CONTENT, body="", headers=page_headers(visit.site))
        sign_out(visit.claims.session, sessions=wiring.sessions())
        over = _cookie(SESSION_COOKIE, "", 0)
        headers = page_headers(visit.site) | {"Set-Cookie": [over]}
        return Response(status_code=HTTPStatus.NO_CONTENT, body="", headers=headers)


def _confirmed(visit: Visit, attempt: Attempt, identity: Identity) -> Response[str]:
    """He signed in again for a signature: that alone, and no session comes of it."""
    confirm_signature(
        attempt, identity, now(), acts=wiring.signing_acts(), accounts=wiring.accounts()
    )
    return redirect(visit.site, attempt.return_to, (_cookie(ATTEMPT_COOKIE, "", 0),))


def sign_in_again(visit: Visit, act: SigningAct) -> Response[str]:
    """Where the identity provider asks for the credentials for this act alone: `url`, as JSON,
    which the page goes to. Answers a POST with the token of the page that shows the act."""
    attempt = client_of(visit).begin(f"/web/signing/{act.act_id}", renewal_of(act, now()))
    secret = wiring.sign_in_attempts().keep(attempt)
    kept = _cookie(ATTEMPT_COOKIE, secret, ATTEMPT_MINUTES * 60)
    headers = page_headers(visit.site) | {"Set-Cookie": [kept]}
    return Response(HTTPStatus.OK, JSON, json.dumps({"url": attempt.url}), headers)


def client_of(visit: Visit) -> OidcClient:
    return wiring.oidc_client(f"{visit.site.root}/web/signed-in")


def _own_page(path: str | None) -> str:
    """A page to return to. Raises SignInRefused for anything else."""
    if path is None:
        return FIRST_PAGE
    if path != "/web" and not path.startswith("/web/"):
        path = "//"  # refused below, with its code
    return site_path(path)


def _cookie(name: str, value: str, seconds: int) -> str:
    """For this host alone, out of reach of scripts; not sent with requests of other sites, but with
    links from them."""
    return f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"
