"""Every route of the API, asked by every role, in one's own place and in a foreign one, by session
and by tokens of each scope, and by nobody: one table, held to the template both ways.

The table says who may in its own words; the product's tables are `domain.people.roles`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto.dynamodb.models import dynamodb_backends

from porewatch.adapters.audit.signing_acts import SigningActs
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Invitations, ShareLinks
from porewatch.adapters.table import Table
from porewatch.adapters.webhooks.store import Webhooks
from porewatch.domain.base import now
from porewatch.domain.people.accounts import Invitation
from porewatch.domain.people.credentials import LONGEST_SHARE, ShareLink
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_secret
from porewatch.domain.signatures.signature import Meaning
from porewatch.domain.signatures.signing_act import SigningAct
from porewatch.settings import settings
from tests.contract.test_template import TEMPLATE
from tests.functional.conftest import ACCOUNT, REGION
from tests.functional.doors import KEY_HOLDER, Context, door
from tests.functional.test_accounts import Place
from tests.functional.test_alerts import suspected
from tests.functional.test_run_details import give_details
from tests.functional.test_webhooks import surroundings, webhook_of
from tests.functional.test_who_asks import (
    a_user,
    api_key,  # noqa: F401 - a fixture
    asked,
    effect,
    give,
    session_of,
    token_of,
)
from tests.mocked import make_ledger

V, S, R, O, A = Role  # noqa: E741 - as in the table of roles
READ, SUBMIT, REVIEW, MANAGE = Scope
EVERYBODY = frozenset(Role)
REFUSED = {401, 403, 404}


@dataclass(frozen=True)
class Route:
    """Who may: `roles` in the place that the path names, `stack` in the whole stack; `own`: every
    user for himself; `listed`: whoever is known, and he sees what is his. `key`: the API key's
    holder may. `scope`: what a token needs; None: any will do. `browser`: no token will do."""

    method: str
    path: str
    function: str = "accounts"
    roles: frozenset[Role] = frozenset()
    stack: frozenset[Role] = frozenset({A})
    own: bool = False
    listed: bool = False
    key: bool = False
    scope: Scope | None = READ
    browser: bool = False
    body: dict[str, Any] = field(default_factory=dict)
    visible: bool = True
    """A member who may not is Forbidden (else, and for all others: not found or Forbidden)."""

    @property
    def in_place(self) -> bool:
        asked = self.path + json.dumps(self.body)
        return any(f"{{{name}}}" in asked for name in ("project_id", "group_id", "run_id"))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def seen(method: str, path: str, function: str = "accounts", **more: Any) -> Route:
    return Route(method, path, function, EVERYBODY, frozenset({O, A}), key=True, **more)


def own(method: str, path: str, scope: Scope = MANAGE, **more: Any) -> Route:
    return Route(method, path, own=True, scope=scope, **more)


def hook(method: str, path: str, scope: Scope = MANAGE, **more: Any) -> Route:
    return own(method, f"/me/webhooks{path}", scope, function="webhooks", **more)


def members(method: str, path: str, **more: Any) -> Iterator[Route]:
    for place in ("/projects/{project_id}", "/groups/{group_id}"):
        yield Route(method, place + path, roles=frozenset({A}), scope=MANAGE, **more)


SHARING: dict[str, Any] = {
    "roles": frozenset({S, R, O, A}), "stack": frozenset({O, A}), "scope": REVIEW,
}  # fmt: skip
SENDING: dict[str, Any] = {
    "function": "uploads", "roles": frozenset({S, O, A}), "stack": frozenset({O, A}),
    "scope": SUBMIT,
}  # fmt: skip
SIGNING: dict[str, Any] = {
    "function": "signatures", "roles": frozenset({R, A}), "stack": frozenset({A}), "scope": REVIEW,
}  # fmt: skip
SIGNED = {"revision": 1, "report_sha256": "0" * 64}
DECLARED = {"files": [{"path": "a.fastq", "size": 8}]}
SHEET = {"rows": [{"name": "pig 1", "barcode": "barcode01"}]}
HOOK = {"name": "ci", "url": "https://lab.example/porewatch", "kinds": ["run.completed"]}
INVITED = {"roles": ["viewer"], "email": "ben@lab.example"}
DETAILS = ("progress", "log", "inputs", "files", "provenance")
ROUTES = (
    Route("GET", "/runs", "api", listed=True, scope=None),
    Route("GET", "/alerts", "api", listed=True, scope=None),
    seen("GET", "/runs/{run_id}", "api"),
    seen("GET", "/runs/{run_id}/report", "api"),
    *(seen("GET", f"/runs/{{run_id}}/{what}", "api") for what in DETAILS),
    seen("GET", "/projects/{project_id}/animals", "api"),
    seen("GET", "/projects/{project_id}/animals/{animal}", "api"),
    Route(
        "POST", "/runs/{run_id}/cancel", "run_canceller", frozenset({S, O, A}), frozenset({O, A}),
        key=True, scope=SUBMIT, body={"by": "M. Sato", "reason": "wrong flow cell"},
    ),
    Route(
        "POST", "/alerts/{run_id}/{sample}/{code}/ack", "alert_handler", frozenset({R, O, A}),
        frozenset({O, A}), key=True, scope=REVIEW, body={"name": "M. Sato"},
    ),
    Route("POST", "/runs", **SENDING, body={"project": "{project_id}", "name": "new"}),
    Route("POST", "/runs/{run_id}/uploads", **SENDING, body=DECLARED),
    seen("GET", "/runs/{run_id}/uploads", "uploads"),
    seen("GET", "/runs/{run_id}/uploads/{upload_id}", "uploads"),
    Route("POST", "/runs/{run_id}/uploads/{upload_id}/urls", **SENDING, body={"parts": [1]}),
    Route("POST", "/runs/{run_id}/uploads/{upload_id}/complete", **SENDING),
    Route("DELETE", "/runs/{run_id}/uploads/{upload_id}", **SENDING),
    Route("PUT", "/runs/{run_id}/sheet", **SENDING, body=SHEET),
    seen("GET", "/runs/{run_id}/sheet", "uploads"),
    Route("POST", "/runs/{run_id}/seal", **SENDING),
    Route("GET", "/me", listed=True, scope=None),
    own("PATCH", "/me", body={"language": "ja"}),
    own("DELETE", "/me", browser=True),
    own("GET", "/me/tier", READ),
    own("POST", "/me/checkout", function="billing", browser=True),
    own("POST", "/me/portal", function="billing", browser=True),
    own("GET", "/me/tokens", READ),
    own("POST", "/me/tokens", body={"name": "ci", "scopes": ["manage"]}),
    own("DELETE", "/me/tokens/{token_id}"),
    own("GET", "/me/sessions", READ),
    own("DELETE", "/me/sessions/{session_id}"),
    hook("GET", "", READ),
    hook("POST", "", body=HOOK),
    hook("PATCH", "/{webhook_id}", body={"rotate_secret": True}),
    hook("DELETE", "/{webhook_id}"),
    hook("GET", "/{webhook_id}/deliveries", READ),
    hook("POST", "/{webhook_id}/test"),
    Route("GET", "/projects", listed=True, scope=None),
    Route("POST", "/projects", scope=MANAGE, body={"name": "Herd"}),
    seen("GET", "/projects/{project_id}"),
    Route("PATCH", "/projects/{project_id}", scope=MANAGE, body={"name": "Herd"}),
    Route("GET", "/groups", listed=True, scope=None),
    Route("POST", "/groups", scope=MANAGE, body={"name": "Clinic"}),
    seen("GET", "/groups/{group_id}"),
    Route("PATCH", "/groups/{group_id}", scope=MANAGE, body={"name": "Clinic"}),
    *members("GET", "/members"),
    *members("PUT", "/members/{user_id}", body={"roles": ["viewer"]}),
    *members("DELETE", "/members/{user_id}"),
    *members("GET", "/invitations"),
    *members("POST", "/invitations", body=INVITED),
    *members("DELETE", "/invitations/{invitation_id}"),
    own("POST", "/invitations/accept", body={"secret": "{secret}"}),
    Route("GET", "/runs/{run_id}/shares", **SHARING),
    Route("POST", "/runs/{run_id}/shares", **SHARING),
    Route("DELETE", "/runs/{run_id}/shares/{share_id}", **SHARING),
    seen("GET", "/runs/{run_id}/signatures", "signatures"),
    Route("POST", "/runs/{run_id}/signatures", **SIGNING, body={**SIGNED, "meaning": "reviewed"}),
    Route("POST", "/runs/{run_id}/signatures/{act_id}", **SIGNING),
    seen("GET", "/runs/{run_id}/amendments", "signatures"),
    Route("POST", "/runs/{run_id}/amendments", **SIGNING, body={**SIGNED, "reason": "x"}),
    Route("GET", "/users", scope=MANAGE),
    Route("PATCH", "/users/{user_id}", scope=MANAGE, body={"disabled": False}),
    Route("GET", "/usage", listed=True, scope=None),
    Route("GET", "/charges", stack=frozenset({O, A})),
    Route("GET", "/projects/{project_id}/statement", roles=frozenset({O, A}),
          stack=frozenset({O, A})),
    Route("GET", "/rates", stack=frozenset({O, A})),
    Route("PUT", "/rates", scope=MANAGE, body={"from_month": "2099-01", "sample_usd": 35}),
)  # fmt: skip
PAGES = {"/web", "/web/{page+}", "/openapi.json", "/billing/events"}
"""Of the web function: tests of its own ask for them. The authorizer lets nobody but these pass
without signing in."""


class World(Place):
    """What the paths name, once in one's own place and once in a foreign one."""

    def __init__(self, people: Table, ledger: Table) -> None:
        super().__init__(people, ledger)
        accounts = Accounts(people)
        for role, user_id in self.users.items():
            give(accounts, self.groups[0], user_id, role)
        self.operator = a_user(accounts, "Operator", stack_role=Role.OPERATOR)
        self.both = a_user(accounts, "Both", stack_role=Role.ADMIN)
        self.root_claims = session(self.root)
        for user_id in (self.root, self.users[V]):
            webhook_of(people, user_id)
        self.names = [self._names(n, people, ledger) for n in (0, 1)]

    def _names(self, number: int, people: Table, ledger: Table) -> dict[str, str]:
        project, group, run_id = self.projects[number], self.groups[number], self.runs[number]
        member = a_user(Accounts(people), f"Member {number}")
        invited, link, secret = {}, new_secret(Kind.SHARE), ""
        for place in (project, group):
            give(Accounts(people), place, member, Role.VIEWER)
            secret = new_secret(Kind.INVITATION)
            invited[place] = digest_of(secret)
            Invitations(people).add(
                Invitation(
                    invitation_id=invited[place], place=place, roles=frozenset({Role.VIEWER}),
                    email="a@b", given_by="u", at=now(), expires_at=now() + LONGEST_SHARE,
                )
            )  # fmt: skip
        ShareLinks(people).add(
            ShareLink(
                share_id=digest_of(link), run_id=run_id, revision=1, made_by="u",
                made_at=now(), expires_at=now() + LONGEST_SHARE,
            )
        )  # fmt: skip
        AlertLedger(ledger).raise_alert(suspected().model_copy(update={"run_id": run_id}))
        give_details(ledger, run_id, 1)
        sending = self._send(project)
        return {
            **sending,
            "project_id": project, "group_id": group, "run_id": run_id, "user_id": member,
            "share_id": digest_of(link), "sample": "pig", "code": "PERV-C", "secret": secret,
            "animal": "pig 1",
            "project_id/invitation_id": invited[project], "group_id/invitation_id": invited[group],
        }  # fmt: skip

    def _send(self, project: str) -> dict[str, str]:
        """A run that is being sent, with an upload under way and a sheet."""

        def done(method: str, path: str, body: Any) -> Any:
            route = Route(method, path, "uploads")
            status, said = ask(route, path, self.root_claims, json.dumps(body))
            assert status < 300, said
            return said

        run_id = done("POST", "/runs", {"project": project, "name": "being sent"})["run_id"]
        (upload,) = done("POST", f"/runs/{run_id}/uploads", DECLARED)["files"]
        done("PUT", f"/runs/{run_id}/sheet", SHEET)
        return {"uploads/run_id": run_id, "uploads/upload_id": upload["upload_id"]}


