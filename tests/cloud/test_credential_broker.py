"""A machine gets credentials for its own attempt, and by whatever it says for no other: on the
engine with IAM enforced, before and after they are renewed, and across an interruption."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from porewatch.adapters.broker import broker_client
from porewatch.adapters.broker.renewed_keys import RenewedKeys
from porewatch.adapters.broker.signed_identity import FORM, signed
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import IdentityRefused, StaleEpoch
from porewatch.domain.machines.machine_requests import Asked, BootLog, CredentialsWanted
from porewatch.domain.machines.signed_identity import (
    BOUND_TO,
    DATE,
    FRESH,
    SignedIdentity,
    bound_to,
)
from porewatch.domain.rules import stage_lifecycle
from porewatch.domain.stage.message_proofs import proof
from porewatch.domain.stage.record import StageKey
from tests.cloud.conftest import Cloud
from tests.cloud.machines import OneMachine, role, session, session_of_role
from tests.cloud.making import named
from tests.cloud.test_rights import may

pytestmark = pytest.mark.cloud


@pytest.fixture
def a(stack: Cloud) -> Iterator[OneMachine]:
    """The machine of run A."""
    made = OneMachine(
        stack, StageKey(named("run-a"), 0, "screen"), "i-0aaaaaaaaaaaaaaaa"
    ).launched()
    yield made
    made.abandoned()


@pytest.fixture
def b(stack: Cloud) -> Iterator[OneMachine]:
    """The machine of run B, with an object of every kind, and a task token."""
    made = OneMachine(
        stack, StageKey(named("run-b"), 0, "screen"), "i-0bbbbbbbbbbbbbbbb"
    ).launched()
    s3 = stack.client("s3")
    for bucket, name in objects_of(made):
        s3.put_object(Bucket=bucket, Key=name, Body=b"of B")
    made.stages.apply(made.key, stage_lifecycle.keep_token, 1, "the token of B", now())
    yield made
    made.abandoned()


def objects_of(machine: OneMachine) -> list[tuple[str, str]]:
    raw, run_id = machine.stack.outputs["RawBucketName"], machine.key.run_id
    return [
        (raw, s3_keys.raw_key(run_id, "fastq/secret.fastq.gz")),
        (raw, s3_keys.sealed_manifest_key(run_id, "0" * 64)),
        (machine.bucket, s3_keys.order_key(*machine.key)),
        (machine.bucket, f"{machine.prefix}outputs/screen.json"),
        (machine.bucket, f"{machine.prefix}checkpoint/f/checkpoint.json"),
    ]


def reached(worker: boto3.Session, other: OneMachine, own_id: str) -> list[str]:
    """All that a worker can do to the run of another machine; nothing, when all is well."""
    s3, ledger, sqs = (worker.client(name) for name in ("s3", "dynamodb", "sqs"))
    states: Any = worker.client("stepfunctions")
    outputs, found = other.stack.outputs, []

    def tried(what: str, call: Callable[..., Any], **request: Any) -> None:
        if may(call, **request):
            found.append(what)

    for bucket, key in objects_of(other):
        named_object = {"Bucket": bucket, "Key": key}
        tried(f"read {key}", s3.get_object, **named_object)
        tried(f"look at {key}", head(s3), **named_object)
        tried(f"write {key}", s3.put_object, **named_object, Body=b"", IfNoneMatch="*")
        tried(f"remove {key}", s3.delete_object, **named_object)
        folder = key.rpartition("/")[0] + "/"
        tried(f"list {folder}", s3.list_objects_v2, Bucket=bucket, Prefix=folder)
        tried(f"list {bucket}", s3.list_objects_v2, Bucket=bucket)
        tried(f"list runs in {bucket}", s3.list_objects_v2, Bucket=bucket, Prefix="runs/")
    below_its_own_name = s3_keys.attempt_prefix(*other.key, other.epoch, own_id)
    key = f"{below_its_own_name}outputs/x.json"
    tried(f"write {key}", s3.put_object, Bucket=other.bucket, Key=key, Body=b"", IfNoneMatch="*")
    table, run = outputs["LedgerTable"], f"RUN#{other.key.run_id}"
    for pk in (run, f"WORKER#{other.user_id}"):
        item = {"pk": {"S": pk}, "sk": {"S": "STAGE#0000#screen"}}
        tried(f"get {pk}", ledger.get_item, TableName=table, Key=item)
        tried(f"put {pk}", ledger.put_item, TableName=table, Item=item)
        tried(f"delete {pk}", ledger.delete_item, TableName=table, Key=item)
        together = [{"Get": {"TableName": table, "Key": item}}]
        tried(f"get {pk} at once", ledger.transact_get_items, TransactItems=together)
        some = {table: {"Keys": [item]}}
        tried(f"get {pk} in a batch", ledger.batch_get_item, RequestItems=some)
        tried(
            f"query {pk}",
            ledger.query,
            TableName=table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": pk}},
        )
    tried("scan", ledger.scan, TableName=table)
    for queue in ("WorkerQueueUrl", "IntakeQueueUrl", "StatusQueueUrl"):
        tried(f"receive of {queue}", sqs.receive_message, QueueUrl=outputs[queue])
        tried(f"purge {queue}", sqs.purge_queue, QueueUrl=outputs[queue])
    tried("answer", states.send_task_success, taskToken="the token of B", output="{}")
    tried("fail", states.send_task_failure, taskToken="the token of B")
    return found


def head(s3: Any) -> Callable[..., Any]:
    """`head_object`, whose refusal has no code but its status."""

    def look(**request: Any) -> None:
        try:
            s3.head_object(**request)
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "403":
                error.response["Error"]["Code"] = "AccessDenied"
            raise

    return look


def does_its_work(worker: boto3.Session, machine: OneMachine) -> None:
    """What a worker needs, of its own run."""
    s3, ledger = worker.client("s3"), worker.client("dynamodb")
    raw, run_id = machine.stack.outputs["RawBucketName"], machine.key.run_id
    reads = s3_keys.raw_key(run_id, "fastq/a.fastq.gz")
    machine.stack.client("s3").put_object(Bucket=raw, Key=reads, Body=b"of A")
    assert s3.get_object(Bucket=raw, Key=reads)["Body"].read() == b"of A"
    order = s3_keys.order_key(*machine.key)
    assert s3.get_object(Bucket=machine.bucket, Key=order)["Body"].read()
    s3.put_object(Bucket=machine.bucket, Key=s3_keys.log_key(machine.prefix), Body=b"log")
    s3.list_objects_v2(Bucket=machine.bucket, Prefix=machine.prefix)
    table = machine.stack.outputs["LedgerTable"]
    stage = {"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "STAGE#0000#screen"}}
    assert "Item" in ledger.get_item(TableName=table, Key=stage)
    note = {"pk": {"S": f"WORKER#{machine.user_id}"}, "sk": {"S": "NOTE"}}
    ledger.put_item(TableName=table, Item=note)


def test_a_worker_reaches_its_own_run_and_nothing_of_another(a: OneMachine, b: OneMachine) -> None:
    worker = a.worker()
    does_its_work(worker, a)
    assert reached(worker, b, a.user_id) == []
    identity = worker.client("sts").get_caller_identity()
    assert identity["UserId"] == a.user_id


def test_nor_after_they_were_renewed(a: OneMachine, b: OneMachine) -> None:
    first, second = a.ask(), a.ask()
    assert first.access_key_id != second.access_key_id
    for got in (first, second):
        worker = session(a.stack, got.access_key_id, got.secret_access_key, got.session_token)
        does_its_work(worker, a)
        assert reached(worker, b, a.user_id) == []


def test_nor_across_an_interruption(a: OneMachine, b: OneMachine) -> None:
    """The machine whose epoch is over gets no more; its successor gets its own, and may read what
    the first one left, and not change it."""
    before = a.worker()
    place = {"Bucket": a.bucket, "Key": f"{a.prefix}checkpoint/f/checkpoint.json"}
    before.client("s3").put_object(**place, Body=b"units", IfNoneMatch="*")
    a.interrupted()
    with pytest.raises(StaleEpoch):
        a.ask()
    successor = OneMachine(a.stack, a.key, "i-0cccccccccccccccc").launched()
    assert successor.epoch == 2
    with pytest.raises(StaleEpoch):
        a.ask()
    after = successor.worker()
    does_its_work(after, successor)
    s3 = after.client("s3")
    etag = s3.head_object(**place)["ETag"]
    assert s3.get_object(**place)["Body"].read() == b"units"
    assert not may(s3.put_object, **place, Body=b"other", IfMatch=etag)
    for worker, machine in ((before, a), (after, successor)):
        assert reached(worker, b, machine.user_id) == []
    assert not may(
        before.client("s3").put_object,
        Bucket=a.bucket,
        Key=s3_keys.log_key(successor.prefix),
        Body=b"",
    )


def test_what_a_machine_has_by_itself_reaches_nothing(a: OneMachine, b: OneMachine) -> None:
    for other in (a, b):
        assert reached(a.own, other, a.user_id) == []
    sqs = a.own.client("sqs")
    queue = a.stack.outputs["WorkerQueueUrl"]
    assert not may(sqs.send_message, QueueUrl=queue, MessageBody="{}")
    functions, name = a.own.client("lambda"), a.stack.local.stack_name
    assert not may(functions.invoke, FunctionName=f"{name}-instance-launcher", Payload=b"{}")
    arn = role(a.stack, "WorkerRole")["Arn"]
    assert not may(a.own.client("sts").assume_role, RoleArn=arn, RoleSessionName=a.name)


def test_a_session_without_tags_reaches_no_run(a: OneMachine, b: OneMachine) -> None:
    """Nobody can begin one but the broker; if it did, there would be nothing to reach with it."""
    iam, found = a.stack.client("iam"), role(a.stack, "WorkerRole")
    trust = found["AssumeRolePolicyDocument"]
    by_ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    wider = {**trust, "Statement": [*trust["Statement"], {**by_ec2, "Action": "sts:AssumeRole"}]}
    iam.update_assume_role_policy(RoleName=found["RoleName"], PolicyDocument=json.dumps(wider))
    try:
        bare = session_of_role(a.stack, "WorkerRole", a.name)
    finally:
        iam.update_assume_role_policy(RoleName=found["RoleName"], PolicyDocument=json.dumps(trust))
    for other in (a, b):
        reads = [what for what in reached(bare, other, a.user_id) if a.user_id not in what]
        assert reads == []


def test_a_stage_that_lasts_longer_than_its_credentials_notices_nothing(
    a: OneMachine, b: OneMachine
) -> None:
    """Every request goes through, and none reaches B; when the epoch is over, none goes through."""
    keys = RenewedKeys(a.ask, life_s=4)
    s3 = keys.session(a.stack.local.region).client("s3", endpoint_url=a.stack.local.endpoint)
    log = {"Bucket": a.bucket, "Key": s3_keys.log_key(a.prefix), "Body": b"log"}
    other = {"Bucket": b.bucket, "Key": s3_keys.order_key(*b.key)}
    end = time.monotonic() + 10
    while time.monotonic() < end:
        s3.put_object(**log)
        assert not may(s3.get_object, **other)
        time.sleep(0.2)
    assert keys.renewals >= 4
    a.interrupted()
    time.sleep(4)
    with pytest.raises(StaleEpoch):
        s3.put_object(**log)


# What the broker refuses


def called(machine: OneMachine, asked: Asked) -> dict[str, Any]:
    """The broker's answer to whatever a machine sends."""
    reply = machine.own.client("lambda").invoke(
        FunctionName=f"{machine.stack.local.stack_name}-credential-broker",
        Payload=asked.model_dump_json().encode(),
    )
    answer: dict[str, Any] = json.loads(reply["Payload"].read())
    return answer


