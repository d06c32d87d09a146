"""May this request come in at all? The one authorizer of every route of the API and the pages.

It says who asks; what he may do is decided where the run, project or account is known
(`domain.people.policy`).
"""

from __future__ import annotations

import hmac
from datetime import datetime

from porewatch.domain.errors import Forbidden, NotSignedIn
from porewatch.domain.people.claims import Claims
from porewatch.domain.people.principal import Means
from porewatch.domain.people.request import Request
from porewatch.usecases.people.identify import Directory, identify

PUBLIC = ("/web", "/web/{page+}", "/openapi.json", "/billing/events")
"""Resources that may be asked for without signing in: pages lead to the sign-in themselves, events
of the payment provider are signed."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def authorize(request: Request, directory: Directory, at: datetime) -> Claims:
    """Claims of who asks; for a public resource also those of nobody.

    Raises NotSignedIn, and Forbidden for a change that a browser asks for without the token of its
    session's pages: another site cannot know it.
    """
    claims = identify(request.shown, directory, at)
    if claims.means is Means.NOBODY:
        if request.resource not in PUBLIC:
            raise NotSignedIn("this asks for somebody who is signed in.")
        return claims
    if claims.means is Means.SESSION and request.method not in SAFE_METHODS:
        _refuse_foreign_page(request.csrf, claims.csrf)
    return claims


def _refuse_foreign_page(sent: str, known: str) -> None:
    if not (sent and hmac.compare_digest(sent.encode(), known.encode())):
        raise Forbidden(
            "the change carries no x-csrf-token of this session.",
            remedy="load the page again, then repeat it.",
        )
