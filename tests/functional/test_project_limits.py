"""What a project bounds: runs at once, whether it takes runs at all, money of a month. At every
door, and also when two come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.retention import Endings
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.people.slots import Admission, under_way
from porewatch.adapters.submission.request_keys import RequestKeys
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.calls.release_policy import DEFAULT
from porewatch.domain.errors import BudgetExceeded, PorewatchError
from porewatch.domain.people.accounts import Project, Quota
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.retention.orders import DeleteRun
from porewatch.domain.rules import run_endings
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, RunState, Sample
from porewatch.domain.stage.instances import Owner
from porewatch.domain.submission.run_uploads import Register
from porewatch.usecases.people.identify import user_principal
from porewatch.usecases.uploads.register_run import Registry, register_run
from tests.functional.doors import put, send
from tests.functional.test_uploads import READS, Lab, a_member, ask, claims, registered, sent
from tests.mocked import facts_in

AT = datetime(2026, 3, 2, tzinfo=UTC)
SWEEP = {"source": "porewatch.clock", "detail-type": "IntakeSweep", "detail": {}}


@pytest.fixture
def accounts(cloud: Table) -> Accounts:
    return Accounts(Table("people"))


@pytest.fixture
def lab(accounts: Accounts) -> Lab:
    """A project and its submitter."""
    project = new_id("p")
    accounts.add_project(Project(project_id=project, name="Herd", created_at=AT, created_by="u"))
    return {"mine": project, "mine user": a_member(accounts, project, Role.SUBMITTER)}


def bounded(accounts: Accounts, lab: Lab, **quota: Any) -> None:
    accounts.change_project(lab["mine"], lambda p: p.model_copy(update={"quota": Quota(**quota)}))


def closed(accounts: Accounts, project: str, is_closed: bool = True) -> None:
    accounts.change_project(project, lambda p: p.model_copy(update={"closed": is_closed}))


def register(lab: Lab, name: str) -> tuple[int, Any]:
    order = {"project": lab["mine"], "name": name}
    return ask("POST", "/runs", claims(lab["mine user"]), order)


def at_once(lab: Lab, accounts: Accounts, cloud: Table, many: int) -> list[str]:
    """What comes of so many registrations side by side. (A process of Lambda has one request at a
    time, and so has the resolver: these are calls of what is behind it.)"""
    user = accounts.some_users([lab["mine user"]])[lab["mine user"]]
    who = user_principal(user, Means.TOKEN, accounts)
    registry = Registry(
        accounts=accounts,
        runs=ProjectRuns(cloud, Admission(cloud, accounts).writes),
        keys=RequestKeys(cloud),
        layouts=(),
        policies=(DEFAULT,),
    )

    def one(number: int) -> str:
        order = Register(project=lab["mine"], name=f"run {number}")
        try:
            register_run(order, who, None, registry=registry, at=base.now())
        except PorewatchError as error:
            return error.code
        return "registered"

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def cancel(runs: RunLedger, run_id: str) -> None:
    order = Cancel(run_id=run_id, by="Ada", reason="enough")
    runs.apply(run_id, run_endings.cancel, order, base.now() - timedelta(seconds=5))


def manifest(run_id: str, when: datetime = AT) -> RunManifest:
    file = InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=len(READS))
    return RunManifest(run_id=run_id, created_at=when, files=(file,), samples=(Sample(name="pig"),))


def send_sheet(run_id: str, who: dict[str, str]) -> None:
    order = {"rows": [{"name": "pig"}]}
    status, found = ask("PUT", f"/runs/{run_id}/sheet", who, order, content_type="application/json")
    assert status == 200, found


def refused_by(runs: RunLedger, run_id: str) -> list[str]:
    """Codes by which the run's last seal was refused."""
    record = runs.get(run_id)
    return [one.code for one in (record.attempt or record).refusals]


def sealed_in_bucket(run_id: str, when: datetime = AT) -> dict[str, Any]:
    """The event of a `run.json` that somebody wrote into the bucket."""
    put(f"runs/{run_id}/fastq/a.fastq", READS)
    event = put(f"runs/{run_id}/run.json", manifest(run_id, when).canonical_json().encode())
    assert send("pipeline_orchestrator", event) == []
    return event


def test_of_many_registrations_at_once_as_many_pass_as_the_project_allows(
    lab: Lab, accounts: Accounts, cloud: Table
) -> None:
    bounded(accounts, lab, runs_at_once=3)
    assert sorted(at_once(lab, accounts, cloud, 12)) == ["project_full"] * 9 + ["registered"] * 3
    assert len(list(ProjectRuns(cloud).list([lab["mine"]]))) == 3
    assert under_way(cloud, lab["mine"]) == 3


