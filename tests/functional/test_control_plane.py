"""The doors of the control plane, as AWS knocks on them: the examples under events/ through the
real handlers, on one mocked cloud, in the order in which a run sends them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from itertools import cycle, product
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns import sns_backends

from porewatch.adapters import clients
from porewatch.adapters.items import Add, Item
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.message_keys import EpochSecrets
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused, MessageRefused, StaleEpoch, Unavailable
from porewatch.domain.facts.events import FACTS
from porewatch.domain.money.budget import micro
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, RunState, Sample
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.message_proofs import (
    MAC,
    SECRET_TAG,
    digest_of,
    proof,
)
from porewatch.domain.stage.record import StageKey, StageRecord, StageState
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.domain.stage.worker_messages import (
    Beat,
    Claimed,
    Interrupted,
    PhaseDone,
    Published,
    StageBroken,
    Suspected,
)
from porewatch.edge import log
from porewatch.settings import settings
from tests.functional.conftest import MACHINE
from tests.functional.doors import ROOT, Context, batch, door, fact_event, send
from tests.mocked import facts_in, make_buckets, make_ledger, make_mac_key, mocked_aws

RUN, STAGE = "20261121-pig-plasma-7", "screen"
KEY = StageKey(RUN, 0, STAGE)
Logged = Callable[[], list[dict[str, Any]]]
EVENTS = ROOT / "events" / "functions"
MESSAGES = (Beat, Claimed, Interrupted, PhaseDone, Published, StageBroken, Suspected)


class Answers(list[tuple[str, dict[str, Any]]]):
    """What was sent to Step Functions (moto takes it and does nothing)."""

    def listen(self) -> None:
        for name in ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"):
            clients.stepfunctions().meta.events.register(
                f"before-parameter-build.sfn.{name}", self._keep
            )

    def _keep(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.append((model.name, dict(params)))


@pytest.fixture
def answers() -> Iterator[Answers]:
    """The cloud of the control plane; yields the answers to the state machine."""
    with mocked_aws():
        ec2, sqs = boto3.client("ec2"), boto3.client("sqs")
        template = ec2.create_launch_template(
            LaunchTemplateName="worker", LaunchTemplateData={"ImageId": "ami-1"}
        )["LaunchTemplate"]["LaunchTemplateId"]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
        alerts = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
        dead = sqs.create_queue(QueueName="worker-dead")["QueueUrl"]
        with mocked_aws_settings(
            LAUNCH_TEMPLATE_ID=template,
            MESSAGE_KEY_ARN=make_mac_key(),
            WORKER_DEAD_LETTERS_URL=dead,
            WORKER_ROLE_ID="AROAWORKER",
            STATE_MACHINE_ARN=MACHINE,
            SUBNET_IDS=",".join(subnets),
            WORKER_QUEUE_URL=sqs.create_queue(QueueName="worker")["QueueUrl"],
            ALERT_TOPIC_ARN=alerts,
            RUN_BUDGET_USD="12",
        ):
            make_ledger()
            make_ledger("people")
            make_buckets()
            boto3.client("events").create_event_bus(Name="porewatch")
            recorded = Answers()
            recorded.listen()
            yield recorded


@pytest.fixture
def logged() -> Iterator[Logged]:
    """The lines that were logged since the last call, as values."""
    handler = cast("logging.StreamHandler[Any]", log.logger().handlers[0])
    page = io.StringIO()
    before = handler.setStream(page)

    def lines() -> list[dict[str, Any]]:
        text = page.getvalue()
        page.truncate(0)
        page.seek(0)
        return [json.loads(line) for line in text.splitlines()]

    yield lines
    handler.setStream(before)


def mocked_aws_settings(**more: str) -> Any:
    settings.cache_clear()
    return patch.dict("os.environ", more)


def example(name: str, **changes: Any) -> dict[str, Any]:
    """An example task, about revision 0 (the first one) of the run."""
    task: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return {**task, "revision": 0, **changes}


def call(function: str, event: dict[str, Any]) -> Any:
    return door(function)(event, Context())


def ledger() -> Table:
    return Table("ledger")


def record() -> StageRecord:
    return StageLedger(ledger()).get(KEY)


def seal() -> RunManifest:
    manifest = RunManifest(
        run_id=RUN,
        created_at=now(),
        files=(InputFile(path="fastq/a.fastq.gz", kind=ReadKind.FASTQ, size=1),),
        samples=(Sample(name="s1"),),
    )
    runs = RunLedger(ledger())
    Manifests(runs, Objects("raw")).keep(manifest)
    runs.seal(manifest, sealed_by="run.json", at=now())
    runs.start(manifest, execution_arn="arn", bundle="demo@1", at=now())
    return manifest


def worker_messages(instance_id: str) -> list[dict[str, Any]]:
    """The example's claim and first beat, from this machine."""
    raw = json.loads((EVENTS / "phase_state_manager.worker.json").read_text())
    bodies = [json.loads(found["body"]) for found in raw["Records"]]
    of_machine = {"instance_id": instance_id, "user_id": user_of(instance_id)}
    return [{**body, "revision": 0, **of_machine, "at": now().isoformat()} for body in bodies]


