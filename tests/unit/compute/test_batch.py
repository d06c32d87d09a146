"""Batch has no client tokens: what keeps us safe is the job's name, and looking before leaping."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ReadTimeoutError

from porewatch.adapters import clients
from porewatch.compute import adopt
from porewatch.compute.batch import BatchJobs
from porewatch.compute.batch_rungs import JobPlaces, share_in, share_of
from porewatch.compute.batch_wire import job_name
from porewatch.compute.price_table import price_list
from porewatch.domain.errors import ConfigurationRefused, LaunchUnknown, Throttled
from porewatch.domain.stage.instances import (
    LaunchSpec,
    MachineState,
    Owner,
)
from porewatch.domain.stage.spec import LaunchRequest, Phase, StageSpec
from tests.mocked import mocked_aws
from tests.unit.compute.jobs import Jobs, refused

AT = datetime.now(UTC)
STAGE = StageSpec(
    name="screen",
    phases=(Phase.QUALITY_CONTROL,),
    instance_types=("m5.2xlarge",),
    vcpus=4,
    memory_mib=15000,
)
GPU = STAGE.model_copy(update={"gpu": True})
PLACES = JobPlaces(spot_queue="s-spot", on_demand_queue="s-on-demand", definition="worker:1")


def owner(epoch: int = 1, run: str = "run-1", stack: str = "s") -> Owner:
    return Owner(stack=stack, run_id=run, revision=1, stage="screen", epoch=epoch)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def batch(jobs: Jobs) -> BatchJobs:
    return BatchJobs("s", PLACES, client=jobs)


def spec(batch: BatchJobs, who: Owner | None = None, rung: int = 0) -> LaunchSpec:
    return batch.prepare(LaunchRequest(owner=who or owner(), stage=STAGE, at=AT))[rung]


def test_launching_twice_for_one_epoch_leaves_one_job_whichever_the_queue(
    batch: BatchJobs, jobs: Jobs
) -> None:
    first = batch.launch(spec(batch))
    assert batch.launch(spec(batch)).instance_id == first.instance_id
    assert batch.launch(spec(batch, rung=1)).instance_id == first.instance_id
    assert len(jobs.submitted) == 1
    assert batch.launch(spec(batch, owner(2))).instance_id != first.instance_id


def test_a_job_that_is_being_terminated_is_not_adopted(batch: BatchJobs, jobs: Jobs) -> None:
    first = batch.launch(spec(batch))
    jobs.begin(first.instance_id)
    batch.terminate(first.instance_id)
    (ending,) = batch.find(owner())
    assert ending.state is MachineState.ENDING
    assert batch.launch(spec(batch)).instance_id != first.instance_id


def test_the_request_says_everything_a_worker_must_know_and_tries_once(
    batch: BatchJobs, jobs: Jobs
) -> None:
    batch.launch(spec(batch).model_copy(update={"secret": "5" * 64}))
    (request,) = jobs.submitted
    variables = {e["name"]: e["value"] for e in request["containerOverrides"]["environment"]}
    assert variables == {
        "POREWATCH_RUN": "run-1",
        "POREWATCH_REVISION": "1",
        "POREWATCH_STAGE": "screen",
        "POREWATCH_EPOCH": "1",
        "POREWATCH_SECRET": "5" * 64,
    }
    assert "5" * 64 not in request["tags"].values(), "tags are shown to more people"
    assert request["retryStrategy"] == {"attempts": 1}
    assert request["propagateTags"] is True
    assert request["tags"].items() >= owner().tags().items()
    needs = {n["type"]: n["value"] for n in request["containerOverrides"]["resourceRequirements"]}
    assert needs == {"VCPU": "4", "MEMORY": "15000"}
    most = STAGE.boot_deadline_s * 2 + STAGE.phase_deadline_s + 3600
    suite = 3600  # `AT` is when this module was read, which may be long ago
    assert most - suite < request["timeout"]["attemptDurationSeconds"] <= most


def test_a_name_fits_says_whose_it_is_and_differs_without_case() -> None:
    long = owner(run="r" * 63, stack="a-stack-with-a-very-long-name-indeed")
    assert len(job_name(long)) <= 128
    assert "run-1-r1-screen-e1" in job_name(owner())
    others = [owner(2), owner(run="RUN-1"), owner(stack="s2"), long]
    assert len({job_name(who).lower() for who in (owner(), *others)}) == 5


def test_a_job_of_another_owner_by_the_same_name_is_not_ours(batch: BatchJobs, jobs: Jobs) -> None:
    machine = batch.launch(spec(batch))
    jobs.jobs[machine.instance_id]["tags"]["porewatch-run"] = "run-2"
    assert batch.find(owner()) == []
    assert [m.owner for m in batch.inventory()] == [owner(run="run-2")]


def test_a_lost_answer_is_looked_up_and_the_job_adopted(
    batch: BatchJobs, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "LOOK_AGAIN_SECONDS", (0.0,))
    jobs.answer, jobs.loses_answers = ReadTimeoutError(endpoint_url="batch"), True
    assert batch.launch(spec(batch)).owner == owner()
    assert len(jobs.submitted) == 1


@pytest.mark.parametrize(
    ("answer", "ours"),
    [
        (ReadTimeoutError(endpoint_url="batch"), LaunchUnknown),
        (refused("ServerException", status=500), LaunchUnknown),
        (refused("TooManyRequestsException", status=429), Throttled),
        (refused("ClientException"), ConfigurationRefused),
        (refused("AccessDeniedException", status=403), ConfigurationRefused),
    ],
)
def test_a_refusal_is_what_it_is_and_a_lost_answer_is_no_guess(
    batch: BatchJobs,
    jobs: Jobs,
    answer: Exception,
    ours: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adopt, "LOOK_AGAIN_SECONDS", (0.0,))
    jobs.answer = answer
    with pytest.raises(ours) as raised:
        batch.launch(spec(batch))
    assert type(raised.value) is ours


def test_the_client_submits_once_and_retries_reads() -> None:
    with mocked_aws():
        real = BatchJobs("s", PLACES)
        assert real._submitter.meta.config.retries["total_max_attempts"] == 1
        assert real._client.meta.config.retries["total_max_attempts"] == clients.ATTEMPTS


def test_a_job_waits_begins_and_ends_as_a_machine(batch: BatchJobs, jobs: Jobs) -> None:
    name = batch.launch(spec(batch)).instance_id
    waiting = batch.observe([name])[name]
    assert (waiting.state, waiting.waiting, waiting.executor) == (
        MachineState.RUNNING,
        True,
        "batch",
    )
    assert (waiting.purchase, waiting.pool) == ("spot", "0.50 x m6i.2xlarge@s-spot")
    jobs.begin(name, at=time.time() + 60)
    running = batch.observe([name])[name]
    assert not running.waiting
    assert running.launched_at > waiting.launched_at
    jobs.end(name, "Host EC2 (instance i-0abc) terminated.", at=time.time() + 90)
    gone = batch.observe([name])[name]
    assert (gone.state, gone.reclaimed) == (MachineState.GONE, True)
    assert gone.ended_at is not None
    assert 29 < (gone.ended_at - gone.launched_at).total_seconds() < 31


def test_the_host_of_an_on_demand_job_that_fails_was_not_reclaimed(
    batch: BatchJobs, jobs: Jobs
) -> None:
    name = batch.launch(spec(batch, rung=1)).instance_id
    jobs.end(name, "Host EC2 (instance i-0abc) terminated.")
    assert not batch.observe([name])[name].reclaimed


def test_a_job_that_never_began_has_lasted_no_time_and_costs_nothing(
    batch: BatchJobs, jobs: Jobs
) -> None:
    name = batch.launch(spec(batch)).instance_id
    batch.terminate(name)
    gone = batch.observe([name])[name]
    assert gone.launched_at == gone.ended_at
    assert batch.price(gone.instance_type, "spot", 0.0) == 0.0


def test_ending_a_job_twice_or_one_nobody_knows_is_fine(batch: BatchJobs, jobs: Jobs) -> None:
    name = batch.launch(spec(batch)).instance_id
    batch.terminate(name)
    batch.terminate(name)
    batch.terminate("0000-99")
    assert batch.observe(["0000-99"]) == {}


def test_the_inventory_leaves_out_jobs_long_over_and_their_epoch_still_finds_them(
    batch: BatchJobs, jobs: Jobs
) -> None:
    """An epoch may go on for hours after a duplicate of its job ended: it is paid at the end."""
    name = batch.launch(spec(batch)).instance_id
    jobs.end(name, "done", at=time.time() - 3500)
    assert [m.instance_id for m in batch.inventory()] == [name]
    jobs.end(name, "done", at=time.time() - 3700)
    assert batch.inventory() == []
    assert [m.instance_id for m in batch.find(owner())] == [name]


def test_more_jobs_than_one_call_describes_are_all_seen(batch: BatchJobs, jobs: Jobs) -> None:
    names = [batch.launch(spec(batch, owner(n))).instance_id for n in range(1, 131)]
    assert set(batch.observe(names)) == set(names)
    assert len(batch.inventory()) == 130


def test_a_job_is_billed_as_its_share_of_the_machine_it_names(batch: BatchJobs) -> None:
    prices = price_list("us-east-1")
    half = share_of(STAGE)
    assert half == "0.50 x m6i.2xlarge"
    whole = prices.usd("m6i.2xlarge", "on-demand", 3600)
    assert batch.price(half, "on-demand", 3600) == pytest.approx(whole / 2)
    disk = prices.disk_usd(100, 3600)
    assert batch.price(half, "on-demand", 3600, 100) == pytest.approx(whole / 2 + disk)
    greedy = STAGE.model_copy(update={"memory_mib": 65536})
    assert share_of(greedy) == "2.00 x m6i.2xlarge"
    assert share_of(GPU) == "1.00 x g4dn.xlarge"
    assert share_in("m5.large") == (1.0, "m5.large")


def asked(*avoid: str) -> LaunchRequest:
    return LaunchRequest(owner=owner(), stage=STAGE, at=AT, avoid=avoid)


def test_a_spot_queue_that_gave_nothing_or_took_back_is_left_out() -> None:
    batch = BatchJobs("s", PLACES, client=Jobs())
    both = batch.prepare(asked("m5.2xlarge@us-east-1a"), first=3)
    assert [(s.rung, s.purchase, s.job_queue) for s in both] == [
        (3, "spot", "s-spot"),
        (4, "on-demand", "s-on-demand"),
    ]
    for pool in ("0.50 x m6i.2xlarge@s-spot", "0.25 x m6i.2xlarge@s-spot"):
        (only,) = batch.prepare(asked(pool))
        assert only.purchase == "on-demand"
    assert len({s.client_token() for s in both}) == 2


def test_a_stage_without_a_definition_cannot_run_on_batch() -> None:
    batch = BatchJobs("s", PLACES, client=Jobs())
    assert batch.prepare(LaunchRequest(owner=owner(), stage=GPU, at=AT)) == ()
    with_gpu = PLACES.model_copy(update={"gpu_definition": "gpu:1"})
    spot, _ = BatchJobs("s", with_gpu, client=Jobs()).prepare(
        LaunchRequest(owner=owner(), stage=GPU, at=AT)
    )
    assert spot.job_definition == "gpu:1"
