"""When the replacement of an interrupted machine is bought on-demand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from porewatch.domain.forecast.purchase_option import why_on_demand
from porewatch.domain.stage.record import Progress, StageRecord, StageState
from porewatch.domain.stage.spec import Phase, StageSpec

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = 3600
STAGE = StageSpec(
    name="screen",
    phases=(Phase.HOST_REMOVAL,),
    instance_types=("m5.2xlarge",),
    p90_seconds=2 * HOURS,
    phase_deadline_s=12 * HOURS,
)


def record(interruptions: int, done: int = 10, hours: float = 1) -> StageRecord:
    return StageRecord(
        run_id="run-1",
        revision=1,
        stage="screen",
        epoch=1 + interruptions,
        state=StageState.OPEN,
        phases=STAGE.phases,
        interruptions=interruptions,
        progress=Progress(phase=Phase.HOST_REMOVAL, units_done=done, units_total=100),
        first_launched_at=AT - timedelta(hours=hours),
        updated_at=AT,
    )


def text(of: StageRecord) -> str:
    why = why_on_demand(of, STAGE, AT)
    assert why is not None
    return why.text()


def test_a_first_machine_is_bought_on_spot_however_small_its_work() -> None:
    assert why_on_demand(record(0, done=99), STAGE, AT) is None


def test_so_is_the_replacement_while_much_is_left_and_time_enough() -> None:
    assert why_on_demand(record(1), STAGE, AT) is None


def test_the_second_interruption_is_enough() -> None:
    assert "took 2 machines" in text(record(2))


def test_little_work_is_not_worth_another_restart() -> None:
    assert "of work are left" in text(record(1, done=97))


def test_a_stage_whose_time_runs_out_takes_no_more_risk() -> None:
    assert "are gone" in text(record(1, hours=11))


def test_work_whose_size_is_not_known_counts_as_whole() -> None:
    unknown = record(1).model_copy(update={"progress": None})
    assert why_on_demand(unknown, STAGE, AT) is None
