"""A job that waits has not failed to boot; one that waits too long is a matter of capacity."""

from __future__ import annotations

import pytest

from porewatch.adapters.table import Table
from porewatch.compute.batch import BatchJobs
from porewatch.compute.executors import Executors
from porewatch.domain.errors import CapacityUnavailable, Unavailable
from porewatch.domain.rules import stage_lifecycle
from porewatch.domain.rules.liveness import SWEEPS
from porewatch.domain.stage.cloud_events import InstanceEvent, InstanceEventKind
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.state_machine_tasks import Terminate
from porewatch.edge.envelopes import Envelope
from porewatch.edge.parsers import instance_events
from porewatch.usecases.instances.terminate_instances import terminate_instances
from porewatch.usecases.monitoring.monitor_instances import (
    handle_instance_event,
    sweep,
)
from tests.unit.compute.jobs import Jobs
from tests.unit.compute.test_batch import PLACES
from tests.unit.usecases.house import KEY, RUN, STAGE, House

LIMIT = 600


class BatchHouse(House):
    """EC2 is full, so that stages become jobs. Batch's clock is put to the house's."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.jobs, self.ec2 = Jobs(self._seconds), self.cloud
        self.ec2.full = {
            "spot": CapacityUnavailable("no spot."),
            "on-demand": CapacityUnavailable("no on-demand."),
        }
        places = BatchJobs("s", PLACES, client=self.jobs)
        self.cloud = Executors(self.ec2, places)  # type: ignore[assignment]

    def _seconds(self) -> float:
        return self.now.timestamp()

    def later(self, **more: float) -> None:
        super().later(**more)
        self.ec2.at = self.now

    def queued(self) -> StageRecord:
        """Epoch 1 is a job in the spot queue, awaited with token `t1`."""
        self.seal()
        self.open()
        self.launch(1)
        self.wait(1, "t1")
        return self.record()


@pytest.fixture
def house(ledger: Table, buckets: None, monkeypatch: pytest.MonkeyPatch) -> BatchHouse:
    made = BatchHouse(ledger)
    monkeypatch.setattr("porewatch.compute.batch.now", lambda: made.now)
    monkeypatch.setattr("porewatch.compute.batch_wire.now", lambda: made.now)
    return made


def test_a_full_ec2_ends_in_the_spot_queue(house: BatchHouse) -> None:
    record = house.queued()
    assert (record.executor, record.purchase) == ("batch", "spot")
    assert record.availability_zone == "s-spot"
    assert len(house.ec2.launches) == 2


def test_a_waiting_job_is_beaten_for_and_left_alone_until_the_boot_deadline(
    house: BatchHouse,
) -> None:
    house.queued()
    for _ in range(10):
        house.later(minutes=1)
        sweep(house.watch())
    assert house.state_machine.beats == ["t1"] * 10
    assert house.state_machine.answers == []
    assert house.record().state is StageState.LAUNCHED


def test_a_job_that_waited_too_long_is_no_capacity_and_its_queue_is_shunned(
    house: BatchHouse,
) -> None:
    job = house.queued().instance_id or ""
    house.jobs.jobs[job]["statusReason"] = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    house.later(seconds=LIMIT + 1)
    sweep(house.watch())
    (answer,) = house.state_machine.answers
    assert answer[:2] == ("t1", "CapacityUnavailable")
    assert "waited 600 s in s-spot and got no computer" in answer[2]
    assert "INSUFFICIENT_INSTANCE_CAPACITY" in answer[2]
    record = house.record()
    assert (record.waits, record.errors, record.interruptions) == (1, 0, 0)
    task = Terminate(run_id=RUN, revision=0, stage=STAGE, epoch=1, reason="over")
    terminate_instances(task, stack="s", stages=house.stages, executor=house.cloud, at=house.now)
    assert house.jobs.jobs[job]["status"] == "FAILED"
    (line,) = house.stages.cost_lines(RUN, 0)
    assert (line.seconds, line.usd, line.instance_id) == (0, 0, job)
    house.open()
    house.launch(2)
    assert (house.record().executor, house.record().purchase) == ("batch", "on-demand")


def test_the_boot_clock_of_a_job_runs_from_its_begin(house: BatchHouse) -> None:
    job = house.queued().instance_id or ""
    house.later(seconds=LIMIT - 1)
    house.jobs.begin(job)
    house.later(seconds=LIMIT)
    sweep(house.watch())
    assert house.state_machine.answers == []
    house.later(seconds=1)
    for _ in range(SWEEPS):
        assert house.state_machine.answers == []
        sweep(house.watch())
        house.later(minutes=1)
    assert house.state_machine.answers[0][1] == "WorkerLost"
    assert "did not begin to work within 600 s" in house.state_machine.answers[0][2]


@pytest.mark.parametrize(
    ("why", "error"),
    [
        ("Host EC2 (instance i-0abc) terminated.", "SpotInterrupted"),
        ("Essential container in task exited", "WorkerLost"),
    ],
)
def test_a_job_that_ended_is_known_by_batchs_own_event(
    house: BatchHouse, why: str, error: str
) -> None:
    job = house.queued().instance_id or ""
    house.jobs.begin(job)
    house.stages.apply(KEY, stage_lifecycle.claim, 1, job, house.now)
    house.later(minutes=1)
    house.jobs.end(job, why)
    house.later(minutes=1)
    handle_instance_event(job_event("FAILED", job), house.watch())
    assert house.state_machine.answers[0][1] == error


def job_event(status: str, job: str) -> InstanceEvent:
    return instance_events(
        Envelope(
            source="aws.batch",
            detail_type="Batch Job State Change",
            detail={"jobId": job, "status": status},
        )
    )


def on_ec2_while_batch_is_down(house: BatchHouse) -> str:
    """The machine of epoch 1, claimed."""
    house.ec2.full, house.jobs.down = {}, True
    house.claimed()
    (name,) = house.ec2.machines
    return name


def test_while_batch_is_down_machines_of_ec2_are_launched_watched_and_ended(
    house: BatchHouse,
) -> None:
    name = on_ec2_while_batch_is_down(house)
    house.ec2.lose(name)
    house.later(minutes=6)
    with pytest.raises(Unavailable):  # raised last, when all that can be done is done
        sweep(house.watch())
    assert house.state_machine.answers[0][:2] == ("t1", "WorkerLost")
    ending = Terminate(run_id=RUN, revision=0, stage=STAGE, epoch=1, reason="over")
    ended = terminate_instances(
        ending, stack="s", stages=house.stages, executor=house.cloud, at=house.now
    )
    assert ended.instance_ids == (name,)


def test_while_batch_is_down_a_forgotten_machine_of_ec2_is_ended(house: BatchHouse) -> None:
    name = on_ec2_while_batch_is_down(house)
    house.open()
    for _ in range(3):
        house.later(minutes=10)
        with pytest.raises(Unavailable):
            sweep(house.watch())
    assert house.ec2.ended == [name]


def test_while_ec2_is_down_jobs_are_watched_and_no_machine_counts_as_gone(
    house: BatchHouse,
) -> None:
    name = house.queued().instance_id or ""
    house.jobs.begin(name, at=house._seconds())
    house.jobs.end(name, "Essential container in task exited", at=house._seconds())
    house.ec2.unreachable = True
    house.later(minutes=6)
    sweep(house.watch())
    assert house.record().error == "WorkerLost"


def test_an_epoch_that_batch_was_asked_for_is_over_only_by_batchs_answer(
    house: BatchHouse,
) -> None:
    house.queued()
    house.jobs.down = True
    ending = Terminate(run_id=RUN, revision=0, stage=STAGE, epoch=1, reason="over")
    with pytest.raises(Unavailable):
        terminate_instances(
            ending, stack="s", stages=house.stages, executor=house.cloud, at=house.now
        )
    (spec, *_) = house.ec2.launches
    house.ec2.full = {}
    with pytest.raises(Unavailable):  # the job may live: no machine beside it
        house.cloud.launch(spec, house.stages.asked(KEY, 1))


def test_only_the_end_of_a_job_is_an_end() -> None:
    states = {
        status: job_event(status, "j").state for status in ("RUNNABLE", "RUNNING", "SUCCEEDED")
    }
    assert states == {"RUNNABLE": "running", "RUNNING": "running", "SUCCEEDED": "terminated"}
    assert job_event("FAILED", "j").kind is InstanceEventKind.STATE
