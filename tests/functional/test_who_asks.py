"""The authorizer and the functions behind it: who asks, and what he sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions, Tokens
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.errors import AlreadyDone, ConfigurationRefused, NameTaken, Unavailable
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.people.accounts import Group, Membership, Project, User
from porewatch.domain.people.credentials import SESSION_IDLE, Session, Token
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_run_id, new_secret
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.edge.authorizer import SESSION_COOKIE
from tests.functional.doors import KEY_HOLDER, ROOT, Context, door
from tests.mocked import make_ledger

AT = datetime(2026, 3, 2, tzinfo=UTC)
ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc/v1/GET/runs"


@pytest.fixture
def people(cloud: Table) -> Table:
    return make_ledger("people")


@pytest.fixture
def lab(people: Table, cloud: Table) -> Iterator[dict[str, str]]:
    """Two groups with a project each, a viewer in the first by his group, a run in each."""
    accounts, found = Accounts(people), {}
    for name in ("mine", "foreign"):
        group, project = new_id("g"), new_id("p")
        accounts.add_group(Group(group_id=group, name=name, created_at=AT, created_by="u"))
        accounts.add_project(
            Project(project_id=project, name=name, group_id=group, created_at=AT, created_by="u")
        )
        run_id = new_run_id()
        owner = Registration(project, "herd 7", "u")
        ProjectRuns(cloud).register(run_id, owner, AT)
        found |= {f"{name} group": group, f"{name} project": project, f"{name} run": run_id}
    found["user"] = a_user(accounts, "Ada")
    give(accounts, found["mine group"], found["user"], Role.VIEWER)
    yield found


def a_user(accounts: Accounts, name: str, **more: Any) -> str:
    user_id = new_id("u")
    accounts.add_user(
        User(
            user_id=user_id, issuer="https://i", subject=name, name=name,
            created_at=AT, seen_at=AT, **more,
        )
    )  # fmt: skip
    return user_id


def give(accounts: Accounts, place: str, user_id: str, *roles: Role) -> None:
    accounts.put_member(
        Membership(place=place, user_id=user_id, roles=frozenset(roles), given_by="u", at=AT)
    )


def session_of(people: Table, user_id: str, **changes: Any) -> str:
    secret = new_secret(Kind.SESSION)
    session = Session(
        session_id=digest_of(secret), user_id=user_id, csrf="c" * 40, began_at=now(),
        used_at=now(), expires_at=now() + timedelta(hours=12),
    )  # fmt: skip
    Sessions(people).add(session.model_copy(update=changes))
    return secret


def token_of(people: Table, user_id: str, *scopes: Scope, days: int = 30) -> str:
    secret = new_secret(Kind.TOKEN)
    Tokens(people).add(
        Token(
            token_id=digest_of(secret), user_id=user_id, name="t", scopes=frozenset(scopes),
            made_at=now(), expires_at=now() + timedelta(days=days),
        )
    )  # fmt: skip
    return secret


def asked(headers: dict[str, str], method: str = "GET", resource: str = "/runs") -> dict[str, Any]:
    event = {
        "type": "REQUEST", "methodArn": ARN, "resource": resource, "httpMethod": method,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
    }  # fmt: skip
    answer: dict[str, Any] = door("authorizer")(event, Context())
    return answer


def claims_of(headers: dict[str, str], **more: str) -> dict[str, str]:
    answer = asked(headers, **more)
    assert effect(answer) == "Allow"
    claims: dict[str, str] = answer["context"]
    return claims


def effect(answer: dict[str, Any]) -> str:
    return str(answer["policyDocument"]["Statement"][0]["Effect"])


@pytest.fixture(autouse=True)
def api_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The stack's own key. (moto's API Gateway wants packages of its own; tests/cloud asks the
    engine's.)"""
    monkeypatch.setattr("porewatch.adapters.gateway_keys.key_value", lambda _: "k" * 24)
    return "k" * 24


def get(path: str, claims: dict[str, str], **query: str) -> tuple[int, Any]:
    event = {
        "httpMethod": "GET", "path": path, "headers": {}, "body": None,
        "queryStringParameters": query or None, "isBase64Encoded": False,
        "requestContext": {"authorizer": claims},
    }  # fmt: skip
    answer = door("api")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_member_sees_the_runs_of_his_groups_projects_and_no_others(
    people: Table, lab: dict[str, str]
) -> None:
    claims = claims_of({"Authorization": f"Bearer {token_of(people, lab['user'], Scope.READ)}"})
    status, found = get("/runs", claims)
    assert status == 200
    assert [(r["run_id"], r["name"]) for r in found["runs"]] == [(lab["mine run"], "herd 7")]
    assert get(f"/runs/{lab['mine run']}", claims)[0] == 200
    for path in (f"/runs/{lab['foreign run']}", f"/runs/{lab['foreign run']}/report"):
        status, foreign = get(path, claims)
        _, absent = get(path.replace(lab["foreign run"], "r-none"), claims)
        assert status == 404
        assert foreign["code"] == absent["code"]
        assert foreign["problem"].replace(lab["foreign run"], "r-none") == absent["problem"]
    assert get("/runs", claims, project=lab["foreign project"])[0] == 404
    assert len(get("/runs", KEY_HOLDER)[1]["runs"]) == 2


