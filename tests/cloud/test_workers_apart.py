"""One role for all workers, and still none reaches another's run: attacks with real credentials
of that role, by keys, by manifest, by message and by replay, on the engine with IAM enforced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.ledger.stages import StageLedger
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.rules import stage_endings
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.message_proofs import (
    MAC,
    proof,
)
from porewatch.domain.stage.record import StageKey, StageState
from porewatch.domain.stage.worker_messages import (
    WORKER_MESSAGE,
    Claimed,
    Published,
    Suspected,
    WorkerMessage,
)
from tests.cloud.conftest import Cloud
from tests.cloud.machines import SPEC, OneMachine
from tests.cloud.making import named, wait_for
from tests.cloud.test_rights import DENIED, may

pytestmark = pytest.mark.cloud

VICTIM, ATTACKER = "i-0victim", "i-0attacker"


@dataclass
class Scene:
    """A stage of a run whose machine is VICTIM, and the keys of ATTACKER, a worker of another."""

    stack: Cloud
    victim: OneMachine
    theirs: OneMachine
    keys: boto3.Session

    @property
    def key(self) -> StageKey:
        return self.victim.key

    @property
    def bucket(self) -> str:
        return self.victim.bucket

    @property
    def table(self) -> str:
        return self.stack.outputs["LedgerTable"]

    @property
    def role_id(self) -> str:
        return self.victim.user_id.partition(":")[0]

    @property
    def stages(self) -> StageLedger:
        return self.victim.stages

    def attacker(self, service: str) -> Any:
        """A client with the credentials that the worker of ATTACKER was given."""
        return self.keys.client(service)  # type: ignore[call-overload]

    @property
    def own(self) -> str:
        """The attacker's own prefix, in the attacker's own run."""
        return self.theirs.prefix

    def put(self, key: str, body: bytes = b"{}", **more: str) -> bool:
        """Whether the attacker may put an object there."""
        s3 = self.attacker("s3")
        return may(s3.put_object, Bucket=self.bucket, Key=key, Body=body, **more)

    def head(self, key: str) -> bool:
        listed = self.stack.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=key)
        return any(found["Key"] == key for found in listed.get("Contents", []))

    @property
    def secret(self) -> str:
        """What VICTIM alone was given."""
        return self.victim.secret

    def send(self, message: WorkerMessage, secret: str | None) -> str:
        """Send a message as the attacker can, with a proof by this secret, if any; its text."""
        body = WORKER_MESSAGE.dump_json(message).decode()
        mac = {"DataType": "String", "StringValue": proof(secret, body) if secret else "none"}
        self.attacker("sqs").send_message(
            QueueUrl=self.stack.outputs["WorkerQueueUrl"],
            MessageBody=body,
            MessageAttributes={MAC: mac} if secret else {},
        )
        return body

    def message(self, kind: Callable[..., Any], machine: str, **more: Any) -> Any:
        run_id, revision, stage = self.key
        return kind(
            run_id=run_id,
            revision=revision,
            stage=stage,
            epoch=1,
            instance_id=machine,
            user_id=f"{self.role_id}:{machine}",
            at=now(),
            **more,
        )

    def set_aside(self, body: str) -> str:
        """The reason for which a message lies among the dead letters, once it does."""
        sqs = self.stack.client("sqs")
        source = self.stack.outputs["WorkerQueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes["Attributes"]["RedrivePolicy"])
        name = policy["deadLetterTargetArn"].rsplit(":", 1)[1]
        dead = sqs.get_queue_url(QueueName=name)["QueueUrl"]

        def look() -> str:
            letters = sqs.receive_message(
                QueueUrl=dead,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                VisibilityTimeout=0,
            )
            for one in letters.get("Messages", []):
                if one["Body"] == body:
                    return str(one["MessageAttributes"]["reason"]["StringValue"])
            return ""

        return wait_for(look, 30, "the message among the dead letters")


@pytest.fixture(scope="module")
def scene(stack: Cloud) -> Iterator[Scene]:
    victim = OneMachine(stack, StageKey(named("victim"), 0, "screen"), VICTIM).launched()
    theirs = OneMachine(stack, StageKey(named("attacker"), 0, "screen"), ATTACKER).launched()
    yield Scene(stack, victim, theirs, theirs.worker())
    victim.abandoned()
    theirs.abandoned()


def test_sts_gives_a_worker_what_policies_compare_with(scene: Scene) -> None:
    identity = scene.attacker("sts").get_caller_identity()
    assert identity["UserId"] == f"{scene.role_id}:{ATTACKER}"


def test_a_worker_writes_no_object_outside_of_its_own_prefix(scene: Scene) -> None:
    own, others = scene.own, scene.victim.prefix
    once = {"IfNoneMatch": "*"}
    for key in (
        s3_keys.manifest_key(*scene.key),
        s3_keys.order_key(*scene.key),
        s3_keys.results_key(scene.key.run_id, 0),
        s3_keys.draft_key(others),
        f"{others}outputs/screen.json",
        f"{others}checkpoint/f/checkpoint.json",
        s3_keys.log_key(others),
        f"{others}{scene.role_id}:{ATTACKER}",
        f"runs/{scene.role_id}:{ATTACKER}/x",
        s3_keys.attempt_prefix(*scene.key, 1, scene.theirs.user_id) + "outputs/mine.json",
        s3_keys.attempt_prefix(*scene.theirs.key, 2, scene.theirs.user_id) + "outputs/mine.json",
        f"{scene.role_id}:{ATTACKER}/x",
    ):
        assert not scene.put(key, **once), key
        assert not scene.head(key) or key == s3_keys.order_key(*scene.key)
    assert scene.put(f"{own}outputs/mine.json", **once)
    s3, raw = scene.attacker("s3"), scene.stack.outputs["RawBucketName"]
    assert not may(s3.put_object, Bucket=raw, Key=f"runs/{scene.key.run_id}/run.json", Body=b"")


def test_a_worker_removes_nothing_not_even_its_own(scene: Scene) -> None:
    key = f"{scene.own}outputs/kept.json"
    assert scene.put(key, IfNoneMatch="*")
    s3 = scene.attacker("s3")
    assert not may(s3.delete_object, Bucket=scene.bucket, Key=key)
    listed = scene.stack.client("s3").list_object_versions(Bucket=scene.bucket, Prefix=key)
    version = listed["Versions"][0]["VersionId"]
    assert not may(s3.delete_object, Bucket=scene.bucket, Key=key, VersionId=version)
    assert scene.head(key)


def test_results_are_written_once_and_checkpoints_on_condition(scene: Scene) -> None:
    own, s3 = scene.own, scene.attacker("s3")
    result, manifest = f"{own}outputs/once.json", s3_keys.draft_key(own)
    units = f"{own}checkpoint/f/checkpoint.json"
    assert not scene.put(result)
    assert not scene.put(manifest)
    assert not scene.put(units)
    assert scene.put(result, IfNoneMatch="*")
    etag = s3.head_object(Bucket=scene.bucket, Key=result)["ETag"]
    assert not scene.put(result, b"other", IfMatch=etag)
    assert scene.put(units, IfNoneMatch="*")
    etag = s3.head_object(Bucket=scene.bucket, Key=units)["ETag"]
    assert scene.put(units, b"next", IfMatch=etag)
    log = s3_keys.log_key(own)
    assert scene.put(log)
    assert scene.put(log, b"more")


def test_an_upload_in_parts_is_held_to_the_same(scene: Scene) -> None:
    s3, key = scene.attacker("s3"), f"{scene.own}outputs/parts.bin"
    place = {"Bucket": scene.bucket, "Key": key}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    part = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"piece")
    whole = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = {**place, "UploadId": upload, "MultipartUpload": whole}
    assert not may(s3.complete_multipart_upload, **done)
    assert may(s3.complete_multipart_upload, **done, IfNoneMatch="*")
    again = s3.create_multipart_upload(**place)["UploadId"]
    part = s3.upload_part(**place, UploadId=again, PartNumber=1, Body=b"other")
    whole = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(
            **place, UploadId=again, MultipartUpload=whole, IfNoneMatch="*"
        )
    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    s3.abort_multipart_upload(**place, UploadId=again)


def test_a_worker_writes_into_its_own_partition_of_the_ledger_alone(scene: Scene) -> None:
    ledger, own = scene.attacker("dynamodb"), f"WORKER#{scene.theirs.user_id}"

    def puts(partition: str, sort_key: str = "NOTE") -> bool:
        item = {"pk": {"S": partition}, "sk": {"S": sort_key}, "body": {"S": "{}"}}
        through = may(ledger.put_item, TableName=scene.table, Item=item)
        put = {"Put": {"TableName": scene.table, "Item": item}}
        assert may(ledger.transact_write_items, TransactItems=[put]) is through
        return through

    run = f"RUN#{scene.key.run_id}"
    assert puts(own)
    for partition in (
        f"WORKER#{scene.victim.user_id}",
        f"WORKER#{scene.role_id}:*",
        f"{own}x",
        "WORKER#",
        *(run, "RUN#", "INBOX#x", "BUDGET#x", "ACCOUNT", "TURNS", "POOLS", "REAP#x"),
    ):
        assert not puts(partition), partition
    assert not puts(run, "FACT#RunCompleted:forged")
    there = {"TableName": scene.table, "Key": {"pk": {"S": own}, "sk": {"S": "NOTE"}}}
    assert not may(ledger.delete_item, **there)
    assert not may(ledger.update_item, **there, UpdateExpression="REMOVE body")
    both = [
        {"Put": {"TableName": scene.table, "Item": {"pk": {"S": pk}, "sk": {"S": "NOTE"}}}}
        for pk in (own, run)
    ]
    assert not may(ledger.transact_write_items, TransactItems=both)
    batch = {scene.table: [{"PutRequest": {"Item": both[1]["Put"]["Item"]}}]}
    assert not may(ledger.batch_write_item, RequestItems=batch)
    assert not may(ledger.scan, TableName=scene.table)


def test_no_forged_message_is_believed(scene: Scene) -> None:
    """A manifest of the attacker's, clean and with the victim's names, and its announcement."""
    own = scene.own
    manifest = StageManifest(
        run_id=scene.key.run_id,
        revision=0,
        stage="screen",
        epoch=1,
        fingerprint="f",
        instance_id=VICTIM,
        worker_version="0",
        started_at=now(),
        finished_at=now(),
        phases=(),
        outputs={},
    )
    draft = f"{own}forged/manifest.json"
    assert scene.put(draft, manifest.canonical_json().encode(), IfNoneMatch="*")
    before = scene.stages.get(scene.key)
    alarm = {"sample": "pig", "code": "EBOV", "name": "Ebola virus", "severity": "critical"}
    published = scene.message(Published, VICTIM, manifest_key=draft)
    sent = [
        scene.send(published, None),
        scene.send(published, "6" * 64),
        scene.send(scene.message(Published, ATTACKER, manifest_key=draft), "6" * 64),
        scene.send(scene.message(Suspected, VICTIM, **alarm, reads=9), "6" * 64),
        scene.send(scene.message(Claimed, ATTACKER), "6" * 64),
    ]
    reasons = [scene.set_aside(body) for body in sent]
    assert all("carries no proof" in why or "carries a wrong proof" in why for why in reasons)
    assert scene.stages.get(scene.key) == before
    assert not scene.head(s3_keys.manifest_key(*scene.key))
    assert scene.stages.facts(scene.key.run_id, 0) == [
        fact
        for fact in scene.stages.facts(scene.key.run_id, 0)
        if "Launched" in type(fact).__name__
    ]


def test_the_sweep_makes_no_strange_manifest_visible(scene: Scene) -> None:
    name = f"{scene.stack.local.stack_name}-instance-monitor"
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    scene.stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    assert not scene.head(s3_keys.manifest_key(*scene.key))
    assert scene.stages.get(scene.key).state is not StageState.PUBLISHED


def test_what_is_proved_is_believed_and_replayed_later_it_changes_nothing(scene: Scene) -> None:
    claim = scene.message(Claimed, VICTIM)
    scene.send(claim, scene.secret)
    wait_for(
        lambda: scene.stages.get(scene.key).state is StageState.CLAIMED, 30, "the victim's claim"
    )
    stolen = scene.message(Published, VICTIM, manifest_key=s3_keys.draft_key(scene.own))
    assert "is not the manifest key" in scene.set_aside(scene.send(stolen, scene.secret))
    scene.stages.apply(
        scene.key, stage_endings.fail, 1, "WorkerLost", "the test takes it away", now()
    )
    scene.stages.open_stage(scene.key, SPEC, now(), lambda _epoch: "0" * 64)
    before = scene.stages.get(scene.key)
    scene.send(claim, scene.secret)
    marker = scene.send(scene.message(Claimed, ATTACKER), "7" * 64)
    scene.set_aside(marker)  # what was sent before has been handled by now
    assert scene.stages.get(scene.key) == before
    assert not scene.head(s3_keys.manifest_key(*scene.key))


def test_access_denied_is_what_refuses(scene: Scene) -> None:
    """So that no other error passes for a refusal."""
    with pytest.raises(ClientError) as refused:
        scene.attacker("s3").put_object(
            Bucket=scene.bucket, Key=s3_keys.manifest_key(*scene.key), Body=b""
        )
    assert refused.value.response["Error"]["Code"] in DENIED
