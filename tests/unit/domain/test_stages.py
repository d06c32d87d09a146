"""No sequence of repeated, late or reordered messages moves a stage backwards, and no old epoch
writes. Hypothesis plays the world: several machines, the state machine and the monitor, all talking
at once and more than once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from porewatch.domain.errors import Conflict, StaleEpoch
from porewatch.domain.facts.fact import Fact
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.rules import (
    stage_endings,
    stage_lifecycle,
)
from porewatch.domain.rules.fencing import Move
from porewatch.domain.stage.instances import (
    Machine,
    MachineState,
)
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import Progress, StageKey, StageRecord, StageState
from porewatch.domain.stage.retry_policy import MAX_WAITS_FOR_A_DEPLOY
from porewatch.domain.stage.spec import Phase, StageSpec

START = datetime(2026, 11, 21, tzinfo=UTC)
KEY = StageKey("run-1", 1, "screen")
SPEC = StageSpec(name="screen", phases=(Phase.QUALITY_CONTROL,), instance_types=("m7i.2xlarge",))
RANK = {
    StageState.OPEN: 0,
    StageState.LAUNCHED: 1,
    StageState.CLAIMED: 2,
    StageState.INTERRUPTED: 3,
    StageState.FAILED: 3,
    StageState.PUBLISHED: 4,
}


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def machine(name: str) -> Machine:
    return Machine(
        instance_id=name,
        state=MachineState.RUNNING,
        instance_type="m7i.2xlarge",
        purchase="spot",
        availability_zone="eu-central-1a",
        launched_at=at(0),
    )


def manifest(epoch: int) -> StageManifest:
    return StageManifest(
        run_id="run-1",
        revision=1,
        stage="screen",
        epoch=epoch,
        fingerprint="f",
        instance_id="i-1",
        worker_version="0",
        started_at=at(0),
        finished_at=at(1),
        phases=(),
        outputs={},
    )


def beat(record: StageRecord | None, epoch: int, who: str, minute: int) -> Move:
    progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=minute)
    return stage_lifecycle.beat(record, epoch, who, progress, at(minute))


SAYINGS: dict[str, Callable[[StageRecord | None, int, str, int], Move]] = {
    "launched": lambda r, e, who, m: stage_lifecycle.launched(r, e, machine(who), at(m)),
    "claim": lambda r, e, who, m: stage_lifecycle.claim(r, e, who, at(m)),
    "beat": beat,
    "notice": lambda r, e, _who, m: stage_lifecycle.note_reclaim(r, e, at(m)),
    "interrupt": lambda r, e, who, m: stage_endings.interrupt(r, e, who, 3, at(m)),
    "fail": lambda r, e, _who, m: stage_endings.fail(r, e, "WorkerFailed", "broke", at(m)),
    "token": lambda r, e, who, m: stage_lifecycle.keep_token(r, e, f"token-{who}", at(m)),
    "publish": lambda r, e, _who, m: stage_endings.publish(r, manifest(e), "key", at(m)),
    "reopen": lambda r, _e, _who, m: stage_lifecycle.reopen(r, KEY, SPEC, at(m)),
}

message = st.tuples(
    st.sampled_from(sorted(SAYINGS)),
    st.integers(1, 4),
    st.sampled_from(["i-1", "i-2"]),
    st.integers(0, 30),
)


@settings(max_examples=400)
@given(st.lists(message, min_size=1, max_size=40))
@example([("beat", 1, "i-1", 1), ("claim", 1, "i-1", 0)])  # a beat overtook its claim
def test_whatever_messages_come_in_whatever_order_nothing_moves_backwards(
    sayings: list[tuple[str, int, str, int]],
) -> None:
    record: StageRecord = _opened()
    facts: dict[str, Fact] = {}
    for what, epoch, who, minute in sayings:
        try:
            moved = SAYINGS[what](record, epoch, who, minute)
        except Conflict:
            continue
        if moved is None:
            continue
        after, new_facts = moved
        _check_step(what, epoch, record, after)
        for fact in new_facts:
            assert fact.fact_id not in facts, f"{fact.fact_id} was recorded twice"
            facts[fact.fact_id] = fact
        record = after


def _check_step(what: str, epoch: int, before: StageRecord, after: StageRecord) -> None:
    assert after.epoch >= before.epoch
    if what == "reopen":
        assert after.epoch == before.epoch + 1
        assert before.state is not StageState.PUBLISHED
    elif what != "publish":
        assert epoch == before.epoch, f"{what} of epoch {epoch} wrote into epoch {before.epoch}"
    if after.epoch == before.epoch:
        assert RANK[after.state] >= RANK[before.state]
        if before.instance_id is not None:
            assert after.instance_id == before.instance_id
    if before.state in (StageState.INTERRUPTED, StageState.FAILED) and what != "reopen":
        assert after.state in (before.state, StageState.PUBLISHED)
    assert after.interruptions >= before.interruptions
    assert after.errors >= before.errors
    if before.last_beat and after.epoch == before.epoch:
        assert after.last_beat is not None
        assert after.last_beat >= before.last_beat


@settings(max_examples=200)
@given(st.lists(message, min_size=1, max_size=15))
def test_sending_everything_twice_changes_nothing_more(
    sayings: list[tuple[str, int, str, int]],
) -> None:
    record = _opened()
    for what, epoch, who, minute in sayings:
        try:
            moved = SAYINGS[what](record, epoch, who, minute)
        except Conflict:
            continue
        record = moved[0] if moved else record
        if what == "reopen":
            continue  # a second opening without a launch takes a further epoch, and that is fine
        try:
            again = SAYINGS[what](record, epoch, who, minute)
        except Conflict:
            again = None
        assert again is None, f"{what} twice moved the stage twice"


def test_the_first_opening_is_epoch_one_and_each_further_one_fences_the_last() -> None:
    first = _opened()
    assert (first.epoch, first.state) == (1, StageState.OPEN)
    second = _after(stage_lifecycle.reopen(first, KEY, SPEC, at(1)))
    with pytest.raises(StaleEpoch, match="epoch 1 of stage screen of run-1 is over; epoch 2"):
        stage_lifecycle.claim(second, 1, "i-1", at(2))


def test_a_claim_before_the_launch_is_recorded_holds_and_the_launch_fills_in_the_rest() -> None:
    claimed = _after(stage_lifecycle.claim(_opened(), 1, "i-1", at(1)))
    filled = _after(stage_lifecycle.launched(claimed, 1, machine("i-1"), at(2)))
    assert filled.state is StageState.CLAIMED
    assert (filled.instance_type, filled.purchase) == ("m7i.2xlarge", "spot")


def test_a_second_machine_for_an_epoch_neither_launches_nor_claims() -> None:
    launched = _after(stage_lifecycle.launched(_opened(), 1, machine("i-1"), at(1)))
    with pytest.raises(Conflict, match="one too many"):
        stage_lifecycle.launched(launched, 1, machine("i-2"), at(2))
    with pytest.raises(StaleEpoch, match="belongs to i-1"):
        stage_lifecycle.claim(launched, 1, "i-2", at(2))


def test_interruptions_remember_the_pool_and_leave_the_error_count_alone() -> None:
    record = _after(stage_lifecycle.launched(_opened(), 1, machine("i-1"), at(1)))
    record = _after(stage_endings.interrupt(record, 1, "i-1", 5, at(2)))
    assert (record.interruptions, record.errors) == (1, 0)
    assert record.reclaimed == ("m7i.2xlarge@eu-central-1a",)
    again = _after(stage_lifecycle.reopen(record, KEY, SPEC, at(3)))
    assert again.reclaimed == record.reclaimed
    assert again.instance_id is None


def test_an_epoch_begins_without_the_reasons_of_the_one_before() -> None:
    reasons = verbatim("it ran out of memory")
    record = _after(stage_endings.fail(_opened(), 1, "WorkerFailed", "because", at(1), why=reasons))
    assert record.why == reasons
    again = _after(stage_lifecycle.reopen(record, KEY, SPEC, at(2)))
    assert (again.error, again.problem, again.why) == (None, None, ())


def test_epochs_that_no_unit_of_the_work_ended_are_known_by_number() -> None:
    ends = ["Unavailable", "WorkerLost", "DiskFull", "WorkerFailed", "Throttled", "NoReadsLeft"]
    record = _opened()
    for error in ends:
        record = _after(stage_endings.fail(record, record.epoch, error, "because", at(1)))
        record = _after(stage_lifecycle.reopen(record, KEY, SPEC, at(2)))
    record = _after(stage_endings.interrupt(record, 7, "i-1", 5, at(3)))
    assert record.blameless == (1, 3, 5, 7)


def test_a_manifest_written_by_a_fenced_machine_is_still_the_truth() -> None:
    second = _after(stage_lifecycle.reopen(_opened(), KEY, SPEC, at(1)))
    done = stage_endings.publish(second, manifest(1), "key", at(2))
    assert done is not None
    assert done[0].state is StageState.PUBLISHED
    assert done[1][0].model_dump()["epoch"] == 1
    assert stage_lifecycle.reopen(done[0], KEY, SPEC, at(3)) is None


def test_a_failure_records_whether_it_will_be_retried() -> None:
    record, retries = _opened(), []
    for n in range(1, 4):
        moved = stage_endings.fail(record, n, "WorkerFailed", "broke", at(n))
        assert moved is not None
        retries.append(moved[1][0].model_dump()["will_retry"])
        record = _after(stage_lifecycle.reopen(moved[0], KEY, SPEC, at(n)))
    assert retries == [True, True, False]


def test_waits_for_capacity_do_not_use_up_those_for_a_deploy() -> None:
    record = _opened()
    errors = ["CapacityUnavailable"] * 6 + ["NotShownYet"] * (MAX_WAITS_FOR_A_DEPLOY + 1)
    retries = []
    for n, error in enumerate(errors, 1):
        failed = _after(stage_endings.fail(record, n, error, "none", at(n)))
        retries.append(stage_endings.next_step(failed).retry)
        record = _after(stage_lifecycle.reopen(failed, KEY, SPEC, at(n)))
    assert retries == [True] * (len(errors) - 1) + [False]


def test_an_ended_stage_is_watched_until_the_state_machine_is_answered() -> None:
    record = _after(stage_lifecycle.keep_token(_opened(), 1, "token", at(1)))
    ended = _after(stage_endings.fail(record, 1, "WorkerLost", "silent", at(2)))
    assert stage_lifecycle.watched(ended)
    answered = _after(stage_lifecycle.forget_token(ended, 1, "token", at(3)))
    assert not stage_lifecycle.watched(answered)


def _opened() -> StageRecord:
    return _after(stage_lifecycle.reopen(None, KEY, SPEC, at(0)))


def _after(move: Move) -> StageRecord:
    assert move is not None
    return move[0]