def request(
    machine: OneMachine,
    wanted: CredentialsWanted | None = None,
    *,
    secret: str | None = None,
    signer: OneMachine | None = None,
) -> Asked:
    """As the machine's worker makes it, but for what is given."""
    text = (wanted or machine.wanted).model_dump_json()
    identity = (signer or machine).broker._identity(text)
    return Asked(text=text, mac=proof(secret or machine.secret, text), identity=identity)


def test_without_the_secret_of_the_epoch_nobody_gets_any(a: OneMachine, b: OneMachine) -> None:
    wrong = request(a, b.wanted)
    assert called(a, wrong)["errorType"] == "MessageRefused"
    none = request(a).model_copy(update={"mac": ""})
    assert called(a, none)["errorType"] == "MessageRefused"
    forged = request(a, secret="6" * 64)
    assert called(a, forged)["errorType"] == "MessageRefused"


def test_nor_with_the_secret_of_another_and_an_identity_of_ones_own(
    a: OneMachine, b: OneMachine
) -> None:
    """Whoever may describe instances can read the tags of all."""
    stolen = request(a, b.wanted, secret=b.secret)
    assert called(a, stolen)["errorType"] == "MessageRefused"
    as_oneself = b.wanted.model_copy(update={"instance_id": a.name})
    assert called(a, request(a, as_oneself, secret=b.secret))["errorType"] == "StaleEpoch"


