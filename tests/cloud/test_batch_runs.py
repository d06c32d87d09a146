"""A run whose stages are jobs of AWS Batch is the run it would have been on EC2; a job may be taken
away like any machine. Reuses the runs and the questions of `test_interruption`.

Slow: three runs more. test_batch_on_the_engine.py and tests/functional have its parts."""

from __future__ import annotations

import json
from concurrent.futures import Future

import pytest

from porewatch.domain.calls.findings import Call
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.stage_facts import InstanceTerminated, SpotInterrupted, StageFailed
from porewatch.domain.money.cost import Bill
from porewatch.domain.stage.record import StageState
from porewatch_cli.operate.chaos import order
from tests.cloud.lab import Lab, found
from tests.cloud.test_interruption import (
    SCREEN,
    UNITS_BEFORE,
    UNTOUCHED,
    is_well_under_way,
    same_but_for_time,
    send,
    take_machine,
)

__all__ = ["is_well_under_way"]
pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
ON_EC2 = UNTOUCHED
ON_BATCH, NOTICE, KILLED = "batch", "batch-noticed", "batch-killed"
ORDERS = {NOTICE: "interrupt/{}?seconds=10", KILLED: "kill/{}"}
TAKEN: dict[str, Future[str]] = {}


def send_runs(lab: Lab) -> None:
    """The reads of `test_interruption` on Batch, up to three times; two of the runs lose a job."""
    send(lab, ON_EC2)
    for name in lab.selected.intersection((ON_BATCH, NOTICE, KILLED)):
        send(lab, name, "default-on-batch")
        if name in ORDERS:
            TAKEN[name] = lab.later(take_machine, lab, lab.run_id(name), ORDERS[name])


@pytest.mark.parametrize("name", [ON_BATCH, *ORDERS])
def test_the_report_is_the_one_of_ec2(lab: Lab, name: str) -> None:
    """But for times, costs and the layout's name."""
    run, ec2 = lab.completed(lab.run_id(name)).run, lab.completed(lab.run_id(ON_EC2)).run
    assert same_but_for_time(lab, run) == same_but_for_time(lab, ec2)
    assert found(lab.findings(run), Call.DETECTED) == {"PCV2", "HEV"}


@pytest.mark.parametrize("name", [ON_BATCH])
def test_every_stage_was_a_job_in_the_spot_queue(lab: Lab, name: str) -> None:
    """It may not have left by itself yet when its stage was published and its end was requested."""
    view = lab.completed(lab.run_id(name))
    batch = lab.cloud.client("batch")
    assert view.stages
    for stage in view.stages:
        assert (stage.state, stage.executor) == (StageState.PUBLISHED, "batch")
        (job,) = batch.describe_jobs(jobs=[stage.instance_id])["jobs"]
        ended_by_us = job["status"] == "FAILED" and job["statusReason"] == "no longer needed"
        assert ended_by_us or (job["status"], job["container"]["exitCode"]) == ("SUCCEEDED", 0)
        assert job["jobQueue"].endswith("-spot")
        assert job["tags"]["porewatch-run"] == view.run.run_id
    assert lab.machines(view.run.run_id) == []
    assert all(stage.executor == "ec2" for stage in lab.completed(lab.run_id(ON_EC2)).stages)


@pytest.mark.parametrize("name", ORDERS)
def test_a_lost_job_goes_on_from_its_checkpoint(lab: Lab, name: str) -> None:
    view, lost = lab.completed(lab.run_id(name)), TAKEN[name].result(timeout=1)
    manifest = lab.stage(view.run, SCREEN)
    assert UNITS_BEFORE <= manifest.units_resumed < manifest.units
    assert manifest.units_redone <= 1
    assert manifest.epoch >= 2
    assert manifest.instance_id != lost


def test_the_job_of_a_reclaimed_host_is_interrupted_and_the_next_one_is_on_demand(
    lab: Lab,
) -> None:
    view, lost = lab.completed(lab.run_id(NOTICE)), TAKEN[NOTICE].result(timeout=1)
    (screen,) = (stage for stage in view.stages if stage.stage == SCREEN)
    assert (screen.interruptions, screen.errors) == (1, 0)
    (fact,) = lab.facts(view.run.run_id, SpotInterrupted)
    assert (fact.instance_id, fact.epoch) == (lost, 1)
    assert fact.last_checkpoint is not None
    (job,) = lab.cloud.client("batch").describe_jobs(jobs=[screen.instance_id])["jobs"]
    assert job["jobQueue"].endswith("-on-demand")


@pytest.mark.parametrize("name", [KILLED])
def test_a_killed_job_is_an_error_that_is_tried_again(lab: Lab, name: str) -> None:
    view, lost = lab.completed(lab.run_id(name)), TAKEN[name].result(timeout=1)
    (screen,) = (stage for stage in view.stages if stage.stage == SCREEN)
    assert (screen.interruptions, screen.errors) == (0, 1)
    (fact,) = lab.facts(view.run.run_id, StageFailed)
    assert (fact.epoch, fact.error, fact.will_retry) == (1, "WorkerLost", True)
    assert f"machine {lost} is gone (Essential container in task exited)" in fact.problem
    (job,) = lab.cloud.client("batch").describe_jobs(jobs=[lost])["jobs"]
    assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 137)


@pytest.mark.parametrize("name", [ON_BATCH, *ORDERS])
def test_the_bill_names_each_job_and_what_its_price_was_taken_from(lab: Lab, name: str) -> None:
    view = lab.completed(lab.run_id(name))
    bill = Bill.model_validate_json(lab.report(view.run, "bill.json"))
    jobs = [line for line in bill.lines if line.what == "machine"]
    assert len(jobs) == len({line.instance_id for line in jobs}) >= len(view.stages)
    assert all(line.settled and line.usd > 0 for line in jobs)
    assert all(str(line.instance_type).endswith(" x m6i.2xlarge") for line in jobs)
    ended = {fact.instance_id for fact in lab.facts(view.run.run_id, InstanceTerminated)}
    assert ended == {line.instance_id for line in jobs}


@pytest.mark.parametrize("name", [ON_BATCH, *ORDERS])
def test_nothing_is_left_of_a_run_on_batch(lab: Lab, name: str) -> None:
    run = lab.completed(lab.run_id(name)).run
    lab.wait_messages(run.run_id, "RunCompleted")
    assert lab.dead_letters(run.run_id) == []
    unfinished = [
        job["jobId"]
        for queue in lab.cloud.client("batch").describe_job_queues()["jobQueues"]
        for status in ("SUBMITTED", "RUNNABLE", "STARTING", "RUNNING")
        for job in lab.cloud.client("batch").list_jobs(
            jobQueue=queue["jobQueueArn"], jobStatus=status
        )["jobSummaryList"]
        if run.run_id in job["jobName"]
    ]
    assert unfinished == []
    with pytest.raises(NotFound, match="no instance is working on run"):
        order(run.run_id, lab.stack, ORDERS[KILLED])
    status = json.loads(lab.command("watch", "--json", run.run_id).stdout)
    assert {stage["executor"] for stage in status["stages"]} == {"batch"}
