"""One stage from opening to its bill, and every message twice, late or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.table import Table
from porewatch.compute.layouts import profile
from porewatch.domain import s3_keys
from porewatch.domain.errors import (
    BasecallerMissing,
    BudgetExceeded,
    CapacityUnavailable,
    ConfigurationRefused,
    Conflict,
    LaunchUnknown,
    StaleEpoch,
    Unavailable,
)
from porewatch.domain.facts.stage_facts import LaunchRefused, StageFailed
from porewatch.domain.rules import run_endings, stage_endings, stage_lifecycle
from porewatch.domain.runs import ReadKind, RunState
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.domain.stage.disk_size import HOST_GIB
from porewatch.domain.stage.instances import (
    Machine,
    MachineState,
)
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress, StageState
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.state_machine_tasks import (
    Decide,
    Decided,
    FailRun,
    Plan,
    Terminate,
)
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.domain.stage.worker_messages import (
    Beat,
    Claimed,
    Interrupted,
    PhaseDone,
    Published,
    StageBroken,
    Suspected,
    WorkerMessage,
)
from porewatch.usecases.instances.terminate_instances import (
    end_machine,
    terminate_instances,
)
from porewatch.usecases.monitoring.monitor_instances import sweep
from porewatch.usecases.stages.handle_error import decide_stage
from porewatch.usecases.stages.handle_worker_message import handle_worker_message
from porewatch.usecases.stages.plan_stages import plan_stages
from tests.mocked import facts_in
from tests.unit.usecases.house import (
    KEY,
    MANIFEST_KEY,
    REVISION,
    RUN,
    SPEC,
    STAGE,
    House,
    a_manifest,
    draft_of,
    user_of,
)


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    return House(ledger)


def send(house: House, kind: type[Any], epoch: int = 1, who: str = "i-1", **more: Any) -> None:
    common = {"run_id": RUN, "revision": REVISION, "stage": STAGE, "at": house.now}
    fields = {"epoch": epoch, "instance_id": who, "user_id": user_of(who), **more}
    message: WorkerMessage = kind(**common, **fields)
    handle_worker_message(message, house.desk())


def decide(house: House, error: str, epoch: int = 1, cause: str = "cause") -> Decided:
    task = Decide(
        action="decide",
        run_id=RUN,
        revision=REVISION,
        stage=STAGE,
        epoch=epoch,
        error=error,
        cause=cause,
    )
    return decide_stage(task, stages=house.stages, at=house.now)


def end(house: House, epoch: int = 1, reason: str = "published") -> tuple[str, ...]:
    task = Terminate(run_id=RUN, revision=REVISION, stage=STAGE, epoch=epoch, reason=reason)
    return terminate_instances(
        task, stack="s", stages=house.stages, executor=house.cloud, at=house.now
    ).instance_ids


def phase_done(at: datetime) -> PhaseRecord:
    return PhaseRecord(
        phase=Phase.QUALITY_CONTROL, status="completed", started_at=at, finished_at=at
    )


def plan(house: House, basecalling: Any = "disabled") -> list[tuple[str, ...]]:
    manifest = house.manifests.of(RUN, REVISION)
    task = Plan(
        action="plan",
        run_id=RUN,
        revision=REVISION,
        manifest_digest=manifest.digest(),
        profile="default",
    )
    planned = plan_stages(task, house.desk(), profile=profile, basecalling=basecalling)
    return [stage.phases for stage in planned.stages]


def test_basecalled_reads_skip_basecalling_and_one_fact_records_it(house: House) -> None:
    house.seal()
    assert plan(house) == [
        (Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL, Phase.PATHOGEN_DETECTION),
        (Phase.QUANTIFICATION, Phase.REPORTING),
    ]
    house.later(minutes=1)
    plan(house)
    facts = [f for f in house.stages.facts(RUN, REVISION) if type(f).__name__ == "PhaseCompleted"]
    assert len(facts) == 1
    assert facts[0].model_dump()["record"]["status"] == "skipped"


def test_raw_signal_needs_a_basecaller_before_anything_is_launched(house: House) -> None:
    house.seal(a_manifest(ReadKind.POD5))
    with pytest.raises(BasecallerMissing, match="Basecalling=enabled"):
        plan(house)
    assert plan(house, "enabled")[0] == (Phase.BASECALLING,)


def test_a_plan_for_another_manifest_is_not_made(house: House) -> None:
    house.seal()
    task = Plan(
        action="plan", run_id=RUN, revision=REVISION, manifest_digest="0" * 64, profile="default"
    )
    with pytest.raises(Conflict):
        plan_stages(task, house.desk(), profile=profile, basecalling="disabled")


def test_opening_writes_an_order_with_history_bill_and_bundle(house: House) -> None:
    house.seal()
    assert house.open().epoch == 1
    order = house.results.get_json(s3_keys.order_key(RUN, REVISION, STAGE), WorkOrder)
    assert (order.bundle, order.bundle_sha256) == ("demo@1", None)
    assert [entry.what for entry in order.timeline] == ["run sealed", "run started"]
    house.launch(1)
    house.later(minutes=30)
    end(house)
    assert house.open().epoch == 2
    order = house.results.get_json(s3_keys.order_key(RUN, REVISION, STAGE), WorkOrder)
    assert [entry.what for entry in order.timeline][2:] == [
        "screen: machine launched",
        "screen: machine ended",
    ]
    assert [line.epoch for line in order.bill_so_far] == [1]


def test_a_stage_whose_manifest_is_there_is_not_launched_again(house: House) -> None:
    house.claimed()
    house.publish()
    opened = house.open()
    assert (opened.epoch, opened.manifest_key) == (1, MANIFEST_KEY)
    assert house.record().state is StageState.PUBLISHED


def test_launching_twice_gives_the_same_machine_with_the_intent_first(house: House) -> None:
    house.seal()
    house.open()
    assert house.launch(1) == house.launch(1) == "i-1"
    assert len(house.cloud.launches) == 1
    (intent,) = house.stages.intents(KEY, 1)
    assert intent.client_token == intent.spec.client_token()
    assert house.record().state is StageState.LAUNCHED


def test_the_same_request_goes_out_again_after_a_crash_between_intent_and_launch(
    house: House,
) -> None:
    house.seal()
    house.open()
    house.cloud.full["spot"] = LaunchUnknown("lost")
    with pytest.raises(LaunchUnknown):
        house.launch(1)
    house.later(minutes=3)
    house.cloud.full.clear()
    house.launch(1)
    first, second = house.cloud.launches
    assert first == second
    assert first.client_token() == second.client_token()


def test_no_spot_capacity_leads_to_on_demand_and_no_capacity_at_all_is_an_error(
    house: House,
) -> None:
    house.seal()
    house.open()
    house.cloud.full["spot"] = CapacityUnavailable("full")
    house.launch(1)
    assert house.record().purchase == "on-demand"
    assert [i.spec.purchase for i in house.stages.intents(KEY, 1)] == ["spot", "on-demand"]
    house.open()
    house.cloud.full["on-demand"] = CapacityUnavailable("full too")
    with pytest.raises(CapacityUnavailable, match="full too"):
        house.launch(2)


def test_who_has_to_wait_for_spot_gets_on_demand_after_his_waits(house: House) -> None:
    house.seal()
    full = CapacityUnavailable("full")
    house.cloud.full["spot"] = full
    for epoch in (1, 2):
        house.open()
        with pytest.raises(CapacityUnavailable):
            house.launch(epoch, spot_waits=2)
        house.wait_again(epoch, full)
    house.open()
    house.launch(3, spot_waits=2)
    assert [spec.purchase for spec in house.cloud.launches] == ["spot", "spot", "spot", "on-demand"]


def test_who_waits_for_spot_gets_on_demand_when_no_wait_would_help(house: House) -> None:
    house.seal()
    house.open()
    house.cloud.full["spot"] = ConfigurationRefused("InvalidParameterValue")
    house.launch(1, spot_waits=2)
    assert house.record().purchase == "on-demand"


def test_r3_what_one_rung_refuses_another_may_grant(house: House) -> None:
    """EC2 refuses a request for its content (a tag, a disk), and takes another."""
    house.seal()
    house.open()
    house.cloud.full["spot"] = ConfigurationRefused("InvalidParameterValue")
    house.launch(1)
    assert house.record().purchase == "on-demand"


def refusals(house: House) -> list[Any]:
    facts = house.table.query(f"RUN#{RUN}", "FACT#")
    return [item for item in facts if item.attributes["detail_type"] == "LaunchRefused"]


def test_r3_refused_on_every_rung_the_run_ends_and_all_of_them_are_named(house: House) -> None:
    house.seal()
    house.open()
    house.cloud.full["spot"] = ConfigurationRefused("no such tag")
    house.cloud.full["on-demand"] = ConfigurationRefused("no such disk")
    with pytest.raises(ConfigurationRefused, match=r"spot: no such tag.*on-demand: no such disk"):
        house.launch(1)
    assert [spec.purchase for spec in house.cloud.launches] == ["spot", "on-demand"]
    facts = [
        LaunchRefused.model_validate_json(item.attributes["detail"]) for item in refusals(house)
    ]
    assert max(facts, key=lambda f: f.rung).then == "the run ends: waiting changes nothing"
    assert Budget(house.table).books(RUN, REVISION).held_usd == 0


@pytest.mark.parametrize("waits", ["spot", "on-demand"])
def test_r3_while_one_rung_may_give_a_machine_later_the_run_waits(house: House, waits: str) -> None:
    house.seal()
    house.open()
    other = "on-demand" if waits == "spot" else "spot"
    house.cloud.full[waits] = CapacityUnavailable("full")
    house.cloud.full[other] = ConfigurationRefused("no such disk")
    with pytest.raises(CapacityUnavailable, match=r"full.*no such disk|no such disk.*full"):
        house.launch(1)


def test_a_machine_that_is_one_too_many_is_ended_at_once(house: House) -> None:
    house.seal()
    house.open()
    house.stages.apply(KEY, stage_lifecycle.claim, 1, "i-earlier", house.now)
    with pytest.raises(Conflict):
        house.launch(1)
    assert house.cloud.ended == ["i-1"]


def test_an_epoch_whose_machine_died_gets_no_second_one(house: House) -> None:
    house.seal()
    house.open()
    house.launch(1)
    house.cloud.lose("i-1")
    assert house.launch(1) == "i-1"
    assert len(house.cloud.launches) == 1


def test_a_stage_that_ended_before_its_launch_gets_no_machine(house: House) -> None:
    house.seal()
    house.open()
    house.stages.apply(KEY, stage_endings.fail, 1, "WorkerLost", "problem", house.now)
    assert house.launch(1) == ""
    assert house.cloud.launches == []


def test_an_old_epoch_launches_nothing(house: House) -> None:
    house.seal()
    house.open()
    house.open()
    with pytest.raises(StaleEpoch):
        house.launch(1)
    assert house.cloud.launches == []


def test_nothing_is_launched_when_the_budget_is_used_up(house: House) -> None:
    house.seal()
    house.open()
    house.launch(1)
    house.later(hours=100)
    end(house)
    house.open()
    with pytest.raises(BudgetExceeded, match=r"budget of run run-1 is 15\.00 USD"):
        house.launch(2, budget_usd=15.0)


def test_a_worker_that_publishes_moves_the_state_machine_on_once(house: House) -> None:
    house.claimed()
    house.publish()
    for _ in range(3):
        send(house, Published, manifest_key=draft_of())
    assert house.state_machine.answers == [("t1", "success", MANIFEST_KEY)]
    assert house.record().task_token is None
    assert facts_in(house.table, RUN).count("StageCompleted") == 1


def test_a_worker_that_is_faster_than_the_state_machine_is_not_lost(house: House) -> None:
    house.seal()
    house.open()
    house.launch(1)
    house.publish()
    send(house, Published, manifest_key=draft_of())
    assert house.state_machine.answers == []
    house.wait(1, "t1")
    assert house.state_machine.answers == [("t1", "success", MANIFEST_KEY)]


def test_a_crash_between_ledger_and_callback_is_repaired_by_the_message_coming_again(
    house: House,
) -> None:
    house.claimed()
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 4, house.now)  # then it died
    send(house, Interrupted, last_checkpoint=4)
    assert [h[:2] for h in house.state_machine.answers] == [("t1", "SpotInterrupted")]


def test_a_claim_to_have_published_is_checked(house: House) -> None:
    house.claimed()
    with pytest.raises(Unavailable, match="it is not there"):
        send(house, Published, manifest_key=draft_of())
    assert house.record().state is StageState.CLAIMED


def test_beats_move_progress_and_the_state_machines_clock(house: House) -> None:
    house.claimed()
    house.later(minutes=1)
    send(house, Beat, progress=Progress(phase=Phase.QUALITY_CONTROL, units_done=7, checkpoint=7))
    assert house.state_machine.beats == ["t1"]
    progress = house.record().progress
    assert progress is not None
    assert progress.units_done == 7
    house.state_machine.over.add("t1")
    house.later(minutes=1)
    send(house, Beat, progress=Progress(phase=Phase.QUALITY_CONTROL, units_done=8))


def test_a_worker_whose_clock_is_ahead_does_not_look_alive_for_longer(house: House) -> None:
    house.claimed()
    ahead = house.now + timedelta(hours=5)
    house.later(minutes=1)
    progress = Progress(phase=Phase.QUALITY_CONTROL)
    message = Beat(
        run_id=RUN,
        revision=REVISION,
        stage=STAGE,
        epoch=1,
        instance_id="i-1",
        at=ahead,
        progress=progress,
    )
    handle_worker_message(message, house.desk())
    assert house.record().last_beat == house.now


@pytest.mark.parametrize("kind", [Claimed, Beat, Interrupted, StageBroken, PhaseDone])
def test_messages_of_a_fenced_machine_change_nothing(house: House, kind: type[Any]) -> None:
    house.claimed()
    house.open()
    more: dict[type[Any], dict[str, Any]] = {
        Beat: {"progress": Progress(phase=Phase.QUALITY_CONTROL)},
        Interrupted: {"last_checkpoint": 1},
        StageBroken: {"error": "WorkerFailed", "problem": "x"},
        PhaseDone: {"record": phase_done(house.now)},
    }
    before = house.record()
    with pytest.raises(StaleEpoch):
        send(house, kind, **more.get(kind, {}))
    assert house.record() == before
    assert house.state_machine.answers == []


def test_a_suspicion_counts_from_any_epoch_and_is_recorded_once(house: House) -> None:
    house.claimed()
    house.open()
    for reads in (3, 9):
        send(
            house,
            Suspected,
            sample="s1",
            code="PERV-C",
            name="PERV-C",
            severity="critical",
            reads=reads,
        )
    assert facts_in(house.table, RUN).count("PathogenSuspected") == 1


def test_a_finished_phase_is_recorded_once(house: House) -> None:
    house.claimed()
    for _ in range(2):
        send(house, PhaseDone, record=phase_done(house.now))
    assert facts_in(house.table, RUN).count("PhaseCompleted") == 1


def test_interrupted_work_goes_on_under_the_next_epoch_elsewhere(house: House) -> None:
    house.claimed()
    send(house, Interrupted, last_checkpoint=4)
    assert house.state_machine.answers[0][:2] == ("t1", "SpotInterrupted")
    end(house, reason="interrupted")
    assert house.open().epoch == 2
    house.launch(2)
    assert house.record().instance_type == "r5.2xlarge"  # m5 was taken back
    assert (house.record().interruptions, house.record().errors) == (1, 0)


def test_a_broken_stage_is_tried_three_times_in_all(house: House) -> None:
    house.claimed()
    decisions = []
    for epoch in (1, 2, 3):
        problem = "something broke."
        send(house, StageBroken, epoch, f"i-{epoch}", error="WorkerFailed", problem=problem)
        decisions.append(decide(house, "WorkerFailed", epoch).decision)
        end(house, epoch, "failed")
        house.open()
        house.launch(epoch + 1)
    assert decisions == ["retry", "retry", "fail"]


def test_deciding_twice_gives_the_same_answer_and_counts_once(house: House) -> None:
    house.claimed()
    first = decide(house, "WorkerLost", cause='{"errorType": "X", "errorMessage": "went silent."}')
    assert decide(house, "WorkerLost") == first
    assert first.decision == "retry"
    assert "went silent." in first.reason
    assert house.record().errors == 1


def test_a_full_disk_is_followed_by_twice_the_disk_and_no_other_failure_is(house: House) -> None:
    house.seal()
    disks = []
    for error in ("WorkerLost", "DiskFull", "DiskFull"):
        epoch = house.open().epoch
        house.launch(epoch)
        disks.append(house.cloud.launches[-1].disk_gib)
        end(house, epoch, "failed")
        decided = decide(house, error, epoch)
    assert disks == [SPEC.disk_gib, SPEC.disk_gib, 2 * SPEC.disk_gib]
    assert decided.decision == "fail" and "disk_gib" in decided.reason
    assert house.record().full_disks == 2


def test_a_full_disk_of_a_batch_job_is_followed_by_more_than_its_host_had(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.seal()
    epoch = house.open().epoch
    launch = house.cloud.launch

    def job(*arguments: Any) -> Machine:
        return launch(*arguments).model_copy(update={"executor": "batch"})

    with monkeypatch.context() as patch:
        patch.setattr(house.cloud, "launch", job)
        house.launch(epoch)
    end(house, epoch, "failed")
    decide(house, "DiskFull", epoch)
    house.launch(house.open().epoch)
    assert house.cloud.launches[-1].disk_gib == 2 * HOST_GIB


def test_refused_input_is_not_tried_again(house: House) -> None:
    house.claimed()
    decided = decide(house, "NoReadsLeft", cause="nothing passed.")
    assert decided.decision == "fail"
    assert decided.reason.startswith("nothing passed.\nNo read was good enough: ")


def test_what_is_given_up_ends_with_what_helps_unless_the_problem_names_its_remedy(
    house: House,
) -> None:
    house.claimed()
    assert decide(house, "BundleRefused", cause="no panel.").reason.endswith(
        "What helps: porewatch references verify."
    )


def test_a_refusal_that_names_its_own_remedy_is_passed_on_as_it_is(house: House) -> None:
    house.claimed()
    problem = "no panel. Remedy: build it."
    assert decide(house, "BundleRefused", cause=problem).reason == problem


def test_waiting_for_a_machine_uses_up_waits_and_waits_longer_each_time(house: House) -> None:
    house.seal()
    waits = []
    for epoch in range(1, 14):
        house.stages.open_stage(KEY, SPEC, house.now)
        decided = decide(house, "CapacityUnavailable", epoch)
        waits.append(decided.wait_seconds if decided.decision == "retry" else 0)
    plain = [30, 60, 120, 240, 480, *[900] * 7, 0]
    assert all(0.75 * p <= w <= 1.25 * p for w, p in zip(waits, plain, strict=True)), waits
    assert house.record().errors == 0


def test_twenty_interruptions_are_survived_and_the_twenty_first_is_not(house: House) -> None:
    house.seal()
    decisions = []
    for epoch in range(1, 22):
        house.stages.open_stage(KEY, SPEC, house.now)
        house.stages.apply(KEY, stage_lifecycle.claim, epoch, "i-1", house.now)
        decisions.append(decide(house, "SpotInterrupted", epoch).decision)
    assert decisions == ["retry"] * 20 + ["fail"]


def test_a_stage_that_was_published_after_all_is_opened_and_found_published(house: House) -> None:
    house.claimed()
    house.publish()
    send(house, Published, manifest_key=draft_of())
    assert decide(house, "WorkerLost").decision == "retry"
    assert house.open().manifest_key == MANIFEST_KEY


@pytest.mark.parametrize(
    ("error", "state"),
    [
        ("NoReadsLeft", RunState.REFUSED),
        ("BasecallerMissing", RunState.REFUSED),
        ("WorkerFailed", RunState.FAILED),
        ("ConfigurationRefused", RunState.FAILED),
        ("BudgetExceeded", RunState.FAILED),
        ("States.Runtime", RunState.FAILED),
    ],
)
def test_a_run_ends_by_whose_turn_it_is_with_one_fact(
    house: House, error: str, state: RunState
) -> None:
    house.seal()
    cause = '{"errorType": "X", "errorMessage": "the words."}'
    task = FailRun(
        action="fail_run", run_id=RUN, revision=REVISION, stage=STAGE, error=error, cause=cause
    )
    answers = [house.fail(task) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].problem == "the words."
    run = house.runs.get(RUN)
    assert (run.state, run.problem) == (state, "the words.")
    kind = "RunRefused" if state is RunState.REFUSED else "RunFailed"
    assert facts_in(house.table, RUN).count(kind) == 1


def over(house: House, status: Any, error: str = "", cause: str = "") -> None:
    ended = ExecutionEnded(run_id=RUN, revision=REVISION, status=status, error=error, cause=cause)
    house.close(ended)


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
def test_a_run_whose_execution_was_ended_from_outside_ends_and_its_machine_too(
    house: House, status: str
) -> None:
    house.claimed()
    over(house, status)
    over(house, status)
    assert house.runs.get(RUN).state is RunState.FAILED
    assert facts_in(house.table, RUN).count("RunFailed") == 1
    (failed,) = (f for f in house.stages.facts(RUN, REVISION) if isinstance(f, StageFailed))
    assert not failed.will_retry
    with pytest.raises(StaleEpoch):
        send(house, Claimed)
    assert house.cloud.ended == ["i-1"]
    (line,) = (line for line in house.runs.cost_lines(RUN) if line.what == "machine")
    assert line.instance_id == "i-1"
    sweep(house.watch())
    assert list(house.stages.awaiting()) == []
    assert house.state_machine.answers == []


@pytest.mark.parametrize(
    ("error", "state"), [("NoReadsLeft", RunState.REFUSED), ("", RunState.FAILED)]
)
def test_a_run_whose_last_task_failed_without_a_cause_ends_all_the_same(
    house: House, error: str, state: RunState
) -> None:
    house.seal()
    over(house, "FAILED", error, "the words." if error else "")
    run = house.runs.get(RUN)
    expected = "the words." if error else "its execution failed, and could not say why."
    assert (run.state, run.problem) == (state, expected)


def test_the_late_end_of_an_execution_does_not_touch_a_run_that_ended_well(house: House) -> None:
    house.seal()
    house.runs.apply(
        RUN, run_endings.complete, REVISION, report_keys={}, findings=0, cost_usd=0, at=house.now
    )
    over(house, "FAILED", "Throttled", "the answer was lost")
    assert house.runs.get(RUN).state is RunState.COMPLETED


def test_a_machine_is_ended_and_paid_for_once(house: House) -> None:
    house.claimed()
    house.later(minutes=30)
    assert end(house) == ("i-1",)
    house.later(minutes=30)
    assert end(house) == ("i-1",)
    (line,) = house.stages.cost_lines(RUN, REVISION)
    assert line.seconds == 1800
    disk = 100 * 0.08 / 720 / 2  # 100 GiB for half an hour of a month of 720
    assert line.volume_usd == pytest.approx(disk, abs=1e-6)
    assert line.usd == pytest.approx(0.1536 / 2 + disk, abs=1e-6)
    assert line.on_demand_usd == pytest.approx(0.384 / 2 + disk, abs=1e-6)
    assert facts_in(house.table, RUN).count("InstanceTerminated") == 1


def test_a_machine_longer_than_a_day_is_paid_for_the_days_too(house: House) -> None:
    house.claimed()
    house.later(hours=25)
    end(house)
    assert house.stages.cost_lines(RUN, REVISION)[0].seconds == 25 * 3600


def test_a_machine_that_died_alone_is_paid_until_it_died(house: House) -> None:
    house.claimed()
    house.later(minutes=10)
    house.cloud.lose("i-1")
    house.later(hours=2)
    end(house)
    assert house.cloud.ended == []
    assert house.stages.cost_lines(RUN, REVISION)[0].seconds == 600


def test_a_machine_the_cloud_has_forgotten_is_still_on_the_bill(house: House) -> None:
    house.claimed()
    house.cloud.machines.clear()
    house.later(minutes=5)
    end(house)
    assert house.stages.cost_lines(RUN, REVISION)[0].instance_id == "i-1"


def test_two_machines_of_one_epoch_are_both_ended_and_both_paid_for(house: House) -> None:
    house.claimed()
    owner = house.cloud.machines["i-1"].owner
    house.cloud.machines["i-2"] = Machine(
        instance_id="i-2",
        state=MachineState.RUNNING,
        instance_type="r5.2xlarge",
        purchase="on-demand",
        availability_zone="eu-central-1b",
        launched_at=house.now,
        owner=owner,
    )
    house.later(minutes=5)
    assert end(house) == ("i-1", "i-2")
    assert end(house) == ("i-1", "i-2")
    assert len(house.stages.cost_lines(RUN, REVISION)) == 2


def test_ending_a_stage_that_never_had_a_machine_is_a_success(house: House) -> None:
    house.seal()
    house.open()
    assert end(house) == ()
    assert house.stages.cost_lines(RUN, REVISION) == ()


@pytest.mark.parametrize("error", ["Unavailable", "Throttled"])
def test_a_broken_stage_has_no_error_name_on_which_the_waiting_is_only_repeated(
    house: House, error: str
) -> None:
    house.claimed()
    send(house, StageBroken, error=error, problem="S3 did not answer")
    assert house.state_machine.answers == [("t1", "WorkerFailed", "S3 did not answer")]
    assert house.record().error == error
    assert decide(house, "WorkerFailed").decision == "retry"


def test_only_the_machine_that_owns_the_stage_can_break_it(house: House) -> None:
    house.claimed()
    with pytest.raises(StaleEpoch):
        send(house, StageBroken, who="i-2", error="Unavailable", problem="could not claim")
    assert house.record().state is StageState.CLAIMED


def test_two_machines_of_one_epoch_that_are_settled_at_once_are_both_paid_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminator and the sweep: both look at the bill before either has written."""
    house.claimed()
    one = house.cloud.machines["i-1"]
    other = one.model_copy(update={"instance_id": "i-2"})
    house.later(minutes=5)
    with monkeypatch.context() as patch:
        patch.setattr(house.table, "get", racing(house.table.get, settle(house, one)))
        settle(house, other)()
    paid = [line.instance_id for line in house.stages.cost_lines(RUN, REVISION)]
    assert paid == ["i-1", "i-2"]
    settle(house, other)()
    assert len(house.stages.cost_lines(RUN, REVISION)) == 2


def settle(house: House, machine: Machine) -> Callable[[], None]:
    assert machine.owner is not None
    owner, cloud = machine.owner, house.cloud
    return lambda: end_machine(
        machine, owner, "r", stages=house.stages, executor=cloud, at=house.now
    )


def racing(look: Callable[..., Any], meanwhile: Callable[[], None]) -> Callable[..., Any]:
    """`look`, after whose first answer somebody else is faster."""
    others = [meanwhile]

    def slow(*place: str) -> Any:
        seen = look(*place)
        while others:
            others.pop()()
        return seen

    return slow
