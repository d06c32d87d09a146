"""What a tier bounds: size of a run, runs of a month, money of a month. At every door, by what lies
in the bucket, and also when two come at once."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.run_moves import user_key
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.entitlements import Entitlements, UserCaps
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.people.slots import Admission, under_way
from porewatch.adapters.people.tier_limits import TierLimits
from porewatch.adapters.submission.request_keys import RequestKeys
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.calls.release_policy import DEFAULT
from porewatch.domain.errors import BudgetExceeded, PorewatchError
from porewatch.domain.people.accounts import Project
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.runs import RunState
from porewatch.domain.submission.run_uploads import Register
from porewatch.domain.tiers import limits
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName, tiers
from porewatch.edge import wiring
from porewatch.settings import settings
from porewatch.usecases.people.identify import user_principal
from porewatch.usecases.uploads.register_run import Registry, register_run
from tests.functional.doors import keys, put, send
from tests.functional.test_project_limits import (
    an_epoch,
    cancel,
    manifest,
    refused_by,
    register,
    send_sheet,
    spend,
)
from tests.functional.test_uploads import (
    READS,
    Lab,
    a_member,
    ask,
    claims,
    declared,
    put_part,
    sent,
)

AT = datetime(2026, 3, 2, tzinfo=UTC)
FREE, PREMIUM = TierName.FREE, TierName.PREMIUM
LIMIT = 60
"""Bytes that the free tier allows here: one file of READS (35 bytes), and no second one."""
Door = Callable[[Lab, RunLedger, int], list[str]]


@pytest.fixture
def accounts(cloud: Table) -> Accounts:
    return Accounts(Table("people"))


@pytest.fixture
def lab(accounts: Accounts) -> Lab:
    project = new_id("p")
    accounts.add_project(Project(project_id=project, name="Herd", created_at=AT, created_by="u"))
    return {"mine": project, "mine user": a_member(accounts, project, Role.SUBMITTER)}


@pytest.fixture(autouse=True)
def a_stack_where_premium_is_paid_for(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNPAID_TIER", "free")
    monkeypatch.setattr(limits, "GIGABYTE", LIMIT / 2)
    settings.cache_clear()


def paid(lab: Lab, tier: TierName = PREMIUM) -> None:
    entitlement = Entitlement(user_id=lab["mine user"], tier=tier, since=AT, read_at=base.now())
    Entitlements(Table("people")).keep(entitlement)


def send_files(lab: Lab, runs: RunLedger, files: int) -> list[str]:
    """The API: files are declared, sent and sealed. (So do the page and the command line.)"""
    run_id = register(lab, "files")[1]["run_id"]
    who = claims(lab["mine user"])
    wanted = [{"path": f"{n}.fastq", "size": len(READS)} for n in range(files)]
    status, found = ask("POST", f"/runs/{run_id}/uploads", who, {"files": wanted})
    if status != 201:
        return [found["code"]]
    for number, one in enumerate(found["files"]):
        put_part(one["links"][0], READS.replace(b"r1", b"r%d" % number))
        upload = f"/runs/{run_id}/uploads/{one['upload_id']}"
        assert ask("POST", f"{upload}/complete", who)[0] == 200
    send_sheet(run_id, who)
    status, found = ask("POST", f"/runs/{run_id}/seal", who, {})
    return [] if status == 200 else [found["code"]]


def lie_to_the_api(lab: Lab, runs: RunLedger, files: int) -> list[str]:
    """Nothing is declared: the objects are written into the run's folder, and then it is sealed."""
    run_id = register(lab, "undeclared")[1]["run_id"]
    for number in range(files):
        put(f"runs/{run_id}/{number}.fastq", READS.replace(b"r1", b"r%d" % number))
    who = claims(lab["mine user"])
    send_sheet(run_id, who)
    status, found = ask("POST", f"/runs/{run_id}/seal", who, {})
    return [] if status == 200 else [found["code"]]


def write_a_manifest(lab: Lab, runs: RunLedger, files: int) -> list[str]:
    """S3: a file and a `run.json`, written into the run's folder."""
    run_id = register(lab, "by S3")[1]["run_id"]
    content = READS * files
    assert send("fastq_validator", put(f"runs/{run_id}/fastq/a.fastq", content)) == []
    sealed(run_id, len(content))
    record = runs.get(run_id)
    codes = refused_by(runs, run_id)
    assert record.state is (RunState.REFUSED if codes else RunState.RUNNING)
    return codes


def sealed(run_id: str, size: int) -> dict[str, Any]:
    """By a manifest that says that its file has so many bytes."""
    small = manifest(run_id, base.now())
    told = small.model_copy(update={"files": (small.files[0].model_copy(update={"size": size}),)})
    event = put(f"runs/{run_id}/run.json", told.canonical_json().encode())
    assert send("pipeline_orchestrator", event) == []
    return event