def test_roles_are_read_at_each_request(people: Table, lab: dict[str, str]) -> None:
    claims = claims_of({"Authorization": f"Bearer {token_of(people, lab['user'], Scope.READ)}"})
    Accounts(people).remove_member(lab["mine group"], lab["user"])
    assert get("/runs", claims)[1]["runs"] == []
    assert get(f"/runs/{lab['mine run']}", claims)[0] == 404
    Accounts(people).change_user(lab["user"], lambda u: u.model_copy(update={"disabled": True}))
    assert get("/runs", claims)[0] == 401


def test_what_nobody_showed_opens_nothing(people: Table, lab: dict[str, str]) -> None:
    assert get("/runs", {})[0] == 401
    assert get("/runs", {"means": "admin"})[0] == 401
    assert get("/runs", {"means": "token", "user_id": new_id("u")})[0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer " + new_secret(Kind.TOKEN)},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic eDp5"},
        {"Cookie": f"{SESSION_COOKIE}={new_secret(Kind.SESSION)}"},
        {"Cookie": "\x00;;=="},
    ],
)
def test_the_api_is_closed_to_who_shows_nothing_valid(
    people: Table, headers: dict[str, str]
) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        asked(headers)
    assert claims_of(headers, resource="/web")["means"] == "nobody"


def test_tokens_and_sessions_end(people: Table, lab: dict[str, str]) -> None:
    over = token_of(people, lab["user"], Scope.READ, days=-1)
    idle = session_of(people, lab["user"], used_at=now() - SESSION_IDLE)
    old = session_of(people, lab["user"], expires_at=now())
    revoked = token_of(people, lab["user"], Scope.READ)
    for token in Tokens(people).of_user(lab["user"]):
        if token.token_id == digest_of(revoked):
            Tokens(people).revoke(token)
    ended = session_of(people, lab["user"])
    for session in Sessions(people).of_user(lab["user"]):
        if session.session_id == digest_of(ended):
            Sessions(people).end(session)
    for headers in (
        *({"Authorization": f"Bearer {secret}"} for secret in (over, revoked)),
        *({"Cookie": f"{SESSION_COOKIE}={secret}"} for secret in (idle, old, ended)),
    ):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            asked(headers)


def test_the_stacks_key_is_an_operators(people: Table, lab: dict[str, str], api_key: str) -> None:
    assert claims_of({"x-api-key": api_key})["means"] == "api_key"
    assert asked({"x-api-key": api_key})["usageIdentifierKey"] == api_key
    for wrong in (api_key[:-1], api_key + "k", "é"):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            asked({"x-api-key": wrong})


def test_a_browser_changes_nothing_without_the_token_of_its_pages(
    people: Table, lab: dict[str, str]
) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={session_of(people, lab['user'])}"}
    assert claims_of(cookie)["csrf"] == "c" * 40
    for headers in (cookie, cookie | {"x-csrf-token": ""}, cookie | {"x-csrf-token": "d" * 40}):
        assert effect(asked(headers, "POST", "/runs/{run_id}/cancel")) == "Deny"
    assert effect(asked(cookie | {"X-CSRF-Token": "c" * 40}, "POST")) == "Allow"


def test_a_header_sent_twice_counts_for_nothing(people: Table, lab: dict[str, str]) -> None:
    token = f"Bearer {token_of(people, lab['user'], Scope.READ)}"
    event = {
        "methodArn": ARN, "resource": "/runs", "httpMethod": "GET",
        "multiValueHeaders": {"Authorization": [token, "Bearer x"]},
    }  # fmt: skip
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        door("authorizer")(event, Context())


def test_the_use_of_a_session_is_noted_when_it_grows_old(
    people: Table, lab: dict[str, str]
) -> None:
    long_ago = now() - SESSION_IDLE * 0.75
    secret = session_of(people, lab["user"], used_at=long_ago)
    claims_of({"Cookie": f"{SESSION_COOKIE}={secret}"})
    noted = Sessions(people).find(digest_of(secret))
    assert noted is not None
    assert noted.used_at > long_ago + timedelta(minutes=30)