def test_nor_with_an_identity_of_another_request(a: OneMachine, b: OneMachine) -> None:
    identity = request(b).identity
    moved = request(a).model_copy(update={"identity": identity})
    assert called(a, moved)["errorType"] == "IdentityRefused"
    assert called(a, request(a).model_copy(update={"identity": None}))["errorType"] == (
        "IdentityRefused"
    )


def test_nor_twice_with_the_same_one(a: OneMachine) -> None:
    once = request(a)
    assert called(a, once)["user_id"] == a.user_id
    assert "used before" in called(a, once)["errorMessage"]


def test_nor_with_an_old_one(a: OneMachine) -> None:
    fresh = request(a)
    assert fresh.identity is not None
    old = (now() - FRESH - timedelta(seconds=5)).strftime(DATE)
    identity = fresh.identity.model_copy(update={"date": old})
    assert (
        "which is not now"
        in called(a, fresh.model_copy(update={"identity": identity}))["errorMessage"]
    )
    younger = (now() - timedelta(seconds=90)).strftime(DATE)
    identity = fresh.identity.model_copy(update={"date": younger})
    changed = called(a, fresh.model_copy(update={"identity": identity}))
    assert "STS does not believe it" in changed["errorMessage"]


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("https://sts.attacker.example/", b"Action=GetCallerIdentity&Version=2011-06-15"),
        ("", b"Action=GetSessionToken&Version=2011-06-15"),
        ("/elsewhere", b"Action=GetCallerIdentity&Version=2011-06-15"),
    ],
)
def test_nor_with_a_signature_for_another_host_path_or_action(
    a: OneMachine, address: str, body: bytes
) -> None:
    asked = request(a)
    url = address if "://" in address else a.stack.local.endpoint + (address or "/")
    headers = {"Content-Type": FORM, BOUND_TO: bound_to(a.stack.local.stack_name, asked.text)}
    signing = AWSRequest("POST", url, headers, body)
    keys = a.own.get_credentials()
    assert keys is not None
    SigV4Auth(keys.get_frozen_credentials(), "sts", a.stack.local.region).add_auth(signing)
    identity = SignedIdentity(
        authorization=signing.headers["Authorization"],
        date=signing.headers["X-Amz-Date"],
        token=signing.headers["X-Amz-Security-Token"],
    )
    answer = called(a, asked.model_copy(update={"identity": identity}))
    assert answer["errorType"] == "IdentityRefused"
    assert "STS does not believe it" in answer["errorMessage"]


