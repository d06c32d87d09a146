"""A whole attempt of the worker, against S3, DynamoDB and SQS as moto has them."""

from __future__ import annotations

import errno
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from porewatch.adapters.ledger.worker_notes import WorkerNotes
from porewatch.adapters.s3.checkpoints import S3CheckpointStore
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import NoReadsLeft, StaleEpoch, Unavailable, WorkerFailed
from porewatch.domain.facts.stage_facts import LaunchRefused
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.domain.stage.worker_messages import StageBroken
from porewatch_worker import full_disk
from porewatch_worker.build_stage import Means
from porewatch_worker.checkpoint.index import (
    LIST,
    UnitList,
)
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.instance import (
    attempt,
    service_outages,
)
from porewatch_worker.instance.assignment import Assignment
from porewatch_worker.instance.attempt import (
    DONE,
    FAILED,
    NOT_SET_UP,
    REFUSED,
    run_attempt,
)
from porewatch_worker.instance.claim import Claim
from porewatch_worker.instance.instance_metadata import InstanceMetadata
from porewatch_worker.instance.service_outages import Patience
from porewatch_worker.stage.poison_units import counts
from porewatch_worker.stage.stop import Stop
from porewatch_worker.stage_work import (
    StageResult,
    UnitOutput,
)
from tests.worker.runtime_work import DigestWork
from tests.worker.runtime_world import (
    AT,
    CONTENT,
    KEY,
    READS,
    SECRET,
    UNITS,
    USER,
    World,
    all_keys,
    an_order,
    give_order,
    world,
)

__all__ = ["world"]


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
    kinds = [m.kind for m in world.messages()]
    assert kinds[0] == "claimed"
    assert kinds[-2:] == ["phase_done", "published"]
    assert "beat" in kinds
    manifest = world.manifest()
    assert (manifest.epoch, manifest.units, manifest.instance_id) == (1, UNITS, "i-1")
    output = manifest.outputs["digests.txt"]
    assert output.key == f"{world.attempt_prefix()}outputs/digests.txt"
    assert hashlib.sha256(world.text(output.key).encode()).hexdigest() == output.sha256
    assert world.ledger.get(KEY).state == "open", "who moves the stage is the control plane"
    note = world.note()
    assert (note.epoch, note.instance_id) == (1, "i-1")
    assert "run-1 r1 screen epoch 1" in world.log(1)
    assert not any(world.settings.scratch.iterdir())


def test_a_stale_epoch_exits_without_a_message(world: World) -> None:
    world.open_epoch()
    world.metadata.leaves["meta-data/tags/instance/porewatch-epoch"] = "1"
    assert world.attempt() == DONE
    assert world.messages() == []
    assert (
        "exiting without a message (epoch lost): epoch 1 of stage screen of run-1 is over"
        in world.log(1)
    )


def test_a_spot_notice_flushes_and_the_next_epoch_carries_on_to_the_same_bytes(
    world: World,
) -> None:
    def notice() -> None:
        leaf = "meta-data/spot/instance-action"
        world.metadata.leaves[leaf] = json.dumps({"action": "terminate", "time": "soon"})

    assert world.attempt(slow(5, notice)) == DONE
    last = world.messages()[-1]
    assert last.kind == "interrupted"
    assert last.last_checkpoint is not None
    assert 5 <= last.last_checkpoint < UNITS
    del world.metadata.leaves["meta-data/spot/instance-action"]
    world.open_epoch()
    assert world.attempt() == DONE
    manifest = world.manifest(2)
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
    assert world.messages()[-1].kind == "published"
    assert "rebalance recommended" in world.log(1)


def test_a_worker_whose_epoch_is_taken_away_stops_without_publishing(world: World) -> None:
    assert world.attempt(slow(3, world.open_epoch)) == DONE
    assert {m.kind for m in world.messages()} <= {"claimed", "beat"}
    assert "exiting without a message" in world.log(1)
    with pytest.raises(world.s3.exceptions.NoSuchKey):
        world.manifest()


def test_a_stage_that_was_published_before_is_only_answered(world: World) -> None:
    world.attempt()
    world.messages()
    world.make_visible()
    world.open_epoch()

    def never(_order: WorkOrder, _means: Means) -> DigestWork:
        raise AssertionError("nothing is to be computed")

    assert world.attempt(never) == DONE
    assert [m.kind for m in world.messages() if m.kind != "beat"] == ["claimed", "published"]