def test_a_name_is_given_once_in_a_project(cloud: Table) -> None:
    runs, owner = ProjectRuns(cloud), Registration("p-aaaaaaaaaaaaaaaa", "Herd 7", "u")
    first = runs.register(new_run_id(), owner, AT)
    with pytest.raises(NameTaken):
        runs.register(new_run_id(), owner._replace(name="herd 7"), AT)
    with pytest.raises(AlreadyDone):
        runs.register(first.run_id, owner, AT)
    assert runs.named("p-aaaaaaaaaaaaaaaa", "HERD 7") == first.run_id
    runs.register(new_run_id(), owner._replace(project="p-bbbbbbbbbbbbbbbb"), AT)


def test_lists_of_several_projects_are_one_by_time(cloud: Table) -> None:
    runs = ProjectRuns(cloud)
    projects = [f"p-{letter * 16}" for letter in "abc"]
    for number in range(30):
        owner = Registration(projects[number % 3], f"run {number}", "u")
        runs.register(new_run_id(), owner, AT + timedelta(seconds=number))
    listed = list(runs.list(projects[:2], page=4))
    assert [r.name for r in listed] == [f"run {n}" for n in reversed(range(30)) if n % 3 < 2]
    after = runs.place(listed[6])
    assert [r.name for r in runs.list(projects[:2], after, page=3)] == [r.name for r in listed[7:]]


def test_runs_from_before_projects_are_adopted(cloud: Table) -> None:
    known, runs = RunLedger(cloud), ProjectRuns(cloud)
    known.receive("old-run", AT)
    cloud.delete("RUN#old-run", "PROJECT")  # as earlier versions left it
    assert list(runs.list(["default"])) == []
    assert (runs.adopt(), runs.adopt()) == (1, 0)
    assert [r.run_id for r in runs.list(["default"])] == ["old-run"]


def test_alerts_from_before_projects_are_adopted(cloud: Table) -> None:
    RunLedger(cloud).receive("old-run", AT)
    alerts = AlertLedger(cloud)
    waits, closed = (a_suspicion("old-run", sample) for sample in ("pig 1", "pig 2"))
    for fact in (waits, closed):
        alerts.raise_alert(fact)
    alerts.acknowledge(alerts.of_run("old-run")[1], "Ada", "", AT)
    listed = [alert.sample for _, alert in alerts.places(every=True)]
    for sk in [sk for sk in cloud.sort_keys("RUN#old-run") if sk.startswith("LISTED-ALERT#")]:
        cloud.delete("RUN#old-run", sk)  # as earlier versions left it

    def of_default() -> list[str]:
        return [alert.sample for _, alert in alerts.places(every=True, projects=["default"])]

    assert of_default() == []
    assert (alerts.adopt(), alerts.adopt()) == (2, 0)
    assert of_default() == listed


def a_suspicion(run_id: str, sample: str) -> PathogenSuspected:
    example = json.loads((ROOT / "events/PathogenSuspected/example.json").read_text())["detail"]
    fact_id = PathogenSuspected.id_of(run_id, 0, sample)
    changed = {"run_id": run_id, "sample": sample, "fact_id": fact_id}
    return PathogenSuspected.model_validate({**example, **changed})


def test_a_run_is_read_once_to_be_shown(
    people: Table, lab: dict[str, str], cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunLedger(cloud).receive("a-run", AT)
    asked: list[str] = []
    read = Table.get

    def counted(table: Table, pk: str, sk: str) -> Any:
        if sk == "RUN":
            asked.append(pk)
        return read(table, pk, sk)

    monkeypatch.setattr(Table, "get", counted)
    for query in ({}, {"revision": "0"}):
        asked.clear()
        get("/runs/a-run", KEY_HOLDER, **query)
        get("/runs/a-run/report", KEY_HOLDER, **query)
        assert asked == ["RUN#a-run"] * 2


def test_what_is_ours_to_correct_is_told_to_nobody(
    people: Table, lab: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name of a key, a role or an account leaves by an answer."""
    away = Unavailable("could not read RUN#x: AccessDenied: arn:aws:iam::123456789012:role/r")
    monkeypatch.setattr(ProjectRuns, "list", Mock(side_effect=away))
    status, said = get("/runs", KEY_HOLDER)
    assert (status, said["code"]) == (503, "unavailable")
    assert "arn:" not in json.dumps(said) and "RUN#" not in json.dumps(said)
    monkeypatch.setattr(ProjectRuns, "list", Mock(side_effect=ConfigurationRefused("arn:x")))
    assert get("/runs", KEY_HOLDER)[0] == 500