def test_a_project_that_closes_meanwhile_takes_no_run(
    lab: Lab, accounts: Accounts, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed after it was read and before the run is written."""
    written = Table.transact

    def closes_first(table: Table, *args: Any, **more: Any) -> Any:
        if table.name == "ledger":
            monkeypatch.setattr(Table, "transact", written)
            with ThreadPoolExecutor(1) as somebody_else:
                somebody_else.submit(closed, accounts, lab["mine"]).result()
        return written(table, *args, **more)

    monkeypatch.setattr(Table, "transact", closes_first)
    assert register(lab, "late")[1]["code"] == "project_closed"
    assert list(ProjectRuns(cloud).list([lab["mine"]])) == []


def test_a_run_that_has_ended_gives_its_place_back_once(
    lab: Lab, accounts: Accounts, runs: RunLedger, cloud: Table
) -> None:
    bounded(accounts, lab, runs_at_once=1)
    first = register(lab, "one")[1]["run_id"]
    assert register(lab, "two")[1]["code"] == "project_full"
    for _ in range(3):
        cancel(runs, first)
    assert under_way(cloud, lab["mine"]) == 0
    assert register(lab, "two")[0] == 201
    cancel(runs, first)
    assert register(lab, "three")[1]["code"] == "project_full"


def test_an_ended_run_is_no_way_past_the_limit(
    lab: Lab, accounts: Accounts, runs: RunLedger, cloud: Table
) -> None:
    """Cancel one, register another, seal the first after all: by the API and by the bucket."""
    bounded(accounts, lab, runs_at_once=1)
    first = register(lab, "one")[1]["run_id"]
    who = claims(lab["mine user"])
    sent(first, who, "a.fastq")
    send_sheet(first, who)
    cancel(runs, first)
    second = register(lab, "two")[1]["run_id"]
    status, found = ask("POST", f"/runs/{first}/seal", who, {})
    assert (status, found["code"]) == (409, "project_full")
    event = sealed_in_bucket(first, base.now())
    assert refused_by(runs, first) == ["project_full"]
    assert send("pipeline_orchestrator", event) == []
    assert under_way(cloud, lab["mine"]) == 1

    cancel(runs, second)
    sealed_in_bucket(first, base.now() + timedelta(seconds=1))
    assert runs.get(first).state is RunState.SEALED
    assert under_way(cloud, lab["mine"]) == 1


def test_a_closed_project_starts_no_ended_run(
    lab: Lab, accounts: Accounts, runs: RunLedger
) -> None:
    first = register(lab, "one")[1]["run_id"]
    cancel(runs, first)
    closed(accounts, lab["mine"])
    status, found = ask("POST", f"/runs/{first}/seal", claims(lab["mine user"]), {})
    assert (status, found["code"]) == (409, "project_closed")
    sealed_in_bucket(first, base.now())
    assert refused_by(runs, first) == ["project_closed"]


def test_the_default_project_has_limits_too(
    accounts: Accounts, runs: RunLedger, cloud: Table
) -> None:
    """Of what a sequencer or `porewatch submit` writes into the bucket."""
    sealed_in_bucket("one")
    assert (runs.get("one").state, under_way(cloud, "default")) == (RunState.SEALED, 1)
    accounts.change_project(
        "default", lambda p: p.model_copy(update={"quota": Quota(runs_at_once=1)})
    )
    sealed_in_bucket("two")
    assert runs.get("two").state is not RunState.SEALED
    assert refused_by(runs, "two") == ["project_full"]


def test_many_runs_of_one_project_begin_at_once(lab: Lab, accounts: Accounts, cloud: Table) -> None:
    assert at_once(lab, accounts, cloud, 20) == ["registered"] * 20
    assert under_way(cloud, lab["mine"]) == 20


def test_a_name_that_is_taken_leaves_nothing_behind(lab: Lab, cloud: Table) -> None:
    registered(lab, name="one")
    before = _items(cloud)
    assert register(lab, "One")[1]["code"] == "name_taken"
    assert _items(cloud) == before
    assert under_way(cloud, lab["mine"]) == 1


def spend(cloud: Table, run_id: str, usd: float) -> None:
    """A machine of the run is paid."""
    Budget(cloud).settle(an_epoch(run_id), usd, base.now())


def an_epoch(run_id: str, number: int = 1) -> Owner:
    return Owner(stack="s", run_id=run_id, revision=0, stage="screen", epoch=number)


def test_who_has_spent_the_money_of_the_month_registers_and_seals_nothing(
    lab: Lab, accounts: Accounts, runs: RunLedger, cloud: Table
) -> None:
    bounded(accounts, lab, month_usd=5)
    first, second = (register(lab, name)[1]["run_id"] for name in ("one", "two"))
    spend(cloud, first, 4.99)
    cancel(runs, register(lab, "three")[1]["run_id"])
    spend(cloud, first, 0.01)
    status, found = register(lab, "four")
    assert (status, found["code"]) == (409, "project_budget_spent")
    cancel(runs, second)
    status, found = ask("POST", f"/runs/{second}/seal", claims(lab["mine user"]), {})
    assert (status, found["code"]) == (409, "project_budget_spent")
    sealed_in_bucket(second, base.now())
    assert refused_by(runs, second) == ["project_budget_spent"]


def test_no_money_at_all_is_a_limit_too(lab: Lab, accounts: Accounts) -> None:
    bounded(accounts, lab, month_usd=0)
    assert register(lab, "one")[1]["code"] == "project_budget_spent"


def test_money_that_is_spent_before_the_files_are_checked_starts_no_run(
    lab: Lab, accounts: Accounts, runs: RunLedger, cloud: Table
) -> None:
    bounded(accounts, lab, month_usd=5)
    run_id = register(lab, "one")[1]["run_id"]
    event = sealed_in_bucket(run_id, base.now())
    assert runs.get(run_id).state is RunState.SEALED
    spend(cloud, run_id, 6)
    assert send("fastq_validator", put(f"runs/{run_id}/fastq/a.fastq", READS)) == []
    assert send("pipeline_orchestrator", event) == []
    assert runs.get(run_id).state is RunState.REFUSED
    assert refused_by(runs, run_id) == ["project_budget_spent"]
    assert under_way(cloud, lab["mine"]) == 0


def test_machines_of_a_project_never_pass_its_money_however_many_ask_at_once(
    lab: Lab, accounts: Accounts, cloud: Table
) -> None:
    bounded(accounts, lab, month_usd=5)
    ids = [register(lab, f"run {n}")[1]["run_id"] for n in range(10)]
    budget = Budget(cloud, project_usd=lambda p: accounts.project(p).quota.month_usd)

    def reserve(run_id: str) -> str:
        try:
            budget.reserve(an_epoch(run_id), 1.5, base.now())
        except BudgetExceeded as error:
            return str(error)
        return "held"

    with ThreadPoolExecutor(10) as pool:
        said = sorted(pool.map(reserve, ids))
    assert said.count("held") == 3
    assert all(f"project {lab['mine']} in" in one for one in said if one != "held")
    month = f"{base.now():%Y-%m}"
    assert budget.project_books(lab["mine"], month).held_usd == 4.5
    with pytest.raises(BudgetExceeded, match="month_usd"):
        budget.reserve(an_epoch(ids[0], 2), 1.0, base.now())


def test_what_a_machine_cost_takes_the_place_of_what_was_held_for_it(
    lab: Lab, accounts: Accounts, cloud: Table
) -> None:
    run_id, month = register(lab, "one")[1]["run_id"], f"{base.now():%Y-%m}"
    budget = Budget(cloud)
    budget.reserve(an_epoch(run_id), 2, base.now())
    budget.settle(an_epoch(run_id), 0.5, base.now())
    books = budget.project_books(lab["mine"], month)
    assert (books.held_usd, books.spent_usd, books.balanced) == (0, 0.5, True)


def _items(table: Table) -> set[tuple[str, str]]:
    found = table.client.scan(TableName=table.name)["Items"]
    return {(one["pk"]["S"], one["sk"]["S"]) for one in found}


def test_a_registered_run_that_nobody_seals_expires(
    lab: Lab, accounts: Accounts, runs: RunLedger, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be sealed after all, when there is room."""
    bounded(accounts, lab, runs_at_once=1)
    who = claims(lab["mine user"])
    run_id = register(lab, "one")[1]["run_id"]
    order = {"files": [{"path": "a.fastq", "size": 5}]}
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[0] == 201
    began = base.now()

    def swept_after(days: float) -> RunState:
        monkeypatch.setattr(base, "clock", lambda: began + timedelta(days=days))
        assert send("pipeline_orchestrator", SWEEP) == []
        return runs.get(run_id).state

    assert swept_after(12.9) is RunState.RECEIVING
    assert [swept_after(13.1), swept_after(13.2)] == [RunState.REFUSED] * 2
    assert refused_by(runs, run_id) == ["never_sealed"]
    assert "RunRefused" in facts_in(cloud, run_id)
    assert under_way(cloud, lab["mine"]) == 0
    assert boto3.client("s3").list_multipart_uploads(Bucket="raw").get("Uploads", []) == []
    [upload] = ask("GET", f"/runs/{run_id}/uploads", who)[1]["uploads"]
    assert upload["state"] == "ended"
    sealed_in_bucket(run_id, base.now())
    assert (runs.get(run_id).state, under_way(cloud, lab["mine"])) == (RunState.SEALED, 1)


def test_the_name_of_a_deleted_run_can_be_given_again(
    lab: Lab, runs: RunLedger, cloud: Table
) -> None:
    first = register(lab, "One")[1]["run_id"]
    cancel(runs, first)
    assert register(lab, "one")[1]["code"] == "name_taken"
    Endings(cloud).begin_deletion(DeleteRun(run_id=first, by="Ada", reason="old"), base.now())
    status, found = register(lab, "one")
    assert (status, found["name"]) == (201, "one")
    assert register(lab, "ONE")[1]["code"] == "name_taken"
