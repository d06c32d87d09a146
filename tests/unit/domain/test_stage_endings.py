"""How an epoch ends: the whole record and the whole fact of each ending, and what is done then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from porewatch.domain.errors import StaleEpoch
from porewatch.domain.facts.stage_facts import SpotInterrupted, StageCompleted, StageFailed
from porewatch.domain.reasons.reason import RunCode, because, verbatim
from porewatch.domain.rules import stage_endings
from porewatch.domain.rules.fencing import Move
from porewatch.domain.stage.manifest import PhaseRecord, StageManifest
from porewatch.domain.stage.record import Progress, StageRecord, StageState
from porewatch.domain.stage.retry_policy import MAX_INTERRUPTIONS, MAX_WAITS
from porewatch.domain.stage.spec import Phase

START = datetime(2026, 11, 21, tzinfo=UTC)
LATER = START + timedelta(minutes=5)
POOL = "m7i.2xlarge@eu-central-1a"
ABOUT = {"run_id": "run-1", "revision": 2, "at": LATER, "stage": "screen", "epoch": 3}
WHY = because(RunCode.MACHINE_RECLAIMED, name="i-1")


def record(**changes: Any) -> StageRecord:
    """Epoch 3 at work on i-1, a spot machine; it has counted something of every kind before."""
    at_work = StageRecord(
        run_id="run-1",
        revision=2,
        stage="screen",
        epoch=3,
        state=StageState.CLAIMED,
        phases=(Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL),
        task_token="token",
        instance_id="i-1",
        instance_type="m7i.2xlarge",
        purchase="spot",
        availability_zone="eu-central-1a",
        interruptions=4,
        errors=1,
        waits=5,
        deploy_waits=2,
        full_disks=3,
        full_hosts=2,
        blameless=(1,),
        reclaimed=("r5.2xlarge@eu-central-1b",),
        updated_at=START,
    )
    return at_work.model_copy(update=changes)


def changed(before: StageRecord, **changes: Any) -> StageRecord:
    """`before` with these changes and no other, at the time of the ending."""
    return before.model_copy(update={**changes, "updated_at": LATER})


def ended(move: Move) -> tuple[StageRecord, Any]:
    """The record after it and its only fact."""
    assert move is not None
    after, (fact,) = move
    return after, fact


def interrupted(before: StageRecord, checkpoint: int | None = None) -> StageRecord:
    return ended(stage_endings.interrupt(before, 3, "i-1", checkpoint, LATER))[0]


def failed(before: StageRecord, error: str, problem: Any = "it broke", **more: Any) -> StageRecord:
    return ended(stage_endings.fail(before, 3, error, problem, LATER, **more))[0]


def test_what_is_published_has_no_error_any_more() -> None:
    before = record(
        state=StageState.FAILED, error="WorkerLost", problem="it was silent", why=verbatim("silent")
    )
    done = PhaseRecord(
        phase=Phase.QUALITY_CONTROL, status="completed", started_at=START, finished_at=START
    )
    manifest = StageManifest(
        run_id="run-1", revision=2, stage="screen", epoch=2, fingerprint="f", instance_id="i-0",
        worker_version="0", started_at=START, finished_at=START, phases=(done,), outputs={},
    )  # fmt: skip

    after, fact = ended(stage_endings.publish(before, manifest, "key", LATER))

    assert after == changed(before, state=StageState.PUBLISHED, error=None, problem=None, why=())
    assert fact == StageCompleted(
        fact_id="StageCompleted:run-1:2:screen",
        **{**ABOUT, "epoch": 2},
        manifest_key="key",
        phases=(Phase.QUALITY_CONTROL,),
    )


def test_an_interruption_counts_as_one_and_as_nothing_else() -> None:
    before = record()

    after, fact = ended(stage_endings.interrupt(before, 3, "i-1", None, LATER))

    assert after == changed(
        before,
        state=StageState.INTERRUPTED,
        interruptions=5,
        blameless=(1, 3),
        error="SpotInterrupted",
        problem=WHY.text(),
        why=(WHY,),
        reclaimed=("r5.2xlarge@eu-central-1b", POOL),
    )
    assert fact == SpotInterrupted(
        fact_id="SpotInterrupted:run-1:2:screen:3",
        **ABOUT,
        instance_id="i-1",
        last_checkpoint=None,
    )


def test_a_pool_that_took_two_machines_back_is_remembered_once() -> None:
    twice = interrupted(record(reclaimed=(POOL,)))
    assert twice.reclaimed == (POOL,)


def test_no_pool_is_remembered_while_the_machines_type_is_unknown() -> None:
    unknown = interrupted(record(instance_type=None, availability_zone=None, reclaimed=()))
    assert unknown.reclaimed == ()


def test_the_checkpoint_that_the_last_message_names_was_written_just_now() -> None:
    known = Progress(phase=Phase.HOST_REMOVAL, units_done=9, checkpoint=6, checkpoint_at=START)
    before = record(progress=known)

    after, fact = ended(stage_endings.interrupt(before, 3, "i-1", 7, LATER))

    newer = known.model_copy(update={"checkpoint": 7, "checkpoint_at": LATER})
    assert (after.progress, fact.last_checkpoint) == (newer, 7)


@pytest.mark.parametrize("checkpoint", [None, 6])
def test_without_a_newer_checkpoint_the_progress_stays_as_it_was(checkpoint: int | None) -> None:
    known = Progress(phase=Phase.HOST_REMOVAL, units_done=9, checkpoint=6, checkpoint_at=START)
    assert interrupted(record(progress=known), checkpoint).progress == known


def test_a_first_checkpoint_that_no_heartbeat_reported_is_one_of_the_first_phase() -> None:
    first = Progress(phase=Phase.QUALITY_CONTROL, checkpoint=1, checkpoint_at=LATER)
    assert interrupted(record(progress=None), 1).progress == first
    assert interrupted(record(progress=None), None).progress is None


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        ("WorkerFailed", {"errors": 2}),
        ("Throttled", {"waits": 6, "blameless": (1, 3)}),
        ("NotShownYet", {"waits": 6, "deploy_waits": 3, "blameless": (1, 3)}),
        ("DiskFull", {"errors": 2, "full_disks": 4, "blameless": (1, 3)}),
    ],
)
def test_a_failure_counts_as_its_kind_and_as_nothing_else(
    error: str, counted: dict[str, Any]
) -> None:
    before = record()

    after, fact = ended(stage_endings.fail(before, 3, error, "it broke", LATER))

    assert after == changed(
        before, state=StageState.FAILED, error=error, problem="it broke", why=(), **counted
    )
    decision = stage_endings.next_step(after)
    assert fact == StageFailed(
        fact_id="StageFailed:run-1:2:screen:3",
        **ABOUT,
        error=error,
        problem="it broke",
        will_retry=True,
        then=decision.reason,
        why=(),
        next=(decision.why,),
    )


def test_a_full_disk_of_a_job_is_one_of_its_hosts_as_well() -> None:
    of_a_job = record(executor="batch")
    assert (failed(of_a_job, "DiskFull").full_disks, of_a_job.full_disks) == (4, 3)
    assert failed(of_a_job, "DiskFull").full_hosts == 3
    assert failed(of_a_job, "WorkerFailed").full_hosts == 2
    assert failed(record(), "DiskFull").full_hosts == 2


def test_a_problem_by_code_stands_in_the_record_and_in_the_fact_in_both_ways() -> None:
    reason = because(RunCode.MACHINE_RECLAIMED, name="i-9")
    after, fact = ended(stage_endings.fail(record(), 3, "WorkerLost", reason, LATER))
    assert (after.problem, after.why) == (reason.text(), (reason,))
    assert (fact.problem, fact.why) == (reason.text(), (reason,))


def test_what_the_caller_says_by_code_goes_before_the_problem() -> None:
    told = verbatim("it ran out of memory")
    after = failed(record(), "WorkerFailed", because(RunCode.MACHINE_RECLAIMED, name="i"), why=told)
    assert after.why == told


@pytest.mark.parametrize(
    ("error", "executor", "known", "shunned"),
    [
        ("CapacityUnavailable", "batch", (), (POOL,)),
        ("CapacityUnavailable", "batch", (POOL,), (POOL,)),
        ("CapacityUnavailable", "ec2", (), ()),
        ("WorkerLost", "batch", (), ()),
    ],
)
def test_a_queue_that_gave_a_job_no_computer_is_shunned_once(
    error: str, executor: str, known: tuple[str, ...], shunned: tuple[str, ...]
) -> None:
    assert failed(record(executor=executor, reclaimed=known), error).reclaimed == shunned


def test_only_the_epochs_own_machine_ends_it_when_a_machine_says_so() -> None:
    own = failed(record(), "WorkerFailed", instance_id="i-1")
    assert own == failed(record(), "WorkerFailed")
    with pytest.raises(StaleEpoch, match="belongs to i-1, not to i-2"):
        stage_endings.fail(record(), 3, "WorkerFailed", "it broke", LATER, instance_id="i-2")
    with pytest.raises(StaleEpoch, match="epoch 2 of stage screen of run-1 is over"):
        stage_endings.fail(record(), 2, "WorkerFailed", "it broke", LATER, instance_id="i-1")


def test_a_stage_that_nobody_waits_for_is_fenced_without_a_retry() -> None:
    before = record(why=verbatim("earlier"))

    after, fact = ended(stage_endings.abandon(before, 3, "the run was cancelled", LATER))

    assert after == changed(
        before,
        state=StageState.FAILED,
        error="WorkerFailed",
        problem="the run was cancelled",
        why=(),
        task_token=None,
    )
    assert fact == StageFailed(
        fact_id="StageFailed:run-1:2:screen:3",
        **ABOUT,
        error="WorkerFailed",
        problem="the run was cancelled",
        will_retry=False,
    )


@pytest.mark.parametrize("state", [StageState.FAILED, StageState.INTERRUPTED, StageState.PUBLISHED])
def test_what_has_ended_does_not_end_again(state: StageState) -> None:
    over = record(state=state)
    assert stage_endings.abandon(over, 3, "the run was cancelled", LATER) is None
    assert stage_endings.fail(over, 3, "WorkerLost", "it was silent", LATER) is None
    assert stage_endings.interrupt(over, 3, "i-1", 7, LATER) is None


def test_an_earlier_epoch_abandons_nothing() -> None:
    with pytest.raises(StaleEpoch, match="epoch 2 of stage screen of run-1 is over"):
        stage_endings.abandon(record(), 2, "the run was cancelled", LATER)


@pytest.mark.parametrize(
    ("error", "counter", "most"),
    [
        ("CapacityUnavailable", "waits", MAX_WAITS),
        ("SpotInterrupted", "interruptions", MAX_INTERRUPTIONS),
    ],
)
def test_the_records_own_counters_say_whether_it_goes_on(
    error: str, counter: str, most: int
) -> None:
    assert stage_endings.next_step(record(error=error, **{counter: most})).retry
    assert not stage_endings.next_step(record(error=error, **{counter: most + 1})).retry


@pytest.mark.parametrize("other", [{"run_id": "run-2"}, {"revision": 3}, {"stage": "report"}])
def test_epochs_of_different_stages_do_not_all_ask_again_at_once(other: dict[str, Any]) -> None:
    waiting = record(error="CapacityUnavailable", waits=6)
    elsewhere = waiting.model_copy(update=other)
    pause = stage_endings.next_step(waiting).wait_seconds
    assert stage_endings.next_step(waiting).wait_seconds == pause
    assert stage_endings.next_step(elsewhere).wait_seconds != pause