def test_nor_as_somebody_who_is_no_machine(a: OneMachine) -> None:
    """A worker, too, has keys that sign: not those of a machine."""
    worker = a.worker()
    keys = worker.get_credentials()
    assert keys is not None
    asked = request(a)
    identity = signed(
        keys.get_frozen_credentials(),
        endpoint=a.stack.local.endpoint,
        region=a.stack.local.region,
        bound=bound_to(a.stack.local.stack_name, asked.text),
    )
    answer = called(a, asked.model_copy(update={"identity": identity}))
    assert "is no machine of this stack" in answer["errorMessage"]


def test_nor_does_another_stack_answer(a: OneMachine) -> None:
    text = a.wanted.model_dump_json()
    elsewhere = broker_client.CredentialBroker("x", "another-stack", a.own)._identity(text)
    asked = request(a).model_copy(update={"identity": elsewhere})
    assert called(a, asked)["errorType"] == "IdentityRefused"


def test_a_refusal_comes_to_the_worker_as_what_it_is(a: OneMachine, b: OneMachine) -> None:
    with pytest.raises(IdentityRefused, match="the credential broker: "):
        a.broker.ask(b.wanted, a.secret)


def test_a_boot_log_lands_in_its_own_run_and_in_no_other(a: OneMachine, b: OneMachine) -> None:
    def sent(of: OneMachine, secret: str) -> Any:
        fields = of.wanted.model_dump() | {"kind": "boot_log", "log": "cHJpbnRlZA=="}
        text = BootLog.model_validate(fields).model_dump_json()
        return called(a, Asked(text=text, mac=proof(secret, text)))

    assert sent(a, a.secret) is None
    key = s3_keys.boot_log_key(*a.key, a.epoch, a.name)
    body = a.stack.client("s3").get_object(Bucket=a.bucket, Key=key)["Body"]
    assert body.read() == b"printed"
    assert sent(b, a.secret)["errorType"] == "MessageRefused"