def test_refused_input_is_reported_with_the_class_and_the_sentence(world: World) -> None:
    def refuse() -> None:
        raise NoReadsLeft("nothing is left.", file=READS, remedy="lower the limits.")

    assert world.attempt(slow(2, refuse)) == REFUSED
    last = world.messages()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "NoReadsLeft"
    assert last.problem == f"{READS}: nothing is left. Remedy: lower the limits."


def test_a_bug_is_reported_as_worker_failed_with_the_last_lines(world: World) -> None:
    assert world.attempt(slow(2, lambda: 1 // 0)) == FAILED
    last = world.messages()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "WorkerFailed"
    assert "ZeroDivisionError" in last.problem
    assert "ZeroDivisionError" in world.log(1)


def no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def a_wrapped_one() -> None:
    try:
        no_space()
    except OSError as e:
        raise ValueError("the index could not be written") from e


def a_child_that_failed() -> None:
    raise WorkerFailed("exited with code 1 without an answer")


@pytest.mark.parametrize("fails", [no_space, a_wrapped_one])
def test_a_full_disk_has_its_own_name_and_counts_against_no_unit(
    world: World, fails: Callable[[], None]
) -> None:
    """Three deaths of a disk would leave good reads out of the report."""
    assert world.attempt(slow(5, fails)) == FAILED
    last = world.messages()[-1]
    assert (last.kind, last.error) == ("stage_broken", "DiskFull")
    assert "No space left" in last.problem or "could not be written" in last.problem
    assert not counts(OSError(errno.ENOSPC, "No space left on device"), Path("/"))


def test_a_child_that_only_failed_counts_as_a_full_disk_when_nothing_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_disk, "_left", lambda _folder: 1000)
    assert world.attempt(slow(5, a_child_that_failed)) == FAILED
    assert world.messages()[-1].error == "DiskFull"


def test_a_refusal_stays_one_on_a_disk_that_is_nearly_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_disk, "_left", lambda _folder: 1000)

    def refuses(_order: WorkOrder, _means: Means) -> DigestWork:
        raise NoReadsLeft("nothing passed.")

    assert world.attempt(refuses) == REFUSED
    assert world.messages()[-1].error == "NoReadsLeft"


def test_a_disk_on_which_no_log_can_be_written_is_named_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        no_space()

    monkeypatch.setattr(attempt, "ShippedLog", full)
    assert world.attempt() == FAILED
    assert [m.error for m in world.messages() if m.kind == "stage_broken"] == ["DiskFull"]


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
    last = world.messages()[-1]
    assert last.kind == "stage_broken"
    assert last.error == "InputRefused"
    assert last.problem.startswith(READS)
    assert sentence in last.problem


def test_an_input_that_is_not_there_is_refused_by_name(world: World) -> None:
    world.s3.delete_object(Bucket="raw", Key=s3_keys.raw_key("run-1", READS))
    assert world.attempt() == REFUSED
    last = world.messages()[-1]
    assert last.kind == "stage_broken"
    assert last.problem.startswith(f"{READS}: The manifest names this file")


def test_a_machine_without_tags_does_nothing(world: World) -> None:
    del world.metadata.leaves["meta-data/tags/instance/porewatch-stage"]
    assert world.attempt() == NOT_SET_UP
    assert world.messages() == []


def test_metadata_that_changes_its_token_is_read_again(world: World) -> None:
    metadata = InstanceMetadata(world.metadata.endpoint)
    assert metadata.instance_id() == "i-1"
    world.metadata.token = "token-2"
    assert metadata.instance_id() == "i-1"
    assert metadata.spot_action() is None


def test_a_metadata_service_that_is_slow_while_the_machine_boots_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_outages, "FIRST_S", 0.01)
    world.metadata.slow_answers, world.metadata.delay_s = 7, 0.1
    world.cloud = replace(world.cloud, metadata=InstanceMetadata(world.metadata.endpoint, 0.05))
    assert world.attempt() == DONE
    assert world.messages()[-1].kind == "published"


MINE = s3_keys.attempt_prefix(*KEY, 1, USER)


