"""Three clocks and what stands still: notified first, ended late, and never by one sign alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from porewatch.adapters.objects import Head
from porewatch.adapters.table import Table
from porewatch.domain.errors import Unavailable
from porewatch.domain.rules import stage_endings, stage_lifecycle
from porewatch.domain.stage.record import Progress, StageState
from porewatch.domain.stage.spec import Phase
from porewatch.usecases.monitoring.monitor_instances import sweep
from porewatch_local.stack_template.template import Template
from tests.mocked import facts_in
from tests.unit.usecases.house import KEY, MANIFEST_KEY, RUN, SPEC, START, House, attempt_of

TEMPLATE = Template.load(Path(__file__).parents[3] / "template.yaml")
STALL = timedelta(seconds=SPEC.stall_after_s)


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    return House(ledger)


def beat(house: House, units: int = 0) -> None:
    progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=units)
    house.stages.apply(KEY, stage_lifecycle.beat, 1, "i-1", progress, house.now)


def minutes_pass(house: House, minutes: int, units: int = 0) -> None:
    """The worker beats at the same unit and somebody looks: after a minute, then every five."""
    left = minutes
    while left:
        step = 1 if left == minutes else min(5, left)
        left -= step
        house.later(minutes=step)
        beat(house, units)
        sweep(house.watch())


def period() -> timedelta:
    """How often the sweep comes, as it is deployed."""
    events = TEMPLATE.functions["InstanceMonitor"]["Events"]
    found = re.fullmatch(r"rate\((\d+) minutes?\)", events["EveryMinute"]["Properties"]["Schedule"])
    assert found
    return timedelta(minutes=int(found[1]))


def test_a_worker_that_stands_still_is_notified_once_and_left_alone(house: House) -> None:
    house.claimed()
    minutes_pass(house, 29)
    assert facts_in(house.table, RUN).count("StageStalled") == 0
    minutes_pass(house, 20)
    assert facts_in(house.table, RUN).count("StageStalled") == 1
    assert house.record().state is StageState.CLAIMED
    assert (house.state_machine.answers, house.cloud.ended) == ([], [])


def test_a_worker_that_waits_for_a_service_does_not_stand_still(house: House) -> None:
    house.claimed()
    waits = Progress(phase=Phase.QUALITY_CONTROL, waits_for_service=True)
    for _ in range(20):
        house.later(minutes=5)
        house.stages.apply(KEY, stage_lifecycle.beat, 1, "i-1", waits, house.now)
        sweep(house.watch())
    minutes_pass(house, 25)
    assert facts_in(house.table, RUN).count("StageStalled") == 0
    assert house.record().state is StageState.CLAIMED


def test_a_worker_that_goes_on_again_has_not_stood(house: House) -> None:
    house.claimed()
    minutes_pass(house, 40)
    minutes_pass(house, 25, units=1)
    assert house.record().stalled_at is None
    minutes_pass(house, 20, units=1)
    assert facts_in(house.table, RUN).count("StageStalled") == 2
    minutes_pass(house, 20, units=2)
    assert house.record().state is StageState.CLAIMED


def test_a_worker_that_stood_long_and_wrote_nothing_is_replaced(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.claimed()
    written(house, monkeypatch, START - timedelta(hours=1))
    minutes_pass(house, 60)
    assert house.record().state is StageState.CLAIMED
    minutes_pass(house, 7)
    assert house.record().state is StageState.FAILED
    answer = house.state_machine.answers[0]
    assert answer[1] == "WorkerLost"
    assert "has done and written nothing for 6" in answer[2]


def test_a_worker_whose_bucket_grows_is_not_ended_whatever_its_beats_say(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.claimed()
    written(house, monkeypatch, START + timedelta(minutes=50))
    minutes_pass(house, 100)
    assert house.record().state is StageState.CLAIMED


def test_a_bucket_that_does_not_answer_ends_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.claimed()

    def silent(prefix: str) -> None:
        raise Unavailable("S3 does not answer.")

    monkeypatch.setattr(house.results, "keys", silent)
    minutes_pass(house, 100)
    assert house.record().state is StageState.CLAIMED


def test_what_is_only_log_is_no_work(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that hangs still ships its log."""
    house.claimed()
    written(house, monkeypatch, START + timedelta(minutes=50), "worker.log")
    minutes_pass(house, 70)
    assert house.record().state is StageState.FAILED


def test_a_worker_that_does_not_finish_by_its_deadline_is_replaced(house: House) -> None:
    house.claimed()
    house.now = START + timedelta(seconds=SPEC.phase_deadline_s)
    beat(house, 7)
    sweep(house.watch())
    assert house.record().state is StageState.CLAIMED
    minutes_pass(house, 1, units=8)
    assert house.record().error == "WorkerLost"
    assert f"not finished within {SPEC.phase_deadline_s} s" in (house.record().problem or "")


def test_no_clock_ends_anybody_while_the_cloud_does_not_answer(house: House) -> None:
    house.claimed()
    house.cloud.unreachable = True
    house.now = START + timedelta(seconds=SPEC.phase_deadline_s * 2)
    sweep(house.watch())
    assert house.record().state is StageState.CLAIMED


def test_a_new_epoch_has_new_clocks(house: House) -> None:
    house.claimed()
    minutes_pass(house, 40)
    house.open()
    record = house.record()
    assert (record.progress_at, record.stalled_at, record.claimed_at) == (None, None, None)


def test_the_time_a_stage_may_take_may_change_with_the_next_epoch(house: House) -> None:
    house.claimed()
    longer = SPEC.model_copy(update={"phase_deadline_s": 99 * 3600, "stall_after_s": 7200})
    record = house.stages.open_stage(KEY, longer, house.now)
    assert (record.phase_deadline_s, record.stall_after_s) == (99 * 3600, 7200)


def test_a_lost_callback_is_repaired_within_six_minutes(house: House) -> None:
    """The manifest is there, and the worker's message never came."""
    house.claimed()
    house.publish()
    house.now += period()
    sweep(house.watch())
    assert house.state_machine.answers == [("t1", "success", MANIFEST_KEY)]
    assert period() <= timedelta(minutes=6)


def test_an_answer_that_got_lost_on_its_last_step_is_given_within_six_minutes(
    house: House,
) -> None:
    """The ledger knew the end, and its writer died before it answered the state machine."""
    house.claimed()
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 3, house.now)
    house.now += period()
    sweep(house.watch())
    assert [answer[:2] for answer in house.state_machine.answers] == [("t1", "SpotInterrupted")]


@pytest.mark.parametrize("queue_is_empty", [True, False])
def test_a_death_without_an_event_is_noticed_within_six_minutes(
    house: House, queue_is_empty: bool
) -> None:
    house.claimed()
    house.ear.empty = queue_is_empty
    house.cloud.lose("i-1")
    for _ in range(6):
        house.now += period()
        sweep(house.watch())
    assert [answer[:2] for answer in house.state_machine.answers] == [("t1", "WorkerLost")]
    assert house.now - START <= timedelta(minutes=6)


def written(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    at: datetime,
    name: str = "checkpoint/f/units-1.json",
) -> None:
    """The bucket shows one object of the stage, of this time."""
    key = attempt_of() + name
    house.results.put(key, b"{}")
    keys = house.results.keys

    def dated(prefix: str) -> Iterator[Head]:
        for head in keys(prefix):
            yield replace(head, modified=at if head.key == key else START - timedelta(hours=1))

    monkeypatch.setattr(house.results, "keys", dated)
