"""Every right on the ledger that the table gives is needed: each function is brought to use it.

What a simulated run uses comes from the simulator, the rest from the function's own door. A right
that neither needed is one too many: take it from the template and from the table.
"""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from porewatch.adapters.items import Item
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.metrics import Metrics
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.registry.database import Registry
from porewatch.adapters.submission.run_uploads import RunUploads
from porewatch.adapters.table import Table
from porewatch.compute.executors import Executors
from porewatch.domain import base
from porewatch.domain.errors import BudgetExceeded, CapacityUnavailable, Unavailable
from porewatch.domain.money.cost import CostLine
from porewatch.domain.people.accounts import Membership, User
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.rules import run_endings, stage_endings
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.rules.stalled_runs import UNSEALED
from porewatch.domain.submission.run_uploads import (
    FileToSend,
    Register,
    Submission,
    Upload,
    UploadState,
    upload_id_of,
)
from porewatch.settings import settings
from simulator.calls import Wire
from simulator.scheduler import process
from simulator.schedules import played
from simulator.weather import CLEAR, Weather
from tests import rights
from tests.calls import NOTED
from tests.functional import ended_run
from tests.functional.conftest import MACHINE
from tests.functional.doors import (
    KEY_HOLDER,
    ROOT,
    Context,
    door,
    fact_event,
    object_event,
    put,
    send,
)
from tests.functional.test_archived_files import ended_at  # noqa: F401 - a fixture
from tests.functional.test_bundle_unpacker import KEY as TAR
from tests.functional.test_bundle_unpacker import a_tar
from tests.functional.test_cancelling import ORDER, running  # noqa: F401 - a fixture
from tests.functional.test_control_plane import answers, call, example, launched, record, seal  # noqa: F401
from tests.functional.test_deleting import api, ledger, registry, server  # noqa: F401
from tests.functional.test_project_limits import bounded, sealed_in_bucket
from tests.functional.test_who_asks import a_user
from tests.mocked import make_ledger
from tests.rights import Guard, Right, golden

EXAMPLES = ROOT / "events"
SIMULATED = (
    "instance_terminator",
    "phase_state_manager",
    "report_generator",
    "result_aggregator",
    "worker",
)
"""Of these the simulator needs every right."""
JOBS = Weather(executor="batch", troubled=1.0)
WAITING = {
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "detail": {},
}
SWEEP = {"source": "porewatch.clock", "detail-type": "IntakeSweep", "detail": {}}


@pytest.fixture(scope="module")
def simulated() -> dict[str, set[Right]]:
    """What a few simulated runs needed, each call held to the table."""
    held, made = Guard(), Wire.call

    def held_call(wire: Wire, service: str, name: str, /, *args: Any, **request: Any) -> Any:
        caller = process()
        if caller is not None and caller.kind in golden():
            NOTED.note_unchecked(caller.kind, service, name, request)
        worker = caller is not None and caller.kind == "worker"
        # S3 transfers of a worker are spelled otherwise in the simulator than in boto3.
        if caller is not None and caller.kind in golden() and (not worker or service == "dynamodb"):
            operation = "".join(part.capitalize() for part in name.split("_"))
            held.check(caller.kind, service, operation, request)
        return made(wire, service, name, *args, **request)

    with patch.object(Wire, "call", held_call):
        for seed, weather in ((2, None), (9, None), (2, CLEAR), (1, JOBS)):
            outcome = played(seed, weather)
            assert outcome.broken == (), outcome.describe()
    return held.used


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    """Remembers what is needed behind the doors."""
    fresh = Guard()
    monkeypatch.setattr(rights, "GUARD", fresh)
    return fresh


def on_buckets(role: str) -> set[Right]:
    """ListBucket is not needed: with it, what is missing differs from what is forbidden. Nor what a
    stack need not have (test_locked_days.py)."""
    rights = (r for r in golden()[role] if r.action.startswith("s3:"))
    optional = "AnchorsBucket/"
    return {r for r in rights if r.action != "s3:ListBucket" and optional not in r.resource}


def on_ledger(role: str) -> set[Right]:
    return {r for r in golden()[role] if r.resource.partition("/")[0] == "Ledger"}


Used = dict[str, set[Right]]