def secret_of(message: dict[str, Any]) -> str:
    """What the launcher gave to the machine of this message's epoch."""
    secrets = EpochSecrets(settings().message_key_arn, settings().stack_name)
    key = StageKey(message["run_id"], message["revision"], message["stage"])
    return secrets.of(key, message["epoch"])


def with_proof(event: dict[str, Any], mac: str) -> dict[str, Any]:
    """The event with this proof on its last message; with none when it is empty."""
    attributes = {MAC: {"stringValue": mac, "dataType": "String"}} if mac else {}
    event["Records"][-1]["messageAttributes"] = attributes
    return event


def deliver(*bodies: dict[str, Any] | str) -> list[str]:
    """Deliver messages of workers, each with its proof; those that failed."""
    event: dict[str, Any] = {"Records": []}
    for body, record in zip(bodies, batch(*bodies)["Records"], strict=True):
        event["Records"].append(record)
        if isinstance(body, dict):
            with_proof(event, proof(secret_of(body), record["body"]))
    answer = call("phase_state_manager", event)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def set_aside() -> list[tuple[str, str]]:
    """Dead letters: body and reason."""
    response = boto3.client("sqs").receive_message(
        QueueUrl=settings().worker_dead_letters_url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
    )
    messages = response.get("Messages", [])
    return [(one["Body"], one["MessageAttributes"]["reason"]["StringValue"]) for one in messages]


def user_of(instance_id: str) -> str:
    """`aws:userid` of the credentials of a machine."""
    return f"AROAWORKER:{instance_id}"


def launched() -> str:
    """Epoch 1 of the stage is open, has its machine, and is awaited."""
    seal()
    call("phase_state_manager", example("phase_state_manager"))
    machine: str = call("instance_launcher", example("instance_launcher"))["instance_id"]
    call("phase_state_manager", example("phase_state_manager.await"))
    return machine


def publish(machine: str) -> str:
    """What a worker leaves before it reports it."""
    attempt = s3_keys.attempt_prefix(*KEY, 1, user_of(machine))
    key = s3_keys.draft_key(attempt)
    manifest = StageManifest(
        run_id=RUN,
        revision=0,
        stage=STAGE,
        epoch=1,
        fingerprint="f",
        instance_id=machine,
        worker_version="0",
        started_at=now(),
        finished_at=now(),
        phases=(),
        outputs={},
    )
    body = manifest.canonical_json().encode()
    boto3.client("s3").put_object(Bucket="results", Key=key, Body=body)
    return key


