"""The resolver of the pages: who asks, and errors as pages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import ServiceError

from porewatch.domain.errors import (
    NotSignedIn,
    PorewatchError,
    SignInRefused,
)
from porewatch.domain.people import policy
from porewatch.domain.people.accounts import User
from porewatch.domain.people.claims import Claims
from porewatch.domain.people.principal import Principal
from porewatch.domain.people.roles import DEFAULT_PROJECT, Action, StackAction
from porewatch.domain.reasons.accepted_language import language_of
from porewatch.domain.reasons.catalogue import Catalogue
from porewatch.domain.reasons.reason import Reason
from porewatch.edge import asker, log, wiring
from porewatch.edge.http import STATUS, header, public, query
from porewatch.edge.site import Site, site_of
from porewatch.web.render import HTML, filled, page_headers, redirect
from porewatch.web.words import words

_log = logging.getLogger(__name__)
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Visit:
    """One request for a page: by whom, from where, in which language."""

    api: APIGatewayRestResolver

    @cached_property
    def event(self) -> Event:
        event: Event = self.api.current_event.raw_event
        return event

    @cached_property
    def site(self) -> Site:
        return site_of(self.event)

    @cached_property
    def claims(self) -> Claims:
        return asker.claims(self.api)

    @cached_property
    def who(self) -> Principal:
        return asker.asker(self.api)

    @cached_property
    def user(self) -> User | None:
        """None: nobody, or no user of ours."""
        return wiring.accounts().user(self.who.user_id) if self.who.user_id else None

    @cached_property
    def language(self) -> str:
        chosen = self.user.language if self.user else None
        return language_of(chosen, self.header("accept-language"))

    @cached_property
    def words(self) -> Catalogue:
        return words(self.language)

    @property
    def menu(self) -> tuple[str, ...]:
        """The pages that the navigation leads to."""
        places = (DEFAULT_PROJECT, *self.who.projects)
        submits = any(policy.may(self.who, Action.SUBMIT, one) for one in places)
        pages = ("runs", *(("upload",) if submits else ()), "samples", "alerts", "account")
        return (*pages, "admin") if self.may_in_stack(StackAction.MANAGE_USERS) else pages

    def header(self, name: str) -> str:
        return header(self.api, name) or ""

    def asked(self, *names: str) -> dict[str, str | None]:
        """Parameters of the query string; an empty field of a form counts as not sent."""
        return {name: value or None for name, value in query(self.api, *names).items()}

    def text(self, key: str, /, **values: object) -> str:
        return self.words.filled(key, values)

    def signed_in(self) -> Visit:
        """Itself. NotSignedIn when nobody asks."""
        policy.refuse_nobody(self.who)
        return self

    def may(self, action: str, project: str) -> bool:
        return policy.may(self.who, Action(action), project)

    def may_in_stack(self, action: str) -> bool:
        return policy.may_in_stack(self.who, StackAction(action))

    def same_page(self, **changes: str | None) -> str:
        """A link to this page with another query."""
        sent = dict(self.event.get("queryStringParameters") or {})
        kept = {name: value for name, value in {**sent, **changes}.items() if value}
        return f"{self.site.to(self.site.page)}?{urlencode(kept)}"

    def reload(self) -> Response[str]:
        """What makes a page that refreshes a part of itself load as a whole."""
        headers = page_headers(self.site) | {"HX-Refresh": "true"}
        return Response(status_code=HTTPStatus.OK, content_type=HTML, body="", headers=headers)

    def page(
        self,
        template: str,
        status: int = HTTPStatus.OK,
        connections: tuple[str, ...] = (),
        **values: object,
    ) -> Response[str]:
        """The template, filled, with the headers of a page."""
        body = filled(template, {"visit": self, "to": self.site.to, "t": self.text, **values})
        headers = page_headers(self.site, *connections)
        return Response(status_code=status, content_type=HTML, body=body, headers=headers)


def resolver() -> APIGatewayRestResolver:
    """Without routes. Errors become pages: one that is not there, and one that is not for who asks,
    are the same."""
    api = APIGatewayRestResolver()
    api.exception_handler(PorewatchError)(lambda error: _problem(Visit(api), error))
    api.exception_handler(ServiceError)(lambda error: _missing(Visit(api), error))
    return api


def on_pages(api: APIGatewayRestResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler. Routes are below the API's root, wherever that lies."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.invocation(context), log.one_message():
            page = site_of(event).page.rstrip("/") or "/"
            return api.resolve({**event, "path": page}, context)

    return handler


def _problem(visit: Visit, error: PorewatchError) -> Response[str]:
    status = next(code for cls, code in STATUS if isinstance(error, cls))
    _log.info("answered %d: %s", status, error)
    if isinstance(error, NotSignedIn) and visit.header("hx-request"):
        return visit.reload()
    if isinstance(error, NotSignedIn):
        return redirect(visit.site, f"web/sign-in?to={quote(_here(visit), safe='')}")
    error = public(error, status)
    why = error.why.text(visit.language) if isinstance(error.why, Reason) else error.problem
    again = isinstance(error, SignInRefused)
    return visit.page("problem.html.j2", status, number=status, why=why, again=again)


def _missing(visit: Visit, error: ServiceError) -> Response[str]:
    status = int(error.status_code)
    return visit.page("problem.html.j2", status, number=status, why="", again=False)


def _here(visit: Visit) -> str:
    sent = visit.event.get("queryStringParameters") or {}
    return visit.site.page + (f"?{urlencode(sent)}" if sent else "")
