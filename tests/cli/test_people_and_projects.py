"""`porewatch people`, `porewatch projects`, and what `list` and `doctor` say of projects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions
from porewatch.adapters.people.entitlements import UserCaps
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_run_id
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.tiers.caps import UserCap
from porewatch_cli.main import app
from porewatch_cli.operate import accounts as work
from porewatch_cli.operate.doctor_checks import CheckVerdict, adoption_check
from tests.functional.test_who_asks import AT, a_user, session_of
from tests.json_output import fits
from tests.mocked import make_ledger, mocked_aws


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mocked_aws():
        ledger, people = make_ledger(), make_ledger("people")
        found = SimpleNamespace(
            people=people, accounts=Accounts(people), project_runs=ProjectRuns(ledger),
            runs=RunLedger(ledger), alerts=AlertLedger(ledger), table=ledger,
        )  # fmt: skip
        monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: found)
        yield found


def said(*arguments: str) -> Any:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return fits(" ".join(arguments[: 1 if arguments[0] == "list" else 2]), done.stdout)


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code != 0
    return str(json.loads(done.stdout or done.stderr)["code"])


def test_the_first_admin_is_made_by_the_operator(stack: Any) -> None:
    ada = a_user(stack.accounts, "Ada", email="ada@lab.example", email_verified=True)
    a_user(stack.accounts, "Ben", email="ben@lab.example", email_verified=True)
    assert [u["name"] for u in said("people", "list")] == ["Ada", "Ben"]
    assert said("people", "admin", "ADA@lab.example")["stack_role"] == "admin"
    assert stack.accounts.user(ada).stack_role is Role.ADMIN
    assert said("people", "admin", ada, "--remove")["stack_role"] is None
    session_of(stack.people, ada)
    assert said("people", "disable", ada)["disabled"] is True
    assert Sessions(stack.people).of_user(ada) == ()
    assert said("people", "disable", ada, "--enable")["disabled"] is False
    for nobody in ("x@lab.example", "u-aaaaaaaaaaaaaaaa"):
        assert refused("people", "admin", nobody) == "not_found"
    a_user(stack.accounts, "Ada 2", email="ada@lab.example", email_verified=True)
    assert refused("people", "admin", "ada@lab.example") == "message_refused"


def test_projects_and_their_members(stack: Any) -> None:
    ada = a_user(stack.accounts, "Ada", email="ada@lab.example", email_verified=True)
    made = said("projects", "create", "Herd 7")["project_id"]
    assert [p["name"] for p in said("projects", "list")] == ["Default project", "Herd 7"]
    given = said("projects", "members", made, "--give", ada, "--role", "viewer", "--role", "admin")
    assert [(m["user_id"], m["roles"]) for m in given] == [(ada, ["admin", "viewer"])]
    assert said("projects", "members", made, "--remove", ada) == []
    assert refused("projects", "members", made, "--give", ada) == "message_refused"
    assert refused("projects", "members", "p-aaaaaaaaaaaaaaaa") == "not_found"
    assert refused("projects", "members", "g-aaaaaaaaaaaaaaaa") == "not_found"


def test_tables_for_people(stack: Any) -> None:
    a_user(
        stack.accounts, "Ada", email="ada@lab.example", email_verified=True, stack_role=Role.ADMIN
    )
    run = partial(CliRunner().invoke, app)
    for arguments, shown in (
        (["people", "list"], "Ada"),
        (["people", "admin", "ada@lab.example"], "admin"),
        (["projects", "list"], "Default project"),
        (["projects", "create", "Herd 7"], "Herd 7"),
        (["projects", "members", "default"], "nobody"),
        (["projects", "adopt-runs"], "0 runs"),
    ):
        done = run(arguments)
        assert done.exit_code == 0
        assert shown in done.output


def test_runs_from_before_projects_are_adopted_and_doctor_says_so(
    stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert adoption_check(stack.project_runs.outside()).verdict is CheckVerdict.OK
    for number in range(3):
        stack.runs.receive(f"old-{number}", AT)
        stack.table.delete(f"RUN#old-{number}", "PROJECT")  # as earlier versions left it
    stack.runs.receive("new", AT + timedelta(minutes=1))
    warned = adoption_check(stack.project_runs.outside())
    assert (warned.verdict, "adopt-runs" in warned.remedy) == (CheckVerdict.WARN, True)
    monkeypatch.setattr(work, "SAID_EVERY", 2)
    done = CliRunner().invoke(app, ["projects", "adopt-runs"])
    assert "2 runs" in done.stderr
    assert "3 runs" in done.stdout
    assert said("projects", "adopt-runs") == {"runs": 0, "alerts": 0}
    assert adoption_check(stack.project_runs.outside()).verdict is CheckVerdict.OK


def test_the_list_shows_project_and_name(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    stack.project_runs.register(new_run_id(), Registration("p-aaaaaaaaaaaaaaaa", "herd 7", "u"), AT)
    shown = CliRunner().invoke(app, ["list"]).output
    assert "herd 7" in shown
    assert "p-aaaaaaaaaaaaaaaa" in shown
    (listed,) = said("list")
    assert (listed["project"], listed["name"]) == ("p-aaaaaaaaaaaaaaaa", "herd 7")


def test_the_operator_limits_a_user(stack: Any) -> None:
    ada = a_user(stack.accounts, "Ada")
    kept = said("people", "cap", ada, "--month-runs", "3", "--month-usd", "2.5")
    assert kept["cap"] == {"month_runs": 3, "month_usd": 2.5} and kept["user_id"] == ada
    assert UserCaps(stack.people).of(ada) == UserCap(month_runs=3, month_usd=2.5)
    assert (
        "2.50 USD" in CliRunner().invoke(app, ["people", "cap", ada, "--month-usd", "2.5"]).stdout
    )
    assert said("people", "cap", ada)["cap"] == {"month_runs": None, "month_usd": None}