def not_needed(role: str, *used: Used) -> list[Right]:
    return sorted(on_ledger(role).difference(*(known.get(role, set()) for known in used)))


@pytest.mark.parametrize("role", SIMULATED)
def test_a_simulated_run_needs_every_right(simulated: Used, role: str) -> None:
    assert on_ledger(role)
    assert not_needed(role, simulated) == []


@pytest.mark.parametrize("role", [role for role in SIMULATED if role != "worker"])
def test_a_simulated_run_needs_every_right_on_buckets(simulated: Used, role: str) -> None:
    assert sorted(on_buckets(role) - simulated[role]) == []


def failed_run() -> dict[str, Any]:
    example: dict[str, Any] = json.loads((EXAMPLES / "RunFailed/example.json").read_text())
    return fact_event("RunFailed", example["detail"])


def costly(cloud: Table) -> dict[str, Any]:
    """A machine has ended whose run is above its budget."""
    detail = json.loads((EXAMPLES / "InstanceTerminated/example.json").read_text())["detail"]
    run, place = detail["run_id"], f"COST#{detail['revision']:04d}#s#0001"
    RunLedger(cloud).receive(run, base.now())
    cloud.put(Item.of(f"RUN#{run}", place, CostLine(what="machine", usd=1000.0)))
    return fact_event("InstanceTerminated", detail)


def odd(key: str) -> dict[str, Any]:
    return object_event(key, etag="e", size=1)


def thrice(function: str, body: dict[str, Any]) -> None:
    """What it does once fails the first time, works, and comes again."""
    away = Unavailable("nobody answers")
    with (
        patch.object(Topic, "publish", side_effect=away),
        patch.object(Metrics, "put", side_effect=away),
    ):
        send(function, body)
    send(function, body)
    send(function, body)


def named_run(table: Table, run_id: str, at: datetime) -> None:
    """A registered run with an upload under way."""
    ProjectRuns(table).register(
        run_id,
        Registration("default", run_id, "Ada"),
        at,
        Submission(asked=Register(project="default", name=run_id)),
    )
    upload = Upload(
        upload_id=upload_id_of("a.fastq"), run_id=run_id,
        file=FileToSend(path="a.fastq", size=5), stored="a.fastq", state=UploadState.OPEN,
        by="Ada", at=at,
    )  # fmt: skip
    RunUploads(table).change(run_id, {upload.upload_id: lambda before: before or upload})


def test_what_is_done_once_needs_its_key(cloud: Table, simulated: Used, guard: Guard) -> None:
    thrice("fastq_validator", odd("notes.txt"))
    thrice("pipeline_orchestrator", odd("runs/a b/run.json"))
    thrice("bundle_unpacker", put("inbox/a b.tar", b""))
    for _ in range(2):  # the first one was moved away
        send("bundle_unpacker", put("inbox/a b.tar", b""))
    thrice("metric_calculator", failed_run())
    thrice("alert_handler", failed_run())
    thrice("cost_tracker", costly(cloud))
    send("pipeline_orchestrator", SWEEP)
    door("alert_handler")(WAITING, Context())
    send("bundle_unpacker", put(TAR, a_tar(("run.json", b"{"))))
    bounded(Accounts(Table("people")), {"mine": "default"}, month_usd=1)
    sealed_in_bucket("of-a-project-with-a-budget")
    named_run(cloud, "never-sealed", base.now() - UNSEALED)
    send("pipeline_orchestrator", SWEEP)
    for function in (
        *("fastq_validator", "pipeline_orchestrator", "bundle_unpacker"),
        *("metric_calculator", "alert_handler", "cost_tracker"),
    ):
        assert not_needed(function, simulated, guard.used) == [], function


def test_the_api_reads_runs_and_lists(
    cloud: Table,
    guard: Guard,
    ended_at: datetime,  # noqa: F811 - a run of somebody whose results are archived some day
) -> None:
    a_member(people := make_ledger("people"))
    for path in ("/runs", "/runs/run-1", "/runs/run-1/report", "/alerts"):
        event = {"httpMethod": "GET", "path": path, "queryStringParameters": None, "headers": {}}
        door("api")(
            {**event, "body": None, "requestContext": {"authorizer": KEY_HOLDER}}, Context()
        )
    event["queryStringParameters"] = {"run": "run-1"}
    door("api")({**event, "body": None, "requestContext": {"authorizer": KEY_HOLDER}}, Context())
    user = next(Accounts(people).users())
    claims = {"means": "token", "user_id": user.user_id, "scopes": "read"}
    door("api")(
        {**event, "path": "/runs", "body": None, "requestContext": {"authorizer": claims}},
        Context(),
    )
    assert not_needed("api", guard.used) == []