def send_a_tar(lab: Lab, runs: RunLedger, files: int) -> list[str]:
    """A tar, written into the run's folder. It is unpacked, or lies in quarantine with its reason;
    the run goes on receiving files."""
    run_id = register(lab, "tar")[1]["run_id"]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in [("sample_sheet.csv", b"name\npig\n"), ("a.fastq", READS * files)]:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    key = f"runs/{run_id}/input.tar"
    assert send("bundle_unpacker", put(key, packed.getvalue())) == []
    if f"runs/{run_id}/run.json" in keys(f"runs/{run_id}/"):
        return []
    [reason] = [one for one in keys(f"quarantine/{key}") if one.endswith("reason.txt")]
    text = boto3.client("s3").get_object(Bucket="raw", Key=reason)["Body"].read().decode()
    assert "The tier premium has no such limit" in text
    return ["tier_run_too_large"]


@pytest.mark.parametrize("door", [send_files, lie_to_the_api, write_a_manifest, send_a_tar])
@pytest.mark.parametrize("tier", list(TierName))
@pytest.mark.parametrize("files", [1, 2])
def test_a_run_is_held_to_its_users_tier_at_every_door(
    door: Door,
    tier: TierName,
    files: int,
    lab: Lab,
    runs: RunLedger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if tier is PREMIUM:
        paid(lab)
    if door is send_a_tar:  # which has blocks of its own
        monkeypatch.setattr(limits, "GIGABYTE", 10240 / 2)
        files = 1 if files == 1 else 400
    codes = door(lab, runs, files)
    if tier is FREE and files > 1:
        assert codes == ["tier_run_too_large"]
    else:
        assert codes == []


def test_a_refusal_says_what_the_next_tier_would_allow(lab: Lab) -> None:
    run_id = register(lab, "one")[1]["run_id"]
    order = {"files": [{"path": "a.fastq", "size": LIMIT + 1}]}
    status, found = ask("POST", f"/runs/{run_id}/uploads", claims(lab["mine user"]), order)
    assert (status, found["code"]) == (409, "tier_run_too_large")
    assert found["upgrade"] == {"tier": "premium", **tiers()[PREMIUM].model_dump(mode="json")}
    assert "The tier premium has no such limit." in found["detail"]
    _, found = ask(
        "POST", f"/runs/{run_id}/uploads", claims(lab["mine user"]), order, accept_language="ja"
    )
    assert "プラン premium にはこの制限がない。" in found["detail"]


def test_what_was_refused_is_taken_after_the_upgrade(lab: Lab, runs: RunLedger) -> None:
    run_id = register(lab, "one")[1]["run_id"]
    who = claims(lab["mine user"])
    order = {"files": [{"path": "a.fastq", "size": LIMIT + 1}]}
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[1]["code"] == "tier_run_too_large"
    paid(lab)
    assert declared(run_id, who, *order["files"])[0]["verdict"] == "taken"


def test_after_a_downgrade_no_more_links_are_given(lab: Lab) -> None:
    paid(lab)
    run_id = register(lab, "one")[1]["run_id"]
    who = claims(lab["mine user"])
    [answer] = declared(run_id, who, {"path": "a.fastq", "size": LIMIT + 1})
    parts = f"/runs/{run_id}/uploads/{answer['upload_id']}/urls"
    order = {"parts": [{"number": 1}]}
    assert ask("POST", parts, who, order)[0] == 200
    paid(lab, FREE)
    status, found = ask("POST", parts, who, order)
    assert (status, found["code"]) == (409, "tier_run_too_large")


def test_the_real_objects_count_and_not_the_manifest(lab: Lab, runs: RunLedger) -> None:
    """Which says less; no execution is started."""
    run_id = register(lab, "one")[1]["run_id"]
    put(f"runs/{run_id}/fastq/a.fastq", READS * 3)
    sealed(run_id, len(READS))
    assert refused_by(runs, run_id) == ["tier_run_too_large"]
    assert runs.get(run_id).execution_arn is None


def test_a_run_of_nobody_is_held_to_no_tier(runs: RunLedger) -> None:
    """What a sequencer or an operator's program writes."""
    big = READS * 9
    put("runs/big/fastq/a.fastq", big)
    sealed("big", len(big))
    assert (runs.get("big").state, refused_by(runs, "big")) == (RunState.SEALED, [])


def test_as_many_runs_begin_in_a_month_as_the_tier_allows(
    lab: Lab, runs: RunLedger, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = tiers()[FREE].month_runs or 0
    for number in range(most):
        status, made = register(lab, f"run {number}")
        assert status == 201
        cancel(runs, made["run_id"])
    status, found = register(lab, "one more")
    assert (status, found["code"]) == (409, "tier_month_runs")
    assert found["upgrade"]["month_runs"] == tiers()[PREMIUM].month_runs
    assert under_way(cloud, lab["mine"]) == 0
    later = base.now().replace(year=base.now().year + 1)
    monkeypatch.setattr(base, "clock", lambda: later)
    assert register(lab, "in another month")[0] == 201


def test_a_run_that_is_sealed_again_counts_again(
    lab: Lab, runs: RunLedger, accounts: Accounts, cloud: Table
) -> None:
    """Cancel and seal again: no way past the limit."""
    first = register(lab, "first")[1]["run_id"]
    who = claims(lab["mine user"])
    sent(first, who, "a.fastq")
    send_sheet(first, who)
    cancel(runs, first)
    for number in range((tiers()[FREE].month_runs or 0) - 1):
        assert register(lab, f"run {number}")[0] == 201
    status, found = ask("POST", f"/runs/{first}/seal", who, {})
    assert (status, found["code"]) == (409, "tier_month_runs")
    paid(lab)
    assert ask("POST", f"/runs/{first}/seal", who, {})[0] == 200


def test_of_many_registrations_at_once_as_many_pass_as_the_tier_allows(
    lab: Lab, accounts: Accounts, cloud: Table
) -> None:
    user = accounts.some_users([lab["mine user"]])[lab["mine user"]]
    who = user_principal(user, Means.TOKEN, accounts)
    tier_limits = TierLimits(cloud, Entitlements(people := Table("people")), FREE, UserCaps(people))
    admission = Admission(cloud, accounts, tiers=tier_limits)
    runs = ProjectRuns(cloud, admission.writes)
    registry = Registry(accounts, runs, RequestKeys(cloud), (), (DEFAULT,))

    def one(number: int) -> str:
        order = Register(project=lab["mine"], name=f"run {number}")
        try:
            register_run(order, who, None, registry=registry, at=base.now())
        except PorewatchError as error:
            return error.code
        return "registered"

    with ThreadPoolExecutor(10) as pool:
        said = sorted(pool.map(one, range(10)))
    most = tiers()[FREE].month_runs or 0
    assert said == ["registered"] * most + ["tier_month_runs"] * (10 - most)
    assert tier_limits.begun(lab["mine user"]) == most


def test_who_has_spent_the_money_of_the_month_begins_nothing(
    lab: Lab, runs: RunLedger, cloud: Table
) -> None:
    most = tiers()[FREE].month_usd or 0
    first = register(lab, "one")[1]["run_id"]
    put(f"runs/{first}/fastq/a.fastq", READS)
    event = sealed(first, len(READS))
    assert runs.get(first).state is RunState.SEALED
    spend(cloud, first, most - 0.01)
    assert register(lab, "two")[0] == 201
    spend(cloud, first, 0.01)
    assert register(lab, "three")[1]["code"] == "tier_month_spent"
    assert send("fastq_validator", put(f"runs/{first}/fastq/a.fastq", READS)) == []
    assert send("pipeline_orchestrator", event) == []
    assert refused_by(runs, first) == ["tier_month_spent"]
    paid(lab)
    assert register(lab, "three")[0] == 201


def reserved_at_once(budget: Budget, run_ids: Sequence[str], usd: float) -> list[str]:
    """What comes of a reservation for a machine of each of these runs, all at once: `held`, or the
    refusal."""

    def reserve(run_id: str) -> str:
        try:
            budget.reserve(an_epoch(run_id), usd, base.now())
        except BudgetExceeded as error:
            return str(error)
        return "held"

    with ThreadPoolExecutor(len(run_ids)) as pool:
        return list(pool.map(reserve, run_ids))


def test_machines_of_a_user_never_pass_the_money_of_his_tier(lab: Lab, cloud: Table) -> None:
    """However many ask at once, and in whichever of his projects."""
    user = lab["mine user"]
    ids = [register(lab, f"run {n}")[1]["run_id"] for n in range(5)]
    tier_limits = TierLimits(cloud, Entitlements(people := Table("people")), FREE, UserCaps(people))
    budget = Budget(cloud).limited_by(lambda _: None, tier_limits.month_usd)

    said = reserved_at_once(budget, ids, 4)
    assert said.count("held") == 2
    assert all(f"user {user} in" in one for one in said if one != "held")
    paid(lab)
    budget.reserve(an_epoch(ids[0], 2), 40, base.now())
    books = budget.user_books(user, f"{base.now():%Y-%m}")
    assert (books.held_usd, books.balanced) == (48, True)


def test_machines_of_who_pays_wait_for_no_spot(lab: Lab, cloud: Table) -> None:
    limits = wiring.tier_limits()
    assert limits.spot_waits(lab["mine user"]) == tiers()[FREE].spot_waits > 0
    assert limits.spot_waits(None) == 0, "of no user: of no tier"
    paid(lab)
    assert limits.spot_waits(lab["mine user"]) == 0


def test_what_a_user_begins_is_counted_where_nobody_pays_too(
    lab: Lab, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For his account page; nothing is refused."""
    monkeypatch.setenv("UNPAID_TIER", "premium")
    settings.cache_clear()
    for number in range((tiers()[FREE].month_runs or 0) + 1):
        assert register(lab, f"run {number}")[0] == 201
    item = cloud.get(user_key(lab["mine user"]), f"RUNS#{base.now():%Y-%m}")
    assert item is not None
    assert item.attributes["begun"] == (tiers()[FREE].month_runs or 0) + 1