def test_a_stage_goes_from_plan_to_bill_through_the_real_doors(answers: Answers) -> None:
    digest = seal().digest()
    planned = call(
        "phase_state_manager", example("phase_state_manager.plan", manifest_digest=digest)
    )
    assert [stage["name"] for stage in planned["stages"]] == ["screen", "report"]
    opened = call("phase_state_manager", example("phase_state_manager"))
    assert opened == {"epoch": 1, "manifest_key": None}
    order = Objects("results").get_json(s3_keys.order_key(*KEY), WorkOrder)
    assert order.carbon_factors is not None and order.carbon_factors.region == "eu-central-1"
    assert order.price_snapshot

    machine = call("instance_launcher", example("instance_launcher"))["instance_id"]
    assert call("instance_launcher", example("instance_launcher"))["instance_id"] == machine
    assert len(boto3.client("ec2").describe_instances()["Reservations"]) == 1

    waiting = example("phase_state_manager.await")
    assert call("phase_state_manager", waiting) is None
    assert deliver(*worker_messages(machine)) == []
    assert record().state is StageState.CLAIMED
    assert record().progress is not None
    assert {name for name, _ in answers} == {"SendTaskHeartbeat"}

    key = publish(machine)
    published = {**worker_messages(machine)[0], "kind": "published", "manifest_key": key}
    assert deliver(published, published) == []
    name, params = answers[-1]
    assert (name, params["taskToken"]) == ("SendTaskSuccess", waiting["task_token"])
    assert json.loads(params["output"]) == {"manifest_key": s3_keys.manifest_key(*KEY)}
    assert [name for name, _ in answers].count("SendTaskSuccess") == 1

    ended = call("instance_terminator", example("instance_terminator", reason="published"))
    assert ended == {"instance_ids": [machine]}
    (shown,) = boto3.client("ec2").describe_instances()["Reservations"][0]["Instances"]
    assert shown["State"]["Name"] == "terminated"
    assert facts_in(ledger(), RUN) == [
        *("RunSealed", "RunStarted", "PhaseCompleted", "InstanceLaunched"),
        *("StageClaimed", "StageCompleted", "InstanceTerminated"),
    ]


def test_a_message_nobody_can_read_is_set_aside_alone_with_its_reason(
    answers: Answers, logged: Logged
) -> None:
    machine = launched()
    good = worker_messages(machine)
    assert deliver(good[0], "no json", {**good[1], "kind": "song"}, good[1]) == []
    (first, why), (_, other) = set_aside()
    assert first == "no json"
    assert "not JSON" in why
    assert "is refused" in other
    assert record().progress is not None
    lines = logged()
    refused = [line for line in lines if line["level"] == "ERROR"]
    assert [line["message_id"] for line in refused] == ["m1", "m2"]
    assert all(line["error"] == "MessageRefused" for line in refused)


def test_every_line_of_log_names_its_run_and_only_its_own(answers: Answers, logged: Logged) -> None:
    message = worker_messages(launched())[0]
    logged()
    deliver({**message, "epoch": 9}, {**message, "run_id": "other", "epoch": 9})
    lines = logged()
    assert [(line["run_id"], line["epoch"], line["function"]) for line in lines] == [
        (RUN, 9, "test"),
        ("other", 9, "test"),
    ]


def test_what_an_old_epoch_sends_is_dropped_and_not_retried(answers: Answers) -> None:
    message = worker_messages(launched())[0]
    call("phase_state_manager", example("phase_state_manager"))
    assert deliver(message) == []
    assert record().state is StageState.OPEN


SUSPICION = {"sample": "pig", "code": "EBOV", "name": "Ebola virus", "severity": "critical"}
KINDS: dict[str, dict[str, Any]] = {
    "claimed": {},
    "beat": {"progress": {"phase": "quality_control"}},
    "phase_done": {
        "record": {
            "phase": "quality_control",
            "status": "completed",
            "started_at": "2026-11-21T12:00:00Z",
            "finished_at": "2026-11-21T12:00:00Z",
        }
    },
    "suspected": {**SUSPICION, "reads": 9},
    "published": {"manifest_key": s3_keys.manifest_key(*KEY)},
    "interrupted": {"last_checkpoint": 1},
    "stage_broken": {"error": "NoReadsLeft", "problem": "forged"},
}


def test_every_kind_of_message_is_tried() -> None:
    assert set(KINDS) == {kind.model_fields["kind"].default for kind in MESSAGES}


FORGERIES = ("none", "wrong", "of another run", "of another epoch")
QUICK = set(zip(KINDS, cycle(FORGERIES), strict=False))
"""Every kind and every forgery; all pairs are slow."""


