"""Lists and pages with many users and runs: few calls, none of them a scan, and little time of our
own (moto's time in a call is not counted)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from moto.dynamodb.models import dynamodb_backends

from porewatch.adapters.items import Item, stored
from porewatch.adapters.ledger.run_moves import RUN, RUNS, place_of, project_write
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.domain.people.accounts import Group, Project
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id, new_run_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from tests.functional.conftest import ACCOUNT, REGION
from tests.functional.doors import Context, door
from tests.functional.test_who_asks import AT, a_user, give
from tests.mocked import make_ledger

OWN_SECONDS = 0.3
MOST_CALLS = 16
PROJECTS, GROUPS = 40, 8


class Heard:
    """Calls of AWS, and the time of ours around them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.away = 0.0
        made = BaseClient._make_api_call

        def heard(client: BaseClient, operation: str, request: Any) -> Any:
            began = time.thread_time()
            try:
                return made(client, operation, request)
            finally:
                self.away += time.thread_time() - began
                self.calls.append(operation)

        monkeypatch.setattr(BaseClient, "_make_api_call", heard)

    def ask(self, function: str, path: str, user_id: str, **query: str) -> Any:
        """The answer, within its bounds."""
        handler, self.calls, self.away = door(function), [], 0.0
        event = {
            "httpMethod": "GET", "path": path, "headers": {}, "body": None,
            "queryStringParameters": query or None, "isBase64Encoded": False,
            "requestContext": {"authorizer": {"means": "session", "user_id": user_id}},
        }  # fmt: skip
        began = time.thread_time()
        answer = handler(event, Context())
        own = time.thread_time() - began - self.away
        assert answer["statusCode"] == 200, answer["body"]
        assert "Scan" not in self.calls
        assert len(self.calls) <= MOST_CALLS, (path, self.calls)
        assert own < OWN_SECONDS, f"{path}: {own:.3f} s of our own"
        return json.loads(answer["body"])


def written(table: str, items: Sequence[Item]) -> None:
    """Into moto itself: by calls it would take a quarter of an hour."""
    kept = dynamodb_backends[ACCOUNT][REGION].tables[table]
    for item in items:
        kept.put_item(stored(item))


def run_items(number: int, projects: Sequence[str]) -> Iterator[Item]:
    record = RunRecord(
        run_id=new_run_id(),
        state=RunState.COMPLETED if number % 10 else RunState.FAILED,
        project=projects[number % len(projects)],
        name=f"run {number}",
        created_at=AT + timedelta(seconds=number),
        updated_at=AT,
        cost_usd=0.5,
    )
    key = f"RUN#{record.run_id}"
    yield Item.of(key, RUN, record, kind=(RUNS, place_of(record)))
    yield project_write(record).item


def look(cloud: Table, monkeypatch: pytest.MonkeyPatch, users: int, runs: int) -> None:
    accounts = Accounts(make_ledger("people"))
    groups = [new_id("g") for _ in range(GROUPS)]
    for group in groups:
        accounts.add_group(Group(group_id=group, name=group, created_at=AT, created_by="u"))
    projects = [new_id("p") for _ in range(PROJECTS)]
    for number, project in enumerate(projects):
        group = groups[number % GROUPS]
        accounts.add_project(
            Project(project_id=project, name=project, group_id=group, created_at=AT, created_by="u")
        )
    people = [a_user(accounts, f"User {number:04d}") for number in range(users)]
    for number, user in enumerate(people):
        give(accounts, groups[number % GROUPS], user, Role.ADMIN)
    root = a_user(accounts, "Root", stack_role=Role.ADMIN)
    written("ledger", [item for n in range(runs) for item in run_items(n, projects)])
    heard = Heard(monkeypatch)
    for user in (people[0], root):
        page = heard.ask("api", "/runs", user)
        assert len(page["runs"]) == 50
        names = [run["name"] for run in page["runs"]]
        following = heard.ask("api", "/runs", user, cursor=page["next"])["runs"]
        assert not {run["name"] for run in following} & set(names)
        assert heard.ask("api", "/runs", user, project=projects[0], limit="5")["runs"]
        heard.ask("api", f"/runs/{page['runs'][0]['run_id']}", user)
        heard.ask("api", "/alerts", user)
        heard.ask("accounts", "/me", user)
        heard.ask("accounts", "/projects", user)
        heard.ask("accounts", "/groups", user)
        heard.ask("accounts", f"/projects/{projects[0]}", user)
        heard.ask("accounts", f"/groups/{groups[0]}/members", user)
    page = heard.ask("accounts", "/users", root)
    assert len(page["users"]) == 50
    assert len(heard.ask("accounts", "/users", root, cursor=page["next"])["users"]) == min(
        50, users - 49
    )


def test_lists_and_pages_of_a_small_stack_make_few_calls(
    cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(cloud, monkeypatch, users=60, runs=1_000)


@pytest.mark.slow
def test_of_500_users_and_50_000_runs_too(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    look(cloud, monkeypatch, users=500, runs=50_000)
