"""Lists and pages with many users and runs: few calls, none of them a scan, and little time.

The time of a call here is moto's, which says nothing of AWS. So a page's time is what our own code
takes, and for each of its calls, which follow one another, what DynamoDB takes for one.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from botocore.client import BaseClient
from moto.dynamodb.models import dynamodb_backends

from porewatch.adapters.items import Item
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.run_moves import RUN, RUNS, place_of, project_write
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.table import Table
from porewatch.domain.people.accounts import Group, Project
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id, new_run_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.usecases.views.show_runs import MERGED
from tests.functional.conftest import ACCOUNT, REGION
from tests.functional.doors import Context, door
from tests.functional.indexed_tables import filled, indexed, written
from tests.functional.test_alerts import suspected
from tests.functional.test_who_asks import AT, a_user, give
from tests.mocked import make_ledger

CALL_SECONDS = 0.006
"""Of a call of DynamoDB from a function in its region: single-digit milliseconds, says AWS."""
MOST_SECONDS = 0.3
GROUPS = 8
LINK = "/web/runs/r-"
"""To a run, on a page that lists some."""


class Asked(NamedTuple):
    """One answer: seconds of our own, and its calls of AWS."""

    own: float
    calls: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return self.own + len(self.calls) * CALL_SECONDS


class Measured:
    """Asks, and keeps what each route took."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.rows: dict[tuple[str, str], list[Asked]] = defaultdict(list)
        self._times, self._calls, self._away = times, [], 0.0
        self._doors: dict[str, Any] = {}
        made = BaseClient._make_api_call

        def heard(client: BaseClient, operation: str, request: Any) -> Any:
            began = time.thread_time()
            try:
                return made(client, operation, request)
            finally:
                self._away += time.thread_time() - began
                self._calls.append(f"{operation} {request.get('IndexName', '')}".strip())

        monkeypatch.setattr(BaseClient, "_make_api_call", heard)

    def ask(self, who: str, user_id: str, function: str, path: str, **query: str) -> str:
        """The body of the answer."""
        if function not in self._doors:
            self._doors[function] = door(function)
        page = path.removeprefix("/web").strip("/") if function == "web" else None
        event = {
            "httpMethod": "GET", "path": path, "headers": {"Host": "h"}, "body": None,
            "queryStringParameters": query or None, "isBase64Encoded": False,
            "pathParameters": {"page": page} if page else None,
            "requestContext": {
                "authorizer": {"means": "session", "user_id": user_id, "csrf": "c"},
                "path": f"/v1{path}", "domainName": "h",
            },
        }  # fmt: skip
        shown = path.replace(path.rsplit("/", maxsplit=1)[-1], "{run}") if "/r-" in path else path
        shown += "?" + "&".join(query) if query else ""
        for _ in range(self._times):
            self._calls, self._away = [], 0.0
            began = time.thread_time()
            answer = self._doors[function](event, Context())
            own = time.thread_time() - began - self._away
            assert answer["statusCode"] == 200, (shown, answer["body"][:500])
            self.rows[who, shown].append(Asked(own, tuple(self._calls)))
        return str(answer["body"])

    def check(self) -> None:
        """No scan, and all of it within MOST_SECONDS."""
        for (who, path), asked in self.rows.items():
            calls = asked[-1].calls
            assert not [call for call in calls if call.startswith("Scan")], (who, path)
            usual = sorted(one.seconds for one in asked)[len(asked) // 2]
            assert usual < MOST_SECONDS, f"{path} of {who}: {usual:.3f} s, {calls}"

    def table(self) -> str:
        heads = ("calls", "own p50", "p95", "max", "all")
        lines = [f"{'who':<24}{'route':<44}" + "".join(f"{head:>8}" for head in heads)]
        for (who, path), asked in sorted(self.rows.items()):
            own = sorted(one.own * 1000 for one in asked)
            whole = sorted(one.seconds * 1000 for one in asked)
            last = own[math.ceil(len(own) * 0.95) - 1]
            lines.append(
                f"{who:<24}{path:<44}{len(asked[-1].calls):>8}{own[len(own) // 2]:>8.0f}"
                f"{last:>8.0f}{own[-1]:>8.0f}{whole[len(whole) // 2]:>8.0f}"
            )
        return "\n".join(lines)


def run_record(number: int, projects: Sequence[str]) -> RunRecord:
    """A run each ten minutes: some 4,300 in a month."""
    at = AT + timedelta(minutes=10 * number)
    return RunRecord(
        run_id=new_run_id(),
        state=RunState.COMPLETED if number % 10 else RunState.FAILED,
        project=projects[number % len(projects)],
        name=f"run {number}",
        created_at=at,
        updated_at=at,
        completed_at=at,
        cost_usd=0.5,
    )


def run_items(records: Sequence[RunRecord]) -> Iterator[Item]:
    for record in records:
        key = f"RUN#{record.run_id}"
        yield Item.of(key, RUN, record, kind=(RUNS, place_of(record)))
        yield project_write(record).item


class Stack(NamedTuple):
    """Of its users: one who is in a group of few projects (as many as are merged, or fewer), one in
    all groups, an admin. `newest`:
    the newest run that all of them see, in `project`."""

    users: dict[str, str]
    project: str
    newest: RunRecord


def a_stack(ledger: Table, users: int, runs: int, projects: int) -> Stack:
    accounts = Accounts(make_ledger("people"))
    groups = [new_id("g") for _ in range(GROUPS)]
    for group in groups:
        accounts.add_group(Group(group_id=group, name=group, created_at=AT, created_by="u"))
    ids = [new_id("p") for _ in range(projects)]
    for number, project in enumerate(ids):
        group = groups[number % GROUPS]
        accounts.add_project(
            Project(project_id=project, name=project, group_id=group, created_at=AT, created_by="u")
        )
    people = [a_user(accounts, f"User {number:04d}") for number in range(users)]
    for number, user in enumerate(people):
        give(accounts, groups[number % GROUPS], user, Role.ADMIN)
    for group in groups:
        give(accounts, group, people[1], Role.VIEWER)
    root = a_user(accounts, "Root", stack_role=Role.ADMIN)
    records = [run_record(number, ids) for number in range(runs)]
    written(dynamodb_backends[ACCOUNT][REGION].tables["ledger"], run_items(records))
    for record in records[-60:]:
        alert = suspected().model_copy(update={"run_id": record.run_id, "at": record.created_at})
        AlertLedger(ledger).raise_alert(alert)
    few, many = f"of {projects // GROUPS} projects", f"of {projects} projects"
    newest = next(one for one in reversed(records) if one.project == ids[0])
    return Stack({few: people[0], many: people[1], "admin": root}, ids[0], newest)


def ask_for_everything(stack: Stack, measured: Measured) -> None:
    month = f"{stack.newest.created_at:%Y-%m}"
    for who, user in stack.users.items():

        def ask(function: str, path: str, **query: str) -> str:
            return measured.ask(who, user, function, path, **query)  # noqa: B023

        for query in (
            {}, {"name": str(stack.newest.name)}, {"state": "failed"}, {"state": "running"},
            {"project": stack.project},
        ):  # fmt: skip
            body = ask("web", "/web/runs", **query)
            assert (LINK in body) == (query.get("state") != "running"), query
        run = stack.newest.run_id
        if who == "admin":
            ask("web", "/web/admin")
            assert json.loads(ask("accounts", "/users"))["users"]
            ask("accounts", "/usage", month=month, format="csv")
            assert json.loads(ask("accounts", "/usage", month=month))["projects"]
        ask("web", f"/web/runs/{run}")
        assert json.loads(ask("api", "/runs"))["runs"]
        assert json.loads(ask("api", "/alerts"))["alerts"]
        assert LINK in ask("web", "/web/alerts")
        ask("web", "/web/account")
        ask("accounts", "/me")
        ask("accounts", "/projects")
        ask("accounts", "/groups")


def test_lists_and_pages_of_a_small_stack_make_few_calls(
    cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(monkeypatch):
        stack = a_stack(cloud, users=30, runs=300, projects=40)
    measured = Measured(monkeypatch, 1)
    with indexed(monkeypatch):
        ask_for_everything(stack, measured)
    measured.check()


@pytest.mark.slow
def test_of_500_users_and_50_000_runs_too(
    cloud: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with filled(monkeypatch):
        stack = a_stack(cloud, users=500, runs=50_000, projects=MERGED * GROUPS)
    measured = Measured(monkeypatch, 5)
    with indexed(monkeypatch):
        ask_for_everything(stack, measured)
    with capsys.disabled():
        print(f"\n{measured.table()}")
    measured.check()