def test_links_to_reports_read_the_run(cloud: Table, guard: Guard) -> None:
    make_ledger("people")
    event = {"httpMethod": "GET", "path": "/runs/run-1/shares", "headers": {}, "body": None}
    claims = {"requestContext": {"authorizer": KEY_HOLDER}, "queryStringParameters": None}
    assert door("accounts")({**event, **claims}, Context())["statusCode"] == 404
    door("accounts")({**event, **claims, "path": "/usage"}, Context())
    a_member(Table("people"))
    member = {"means": "token", "user_id": next(Accounts(Table("people")).users()).user_id}
    of_member = {"requestContext": {"authorizer": {**member, "scopes": "read"}}}
    for path in ("/usage", "/me/tier"):
        door("accounts")({**event, **claims, **of_member, "path": path}, Context())
    admin = {**member, "user_id": a_user(Accounts(Table("people")), "Root", stack_role=Role.ADMIN)}
    of_admin = {"requestContext": {"authorizer": {**admin, "scopes": "read"}}}
    statement = {**event, **claims, **of_admin, "path": "/projects/default/statement"}
    assert door("accounts")(statement, Context())["statusCode"] == 200
    assert not_needed("accounts", guard.used) == []


def a_member(people: Table) -> None:
    """A user who may submit to the default project, and a run of his in it."""
    accounts, at = Accounts(people), base.now()
    user = User(user_id=new_id("u"), issuer="i", subject="s", name="Ada", created_at=at, seen_at=at)
    accounts.add_user(user)
    accounts.put_member(
        Membership(
            place="default",
            user_id=user.user_id,
            roles=frozenset({Role.SUBMITTER}),
            given_by="",
            at=at,
        )
    )
    RunLedger(Table("ledger")).receive("run-2", at)


def test_cancelling_reads_moves_and_pays(running: str, guard: Guard) -> None:  # noqa: F811
    call("run_canceller", ORDER)
    assert not_needed("run_canceller", guard.used) == []


def test_a_launch_reserves_from_the_budget_and_remembers_full_pools(
    answers: Any,  # noqa: F811
    simulated: Used,
    guard: Guard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seal()
    call("phase_state_manager", example("phase_state_manager"))
    full = CapacityUnavailable("nothing is left.")
    full.pools = ("m5.2xlarge@eu-central-1a",)
    with patch.object(Executors, "launch", side_effect=full), pytest.raises(CapacityUnavailable):
        call("instance_launcher", example("instance_launcher"))
    monkeypatch.setenv("ACCOUNT_BUDGET_USD", "0.000001")
    settings.cache_clear()
    with pytest.raises(BudgetExceeded):
        call("instance_launcher", example("instance_launcher"))
    assert not_needed("instance_launcher", simulated, guard.used) == []


def test_a_launch_looks_at_its_image_and_lays_down_the_end_of_its_machine(
    answers: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}
    image = boto3.client("ec2").register_image(Name="worker", BlockDeviceMappings=[root])
    boto3.client("scheduler").create_schedule_group(Name="expiries")
    for name, value in (
        ("AMI_ID", image["ImageId"]),
        ("EXPIRY_GROUP", "expiries"),
        ("EXPIRY_TARGET_ARN", "arn:aws:lambda:eu-central-1:123456789012:function:reaper"),
        ("EXPIRY_ROLE_ARN", "arn:aws:iam::123456789012:role/expiry"),
    ):
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    seal()
    call("phase_state_manager", example("phase_state_manager"))
    call("instance_launcher", example("instance_launcher"))
    (laid,) = boto3.client("scheduler").list_schedules(GroupName="expiries")["Schedules"]
    assert laid["State"] == "ENABLED"


def test_a_failed_run_is_ended_and_paid(
    answers: Any,  # noqa: F811
    guard: Guard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forgotten()
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)
    settings.cache_clear()
    call("error_handler", WAITING)
    call("error_handler", example("error_handler.fail_run"))
    assert not_needed("error_handler", guard.used) == []


def orphan(run_id: str) -> str:
    """A machine of a run that the ledger does not know."""
    tags = {
        "porewatch-stack": settings().stack_name,
        "porewatch-run": run_id,
        "porewatch-revision": "0",
        "porewatch-stage": "screen",
        "porewatch-epoch": "1",
    }
    marked = [{"Key": name, "Value": value} for name, value in tags.items()]
    made = boto3.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="m5.2xlarge",
        TagSpecifications=[{"ResourceType": "instance", "Tags": marked}],
    )  # fmt: skip
    return str(made["Instances"][0]["InstanceId"])


