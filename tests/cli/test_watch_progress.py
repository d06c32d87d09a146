"""What `porewatch watch` shows of a stage's progress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from porewatch.compute.price_table import price_list
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.stage.record import Progress, StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli.runs.pace import Pace, eta_text
from porewatch_cli.runs.picture import picture
from porewatch_cli.runs.progress import (
    progress_bar,
    progress_text,
)
from porewatch_cli.runs.run_view import RunView, running_usd
from porewatch_cli.runs.watch import one_line
from porewatch_cli.terminal import PlainConsole

AT = datetime(2026, 11, 21, 6, tzinfo=UTC)
PROGRESS = Progress(
    phase=Phase.PATHOGEN_DETECTION,
    units_done=12,
    reads=48_000,
    bytes_done=34_200_000,
    bytes_total=80_000_000,
    checkpoint=12,
    checkpoint_at=AT - timedelta(seconds=8),
    interval_s=84.9,
)


def styles(progress: Progress, at: datetime = AT) -> dict[str, str]:
    text = progress_text(progress, at)
    return {text.plain[s.start : s.end]: str(s.style) for s in text.spans if s.style}


def test_units_bytes_reads_and_the_age_of_the_checkpoint_stand_in_one_line() -> None:
    assert progress_text(PROGRESS, AT).plain == (
        "12 units, 34.2/80.0 MB, 48,000 reads, checkpoint 12 (8 s ago, every 85 s)"
    )


def test_a_checkpoint_is_green_and_one_that_is_late_is_yellow() -> None:
    assert list(styles(PROGRESS).values()) == ["green"]
    late = styles(PROGRESS, AT + timedelta(minutes=5))
    assert late == {"checkpoint 12 (5 min ago, every 85 s)": "yellow"}


def test_units_that_were_given_up_are_red() -> None:
    progress = PROGRESS.model_copy(update={"quarantined": (7, 9)})
    assert styles(progress)["units 7, 9 quarantined"] == "bold red"


def test_before_the_first_unit_only_the_note_is_shown() -> None:
    progress = Progress(phase=Phase.BASECALLING, units_total=3, note="fetching pod5/a.pod5: 40%")
    assert progress_text(progress, AT).plain == "0/3 units, fetching pod5/a.pod5: 40%"


def test_the_bar_goes_by_bytes_then_units_then_to_and_fro() -> None:
    by_bytes = progress_bar(PROGRESS)
    assert (by_bytes.total, by_bytes.completed) == (80_000_000, 34_200_000)
    by_units = progress_bar(Progress(phase=Phase.BASECALLING, units_total=4, units_done=1))
    assert (by_units.total, by_units.completed, by_units.pulse) == (4, 1, False)
    assert progress_bar(Progress(phase=Phase.BASECALLING)).pulse


def a_view() -> RunView:
    run = RunRecord(
        run_id="run-1", revision=1, state=RunState.RUNNING, created_at=AT, updated_at=AT
    )
    stage = StageRecord(
        run_id="run-1",
        revision=1,
        stage="screen",
        epoch=2,
        state=StageState.CLAIMED,
        phases=(Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL, Phase.PATHOGEN_DETECTION),
        progress=PROGRESS.model_copy(update={"quarantined": (7,)}),
        updated_at=AT,
    )
    return RunView(run=run, files=(), stages=(stage,), phases=(), costs=())


def test_a_pipe_a_terminal_and_json_all_have_it() -> None:
    view = a_view()
    assert "pathogen_detection 12 units, 34.2/80.0 MB" in one_line(view)
    assert "unit 7 quarantined" in one_line(view)
    assert "ago" not in one_line(view), "a pipe gets a line for a change, not for every second"
    console = Console(width=240, record=True)
    with console.capture() as shown:
        console.print(picture(view))
    assert "34.2/80.0 MB" in shown.get()
    assert "ago, every 85 s" in shown.get()
    again = RunView.model_validate_json(view.model_dump_json()).stages[0].progress
    assert again == view.stages[0].progress


def on_a_machine(bytes_done: int, *, epoch: int = 2) -> RunView:
    view = a_view()
    stage = view.stages[0].model_copy(
        update={
            "epoch": epoch,
            "instance_type": "m5.large",
            "purchase": "spot",
            "instance_id": "i-1",
            "launched_at": AT,
            "progress": PROGRESS.model_copy(update={"bytes_done": bytes_done}),
        }
    )
    return view.model_copy(update={"stages": (stage,)})


def drawn(view: RunView, pace: Pace, at: datetime, width: int = 80) -> str:
    console = PlainConsole(width=width)
    with console.capture() as shown:
        console.print(picture(view, pace, at))
    return shown.get()


def test_the_time_that_is_left_follows_from_the_speed_of_this_attempt() -> None:
    pace = Pace()
    assert pace.seconds_left(on_a_machine(20_000_000), AT) is None
    later = AT + timedelta(seconds=60)
    assert pace.seconds_left(on_a_machine(20_000_000), later) is None, "nothing was done"
    assert pace.seconds_left(on_a_machine(40_000_000), later) == 120
    assert "about 2 min left in this stage" in drawn(on_a_machine(40_000_000), pace, later)
    assert pace.seconds_left(on_a_machine(40_000_000, epoch=3), later) is None, "another machine"
    assert eta_text(43) == "about 45 s left in this stage"


def test_machines_that_run_are_in_the_cost_by_their_list_price() -> None:
    prices, hour = price_list("us-east-1"), AT + timedelta(hours=1)
    view = on_a_machine(0)
    spot = prices.hourly("m5.large", "spot")
    assert running_usd(view.stages, prices, hour) == pytest.approx(spot)
    ended = view.stages[0].model_copy(update={"state": StageState.INTERRUPTED})
    assert running_usd((ended,), prices, hour) == 0
    view = view.model_copy(update={"running_usd": spot})
    assert f"${spot:.4f} so far" in drawn(view, Pace(), hour)


def test_the_picture_fits_eighty_columns_and_cuts_nothing() -> None:
    shown = drawn(on_a_machine(40_000_000), Pace(), AT)
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    assert "m5.large (spot, attempt 2)" in shown
    assert "40.0/80.0 MB, 48,000 reads" in " ".join(shown.split())


def test_one_of_something_is_singular() -> None:
    progress = Progress(phase=Phase.QUALITY_CONTROL, units_done=1, reads=1)
    assert progress_text(progress).plain == "1 unit, 1 read"
