"""Money of whole stages: held, used, lost, paid once, whatever happens to the machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.table import Table
from porewatch.compute.price_table import price_list
from porewatch.domain.errors import BudgetExceeded, CapacityUnavailable, LaunchUnknown
from porewatch.domain.forecast.service_usage import orchestration_line
from porewatch.domain.money.budget import micro
from porewatch.domain.money.cost import (
    FILES,
    ORCHESTRATION,
    CostLine,
)
from porewatch.domain.rules import run_endings, stage_endings, stage_lifecycle
from porewatch.domain.stage.cloud_events import ExecutionEnded
from porewatch.domain.stage.instances import Owner
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.state_machine_tasks import (
    FailRun,
    Terminate,
)
from porewatch.usecases.instances.terminate_instances import (
    end_machine,
    terminate_instances,
)
from porewatch.usecases.money.settle_overhead import activity_of
from porewatch.usecases.monitoring.monitor_instances import sweep
from tests.unit.usecases.house import KEY, MANIFEST_KEY, REVISION, RUN, SPEC, STAGE, House


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    return House(ledger)


@pytest.fixture
def budget(house: House) -> Budget:
    return Budget(house.table, run_usd=25)


def owner(epoch: int = 1) -> Owner:
    return Owner(stack="s", run_id=RUN, revision=REVISION, stage=STAGE, epoch=epoch)


def end(house: House, epoch: int = 1) -> None:
    task = Terminate(run_id=RUN, revision=REVISION, stage=STAGE, epoch=epoch, reason="r")
    terminate_instances(task, stack="s", stages=house.stages, executor=house.cloud, at=house.now)


def beat(house: House, checkpoint: int, written: datetime, who: str = "i-1") -> None:
    progress = Progress(
        phase=Phase.HOST_REMOVAL, checkpoint=checkpoint, checkpoint_at=written, units_done=1
    )
    house.stages.apply(KEY, stage_lifecycle.beat, 1, who, progress, house.now)


def lines(house: House) -> tuple[CostLine, ...]:
    """The machines on the bill."""
    bill = house.stages.cost_lines(RUN, REVISION)
    return tuple(line for line in bill if line.what == "machine")


def split(line: CostLine) -> tuple[float | None, ...]:
    return line.boot_seconds, line.useful_seconds, line.wasted_seconds


def started(house: House) -> None:
    """Launched at 12:00, claimed two minutes later."""
    house.seal()
    house.open()
    house.launch(1)
    house.later(minutes=2)
    house.stages.apply(KEY, stage_lifecycle.claim, 1, "i-1", house.now)


def test_a_machine_that_published_is_useful_but_for_its_start(house: House) -> None:
    started(house)
    house.later(minutes=28)
    house.publish()
    manifest = house.manifest()
    house.stages.apply(KEY, stage_endings.publish, manifest, MANIFEST_KEY, house.now)
    end(house)
    assert [split(line) for line in lines(house)] == [(120, 1680, 0)]


def test_a_machine_that_vanished_wasted_what_followed_its_last_checkpoint(house: House) -> None:
    started(house)
    house.later(minutes=20)
    beat(house, 3, house.now - timedelta(minutes=5))
    house.later(minutes=8)
    end(house)
    assert [split(line) for line in lines(house)] == [(120, 900, 780)]


def test_what_a_machine_saved_with_its_last_message_is_not_wasted(house: House) -> None:
    started(house)
    house.later(minutes=20)
    beat(house, 3, house.now - timedelta(minutes=5))
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 4, house.now)
    house.later(minutes=1)
    end(house)
    assert [split(line) for line in lines(house)] == [(120, 1200, 60)]


def test_a_last_message_without_a_new_checkpoint_saves_nothing(house: House) -> None:
    started(house)
    house.later(minutes=20)
    beat(house, 3, house.now - timedelta(minutes=5))
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 3, house.now)
    end(house)
    assert [split(line) for line in lines(house)] == [(120, 900, 300)]


def test_a_machine_too_many_was_for_nothing(house: House) -> None:
    started(house)
    other = house.cloud.machines["i-1"].model_copy(update={"instance_id": "i-2"})
    house.later(minutes=3)
    end_machine(other, owner(), "r", stages=house.stages, executor=house.cloud, at=house.now)
    assert [split(line) for line in lines(house)] == [(0, 0, 300)]


def test_a_machine_that_outlived_its_epoch_still_started_once(house: House) -> None:
    started(house)
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", None, house.now)
    house.open()
    house.later(minutes=8)
    machine = house.cloud.machines["i-1"]
    end_machine(machine, owner(), "r", stages=house.stages, executor=house.cloud, at=house.now)
    assert [split(line) for line in lines(house)] == [(120, 0, 480)]


def test_what_was_held_and_not_used_is_given_back_with_the_epoch(
    house: House, budget: Budget
) -> None:
    house.seal()
    house.open()
    budget.reserve(owner(), 4.0, house.now)
    end(house)
    end(house)
    books = budget.books(RUN, REVISION)
    assert (books.released_usd, books.held_usd, books.spent_usd) == (4.0, 0.0, 0.0)


def test_two_machines_of_an_epoch_are_both_spent_and_reserved_once(
    house: House, budget: Budget
) -> None:
    started(house)
    held = budget.books(RUN, REVISION).held_usd
    machine = house.cloud.machines["i-1"]
    house.cloud.machines["i-2"] = machine.model_copy(update={"instance_id": "i-2"})
    house.later(minutes=30)
    for _ in range(3):
        end(house)
    books = budget.books(RUN, REVISION)
    assert len(lines(house)) == 2
    assert (books.settled_usd, books.released_usd, books.held_usd) == (held, 0.0, 0.0)
    assert books.spent_usd == pytest.approx(sum(line.usd for line in lines(house)))
    assert books.balanced


def test_a_machine_found_after_the_money_was_given_back_is_still_paid(
    house: House, budget: Budget
) -> None:
    started(house)
    held = budget.books(RUN, REVISION).held_usd
    budget.release(owner(), house.now)
    house.later(minutes=30)
    end(house)
    books = budget.books(RUN, REVISION)
    assert (books.released_usd, books.settled_usd) == (held, 0.0)
    assert books.spent_usd == pytest.approx(lines(house)[0].usd)


def test_a_launch_holds_what_its_dearest_rung_may_cost(house: House, budget: Budget) -> None:
    house.seal()
    house.open()
    house.launch(1)
    (held,) = budget.held()
    most = price_list().usd("r5.2xlarge", "on-demand", SPEC.phase_deadline_s)
    disk = price_list().disk_usd(SPEC.disk_gib, SPEC.phase_deadline_s)
    assert held.held == micro(most + disk)


def test_a_launch_that_no_rung_served_gives_its_money_back(house: House, budget: Budget) -> None:
    house.seal()
    house.open()
    nothing = CapacityUnavailable("all pools are empty")
    house.cloud.full = {"spot": nothing, "on-demand": nothing}
    with pytest.raises(CapacityUnavailable):
        house.launch(1)
    books = budget.books(RUN, REVISION)
    assert (books.held_usd, books.released_usd > 0, books.balanced) == (0.0, True, True)


def test_a_launch_of_unknown_outcome_keeps_its_money_until_the_epoch_is_closed(
    house: House, budget: Budget
) -> None:
    house.seal()
    house.open()
    house.cloud.full = {"spot": LaunchUnknown("the answer was lost")}
    with pytest.raises(LaunchUnknown):
        house.launch(1)
    assert budget.books(RUN, REVISION).held_usd > 0
    end(house)
    assert budget.books(RUN, REVISION).held_usd == 0


def test_a_launch_beyond_the_budget_launches_no_machine(house: House) -> None:
    house.seal()
    house.open()
    with pytest.raises(BudgetExceeded, match=r"may cost 6\.\d+ USD"):
        house.launch(1, budget_usd=5.0)
    assert house.cloud.launches == []


def swept(house: House, budget_usd: float, account_usd: float = 0.0) -> list[str]:
    """The machines that a sweep ended under these caps."""
    caps = Budget(house.table, run_usd=budget_usd, account_usd=account_usd)
    house.stages.apply(
        KEY, stage_lifecycle.beat, 1, "i-1", Progress(phase=Phase.HOST_REMOVAL), house.now
    )
    sweep(replace(house.watch(), budget=caps))
    return house.cloud.ended


def test_work_below_its_budget_is_left_alone(house: House) -> None:
    started(house)
    house.later(hours=10)
    assert swept(house, budget_usd=1.6) == []  # 1.54 by then


def test_work_that_passes_its_budget_is_stopped_once(house: House) -> None:
    started(house)
    house.later(hours=10)
    assert swept(house, budget_usd=1.5) == ["i-1"]
    house.later(minutes=1)
    assert swept(house, budget_usd=1.5) == ["i-1"]


def test_what_was_paid_before_counts_too(house: House) -> None:
    started(house)
    Budget(house.table).settle(owner(9), 1.0, house.now)
    house.later(hours=5)
    assert swept(house, budget_usd=1.8) == []
    house.later(hours=1)
    assert swept(house, budget_usd=1.8) == ["i-1"]


def test_the_account_stops_work_that_its_run_could_afford(house: House) -> None:
    started(house)
    house.later(hours=10)
    assert swept(house, budget_usd=25, account_usd=1.5) == ["i-1"]


def test_after_the_stop_nothing_is_launched_and_the_refusal_names_the_sum(house: House) -> None:
    started(house)
    house.later(hours=10)
    swept(house, budget_usd=1.5)
    house.stages.apply(KEY, stage_endings.interrupt, 1, "i-1", 7, house.now)
    end(house)
    house.open()
    with pytest.raises(BudgetExceeded, match=r"1\.50 USD, of which 1\.\d+ are spent"):
        house.launch(2, budget_usd=1.5)


def test_an_execution_that_is_stopped_before_its_machine_came_holds_nothing(
    house: House, budget: Budget
) -> None:
    house.seal()
    house.open()
    budget.reserve(owner(), 4.0, house.now)
    gone = ExecutionEnded(run_id=RUN, revision=REVISION, status="ABORTED", error="", cause="")
    house.close(gone)
    books = budget.books(RUN, REVISION)
    assert (books.held_usd, books.released_usd) == (0.0, 4.0)


def watched(house: House, budget: Budget) -> None:
    sweep(replace(house.watch(), budget=budget))


def closed(house: House) -> None:
    gone = ExecutionEnded(run_id=RUN, revision=REVISION, status="ABORTED", error="", cause="")
    house.close(gone)


def test_what_a_launcher_held_after_its_execution_was_stopped_is_given_back_later(
    house: House, budget: Budget
) -> None:
    """It had read the stage before the end, reserved after it, and died before it called EC2."""
    house.seal()
    house.open()
    closed(house)
    budget.reserve(owner(), 4.0, house.now)
    house.later(minutes=119)
    watched(house, budget)
    assert budget.books(RUN, REVISION).held_usd == 4.0
    house.later(minutes=1)
    watched(house, budget)
    books = budget.books(RUN, REVISION)
    assert (books.held_usd, books.released_usd, books.balanced) == (0.0, 4.0, True)
    assert lines(house) == ()


def test_a_machine_that_nobody_paid_and_no_cloud_shows_any_more_is_paid_from_the_ledger(
    house: House, budget: Budget
) -> None:
    """The monitor did not run while EC2 still showed it: an outage of hours."""
    started(house)
    held = budget.books(RUN, REVISION).held_usd
    house.later(minutes=28)
    closed(house)
    house.cloud.machines.clear()
    house.later(hours=5)
    watched(house, budget)
    assert [line.seconds for line in lines(house)] == [1800]
    books = budget.books(RUN, REVISION)
    assert (books.held_usd, books.settled_usd, books.balanced) == (0.0, held, True)


def test_what_an_epoch_at_work_holds_is_left_however_long_it_takes(
    house: House, budget: Budget
) -> None:
    started(house)
    for _ in range(9):
        house.later(hours=1)
        beat(house, 1, house.now)
        watched(house, budget)
    assert budget.books(RUN, REVISION).held_usd > 0


def test_what_an_earlier_epoch_left_held_is_freed_while_the_next_one_works(
    house: House, budget: Budget
) -> None:
    house.seal()
    house.open()
    budget.reserve(owner(), 4.0, house.now)  # its end failed as often as it was tried
    house.stages.apply(KEY, stage_endings.fail, 1, "LaunchUnknown", "lost", house.now)
    house.open()
    house.later(hours=2)
    house.launch(2)
    watched(house, budget)
    assert [held.epoch for held in budget.held()] == [2]


def test_a_job_that_waits_in_its_queue_runs_up_no_bill(house: House) -> None:
    started(house)
    queued = house.cloud.machines["i-1"].model_copy(update={"waiting": True})
    house.cloud.machines["i-1"] = queued
    house.later(hours=10)
    assert swept(house, budget_usd=1.5) == []


def overhead_of(house: House) -> tuple[CostLine, ...]:
    bill = house.stages.cost_lines(RUN, REVISION)
    return tuple(line for line in bill if line.what in (ORCHESTRATION, FILES))


def failed(house: House, error: str = "WorkerFailed") -> None:
    task = {"action": "fail_run", "run_id": RUN, "revision": REVISION, "cause": "enough."}
    house.fail(FailRun.model_validate({**task, "error": error}))


@pytest.mark.parametrize("error", ["WorkerFailed", "NoReadsLeft"])
def test_a_run_that_failed_or_was_refused_pays_for_what_was_no_machine_once(
    house: House, budget: Budget, error: str
) -> None:
    started(house)
    house.later(minutes=28)
    end(house)
    for _ in range(2):
        failed(house, error)
    settled = overhead_of(house)
    assert [(line.what, line.settled) for line in settled] == [
        (FILES, True),
        (ORCHESTRATION, True),
    ]
    assert settled[1].usd > 0
    whole = sum(line.usd for line in house.stages.cost_lines(RUN, REVISION))
    books = budget.books(RUN, REVISION)
    assert (books.spent_usd, books.held_usd) == (pytest.approx(whole), 0.0)
    assert house.runs.get(RUN).cost_usd == pytest.approx(whole)


def test_a_run_stopped_from_outside_pays_for_it_as_one_whose_machine_was_settled_before(
    house: House,
) -> None:
    """Its machine is ended by the next sweep, after the run: its beats are paid all the same."""
    started(house)
    house.later(hours=5)
    closed(house)
    (_, stopped) = overhead_of(house)
    end(house)
    seconds = sum(line.seconds for line in lines(house))
    done = activity_of(RUN, REVISION, runs=house.runs, stages=house.stages)
    assert (done.beats, seconds) == (302, 302 * 60)
    assert (
        stopped.usd
        >= orchestration_line(done.model_copy(update={"facts": 0}), price_list().services).usd
    )


def test_a_run_that_is_complete_is_not_paid_for_again_by_a_late_failure(house: House) -> None:
    house.seal()
    house.runs.apply(
        RUN, run_endings.complete, REVISION, report_keys={}, findings=0, cost_usd=1.0, at=house.now
    )
    failed(house)
    assert overhead_of(house) == ()
    assert house.runs.get(RUN).cost_usd == 1.0