def test_s3_checkpoints_keep_and_fence_like_local_ones(world: World) -> None:
    def store(name: str = "aaaa") -> S3CheckpointStore:
        return S3CheckpointStore.at("results", f"{MINE}checkpoint/{name}/")

    zombie = open_checkpoint(store(), "aaaa", 1)
    zombie.save(1, b"one")
    successor = open_checkpoint(store(), "aaaa", 2)
    assert successor.resumed == {1}
    successor.save(2, b"two")
    with pytest.raises(StaleEpoch):
        zombie.save(2, b"another two")
    assert list(successor.contents()) == [b"one", b"two"]
    store().put(f"{MINE}checkpoint/aaaa/units/000001.bin", b"rot")
    third = open_checkpoint(store(), "aaaa", 3)
    assert third.resumed == {2}
    third.save(1, b"one")
    assert list(third.contents()) == [b"one", b"two"]
    other = open_checkpoint(store("bbbb"), "bbbb", 4)
    assert "aaaa" in other.remarks[0]


def test_a_checkpoint_goes_on_from_the_last_machine_that_left_one(world: World) -> None:
    """Each machine writes in its own; units stay where they were written."""

    def store(epoch: int, name: str = "aaaa") -> S3CheckpointStore:
        mine = s3_keys.attempt_prefix(*KEY, epoch, USER)
        return S3CheckpointStore.at("results", f"{mine}checkpoint/{name}/")

    first = open_checkpoint(store(1), "aaaa", 1)
    first.save(1, b"one")
    first.save(2, b"two")
    second = open_checkpoint(store(2), "aaaa", 2, earlier=[store(1)])
    assert second.resumed == {1, 2}
    second.save(3, b"three")
    first.save(3, b"a zombie's three")
    fourth = open_checkpoint(store(4), "aaaa", 4, earlier=[store(1), store(2), store(3)])
    assert list(fourth.contents()) == [b"one", b"two", b"three"]
    written = [key for key in all_keys(world) if "/e4/" in key]
    fourth_own = f"{s3_keys.attempt_prefix(*KEY, 4, USER)}checkpoint/aaaa/checkpoint.json"
    assert written == [fourth_own]
    store(1).put(f"{MINE}checkpoint/aaaa/units/000001.bin", b"rot")
    fifth = open_checkpoint(store(5), "aaaa", 5, earlier=[store(n) for n in (1, 2, 4)])
    assert fifth.resumed == {2, 3}
    fifth.save(1, b"one")
    assert list(fifth.contents()) == [b"one", b"two", b"three"]
    other = open_checkpoint(store(6, "bbbb"), "bbbb", 6, earlier=[store(5, "bbbb")])
    assert "aaaa" in other.remarks[0]
    without = open_checkpoint(store(7), "aaaa", 7, earlier=[store(4)])
    assert without.resumed == set(), "units of checkpoints that are not named do not count"


def everything(world: World, but: str) -> dict[str, str]:
    """All results by key, but for what lies below the prefix `but`."""
    listed = world.s3.list_objects_v2(Bucket="results")["Contents"]
    return {o["Key"]: o["ETag"] for o in listed if not o["Key"].startswith(but)}


def test_a_worker_that_wakes_after_its_successor_is_done_changes_nothing_in_the_cloud(
    world: World,
) -> None:
    """Frozen in a unit, and with no look at the ledger before it publishes."""
    there: dict[str, dict[str, str]] = {}

    def sleep_through_everything() -> None:
        world.open_epoch()
        assert world.attempt(beat_s=60) == DONE
        there["done"] = everything(world, world.attempt_prefix(1))

    assert world.attempt(slow(3, sleep_through_everything), beat_s=60, watch_s=60) == DONE
    assert everything(world, world.attempt_prefix(1)) == there["done"]
    assert world.manifest(2).epoch == 2
    assert "exiting without a message" in world.log(1)
    assert [m.epoch for m in world.messages() if m.kind == "published"] == [2]


