"""The cloud as moto has it, an instance's metadata, and one opened stage: what an attempt needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from porewatch.adapters import clients
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.ledger.worker_notes import WorkerNotes
from porewatch.adapters.messages.worker_queue import WorkerQueue
from porewatch.adapters.s3.downloads import Downloads
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.message_proofs import (
    MAC,
    SECRET_TAG,
    proves,
)
from porewatch.domain.stage.record import StageKey, StageState
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.domain.stage.worker_messages import (
    WORKER_MESSAGE,
    WorkerMessage,
)
from porewatch.domain.stage.worker_note import WorkerNote
from porewatch_worker.build_stage import Means
from porewatch_worker.instance.attempt import (
    Cloud,
    run_attempt,
)
from porewatch_worker.instance.instance_metadata import InstanceMetadata
from porewatch_worker.instance.service_outages import Patience
from porewatch_worker.settings import BasecallerSettings, WorkerSettings
from porewatch_worker.stage.stop import Stop
from tests.worker.metadata_server import MetadataServer, metadata_served
from tests.worker.runtime_work import DigestWork

KEY = StageKey("run-1", 1, "screen")
READS = "fastq/a.txt"
UNITS = 12
SECRET = "5" * 64
USER = "AROAWORKER:i-1"
"""`aws:userid` of the machine's credentials."""
CONTENT = "".join(f"line {n}\n" for n in range(UNITS * 4)).encode()
AT = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class World:
    """The cloud, the instance and the messages on the queue."""

    cloud: Cloud
    settings: WorkerSettings
    metadata: MetadataServer
    ledger: StageLedger
    s3: Any
    sqs: Any

    def open_epoch(self) -> int:
        spec = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("c6i",))
        record = self.ledger.find(KEY)
        if record is not None and record.epoch:
            if record.state is StageState.OPEN:  # its claim arrives at last
                self.ledger.apply(KEY, stage_lifecycle.claim, record.epoch, "i-1", AT, USER)
            self.ledger.apply(KEY, stage_endings.fail, record.epoch, "WorkerLost", "test", AT)
        epoch = self.ledger.open_stage(KEY, spec, AT).epoch
        self.go_on_from(self.ledger.get(KEY).attempts)
        self.metadata.leaves["meta-data/tags/instance/porewatch-epoch"] = str(epoch)
        return epoch

    def go_on_from(self, attempts: tuple[str, ...]) -> None:
        """The order names the prefixes of the stage's earlier machines."""
        key = s3_keys.order_key(*KEY)
        listed = self.s3.list_objects_v2(Bucket="results", Prefix=key).get("Contents", [])
        if listed:
            order = WorkOrder.model_validate_json(self.text(key))
            give_order(self, order.model_copy(update={"attempts": attempts}))

    def attempt(
        self, build: Callable[[WorkOrder, Means], DigestWork] | None = None, **changes: object
    ) -> int:
        settings = self.settings.model_copy(update=changes)
        return run_attempt(settings, self.cloud, Stop(), build or digest)

    def messages(self) -> list[WorkerMessage]:
        found: list[WorkerMessage] = []
        while True:
            reply = self.sqs.receive_message(
                QueueUrl=self.settings.worker_queue_url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
            )
            if not reply.get("Messages"):
                return sorted(found, key=lambda m: m.at)
            for message in reply["Messages"]:
                found.append(WORKER_MESSAGE.validate_json(message["Body"]))
                mac = message["MessageAttributes"][MAC]["StringValue"]
                assert proves(mac, SECRET, message["Body"]), "a message without its proof"
                self.sqs.delete_message(
                    QueueUrl=self.settings.worker_queue_url,
                    ReceiptHandle=message["ReceiptHandle"],
                )

    def text(self, key: str) -> str:
        body = self.s3.get_object(Bucket="results", Key=key)["Body"].read()
        return str(body.decode())

    def manifest(self, epoch: int = 1) -> StageManifest:
        """As the worker of this epoch left it: the control plane makes it visible."""
        draft = s3_keys.draft_key(self.attempt_prefix(epoch))
        return StageManifest.model_validate_json(self.text(draft))

    def make_visible(self, epoch: int = 1, key: StageKey = KEY) -> None:
        """As the control plane does with a draft."""
        draft = s3_keys.draft_key(s3_keys.attempt_prefix(*key, epoch, USER))
        content = self.text(draft).encode()
        self.s3.put_object(Bucket="results", Key=s3_keys.manifest_key(*key), Body=content)

    def note(self) -> WorkerNote:
        """What the machine wrote into its own partition of the ledger."""
        note = WorkerNotes(Table("ledger")).read(USER)
        assert note is not None
        return note

    def log(self, epoch: int) -> str:
        return self.text(s3_keys.log_key(self.attempt_prefix(epoch)))

    def attempt_prefix(self, epoch: int = 1) -> str:
        return s3_keys.attempt_prefix(*KEY, epoch, USER)


