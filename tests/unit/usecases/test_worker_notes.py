"""What a machine writes into its own partition moves its own epoch's clocks, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from porewatch.adapters.table import Table
from porewatch.domain.stage.record import Progress, StageState
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.worker_note import WorkerNote
from porewatch.usecases.monitoring.monitor_instances import sweep
from porewatch.usecases.stages.handle_worker_note import user_id_of
from tests.unit.usecases.house import REVISION, ROLE_ID, RUN, STAGE, House, attempt_of, user_of

FAR = Progress(phase=Phase.QUALITY_CONTROL, units_done=7)


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    house = House(ledger)
    house.seal()
    house.open()
    house.launch(1)
    return house


def write(house: House, who: str = "i-1", **changes: Any) -> None:
    note = WorkerNote(
        run_id=RUN,
        revision=REVISION,
        stage=STAGE,
        epoch=1,
        instance_id="i-1",
        claimed_at=house.now,
        at=house.now,
    )
    house.notes.write(user_of(who), note.model_copy(update=changes))


def test_a_claim_that_nobody_relayed_is_read(house: House) -> None:
    write(house)
    house.later(minutes=1)
    sweep(house.watch())
    record = house.record()
    assert (record.state, record.user_id) == (StageState.CLAIMED, user_of("i-1"))
    assert record.claimed_at == house.now - timedelta(minutes=1)
    assert record.attempt == attempt_of()


def test_beats_that_nobody_relays_keep_a_machine_alive(house: House) -> None:
    for _ in range(20):
        house.later(minutes=1)
        write(house, progress=FAR)
        sweep(house.watch())
    record = house.record()
    assert (record.state, record.last_beat, record.progress) == (StageState.CLAIMED, house.now, FAR)


def test_a_clock_that_is_ahead_makes_no_machine_immortal(house: House) -> None:
    write(house, at=house.now + timedelta(hours=9), progress=FAR)
    house.later(minutes=1)
    sweep(house.watch())
    heard = house.now
    for _ in range(4):
        house.later(minutes=1)
        sweep(house.watch())
    assert house.record().last_beat == heard, "the same note was counted again"


@pytest.mark.parametrize(
    "changes",
    [{"epoch": 2}, {"run_id": "run-2"}, {"stage": "report"}, {"revision": 3}],
    ids=str,
)
def test_a_note_about_something_else_moves_nothing(house: House, changes: dict[str, Any]) -> None:
    write(house, progress=FAR, **changes)
    before = house.record()
    sweep(house.watch())
    assert house.record() == before


def test_another_machines_note_is_not_even_read(house: House) -> None:
    write(house, who="i-666", progress=FAR)
    before = house.record()
    sweep(house.watch())
    assert house.record() == before


def test_a_machine_that_was_done_and_never_heard_is_published(house: House) -> None:
    write(house)
    house.publish()
    house.later(minutes=1)
    sweep(house.watch())
    assert house.record().state is StageState.PUBLISHED


def test_whose_credentials_a_machine_has(house: House) -> None:
    record, machine = house.record(), house.cloud.machines["i-1"]
    assert user_id_of(record, machine, ROLE_ID) == user_of("i-1")
    assert user_id_of(record, None, ROLE_ID) == user_of("i-1")
    assert user_id_of(record, machine, "") is None
    job = record.model_copy(update={"executor": "batch", "instance_id": "job-1"})
    assert user_id_of(job, machine, ROLE_ID) is None
    assert user_id_of(job, machine.model_copy(update={"session": "t1"}), ROLE_ID) == user_of("t1")
    heard = job.model_copy(update={"user_id": user_of("t2")})
    assert user_id_of(heard, None, ROLE_ID) == user_of("t2")