def test_a_worker_that_wakes_before_publishing_leaves_no_results(world: World) -> None:
    """Frozen after its last save: it checks once more whose the stage is."""

    class Frozen(DigestWork):
        def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
            result = super().finish(contents, scratch)
            world.open_epoch()
            assert world.attempt(beat_s=60) == DONE
            return result

    build = lambda _order, means: Frozen(means.inputs.path(READS))  # noqa: E731
    assert world.attempt(build, beat_s=60, watch_s=60) == DONE
    assert world.manifest(2).epoch == 2
    left = [key for key in all_keys(world) if key.startswith(world.attempt_prefix(1))]
    assert not [key for key in left if "/outputs/" in key or key.endswith("/manifest.json")]


def test_a_machine_writes_below_its_own_prefix_and_nowhere_else(world: World) -> None:
    before = set(all_keys(world))
    assert world.attempt() == DONE
    written = set(all_keys(world)) - before
    assert len(written) > 3
    assert {key for key in written if not key.startswith(world.attempt_prefix())} == set()


def test_a_checkpoint_that_the_order_does_not_name_is_not_gone_on_from(world: World) -> None:
    """Any worker may write below a prefix of its own of any run."""
    fingerprint = hashlib.sha256(CONTENT).hexdigest()
    strange = s3_keys.attempt_prefix(*KEY, 1, "AROAWORKER:i-666")
    prefix = s3_keys.checkpoint_prefix(strange, fingerprint)
    forged = open_checkpoint(S3CheckpointStore.at("results", prefix), fingerprint, 1)
    for unit in range(1, UNITS + 1):
        forged.save(unit, b"clean")
    world.open_epoch()
    assert world.attempt() == DONE
    manifest = world.manifest(2)
    assert (manifest.units, manifest.units_resumed) == (UNITS, 0)
    assert "clean" not in world.text(manifest.outputs["digests.txt"].key)


def test_the_sign_of_life_is_given_while_the_work_moves_and_not_while_it_hangs(
    world: World, tmp_path: Path
) -> None:
    sign = tmp_path / "run/alive"
    seen: list[float] = []

    def hang() -> None:
        assert sign.exists(), "units were done, and nobody gave a sign of life"
        time.sleep(0.6)
        before = sign.stat().st_mtime_ns
        time.sleep(0.5)
        seen.append(sign.stat().st_mtime_ns - before)

    assert world.attempt(slow(6, hang), alive=sign, beat_s=0.05, stalled_s=0.4) == DONE
    assert seen == [0]
    assert "nothing has moved for" in world.log(1)


def test_a_reclaimed_machine_counts_against_no_unit_in_the_cloud_either(world: World) -> None:
    class Dying(DigestWork):
        def process(self, payload: tuple[int, bytes]) -> UnitOutput:
            if payload[0] == 4:
                raise StaleEpoch("gone")  # no message, no orderly exit: as a machine that is taken
            return super().process(payload)

    build = lambda _order, means: Dying(means.inputs.path(READS))  # noqa: E731
    for _ in range(4):
        assert world.attempt(build) == DONE
        record = world.ledger.get(KEY)
        world.ledger.apply(KEY, stage_lifecycle.claim, record.epoch, "i-1", AT, USER)
        world.ledger.apply(KEY, stage_endings.interrupt, record.epoch, "i-1", 3, AT)
        world.open_epoch()
    assert world.attempt() == DONE
    assert world.manifest(5).quarantined == ()
    assert world.ledger.get(KEY).interruptions == 4


