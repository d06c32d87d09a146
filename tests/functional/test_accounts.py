"""Accounts by the API: the real handler, on the tables of the template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.client import BaseClient

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions, ShareLinks, Tokens
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.base import now
from porewatch.domain.errors import AccountRefused, NotFound, Unavailable
from porewatch.domain.people.accounts import Group, Project
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_run_id, new_secret
from porewatch.domain.reasons.reason import PeopleCode, Reason
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch.usecases.people import own_credentials, usage
from porewatch.usecases.people.share_run import open_share
from tests.functional.doors import KEY_HOLDER, Context, door
from tests.functional.test_who_asks import AT, a_user, give, session_of, token_of
from tests.mocked import make_ledger

Answer = tuple[int, Any]


@pytest.fixture
def people(cloud: Table) -> Table:
    return make_ledger("people")


@pytest.fixture
def accounts(people: Table) -> Accounts:
    return Accounts(people)


class Place:
    """Two groups with a project each; users with one role each in the first project; a run in
    each project, of which the first has a report."""

    def __init__(self, people: Table, ledger: Table) -> None:
        accounts = Accounts(people)
        self.groups, self.projects, self.runs = [], [], []
        for name in ("mine", "foreign"):
            group, project = new_id("g"), new_id("p")
            accounts.add_group(Group(group_id=group, name=name, created_at=AT, created_by="u"))
            accounts.add_project(
                Project(
                    project_id=project, name=name, group_id=group, created_at=AT, created_by="u"
                )
            )
            run_id = new_run_id()
            ProjectRuns(ledger).register(run_id, Registration(project, "herd 7", "u"), AT)
            report(ledger, run_id, report_keys={"report.html": f"runs/{run_id}/report.html"})
            self.groups.append(group)
            self.projects.append(project)
            self.runs.append(run_id)
        self.users = {role: a_user(accounts, role.value) for role in Role}
        for role, user_id in self.users.items():
            give(accounts, self.projects[0], user_id, role)
        self.root = a_user(accounts, "Root", stack_role=Role.ADMIN)


def report(ledger: Table, run_id: str, **more: Any) -> None:
    """The run is completed, as its record says it."""

    def completed(record: RunRecord) -> RunRecord:
        return record.model_copy(
            update={"state": RunState.COMPLETED, "revision": 1, "completed_at": AT, **more}
        )

    item = ledger.need(f"RUN#{run_id}", "RUN")
    record = completed(item.model(RunRecord))
    ledger.put(type(item).of(item.pk, item.sk, record, kind=item.kind, version=item.version))


@pytest.fixture
def lab(people: Table, cloud: Table) -> Iterator[Place]:
    yield Place(people, cloud)


def by_session(user_id: str, session: str = "") -> dict[str, str]:
    return {"means": "session", "user_id": user_id, "session": session}


def by_token(user_id: str, *scopes: Scope) -> dict[str, str]:
    return {"means": "token", "user_id": user_id, "scopes": " ".join(sorted(scopes))}


def ask(
    method: str, path: str, claims: dict[str, str], body: Any = None, key: str = "", **query: str
) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    event = {
        "httpMethod": method, "path": path, "headers": headers, "isBase64Encoded": False,
        "body": None if body is None else json.dumps(body),
        "queryStringParameters": query or None,
        "requestContext": {"authorizer": claims, "apiId": "abc"},
    }  # fmt: skip
    answer = door("accounts")(event, Context())
    body = answer["body"]
    return answer["statusCode"], json.loads(body) if body.startswith("{") else body


def later(monkeypatch: pytest.MonkeyPatch, **delta: float) -> None:
    moment = now() + timedelta(**delta)
    monkeypatch.setattr(base, "clock", lambda: moment)


def test_who_one_is(lab: Place) -> None:
    status, found = ask("GET", "/me", by_session(lab.users[Role.REVIEWER]))
    assert status == 200
    assert (found["name"], found["roles"]) == ("reviewer", {lab.projects[0]: ["reviewer"]})
    assert ask("GET", "/me", KEY_HOLDER)[1]["stack_role"] == "operator"
    assert ask("GET", "/me", {})[0] == 401


def test_language_and_mail_are_ones_own_choice(lab: Place) -> None:
    who = by_session(lab.users[Role.VIEWER])
    assert ask("PATCH", "/me", who, {"language": "ja", "mail": "failures"})[0] == 200
    found = ask("GET", "/me", who)[1]
    assert (found["language"], found["mail"]) == ("ja", "failures")
    assert ask("PATCH", "/me", who, {"language": "xx"})[0] == 400
    assert ask("PATCH", "/me", by_token(lab.users[Role.VIEWER], Scope.READ), {})[0] == 403
    assert ask("PATCH", "/me", KEY_HOLDER, {})[1]["code"] == "asks_for_person"


def test_deleting_ones_data_leaves_an_id(lab: Place, people: Table, accounts: Accounts) -> None:
    user = lab.users[Role.VIEWER]
    session_of(people, user)
    token_of(people, user, Scope.READ)
    assert ask("DELETE", "/me", by_token(user, *Scope))[1]["code"] == "asks_for_session"
    status, said = ask("DELETE", "/me", by_session(user))
    assert (status, said["sessions"], said["tokens"], said["memberships"]) == (200, 1, 1, 1)
    assert "runs" in said["stays"]
    kept = accounts.user(user)
    assert kept is not None
    assert (kept.deleted, kept.disabled, kept.name, kept.email) == (True, True, "", "")
    assert accounts.user_of("https://i", "viewer") is None
    assert accounts.members(lab.projects[0])
    assert user not in {m.user_id for m in accounts.members(lab.projects[0])}
    assert user not in {u.user_id for u in accounts.users()}
    assert Tokens(people).of_user(user) == Sessions(people).of_user(user) == ()
    assert ask("GET", "/me", by_session(user))[0] == 401


def test_a_token_is_shown_once_and_is_no_more_than_its_maker(lab: Place, people: Table) -> None:
    user = lab.users[Role.SUBMITTER]
    who = by_session(user)
    new = {"name": "ci", "scopes": ["read", "submit"], "days": 3}
    status, made = ask("POST", "/me/tokens", who, new)
    assert status == 201
    assert digest_of(made["secret"]) == made["token_id"]
    (listed,) = ask("GET", "/me/tokens", who)[1]["tokens"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    weak = by_token(user, Scope.MANAGE, Scope.READ)
    assert ask("POST", "/me/tokens", weak, new)[1]["code"] == "scope_not_held"
    assert ask("POST", "/me/tokens", weak, {"name": "r", "scopes": ["read"]})[0] == 201
    assert ask("POST", "/me/tokens", by_token(user, Scope.READ), new)[0] == 403
    for wrong in ({**new, "days": 367}, {**new, "days": 0}, {**new, "scopes": []}):
        assert ask("POST", "/me/tokens", who, wrong)[0] == 400
    foreign = by_session(lab.users[Role.ADMIN])
    path = f"/me/tokens/{made['token_id']}"
    status, said = ask("DELETE", path, foreign)
    _, absent = ask("DELETE", "/me/tokens/" + "0" * 64, foreign)
    assert status == 404
    assert said["problem"].replace(made["token_id"], "0" * 64) == absent["problem"]
    assert ask("DELETE", path, who)[0] == 200
    assert Tokens(people).find(made["token_id"]) is None


def test_sessions_are_shown_and_ended(lab: Place, people: Table) -> None:
    user = lab.users[Role.VIEWER]
    ids = [digest_of(session_of(people, user)) for _ in range(2)]
    who = by_session(user, ids[0])
    shown = {s["session_id"]: s["current"] for s in ask("GET", "/me/sessions", who)[1]["sessions"]}
    assert shown == {ids[0]: True, ids[1]: False}
    assert "csrf" not in ask("GET", "/me/sessions", who)[1]["sessions"][0]
    assert ask("DELETE", f"/me/sessions/{ids[1]}", by_session(lab.root))[0] == 404
    assert ask("DELETE", f"/me/sessions/{ids[1]}", who)[0] == 200
    assert len(ask("GET", "/me/sessions", who)[1]["sessions"]) == 1


def test_projects_are_made_by_an_admin_and_seen_by_members(lab: Place) -> None:
    root, member = by_session(lab.root), by_session(lab.users[Role.ADMIN])
    new = {"name": "Herd", "group_id": lab.groups[0], "quota": {"runs_at_once": 3}}
    status, made = ask("POST", "/projects", root, new)
    assert (status, made["quota"]["runs_at_once"]) == (201, 3)
    assert ask("POST", "/projects", member, new)[0] == 403
    assert ask("POST", "/projects", root, {**new, "group_id": new_id("g")})[0] == 404
    seen = ask("GET", "/projects", member)[1]["projects"]
    assert [(p["project_id"], p["roles"]) for p in seen] == [(lab.projects[0], ["admin"])]
    path = f"/projects/{made['project_id']}"
    assert ask("GET", path, member)[0] == 404
    assert ask("PATCH", path, root, {"closed": True})[1]["closed"] is True
    assert ask("GET", path, root)[1]["name"] == "Herd"
    assert ask("PATCH", f"/projects/{lab.projects[0]}", member, {"name": "x"})[0] == 403
    assert ask("PATCH", f"/projects/{lab.projects[1]}", member, {"name": "x"})[0] == 404
    assert ask("GET", f"/projects/{new_id('p')}", root)[0] == 404
    assert ask("GET", f"/projects/{lab.groups[0]}", root)[0] == 404


def test_all_projects_come_by_pages(lab: Place) -> None:
    root, found, page = by_session(lab.root), [], {"limit": "1"}
    while True:
        said = ask("GET", "/projects", root, **page)[1]
        found += [p["name"] for p in said["projects"]]
        if said["next"] is None:
            break
        page["cursor"] = said["next"]
    assert found == ["Default project", "foreign", "mine"]
    ask("PATCH", "/projects/default", root, {"name": "Zoo"})
    assert len(ask("GET", "/projects", root)[1]["projects"]) == 3


def test_groups_and_their_members(lab: Place) -> None:
    root, member = by_session(lab.root), by_session(lab.users[Role.VIEWER])
    group = ask("POST", "/groups", root, {"name": "Clinic"})[1]["group_id"]
    assert ask("POST", "/groups", member, {"name": "Clinic"})[0] == 403
    path = f"/groups/{lab.groups[0]}"
    assert ask("GET", path, member)[0] == 404
    roles = {"roles": ["viewer"]}
    user = lab.users[Role.VIEWER]
    assert ask("PUT", f"{path}/members/{user}", root, roles)[0] == 200
    assert ask("GET", path, member)[1]["projects"] == [lab.projects[0]]
    assert ask("GET", "/groups", member)[1]["groups"][0]["roles"] == ["viewer"]
    assert ask("PATCH", f"/groups/{group}", root, {"name": "Zoo"})[1]["name"] == "Zoo"
    assert len(ask("GET", "/groups", root)[1]["groups"]) == 3
    assert ask("PATCH", path, member, {"name": "x"})[0] == 403
    assert ask("GET", f"{path}/members", member)[0] == 403
    assert ask("GET", f"{path}/members", root)[1]["members"][0]["name"] == "viewer"
    assert ask("GET", f"/groups/{lab.projects[0]}", root)[0] == 404


def test_members_are_given_and_lose_roles(lab: Place, accounts: Accounts) -> None:
    admin = by_session(lab.users[Role.ADMIN])
    path = f"/projects/{lab.projects[0]}/members"
    assert len(ask("GET", path, admin)[1]["members"]) == len(Role)
    user = a_user(accounts, "Ben")
    for _ in range(2):
        status, said = ask("PUT", f"{path}/{user}", admin, {"roles": ["viewer", "reviewer"]})
        assert (status, said["roles"]) == (200, ["reviewer", "viewer"])
    for _ in range(2):
        assert ask("DELETE", f"{path}/{user}", admin)[0] == 200
    assert accounts.memberships(user) == ()
    assert ask("PUT", f"{path}/{new_id('u')}", admin, {"roles": ["viewer"]})[0] == 404
    assert ask("PUT", f"{path}/{user}", admin, {"roles": []})[0] == 400
    assert ask("PUT", f"/projects/{lab.projects[1]}/members/{user}", admin, {"roles": ["viewer"]})[
        0
    ] == 404  # fmt: skip


def test_an_admin_of_the_stack_cannot_delete_himself(lab: Place) -> None:
    status, said = ask("DELETE", "/me", by_session(lab.root))
    assert (status, said["code"]) == (409, "stack_admin_stays")
    event = {
        "httpMethod": "DELETE", "path": "/me", "body": None, "isBase64Encoded": False,
        "headers": {"Accept-Language": "ja,en;q=0.5"}, "queryStringParameters": None,
        "requestContext": {"authorizer": by_session(lab.root)},
    }  # fmt: skip
    japanese = json.loads(door("accounts")(event, Context())["body"])
    assert japanese["code"] == said["code"]
    assert japanese["detail"] == Reason(code=PeopleCode.STACK_ADMIN_STAYS).text("ja")
    assert ask("GET", "/me", by_session(lab.root))[0] == 200


def test_the_last_admin_stays_unless_the_stack_has_one(lab: Place, accounts: Accounts) -> None:
    own = lab.users[Role.ADMIN]
    admin, path = by_session(own), f"/projects/{lab.projects[0]}/members/{own}"
    accounts.change_user(lab.root, lambda u: u.model_copy(update={"disabled": True}))
    assert ask("DELETE", path, admin)[1]["code"] == "last_admin"
    assert ask("PUT", path, admin, {"roles": ["viewer"]})[1]["code"] == "last_admin"
    assert ask("PUT", path, admin, {"roles": ["viewer", "admin"]})[0] == 200
    accounts.change_user(lab.root, lambda u: u.model_copy(update={"disabled": False}))
    assert ask("DELETE", path, admin)[0] == 200


def an_invitation(lab: Place, **more: Any) -> dict[str, Any]:
    new = {"roles": ["submitter"], "email": "ben@lab.example", **more}
    path = f"/projects/{lab.projects[0]}/invitations"
    status, made = ask("POST", path, by_session(lab.users[Role.ADMIN]), new)
    assert status == 201
    invitation: dict[str, Any] = made
    return invitation


def accept(secret: str, user_id: str) -> Answer:
    return ask("POST", "/invitations/accept", by_session(user_id), {"secret": secret})


def test_an_invitation_is_accepted_once(lab: Place, accounts: Accounts) -> None:
    made, ben, eve = an_invitation(lab), a_user(accounts, "Ben"), a_user(accounts, "Eve")
    assert accept(made["secret"], ben) == (
        200, {"place": lab.projects[0], "roles": ["submitter"]}
    )  # fmt: skip
    assert accept(made["secret"], eve)[1]["code"] == "invitation_used"
    accounts.remove_member(lab.projects[0], ben)
    assert accept(made["secret"], ben)[0] == 200
    assert accounts.memberships(ben) == (), "a second time gives nothing"
    path = f"/projects/{lab.projects[0]}/invitations"
    admin = by_session(lab.users[Role.ADMIN])
    assert ask("DELETE", f"{path}/{made['invitation_id']}", admin)[1]["code"] == "invitation_used"
    (listed,) = ask("GET", path, admin)[1]["invitations"]
    assert (listed["accepted_by"], "secret" in listed) == (ben, False)


def test_an_invitation_adds_to_what_somebody_is(lab: Place, accounts: Accounts) -> None:
    user = lab.users[Role.REVIEWER]
    accept(an_invitation(lab)["secret"], user)
    (member,) = accounts.memberships(user)
    assert member.roles == {Role.REVIEWER, Role.SUBMITTER}


def test_over_and_withdrawn_invitations_and_guesses(
    lab: Place, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben, admin = a_user(accounts, "Ben"), by_session(lab.users[Role.ADMIN])
    withdrawn, expired = an_invitation(lab), an_invitation(lab, days=1)
    path = f"/projects/{lab.projects[0]}/invitations/{withdrawn['invitation_id']}"
    foreign = path.replace(lab.projects[0], lab.projects[1])
    assert ask("DELETE", foreign, by_session(lab.root))[0] == 404
    for _ in range(2):
        assert ask("DELETE", path, admin)[1]["withdrawn"] is True
    assert accept(withdrawn["secret"], ben)[1]["code"] == "invitation_withdrawn"
    later(monkeypatch, days=1, seconds=1)
    assert accept(expired["secret"], ben)[1]["code"] == "invitation_expired"
    for guess in ("x", expired["invitation_id"], new_secret(Kind.INVITATION)):
        assert accept(guess, ben)[0] == 404
    assert accounts.memberships(ben) == ()


def test_somebody_who_was_removed_does_not_come_back_by_his_own_invitation(
    lab: Place, accounts: Accounts
) -> None:
    mallory, admin = a_user(accounts, "Mallory"), by_session(lab.users[Role.ADMIN])
    give(accounts, lab.projects[0], mallory, Role.ADMIN)
    new = {"roles": ["viewer"], "email": "ben@lab.example"}
    kept = ask("POST", f"/projects/{lab.projects[0]}/invitations", by_session(mallory), new)[1]
    path = f"/projects/{lab.projects[0]}/members/{mallory}"
    assert ask("PUT", path, admin, {"roles": ["viewer"]})[0] == 200
    assert accept(kept["secret"], mallory)[1]["code"] == "invitation_withdrawn"
    assert ask("DELETE", path, admin)[0] == 200
    assert accept(kept["secret"], mallory)[1]["code"] == "invitation_withdrawn"
    assert accounts.memberships(mallory) == ()
    assert accounts.membership(lab.projects[0], mallory) is None


def test_a_token_made_by_a_token_does_not_outlive_it(lab: Place) -> None:
    until = (now() + timedelta(days=1)).isoformat()
    parent = by_token(lab.users[Role.VIEWER], Scope.MANAGE) | {"until": until}
    made = ask("POST", "/me/tokens", parent, {"name": "t", "scopes": ["manage"], "days": 300})[1]
    assert made["expires_at"].replace("Z", "+00:00") == until


def test_answers_are_kept_by_nobody(lab: Place) -> None:
    event = {
        "httpMethod": "GET", "path": "/me", "headers": {}, "body": None, "isBase64Encoded": False,
        "queryStringParameters": None,
        "requestContext": {"authorizer": by_session(lab.users[Role.VIEWER])},
    }  # fmt: skip
    headers = door("accounts")(event, Context())["multiValueHeaders"]
    assert headers["Cache-Control"] == ["no-store"]


def shared(lab: Place, who: dict[str, str], **new: Any) -> Answer:
    return ask("POST", f"/runs/{lab.runs[0]}/shares", who, new)


def test_a_link_shows_one_report_and_counts_its_views(
    lab: Place, people: Table, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, links, runs = by_session(lab.users[Role.REVIEWER]), ShareLinks(people), RunLedger(cloud)
    status, made = shared(lab, who, days=2, note="for the herd's vet")
    assert (status, made["path"]) == (201, f"/web/share/{made['secret']}")
    for _ in range(3):
        found = open_share(made["secret"], now(), links=links, runs=runs, accounts=Accounts(people))
    assert (found.run_id, found.revision) == (lab.runs[0], 1)
    path = f"/runs/{lab.runs[0]}/shares"
    (listed,) = ask("GET", path, who)[1]["shares"]
    assert (listed["views"], listed["note"], "secret" in listed) == (3, "for the herd's vet", False)
    assert ask("DELETE", f"/runs/{lab.runs[1]}/shares/{made['share_id']}", by_session(lab.root))[
        0
    ] == 404  # fmt: skip
    revoked = shared(lab, who)[1]
    for _ in range(2):
        assert ask("DELETE", f"{path}/{revoked['share_id']}", who)[1]["revoked_at"]
    with pytest.raises(AccountRefused) as raised:
        open_share(revoked["secret"], now(), links=links, runs=runs, accounts=Accounts(people))
    assert raised.value.code == "share_revoked"
    later(monkeypatch, days=2, seconds=1)
    with pytest.raises(AccountRefused) as raised:
        open_share(made["secret"], now(), links=links, runs=runs, accounts=Accounts(people))
    assert raised.value.code == "share_expired"
    for guess in ("", made["share_id"], new_secret(Kind.SHARE)):
        with pytest.raises(NotFound):
            open_share(guess, now(), links=links, runs=runs, accounts=Accounts(people))


def test_a_link_of_somebody_who_was_removed_shows_nothing(
    lab: Place, people: Table, cloud: Table
) -> None:
    links, runs, accounts = ShareLinks(people), RunLedger(cloud), Accounts(people)
    made = shared(lab, by_session(lab.users[Role.SUBMITTER]))[1]
    accounts.remove_member(lab.projects[0], lab.users[Role.SUBMITTER])
    with pytest.raises(AccountRefused) as raised:
        open_share(made["secret"], now(), links=links, runs=runs, accounts=accounts)
    assert raised.value.code == "share_revoked"


def test_only_a_report_is_shared_and_not_for_ever(lab: Place, cloud: Table) -> None:
    who = by_session(lab.users[Role.ADMIN])
    assert shared(lab, who, days=91)[0] == 400
    bare = new_run_id()
    ProjectRuns(cloud).register(bare, Registration(lab.projects[0], "bare", "u"), AT)
    assert ask("POST", f"/runs/{bare}/shares", who, {})[0] == 404
    assert ask("POST", f"/runs/{lab.runs[1]}/shares", who, {})[0] == 404
    assert shared(lab, by_session(lab.users[Role.VIEWER]))[0] == 403


def test_users_are_managed_by_admins_of_the_stack(lab: Place, people: Table) -> None:
    root, user = by_session(lab.root), lab.users[Role.VIEWER]
    first = ask("GET", "/users", root, limit="4")[1]
    rest = ask("GET", "/users", root, limit="4", cursor=first["next"])[1]
    names = [u["name"] for u in (*first["users"], *rest["users"])]
    assert names == sorted([role.value for role in Role] + ["Root"], key=str.casefold)
    assert rest["next"] is None
    assert ask("GET", "/users", by_session(lab.users[Role.ADMIN]))[0] == 403
    session_of(people, user)
    assert ask("PATCH", f"/users/{user}", root, {"disabled": True})[1]["disabled"] is True
    assert Sessions(people).of_user(user) == ()
    assert ask("GET", "/me", by_session(user))[0] == 401
    said = ask("PATCH", f"/users/{user}", root, {"disabled": False, "stack_role": "operator"})[1]
    assert said["stack_role"] == "operator"
    assert ask("PATCH", f"/users/{user}", root, {"disabled": False})[1]["stack_role"] == "operator"
    assert ask("PATCH", f"/users/{user}", root, {"stack_role": None})[1]["stack_role"] is None
    assert ask("PATCH", f"/users/{user}", root, {"stack_role": "viewer"})[0] == 400
    assert ask("PATCH", f"/users/{new_id('u')}", root, {})[0] == 404
    for change in ({"stack_role": None}, {"stack_role": "operator"}, {"disabled": True}):
        assert ask("PATCH", f"/users/{lab.root}", root, change)[1]["code"] == "own_admin_role"


def test_use_of_a_month_is_read_in_bounded_pages(
    lab: Place, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        run_id, at = new_run_id(), datetime(2026, 5, 1 + number, tzinfo=UTC)
        ProjectRuns(cloud).register(run_id, Registration(lab.projects[0], f"r{number}", "u"), at)
        report(cloud, run_id, cost_usd=0.25)
    monkeypatch.setattr(usage, "MOST_RUNS", 3)
    monkeypatch.setattr(usage, "PAGE", 2)
    asked: list[Any] = []
    wire = BaseClient._make_api_call

    def recorded(self: BaseClient, operation: str, request: Any) -> Any:
        if "IndexName" in request:
            asked.append(request["Limit"])
        return wire(self, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    for who in (lab.users[Role.VIEWER], lab.root):
        runs, usd, cursor = [], 0.0, ""
        while cursor is not None:
            asked.clear()
            more = {"cursor": cursor} if cursor else {}
            used = ask("GET", "/usage", by_session(who), month="2026-05", **more)[1]
            assert asked in ([2, 2], [2])
            runs.append(sum(row["runs"] for row in used["projects"]))
            usd, cursor = usd + used["usd"], used["next"]
        assert (runs, usd) == ([3, 3, 1], 1.75)
        said = ask("GET", "/usage", by_session(who), month="2026-05", format="csv")
        assert (said[0], said[1]["code"]) == (400, "message_refused")
    assert ask("GET", "/usage", by_session(who), cursor="x")[0] == 400


def test_what_projects_used_in_a_month(lab: Place, cloud: Table, accounts: Accounts) -> None:
    for number, month in enumerate((2, 3, 3, 4)):
        run_id = new_run_id()
        at = datetime(2026, month, 1, tzinfo=UTC)
        ProjectRuns(cloud).register(run_id, Registration(lab.projects[0], f"r{number}", "u"), at)
        report(cloud, run_id, cost_usd=0.25)
    accounts.change_project(lab.projects[1], lambda p: p.model_copy(update={"name": "=1+1"}))
    member, root = by_session(lab.users[Role.VIEWER]), by_session(lab.root)
    used = ask("GET", "/usage", member, month="2026-03")[1]
    (mine,) = used["projects"]
    assert (mine["project"], mine["runs"], mine["usd"]) == (lab.projects[0], 3, 0.5)
    assert mine["states"] == {"completed": 3}
    assert used["usd"] == 0.5
    assert len(ask("GET", "/usage", root, month="2026-03")[1]["projects"]) == 2
    status, text = ask("GET", "/usage", root, month="2026-03", format="csv")
    lines = text.split("\r\n")
    assert (status, lines[0].split(",")[:4]) == (200, ["month", "project", "name", "runs"])
    assert lines[1].startswith(f"2026-03,{lab.projects[1]},'=1+1,1,")
    assert ask("GET", "/usage", member)[1]["projects"] == []
    assert ask("GET", "/usage", member, month="2026-13")[0] == 400
    assert ask("GET", "/usage", {})[0] == 401


def everything(people: Table) -> set[tuple[str, str]]:
    found = people.client.scan(TableName=people.name)["Items"]
    return {(one["pk"]["S"], one["sk"]["S"]) for one in found}


def test_projects_and_groups_are_made_once_however_often_a_request_is_sent(
    lab: Place, people: Table
) -> None:
    root, other = by_session(lab.root), by_session(lab.users[Role.ADMIN])
    for path in ("/projects", "/groups"):
        first = ask("POST", path, root, {"name": "Herd"}, key="k")
        before = everything(people)
        assert first[0] == 201
        assert ask("POST", path, root, {"name": "Herd"}, key="k") == first
        assert everything(people) == before
        assert ask("POST", path, root, {"name": "Herd 2"}, key="k")[1]["code"] == "key_reused"
        assert ask("POST", path, root, {"name": "Herd"}, key="l")[1] != first[1]
        assert ask("POST", path, other, {"name": "Herd"}, key="k")[0] == 403


AN_INVITATION = {"roles": ["viewer"], "email": "ben@lab.example"}


def test_a_secret_is_answered_once_and_made_once(lab: Place, people: Table) -> None:
    """Who repeats the request learns what it made, and can revoke that."""
    admin = by_session(lab.users[Role.ADMIN])
    for path, body, its_id in (
        ("/me/tokens", {"name": "t", "scopes": ["read"]}, "token_id"),
        (f"/projects/{lab.projects[0]}/invitations", AN_INVITATION, "invitation_id"),
        (f"/runs/{lab.runs[0]}/shares", {}, "share_id"),
    ):
        status, made = ask("POST", path, admin, body, key="k")
        assert (status, bool(made["secret"])) == (201, True), made
        before = everything(people)
        for _ in range(2):
            status, said = ask("POST", path, admin, body, key="k")
            assert (status, said["code"], made[its_id] in said["detail"]) == (
                409,
                "shown_once",
                True,
            )
            assert made["secret"] not in json.dumps(said)
        assert everything(people) == before
        assert ask("POST", path, admin, body, key="l")[0] == 201


def test_a_key_whose_request_broke_off_is_free(
    lab: Place, people: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and thing are written together: there is none without the other."""
    root, before = by_session(lab.root), everything(people)
    with monkeypatch.context() as patched:
        patched.setattr(Table, "transact", Mock(side_effect=Unavailable("away")))
        assert ask("POST", "/me/tokens", root, {"name": "t", "scopes": ["read"]}, key="k")[0] == 503
    assert everything(people) == before
    assert ask("POST", "/me/tokens", root, {"name": "t", "scopes": ["read"]}, key="k")[0] == 201


def test_a_user_has_so_many_tokens_and_no_more(lab: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_credentials, "MOST_TOKENS", 2)
    me, new = by_session(lab.users[Role.VIEWER]), {"name": "t", "scopes": ["read"], "days": 1}
    for _ in range(2):
        status, made = ask("POST", "/me/tokens", me, new)
        assert status == 201
    assert ask("POST", "/me/tokens", me, new)[1]["code"] == "too_many_tokens"
    assert ask("POST", "/me/tokens", by_session(lab.root), new)[0] == 201
    assert ask("DELETE", f"/me/tokens/{made['token_id']}", me)[0] == 200
    assert ask("POST", "/me/tokens", me, new)[0] == 201
    later(monkeypatch, days=2)
    assert ask("POST", "/me/tokens", me, new)[0] == 201
