"""What is there before the load: a project, its people with sessions, runs of every state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Sessions
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain.base import now
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.people.accounts import Membership, Project, User
from porewatch.domain.people.credentials import Session
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import Kind, digest_of, new_id, new_run_id, new_secret
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch_local.embedded.clients import client
from porewatch_local.paths import LocalStack

RUNS, ALERTS = 60, 10


class Person(NamedTuple):
    """Somebody signed in: his session's secret, and the token of its pages."""

    session: str
    csrf: str


class Stage(NamedTuple):
    project: str
    runs: tuple[str, ...]
    people: tuple[Person, ...]


def build(stack: LocalStack, users: int) -> Stage:
    """A new project with so many people, all of whom may submit and acknowledge."""
    dynamodb = client(stack, "dynamodb")
    people = Table(stack.outputs["PeopleTable"], dynamodb)
    ledger = Table(stack.outputs["LedgerTable"], dynamodb)
    accounts, project, at = Accounts(people), new_id("p"), now()
    accounts.add_project(Project(project_id=project, name="Load", created_at=at, created_by="load"))
    with ThreadPoolExecutor(8) as pool:
        made = tuple(pool.map(lambda n: _person(people, project, n), range(users)))
        runs = tuple(pool.map(lambda n: _run(ledger, project, n), range(RUNS)))
    for run_id in runs[:ALERTS]:
        AlertLedger(ledger).raise_alert(_suspicion(run_id))
    return Stage(project, runs, made)


def _person(people: Table, project: str, number: int) -> Person:
    user, at, secret, csrf = new_id("u"), now(), new_secret(Kind.SESSION), new_id("c") * 3
    accounts = Accounts(people)
    accounts.add_user(
        User(
            user_id=user, issuer="load", subject=user, name=f"Person {number:03}",
            created_at=at, seen_at=at,
        )
    )  # fmt: skip
    accounts.put_member(
        Membership(
            place=project, user_id=user, roles=frozenset({Role.SUBMITTER, Role.REVIEWER}),
            given_by="load", at=at,
        )
    )  # fmt: skip
    Sessions(people).add(
        Session(
            session_id=digest_of(secret), user_id=user, csrf=csrf, began_at=at, used_at=at,
            expires_at=at + timedelta(hours=12),
        )
    )  # fmt: skip
    return Person(secret, csrf)


def _run(ledger: Table, project: str, number: int) -> str:
    run_id = new_run_id()
    owner = Registration(project, f"before {number}", "load")
    ProjectRuns(ledger).register(run_id, owner, now())
    return run_id


def _suspicion(run_id: str) -> PathogenSuspected:
    return PathogenSuspected(
        fact_id=f"PathogenSuspected:{run_id}:0:pig:HEV", run_id=run_id, revision=0, at=now(),
        sample="pig", code="HEV", name="Hepatitis E Virus", severity="high", reads=7, starts=6,
        breadth=0.1, identity=0.95, rule="7 reads",
    )  # fmt: skip