@pytest.mark.parametrize(
    ("forgery", "kind"),
    [
        (forgery, kind)
        if (kind, forgery) in QUICK
        else pytest.param(forgery, kind, marks=pytest.mark.slow)
        for kind, forgery in product(KINDS, FORGERIES)
    ],
)
def test_a_message_without_its_proof_is_set_aside_counted_and_without_effect(
    answers: Answers, kind: str, forgery: str
) -> None:
    machine = launched()
    body = {**worker_messages(machine)[0], "kind": kind, **KINDS[kind]}
    event, before, answered = batch(body), record(), len(answers)
    text = event["Records"][0]["body"]
    macs = {
        "none": "",
        "wrong": "0" * 64,
        "of another run": proof(secret_of({**body, "run_id": "x"}), text),
        "of another epoch": proof(secret_of({**body, "epoch": 2}), text),
    }
    answer = call("phase_state_manager", with_proof(event, macs[forgery]))
    assert answer == {"batchItemFailures": []}
    ((kept, why),) = set_aside()
    assert json.loads(kept) == body
    assert ("carries no proof" if forgery == "none" else "carries a wrong proof") in why
    assert record() == before
    assert len(answers) == answered
    assert "PathogenSuspected" not in facts_in(ledger(), RUN)
    counted = boto3.client("cloudwatch").list_metrics(MetricName="WorkerMessagesRefused")
    assert len(counted["Metrics"]) == 1


def test_a_message_that_was_altered_on_its_way_is_refused(answers: Answers) -> None:
    machine = launched()
    body = worker_messages(machine)[0]
    sent = json.dumps(body)
    event = batch(sent.replace(machine, "i-0123456789abcdef0"))
    call("phase_state_manager", with_proof(event, proof(secret_of(body), sent)))
    assert "carries a wrong proof" in set_aside()[0][1]
    assert record().state is StageState.LAUNCHED


def test_replayed_messages_of_an_epoch_that_is_over_change_nothing(answers: Answers) -> None:
    messages = worker_messages(launched())
    broken = {**messages[0], "kind": "stage_broken", "error": "WorkerFailed", "problem": "p"}
    assert deliver(*messages, broken) == []
    call("phase_state_manager", example("phase_state_manager"))
    before = record()
    assert deliver(*messages, broken) == []
    assert (record(), before.epoch, before.state) == (before, 2, StageState.OPEN)


def test_a_secret_reaches_its_machine_and_is_written_down_nowhere(answers: Answers) -> None:
    machine = launched()
    secret = secret_of(worker_messages(machine)[0])
    (shown,) = boto3.client("ec2").describe_instances(InstanceIds=[machine])["Reservations"]
    tags = {tag["Key"]: tag["Value"] for tag in shown["Instances"][0]["Tags"]}
    assert tags[SECRET_TAG] == secret
    assert record().secret_sha256 == digest_of(secret)
    items = boto3.client("dynamodb").scan(TableName="ledger")["Items"]
    assert secret not in json.dumps(items, default=str)
    assert secret not in Objects("results").get(s3_keys.order_key(*KEY)).decode()


def test_waiting_on_an_old_epoch_is_answered_through_the_token(answers: Answers) -> None:
    launched()
    call("phase_state_manager", example("phase_state_manager"))
    assert call("phase_state_manager", example("phase_state_manager.await")) is None
    name, params = answers[-1]
    assert (name, params["error"]) == ("SendTaskFailure", "StaleEpoch")


def test_errors_keep_their_class_for_the_state_machine(answers: Answers) -> None:
    launched()
    with pytest.raises(StaleEpoch):
        call("instance_launcher", example("instance_launcher", epoch=7))
    with pytest.raises(MessageRefused, match="epoch"):
        call("instance_launcher", example("instance_launcher", epoch="soon"))