def forgotten() -> str:
    """A machine whose stage was given up without it."""
    machine = launched()
    StageLedger(Table("ledger")).apply(
        record().key, stage_endings.abandon, record().epoch, "it was stopped.", base.now()
    )
    return machine


def later(minutes: float) -> Any:
    moment = base.now() + timedelta(minutes=minutes)
    return patch.object(base, "clock", lambda: moment)


def test_the_monitor_takes_turns_and_pays_for_the_forgotten(
    answers: Any,  # noqa: F811
    simulated: Used,
    guard: Guard,
) -> None:
    forgotten()
    orphan("run-9")
    sweep = json.loads((EXAMPLES / "functions/instance_monitor.json").read_text())
    slow = SimpleNamespace(monotonic=lambda: math.inf)
    with later(60), patch("porewatch.usecases.instances.time_boxed_sweep.time", slow):
        call("instance_monitor", sweep)
    for minutes in (61, 67, 73):
        with later(minutes):
            call("instance_monitor", sweep)
    assert not_needed("instance_monitor", simulated, guard.used) == []


def test_the_reaper_notes_ends_and_pays(answers: Any, guard: Guard) -> None:  # noqa: F811
    machine = forgotten()
    for minutes in (60, 66, 72):
        with later(minutes):
            call("leftover_reaper", {"instance_id": machine, "dry": False, "kills": 5})
    assert not_needed("leftover_reaper", guard.used) == []


def test_holding_and_deleting_read_lists_move_and_remove(
    ledger: Table,  # noqa: F811
    registry: Registry,  # noqa: F811
    guard: Guard,
) -> None:
    ended_run.lock_buckets()
    ended_run.end_run(ledger, registry)
    named_run(ledger, "with-a-name", base.now() - UNSEALED)
    RunLedger(ledger).apply("with-a-name", run_endings.expire, base.now())
    door("run_eraser")({"run_id": "with-a-name", "by": "M. Sato", "reason": "r"}, Context())
    who = {"run_id": ended_run.RUN, "by": "M. Sato", "reason": "r"}
    for function, order in (
        ("run_keeper", who),
        ("run_keeper", {**who, "release": True}),
        ("run_keeper", WAITING),
        ("run_eraser", who),
        ("run_eraser", WAITING),
    ):
        door(function)(order, Context())
    for function in ("run_keeper", "run_eraser"):
        assert not_needed(function, guard.used) == [], function


def test_every_role_on_the_ledger_is_among_these() -> None:
    here = {
        *SIMULATED,
        *("fastq_validator", "pipeline_orchestrator", "bundle_unpacker"),
        *("metric_calculator", "alert_handler", "cost_tracker"),
        *("run_keeper", "run_eraser"),
        "uploads",  # test_uploads.py
        "credential_broker",  # test_credential_broker.py
        "web",  # test_pages.py
        "mailer",  # test_mail.py
        "early_screener",  # test_early_screener.py
        "archiver",  # test_archiver.py
        *("signatures", "signed_printer"),  # test_signing.py, test_signed_copies.py
        *("webhook_dispatcher", "webhook_sender"),  # test_webhooks.py
        *(
            "accounts",
            "api",
            "error_handler",
            "run_canceller",
            "instance_launcher",
            "instance_monitor",
            "leftover_reaper",
        ),
    }
    assert {role for role in golden() if on_ledger(role)} == here
