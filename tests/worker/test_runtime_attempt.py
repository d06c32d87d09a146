"""A whole attempt of the worker, against S3, DynamoDB and SQS as moto has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.worker.metadata_server import MetadataServer, metadata_served
from tests.worker.runtime_work import DigestWork

from porewatch.adapters import clients
from porewatch.adapters.checkpoints import S3CheckpointStore
from porewatch.adapters.downloads import Downloads
from porewatch.adapters.stages import StageLedger
from porewatch.adapters.table import Table
from porewatch.adapters.worker_queue import WorkerQueue
from porewatch.domain import places
from porewatch.domain.errors import NoReadsLeft, StaleEpoch
from porewatch.domain.messages import WORKER_MESSAGE, WorkerMessage
from porewatch.domain.phases import Phase, StageKey, StageManifest, StageSpec, WorkOrder
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample
from porewatch_worker.attempt import DONE, FAILED, NOT_SET_UP, REFUSED, Cloud, run_attempt
from porewatch_worker.checkpoint import open_checkpoint
from porewatch_worker.metadata import InstanceMetadata
from porewatch_worker.settings import WorkerSettings
from porewatch_worker.stages import Means
from porewatch_worker.stop import Stop
from porewatch_worker.work import UnitOutput

KEY = StageKey("run-1", 1, "screen")
READS = "fastq/a.txt"
UNITS = 12
CONTENT = "".join(f"line {n}\n" for n in range(UNITS * 4)).encode()
AT = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class World:
    """The cloud, the instance and what was said on the queue."""

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
            self.ledger.mark_failed(KEY, record.epoch, "WorkerLost", "test", AT)
        epoch = self.ledger.open_stage(KEY, spec, AT).epoch
        self.metadata.leaves["meta-data/tags/instance/porewatch-epoch"] = str(epoch)
        return epoch

    def attempt(
        self, build: Callable[[WorkOrder, Means], DigestWork] | None = None, **changes: object
    ) -> int:
        settings = self.settings.model_copy(update=changes)
        return run_attempt(settings, self.cloud, Stop(), build or digest)

    def heard(self) -> list[WorkerMessage]:
        found: list[WorkerMessage] = []
        while True:
            reply = self.sqs.receive_message(
                QueueUrl=self.settings.worker_queue_url, MaxNumberOfMessages=10
            )
            if not reply.get("Messages"):
                return sorted(found, key=lambda m: m.at)
            for message in reply["Messages"]:
                found.append(WORKER_MESSAGE.validate_json(message["Body"]))
                self.sqs.delete_message(
                    QueueUrl=self.settings.worker_queue_url,
                    ReceiptHandle=message["ReceiptHandle"],
                )

    def text(self, key: str) -> str:
        body = self.s3.get_object(Bucket="results", Key=key)["Body"].read()
        return str(body.decode())

    def manifest(self) -> StageManifest:
        return StageManifest.model_validate_json(self.text(places.manifest_key(*KEY)))

    def log(self, epoch: int) -> str:
        return self.text(places.log_key(*KEY, epoch))


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
    s3.put_object(Bucket="raw", Key=places.raw_key("run-1", READS), Body=CONTENT)
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
        queue=WorkerQueue(settings.worker_queue_url),
        raw=Downloads("raw"),
        results=Downloads("results"),
    )
    world = World(cloud, settings, server, ledger, s3, sqs)
    world.open_epoch()
    give_order(world, an_order(hashlib.sha256(CONTENT).hexdigest()))
    return world


def give_order(world: World, order: WorkOrder) -> None:
    key = places.order_key(*KEY)
    world.s3.put_object(Bucket="results", Key=key, Body=order.canonical_json().encode())


class Slow(DigestWork):
    def __init__(self, reads: Path, at: int, act: Callable[[], object]) -> None:
        super().__init__(reads, seconds=0.05)
        self._at, self._act = at, act

    def process(self, payload: tuple[int, bytes]) -> UnitOutput:
        if payload[0] == self._at:
            self._act()
        return super().process(payload)


def slow(at: int, act: Callable[[], object]) -> Callable[[WorkOrder, Means], DigestWork]:
    return lambda _order, means: Slow(means.inputs.path(READS), at, act)


def test_a_stage_is_claimed_computed_published_and_answered(world: World) -> None:
    assert world.attempt() == DONE
    kinds = [m.kind for m in world.heard()]
    assert kinds[0] == "claimed"
    assert kinds[-2:] == ["phase_done", "published"]
    assert "beat" in kinds
    manifest = world.manifest()
    assert (manifest.epoch, manifest.units, manifest.instance_id) == (1, UNITS, "i-1")
    output = manifest.outputs["digests.txt"]
    assert output.key == places.output_key(*KEY, 1, "digests.txt")
    assert hashlib.sha256(world.text(output.key).encode()).hexdigest() == output.sha256
    record = world.ledger.get(KEY)
    assert record.state == "claimed"
    assert record.instance_id == "i-1"
    assert "run-1 r1 screen epoch 1" in world.log(1)
    assert not any(world.settings.scratch.iterdir())


def test_a_stale_epoch_leaves_without_a_word(world: World) -> None:
    world.open_epoch()
    world.metadata.leaves["meta-data/tags/instance/porewatch-epoch"] = "1"
    assert world.attempt() == DONE
    assert world.heard() == []
    assert "leaving without a word: epoch 1 of stage screen of run-1 is over" in world.log(1)


def test_a_spot_notice_flushes_and_the_next_epoch_carries_on_to_the_same_bytes(
    world: World,
) -> None:
    def notice() -> None:
        leaf = "meta-data/spot/instance-action"
        world.metadata.leaves[leaf] = json.dumps({"action": "terminate", "time": "soon"})

    assert world.attempt(slow(5, notice)) == DONE
    last = world.heard()[-1]
    assert last.kind == "interrupted"
    assert last.last_checkpoint is not None
    assert 5 <= last.last_checkpoint < UNITS
    del world.metadata.leaves["meta-data/spot/instance-action"]
    world.open_epoch()
    assert world.attempt() == DONE
    manifest = world.manifest()
    assert manifest.units_resumed == last.last_checkpoint
    assert manifest.units_redone == 0
    assert manifest.epoch == 2
    lines = CONTENT.splitlines(keepends=True)
    groups = [b"".join(lines[n : n + 4]) for n in range(0, len(lines), 4)]
    whole = "\n".join(hashlib.sha256(g).hexdigest() for g in groups)
    assert world.text(manifest.outputs["digests.txt"].key) == whole


def test_a_rebalance_hint_does_not_stop_the_work(world: World) -> None:
    def hint() -> None:
        leaf = "meta-data/events/recommendations/rebalance"
        world.metadata.leaves[leaf] = '{"noticeTime": "now"}'

    assert world.attempt(slow(3, hint)) == DONE
    assert world.heard()[-1].kind == "published"
    assert "rebalance recommended" in world.log(1)


def test_a_worker_whose_epoch_is_taken_away_stops_without_publishing(world: World) -> None:
    assert world.attempt(slow(3, world.open_epoch)) == DONE
    assert {m.kind for m in world.heard()} <= {"claimed", "beat"}
    assert "leaving without a word" in world.log(1)
    with pytest.raises(world.s3.exceptions.NoSuchKey):
        world.manifest()


def test_a_zombie_that_lost_only_its_checkpoint_stops_too(world: World) -> None:
    def successor() -> None:
        fingerprint = hashlib.sha256(CONTENT).hexdigest()
        prefix = places.checkpoint_prefix(*KEY, fingerprint)
        open_checkpoint(S3CheckpointStore.at("results", prefix), fingerprint, 2)

    assert world.attempt(slow(3, successor), beat_s=60) == DONE
    assert "another worker took over the checkpoint" in world.log(1)
    assert world.heard()[-1].kind != "published"


def test_the_loser_of_the_manifest_reports_the_winner(world: World) -> None:
    assert world.attempt() == DONE
    winner = world.manifest()
    world.heard()
    world.s3.delete_object(Bucket="results", Key=places.manifest_key(*KEY))

    def someone_publishes_first() -> None:
        content = winner.canonical_json().encode()
        world.s3.put_object(Bucket="results", Key=places.manifest_key(*KEY), Body=content)

    world.open_epoch()
    gone = [k for k in all_keys(world) if "/checkpoint/" in k]
    for key in gone:
        world.s3.delete_object(Bucket="results", Key=key)
    assert world.attempt(slow(2, someone_publishes_first)) == DONE
    assert world.heard()[-1].kind == "published"
    assert world.manifest() == winner
    assert "the manifest of epoch 1 was first" in world.log(2)


def all_keys(world: World) -> list[str]:
    return [o["Key"] for o in world.s3.list_objects_v2(Bucket="results")["Contents"]]


def test_a_stage_that_was_published_before_is_only_answered(world: World) -> None:
    world.attempt()
    world.heard()
    world.open_epoch()

    def never(_order: WorkOrder, _means: Means) -> DigestWork:
        raise AssertionError("nothing is to be computed")

    assert world.attempt(never) == DONE
    assert [m.kind for m in world.heard()] == ["claimed", "published"]


def test_refused_input_is_told_with_the_class_and_the_sentence(world: World) -> None:
    def refuse() -> None:
        raise NoReadsLeft("nothing is left.", file=READS, remedy="lower the limits.")

    assert world.attempt(slow(2, refuse)) == REFUSED
    last = world.heard()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "NoReadsLeft"
    assert last.problem == f"{READS}: nothing is left. Remedy: lower the limits."


def test_a_bug_is_told_as_worker_failed_with_the_last_lines(world: World) -> None:
    assert world.attempt(slow(2, lambda: 1 // 0)) == FAILED
    last = world.heard()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "WorkerFailed"
    assert "ZeroDivisionError" in last.problem
    assert "ZeroDivisionError" in world.log(1)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (an_order("0" * 64), "sha256 is"),
        (an_order(None, len(CONTENT) + 1), "the manifest says"),
    ],
)
def test_an_input_that_is_not_what_the_manifest_says_is_refused_by_name(
    world: World, order: WorkOrder, sentence: str
) -> None:
    give_order(world, order)
    assert world.attempt() == REFUSED
    last = world.heard()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "InputRefused"
    assert last.problem.startswith(READS)
    assert sentence in last.problem


def test_an_input_that_is_not_there_is_refused_by_name(world: World) -> None:
    world.s3.delete_object(Bucket="raw", Key=places.raw_key("run-1", READS))
    assert world.attempt() == REFUSED
    last = world.heard()[-1]
    assert last.kind == "stage_broken"
    assert last.problem.startswith(f"{READS}: The manifest names this file")


def test_a_machine_without_tags_does_nothing(world: World) -> None:
    del world.metadata.leaves["meta-data/tags/instance/porewatch-stage"]
    assert world.attempt() == NOT_SET_UP
    assert world.heard() == []


def test_metadata_that_changes_its_token_is_asked_again(world: World) -> None:
    metadata = InstanceMetadata(world.metadata.endpoint)
    assert metadata.instance_id() == "i-1"
    world.metadata.token = "token-2"
    assert metadata.instance_id() == "i-1"
    assert metadata.spot_action() is None


def test_s3_checkpoints_keep_and_fence_like_local_ones(world: World) -> None:
    def store(name: str = "aaaa") -> S3CheckpointStore:
        return S3CheckpointStore.at("results", f"x/checkpoint/{name}/")

    zombie = open_checkpoint(store(), "aaaa", 1)
    zombie.save(1, b"one")
    successor = open_checkpoint(store(), "aaaa", 2)
    assert successor.resumed == {1}
    successor.save(2, b"two")
    with pytest.raises(StaleEpoch):
        zombie.save(2, b"another two")
    assert list(successor.contents()) == [b"one", b"two"]
    store().put("x/checkpoint/aaaa/units/000001.bin", b"rot")
    third = open_checkpoint(store(), "aaaa", 3)
    assert third.resumed == {2}
    third.save(1, b"one")
    assert list(third.contents()) == [b"one", b"two"]
    other = open_checkpoint(store("bbbb"), "bbbb", 4)
    assert "aaaa" in other.remarks[0]