def items() -> dict[str, Any]:
    """What both tables hold."""
    client = boto3.client("dynamodb")
    return {name: client.scan(TableName=name)["Items"] for name in ("ledger", "people")}


@pytest.fixture
def world(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in surroundings().items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return World(make_ledger("people"), cloud)


@pytest.fixture
def untouched(world: World) -> Iterator[Any]:
    """Puts the tables back as they were."""
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    kept = {name: deepcopy(tables[name].items) for name in ("ledger", "people")}

    def back() -> None:
        for name, rows in kept.items():
            tables[name].items = deepcopy(rows)

    yield back


def filled(route: Route, names: dict[str, str], user: str, people: Table) -> tuple[str, str]:
    """Path and body. What is one's own is made for the user who asks."""
    path, body = route.path, json.dumps(route.body)
    for name, value in sorted(names.items(), key=lambda pair: "/" not in pair[0]):
        place, _, part = name.rpartition("/")
        if not place or place == route.function or f"{{{place}}}" in route.path:
            path, body = path.replace(f"{{{part}}}", value), body.replace(f"{{{part}}}", value)
    if "{token_id}" in path:
        path = path.replace("{token_id}", digest_of(token_of(people, user, READ)))
    if "{webhook_id}" in path:
        mine = Webhooks(people).of_user(user)
        path = path.replace(
            "{webhook_id}", mine[0].webhook_id if mine else webhook_of(people, user)
        )
    if "{act_id}" in path:
        path = path.replace("{act_id}", _begun(people, names["run_id"], user))
    if "{session_id}" in path:
        path = path.replace("{session_id}", digest_of(session_of(people, user)))
    return path, body


def _begun(people: Table, run_id: str, user_id: str) -> str:
    """A signature that the user has begun and not confirmed; its id."""
    act = SigningAct(
        act_id=new_id("x"), user_id=user_id, run_id=run_id, revision=1, samples=("pig",),
        meaning=Meaning.REVIEWED, report_sha256="0" * 64, audit_head="", made_at=now(),
    )  # fmt: skip
    SigningActs(people).add(act)
    return act.act_id


def ask(route: Route, path: str, claims: dict[str, str], body: str) -> tuple[int, Any]:
    event = {
        "httpMethod": route.method, "path": path, "isBase64Encoded": False,
        "headers": {"content-type": "application/json"},
        "body": body, "queryStringParameters": None, "resource": route.path,
        "pathParameters": {}, "requestContext": {"authorizer": claims},
    }  # fmt: skip
    answer = door(route.function)(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def session(user_id: str) -> dict[str, str]:
    return {"means": "session", "user_id": user_id}


def token(user_id: str, scope: Scope) -> dict[str, str]:
    return {"means": "token", "user_id": user_id, "scopes": scope.value}


def asked_by(world: World, route: Route) -> Iterator[tuple[str, dict[str, str], int, set[int]]]:
    """(who, his claims, 0: own place or 1: foreign, what he is answered; empty: it is done)."""
    done: set[int] = set()
    anyone = route.own or route.listed
    for role, user in world.users.items():
        may = anyone or role in route.roles
        yield f"{role} at home", session(user), 0, done if may else {403}
        if route.in_place:
            yield f"{role} elsewhere", session(user), 1, {404}
    for role, user in ((Role.OPERATOR, world.operator), (Role.ADMIN, world.root)):
        for place in (0, 1) if route.in_place else (0,):
            may = anyone or role in route.stack
            yield f"{role} of the stack", session(user), place, done if may else {403}
    for scope in Scope:
        may = (anyone or route.scope is not None) and route.scope in (None, scope)
        answer = done if may and not route.browser else {403}
        yield f"token to {scope}", token(world.both, scope), 0, answer
    yield "API key", KEY_HOLDER, 0, done if route.key or route.listed else {403}
    yield "nobody", {}, 0, {401}
    yield "nobody, elsewhere", {"means": "nobody"}, 1, {401}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_route_does_for_each_who_asks_what_the_table_says(
    route: Route, world: World, untouched: Any
) -> None:
    for who, claims, place, refused in asked_by(world, route):
        user = claims.get("user_id", world.root)
        path, body = filled(route, world.names[place], user, Table("people"))
        assert "{" not in path
        status, said = ask(route, path, claims, body)
        if refused:
            assert status in refused, f"{who}: {said}"
        else:
            assert status not in REFUSED, f"{who}: {said}"
            assert status != 400, f"{who}: {said}"
            untouched()


@pytest.mark.parametrize("route", [r for r in ROUTES if r.in_place], ids=str)
def test_what_is_foreign_is_answered_as_what_is_not_there(route: Route, world: World) -> None:
    names, ids = world.names[1], ("project_id", "group_id", "run_id", "uploads/run_id")
    for user in (world.users[Role.ADMIN], world.users[Role.VIEWER]):
        path, body = filled(route, world.names[1], user, Table("people"))
        status, foreign = ask(route, path, session(user), body)
        there = next(names[n] for n in ids if names[n] in path + body)
        away = there[:-4] + "aaaa"
        gone_status, gone = ask(
            route, path.replace(there, away), session(user), body.replace(there, away)
        )
        assert (status, gone_status) == (404, 404)
        assert foreign["code"] == gone["code"]
        assert there not in gone["problem"]
        assert foreign["problem"].replace(there, away) == gone["problem"]


def test_the_table_has_every_route_of_the_template_and_no_other() -> None:
    listed = {(route.method, route.path, route.function) for route in ROUTES}
    assert listed == {route for route in template_routes() if route[1] not in PAGES}
    assert len(listed) == len(ROUTES)


def template_routes() -> set[tuple[str, str, str]]:
    from porewatch_local.stack_template.template import folder_of

    return {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"], folder_of(name))
        for name, function in TEMPLATE.functions.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api"
    }


def test_no_get_changes_anything(world: World) -> None:
    """Uses of tokens and sessions, and views of links, are counted by the authorizer and the pages:
    no handler behind them writes at a GET."""
    before, answers = items(), []
    for _ in range(2):
        for route in ROUTES:
            if route.method != "GET":
                continue
            for user in (world.root, world.users[Role.VIEWER]):
                path, body = filled(route, world.names[0], user, Table("people"))
                answers.append(ask(route, path, session(user), body)[0])
    assert answers.count(200) > len(answers) / 2
    assert items() == before


@pytest.mark.parametrize("route", [r for r in ROUTES if r.method != "GET"], ids=str)
def test_no_other_site_changes_anything(route: Route, world: World) -> None:
    cookie = {"Cookie": f"__Host-porewatch={session_of(Table('people'), world.root)}"}
    assert effect(asked(cookie, route.method, route.path)) == "Deny"
    guessed = cookie | {"x-csrf-token": "d" * 40}
    assert effect(asked(guessed, route.method, route.path)) == "Deny"
    known = cookie | {"x-csrf-token": "c" * 40}
    assert effect(asked(known, route.method, route.path)) == "Allow"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_nobody_passes_the_authorizer(route: Route, world: World) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        asked({}, route.method, route.path)
