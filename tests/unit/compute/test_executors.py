"""Each spec and machine goes to where it belongs; an owner never has machines in both places."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from porewatch.compute.batch import BatchJobs
from porewatch.compute.executors import Executors, executors
from porewatch.domain.stage.disk_size import HOST_GIB
from porewatch.domain.stage.instances import (
    ExecutorChoice,
    ExecutorName,
)
from porewatch.domain.stage.spec import LaunchRequest
from tests.mocked import mocked_aws
from tests.unit.compute.jobs import Jobs
from tests.unit.compute.test_batch import AT, GPU, PLACES, STAGE, owner
from tests.unit.usecases.house import Cloud


class Both:
    """The executors, and the two worlds behind them."""

    def __init__(self, choice: ExecutorChoice = "ec2-then-batch") -> None:
        self.ec2, self.jobs = Cloud(), Jobs()
        self.all = Executors(self.ec2, BatchJobs("s", PLACES, client=self.jobs), choice)

    def rungs(self, batch_first: bool = False, gpu: bool = False) -> Rungs:
        stage = GPU if gpu else STAGE
        stage = stage.model_copy(update={"executor": "batch"}) if batch_first else stage
        ladder = self.all.prepare(LaunchRequest(owner=owner(), stage=stage, at=AT))
        return [(spec.rung, spec.executor, spec.purchase) for spec in ladder]


Rungs = list[tuple[int, str, str]]


def ladder_of_ec2(both: Both) -> Rungs:
    ladder = both.ec2.prepare(LaunchRequest(owner=owner(), stage=STAGE, at=AT))
    return [(spec.rung, spec.executor, spec.purchase) for spec in ladder]


def queues(first: int) -> Rungs:
    return [(first, "batch", "spot"), (first + 1, "batch", "on-demand")]


def test_ec2_alone_never_calls_batch() -> None:
    both = Both("ec2")
    assert both.rungs() == both.rungs(batch_first=True) == ladder_of_ec2(both)


def test_batch_alone_uses_its_queues_and_no_ec2() -> None:
    assert Both("batch").rungs() == Both("batch").rungs(batch_first=True) == queues(0)


def test_the_queues_stand_below_the_last_rung_of_ec2_unless_the_stage_wants_them_first() -> None:
    both = Both()
    ec2 = ladder_of_ec2(both)
    assert both.rungs() == ec2 + queues(ec2[-1][0] + 1)
    assert both.rungs(batch_first=True) == queues(0)


def test_a_stage_that_batch_cannot_run_stays_on_ec2() -> None:
    assert Both("batch").rungs(gpu=True) == ladder_of_ec2(Both())
    assert Both().rungs(gpu=True, batch_first=True) == ladder_of_ec2(Both())


@pytest.mark.parametrize("choice", ["ec2-then-batch", "batch"])
@pytest.mark.parametrize("wanted", ["ec2", "batch"])
def test_a_stage_whose_disk_no_host_of_batch_has_stays_on_ec2_and_says_why(
    choice: ExecutorChoice, wanted: ExecutorName
) -> None:
    both = Both(choice)
    fits, beyond = (
        both.all.prepare(
            LaunchRequest(
                owner=owner(),
                stage=STAGE.model_copy(update={"executor": wanted, "disk_gib": gib}),
                at=AT,
            )
        )
        for gib in (HOST_GIB, HOST_GIB + 1)
    )
    assert "batch" in {spec.executor for spec in fits}
    assert [(s.rung, s.executor, s.purchase) for s in beyond] == ladder_of_ec2(both)
    why = "; EC2 alone, because disk_gib is 501 and a host of AWS Batch has 500"
    assert all(spec.reason.endswith(why) for spec in beyond)
    assert not any("disk_gib" in spec.reason for spec in fits)


def test_no_machine_is_launched_while_a_job_of_the_owner_lives_and_the_other_way_round() -> None:
    both = Both()
    spot, _, job, _ = both.all.prepare(LaunchRequest(owner=owner(), stage=STAGE, at=AT))
    submitted = both.all.launch(job)
    assert both.all.launch(spot).instance_id == submitted.instance_id
    assert both.ec2.launches == []
    both.all.terminate(submitted.instance_id)
    launched = both.all.launch(spot)
    assert launched.instance_id.startswith("i-")
    assert both.all.launch(job).instance_id == launched.instance_id
    assert len(both.jobs.submitted) == 1


def test_machines_and_jobs_are_seen_ended_and_priced_each_where_it_is() -> None:
    both = Both()
    spot, _, job, _ = both.all.prepare(LaunchRequest(owner=owner(), stage=STAGE, at=AT))
    machine = both.all.launch(spot).instance_id
    both.ec2.lose(machine)
    waiting = both.all.launch(job).instance_id
    assert set(both.all.observe([machine, waiting, "i-99", "0000-99"])) == {machine, waiting}
    assert [m.instance_id for m in both.all.find(owner(), "ec2")] == [machine]
    assert [m.instance_id for m in both.all.find(owner(), "batch")] == [waiting]
    assert [m.instance_id for m in both.all.inventory("ec2")] == [machine]
    assert [m.instance_id for m in both.all.inventory("batch")] == [waiting]
    both.all.interrupt(waiting)
    both.all.terminate(machine)
    assert both.jobs.jobs[waiting]["status"] == "FAILED"
    assert both.ec2.ended == [machine]
    half = both.all.price("0.50 x m6i.2xlarge", "spot", 3600)
    assert half == pytest.approx(both.all.price("m6i.2xlarge", "spot", 3600) / 2)


def test_a_stack_without_queues_has_no_batch() -> None:
    config = SimpleNamespace(
        stack_name="s",
        executor="ec2-then-batch",
        spot_queue="",
        on_demand_queue="",
        job_definition="",
        gpu_job_definition="",
    )
    with mocked_aws():
        alone = executors(config, "lt-1", ("subnet-1",))
        assert {
            spec.executor
            for spec in alone.prepare(LaunchRequest(owner=owner(), stage=STAGE, at=AT))
        } == {"ec2"}
        config.spot_queue, config.on_demand_queue, config.job_definition = "a", "b", "worker:1"
        with_jobs = executors(config, "lt-1", ("subnet-1",))
        assert (
            with_jobs.prepare(LaunchRequest(owner=owner(), stage=STAGE, at=AT))[-1].job_queue == "b"
        )