def test_a_worker_that_waited_too_long_for_its_checkpoint_counts_against_no_unit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot write that nothing is in flight: its last message has the reason of its end."""
    write, tried = S3CheckpointStore.replace, []

    def away(store: S3CheckpointStore, name: str, content: bytes, tag: str) -> str | None:
        tried.append(name)
        raise Unavailable("S3 does not answer")

    for epoch in (1, 2, 3):
        stop = Stop()
        cloud = replace(world.cloud, patience=Patience(stop, longest_s=0))
        leave = lambda: monkeypatch.setattr(S3CheckpointStore, "replace", away)  # noqa: E731
        assert run_attempt(world.settings, cloud, stop, slow(4, leave)) == FAILED
        last = world.messages()[-1]
        assert isinstance(last, StageBroken)
        assert (last.error, last.epoch) == ("Unavailable", epoch)
        world.ledger.apply(
            KEY, stage_endings.fail, epoch, last.error, last.problem, AT, instance_id="i-1"
        )
        monkeypatch.setattr(S3CheckpointStore, "replace", write)
        world.open_epoch()
    assert len(tried) == 3 * 4, "once, as long as one waits, and twice to take the mark away"
    lists = [key for key in all_keys(world) if key.endswith(LIST)]
    assert ['"in_flight":4' in world.text(key) for key in lists] == [True] * 3
    seen: list[UnitList] = []

    def look() -> None:
        (own,) = (key for key in all_keys(world) if key.endswith(LIST) and key not in lists)
        seen.append(UnitList.model_validate_json(world.text(own)))

    assert world.attempt(slow(4, look)) == DONE
    assert [(one.flying, one.tried) for one in seen] == [({4}, {})]


def test_every_number_of_a_beat_is_in_the_ledger_afterwards(world: World) -> None:
    world.settings = world.settings.model_copy(update={"beat_s": 0.3})
    assert world.attempt(slow(9, lambda: time.sleep(2.0))) == DONE
    beats = [m for m in world.messages() if m.kind == "beat"]
    beat = next(m for m in reversed(beats) if m.progress.units_done < 9)  # before it publishes
    progress = beat.progress
    assert (progress.units_done, progress.checkpoint, progress.bytes_total) == (8, 8, len(CONTENT))
    assert 0 < progress.bytes_done < len(CONTENT)
    assert progress.flush_s > 0
    assert progress.interval_s > 0
    assert progress.checkpoint_at is not None
    world.ledger.apply(KEY, stage_lifecycle.beat, 1, "i-1", progress, now())
    assert world.ledger.get(KEY).progress == progress


def test_a_worker_whose_beats_nobody_relays_writes_them_itself(world: World) -> None:
    assert world.attempt(slow(3, lambda: time.sleep(0.6)), beat_s=0.05) == DONE
    beats = [m.at for m in world.messages() if m.kind == "beat"]
    note = world.note()
    assert note.at - beats[0] > timedelta(seconds=0.4)
    assert note.progress is not None
    assert world.ledger.get(KEY).last_beat is None
    assert "no heartbeat in the ledger" in world.log(1)


@pytest.mark.parametrize(("silent_s", "writes"), [(140, False), (160, True)])
def test_a_worker_whose_beats_arrive_writes_none_itself(
    world: World, silent_s: int, writes: bool
) -> None:
    """The relay's beat is in the ledger: a second one would only cost."""
    received_at = now() - timedelta(seconds=silent_s)
    world.ledger.apply(KEY, stage_lifecycle.claim, 1, "i-1", received_at)
    who = Assignment(
        run_id=KEY.run_id,
        revision=KEY.revision,
        stage=KEY.stage,
        epoch=1,
        instance_id="i-1",
        user_id=USER,
        secret=SECRET,
    )
    notes = WorkerNotes(Table("ledger"))
    claim = Claim(world.ledger, notes, who, beat_s=60)
    assert claim.holds(Progress(phase=Phase.QUALITY_CONTROL))
    assert (notes.read(USER) is not None) is writes


def test_the_assignment_names_who_gave_no_machine_for_this_very_epoch(world: World) -> None:
    """The order was written before the launch, so the ledger is read once more."""
    for epoch, rung in ((1, 0), (1, 2), (2, 0)):
        world.ledger.record([no_machine(epoch, rung)])
    seen: list[tuple[str, ...]] = []

    def build(order: WorkOrder, means: Means) -> DigestWork:
        seen.append(tuple(line.what for line in order.timeline))
        return DigestWork(means.inputs.path(READS))

    assert world.attempt(build) == DONE
    assert seen == [("screen: no machine from EC2, spot 0", "screen: no machine from EC2, spot 2")]


def no_machine(epoch: int, rung: int) -> LaunchRefused:
    return LaunchRefused(
        fact_id=LaunchRefused.id_of(*KEY, epoch, rung),
        run_id=KEY.run_id,
        revision=KEY.revision,
        at=now() + timedelta(seconds=rung),
        stage=KEY.stage,
        epoch=epoch,
        rung=rung,
        executor="ec2",
        purchase="spot",
        error="CapacityUnavailable",
        problem="none.",
        then="wait",
        asked=f"spot {rung}",
    )