def digest(_order: WorkOrder, means: Means) -> DigestWork:
    return DigestWork(means.inputs.path(READS))


def an_order(sha256: str | None = None, size: int = len(CONTENT)) -> WorkOrder:
    file = InputFile(path=READS, kind=ReadKind.FASTQ, size=size, sha256=sha256)
    manifest = RunManifest(
        run_id="run-1", created_at=AT, files=(file,), samples=(Sample(name="s1"),)
    )
    return WorkOrder(
        run_id="run-1",
        revision=1,
        stage="screen",
        phases=(Phase.QUALITY_CONTROL,),
        manifest=manifest,
        bundle="demo@1",
    )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    tags = {"run": "run-1", "revision": "1", "stage": "screen", "epoch": "1"}
    leaves = {f"meta-data/tags/instance/porewatch-{k}": v for k, v in tags.items()}
    leaves[f"meta-data/tags/instance/{SECRET_TAG}"] = SECRET
    leaves["meta-data/instance-id"] = "i-1"
    clients.forget()
    with mock_aws(), metadata_served(leaves) as server:
        yield _world(tmp_path, server)
    clients.forget()


def _world(tmp_path: Path, server: MetadataServer) -> World:
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    for bucket in ("raw", "results"):
        place: Any = {"LocationConstraint": "eu-central-1"}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    s3.put_object(Bucket="raw", Key=s3_keys.raw_key("run-1", READS), Body=CONTENT)
    key = [{"AttributeName": n, "KeyType": t} for n, t in (("pk", "HASH"), ("sk", "RANGE"))]
    boto3.client("dynamodb").create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=key,  # type: ignore[arg-type]
    )
    settings = WorkerSettings(
        stack="test",
        ledger_table="ledger",
        raw_bucket="raw",
        results_bucket="results",
        worker_queue_url=sqs.create_queue(QueueName="worker")["QueueUrl"],
        basecaller=BasecallerSettings(),
        references=tmp_path / "references",
        metadata=server.endpoint,
        scratch=tmp_path / "scratch",
        beat_s=0.1,
        watch_s=0.05,
        grace_s=5,
    )
    ledger = StageLedger(Table("ledger"))
    cloud = Cloud(
        metadata=InstanceMetadata(server.endpoint),
        ledger=ledger,
        notes=WorkerNotes(Table("ledger")),
        queue=WorkerQueue(settings.worker_queue_url),
        raw=Downloads("raw"),
        results=Downloads("results"),
        user_id=lambda: USER,
        patience=Patience(Stop()),
    )
    world = World(cloud, settings, server, ledger, s3, sqs)
    world.open_epoch()
    give_order(world, an_order(hashlib.sha256(CONTENT).hexdigest()))
    return world


def give_order(world: World, order: WorkOrder) -> None:
    key = s3_keys.order_key(*KEY)
    world.s3.put_object(Bucket="results", Key=key, Body=order.canonical_json().encode())


def all_keys(world: World) -> list[str]:
    return [o["Key"] for o in world.s3.list_objects_v2(Bucket="results")["Contents"]]