def test_a_missing_variable_is_named(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    seal()
    monkeypatch.delenv("RESULTS_BUCKET")
    settings.cache_clear()
    with pytest.raises(ConfigurationRefused, match="RESULTS_BUCKET"):
        call("phase_state_manager", example("phase_state_manager"))


def test_an_error_is_decided_on_and_a_run_is_failed(answers: Answers) -> None:
    launched()
    decided = call("error_handler", example("error_handler"))
    assert decided["decision"] == "retry"
    assert "silent for 600 s" in decided["reason"]
    assert call("error_handler", example("error_handler")) == decided
    ended = call("error_handler", example("error_handler.fail_run"))
    assert ended == {"error": "WorkerLost", "problem": "the worker has been silent for 600 s."}
    assert RunLedger(ledger()).get(RUN).state is RunState.FAILED


def test_an_execution_that_was_ended_from_outside_ends_its_run(answers: Answers) -> None:
    launched()
    event = json.loads((EVENTS / "error_handler.execution.json").read_text())
    order = {**json.loads(event["detail"]["input"]), "revision": 0}
    event["detail"] |= {"input": json.dumps(order), "executionArn": "arn"}
    call("error_handler", event)
    run = RunLedger(ledger()).get(RUN)
    assert (run.state, run.problem) == (
        RunState.FAILED,
        "its execution outlived its longest time.",
    )
    assert record().state is StageState.FAILED


def test_the_monitor_sweeps_and_gets_events_of_ec2(answers: Answers) -> None:
    machine = launched()
    deliver(worker_messages(machine)[0])
    for name in ("interruption", "rebalance"):
        call("instance_monitor", of_machine(f"instance_monitor.{name}", machine))
    assert record().reclaim_notice_at is not None
    boto3.client("ec2").terminate_instances(InstanceIds=[machine])
    call("instance_monitor", of_machine("instance_monitor.state", machine))
    assert record().state is StageState.CLAIMED  # its last messages may be on the way
    publish(machine)
    call("instance_monitor", json.loads((EVENTS / "instance_monitor.json").read_text()))
    assert record().state is StageState.PUBLISHED
    assert answers[-1][0] == "SendTaskSuccess"


def of_machine(name: str, instance_id: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    event["detail"]["instance-id"] = instance_id
    return event


def billed(usd: float) -> None:
    """The machine of the run cost this much, and cost_tracker gets its end, twice."""
    for item in list(ledger().query(f"RUN#{RUN}", "COST#")):
        line = json.dumps({**json.loads(item.body), "usd": usd})
        ledger().put(type(item)(item.pk, item.sk, line))
    example = json.loads((ROOT / "events/InstanceTerminated/example.json").read_text())
    event = fact_event("InstanceTerminated", {**example["detail"], "revision": 0})
    assert send("cost_tracker", event, event) == []
    assert RunLedger(ledger()).get(RUN).cost_usd == pytest.approx(usd)


@pytest.fixture
def tracked(answers: Answers) -> None:
    """A run with one machine on its bill; its budget is RUN_BUDGET_USD of the settings."""
    launched()
    call("instance_terminator", example("instance_terminator"))


def thresholds() -> list[int]:
    facts = ledger().query(f"RUN#{RUN}", "FACT#BudgetReached:")
    return sorted(json.loads(str(f.attributes["detail"]))["threshold"] for f in facts)


def test_people_are_warned_at_80_and_at_100_percent_of_the_budget_once_each(tracked: None) -> None:
    budget = settings().run_budget_usd
    billed(budget * 0.79)
    assert (thresholds(), sent_messages()) == ([], [])
    billed(budget * 0.8)
    billed(budget * 0.95)
    assert thresholds() == [80]
    billed(budget)
    billed(budget * 1.2)
    assert thresholds() == [80, 100]
    near, used = sent_messages()
    assert near == f"Run {RUN} has cost 80 % of its budget"
    assert used == f"Run {RUN} has used up its budget (100 %)"


def test_who_crosses_both_thresholds_at_once_reads_of_the_higher_only(tracked: None) -> None:
    billed(settings().run_budget_usd * 1.5)
    assert thresholds() == [100]
    assert sent_messages() == [f"Run {RUN} has used up its budget (150 %)"]


def test_a_raised_budget_warns_again(tracked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = settings().run_budget_usd
    billed(budget)
    monkeypatch.setenv("RUN_BUDGET_USD", f"{budget * 1.25}")
    settings.cache_clear()
    billed(budget)
    assert sent_messages()[1] == f"Run {RUN} has cost 80 % of its budget"


def spent_by_the_account(usd: float) -> None:
    """Machines of other runs have cost this much in the month of the fact."""
    ledger().transact([Add(Item("ACCOUNT", "BUDGET#2026-11"), {"spent": micro(usd)})])


def test_people_are_warned_of_the_accounts_budget_too(
    tracked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = Budget(ledger()).account_books("2026-11").spent_usd
    monkeypatch.setenv("ACCOUNT_BUDGET_USD", "100")
    settings.cache_clear()
    spent_by_the_account(79 - spent)
    billed(0.01)
    assert sent_messages() == []
    spent_by_the_account(2)
    billed(0.01)
    spent_by_the_account(20)
    billed(0.01)
    assert sent_messages() == [
        "81 % of the account's budget for 2026-11 are spent",
        "The account's budget for 2026-11 is used up (101 %)",
    ]


def test_one_budget_notified_before_does_not_silence_the_other(
    tracked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    billed(settings().run_budget_usd)
    monkeypatch.setenv("ACCOUNT_BUDGET_USD", "100")
    settings.cache_clear()
    spent_by_the_account(100)
    billed(settings().run_budget_usd)
    assert [text.split()[0] for text in sent_messages()] == ["Run", "The"]


def test_a_warning_that_could_not_be_sent_is_sent_the_next_time(tracked: None) -> None:
    gone = Unavailable("no answer")
    with (
        patch("porewatch.adapters.messages.notices.Topic.publish", side_effect=gone),
        pytest.raises(AssertionError),
    ):
        billed(settings().run_budget_usd * 0.9)
    assert sent_messages() == []
    billed(settings().run_budget_usd * 0.9)
    assert sent_messages() == [f"Run {RUN} has cost 90 % of its budget"]


def sent_messages() -> list[str]:
    topics = sns_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].topics.values()
    return [subject for topic in topics for _, _, subject, *_ in topic.sent_notifications]


def test_facts_of_the_ledger_reach_the_bus_and_nothing_else_does(answers: Answers) -> None:
    put: list[dict[str, Any]] = []
    clients.events().meta.events.register(
        "before-parameter-build.events.PutEvents", lambda params, **_: put.extend(params["Entries"])
    )
    stream = json.loads((EVENTS / "fact_publisher.json").read_text())
    new = stream["Records"][0]
    changed = {**new, "eventName": "MODIFY"}
    other = json.loads(json.dumps(new).replace("FACT#", "STAGE#"))
    answer = call("fact_publisher", {"Records": [new, changed, other]})
    assert answer == {"batchItemFailures": []}
    assert [(entry["Source"], entry["DetailType"]) for entry in put] == [
        ("porewatch", "RunStarted")
    ]
    assert put[0]["EventBusName"] == "porewatch"
    FACTS["RunStarted"].model_validate_json(put[0]["Detail"])


def test_facts_that_do_not_get_onto_the_bus_come_again_and_only_those(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = json.loads((EVENTS / "fact_publisher.json").read_text())["Records"][0]
    records = [json.loads(json.dumps(new)) for _ in range(12)]
    for number, raw in enumerate(records):
        raw["dynamodb"]["SequenceNumber"] = f"{number:03d}"
    calls: list[int] = []

    def put_events(Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        calls.append(len(Entries))
        results: list[dict[str, str]] = [{"EventId": "e"} for _ in Entries]
        if len(calls) == 1:
            results[3] = {"ErrorCode": "InternalFailure", "ErrorMessage": "message"}
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    monkeypatch.setattr(clients.events(), "put_events", put_events)
    answer = call("fact_publisher", {"Records": records})
    assert calls == [10, 2]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "003"}]}


def test_the_batch_of_a_queue_and_the_task_of_the_machine_find_their_own_door(
    answers: Answers,
) -> None:
    assert call("phase_state_manager", batch()) == {"batchItemFailures": []}
    with pytest.raises(MessageRefused):
        call("phase_state_manager", {"action": "dance"})


def test_examples_exist_for_every_door_of_the_control_plane() -> None:
    named = {path.name.split(".")[0] for path in Path(EVENTS).glob("*.json")}
    assert named >= {
        *("phase_state_manager", "error_handler", "instance_launcher", "instance_monitor"),
        *("instance_terminator", "cost_tracker", "fact_publisher"),
    }
