"""What `porewatch watch` says of a stage's progress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rich.console import Console

from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.stage.record import Progress, StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli.runs.progress import (
    progress_bar,
    progress_text,
)
from porewatch_cli.runs.watch import (
    RunView,
    one_line,
    picture,
)

AT = datetime(2026, 11, 21, 6, tzinfo=UTC)
TOLD = Progress(
    phase=Phase.PATHOGEN_DETECTION,
    units_done=12,
    reads=48_000,
    bytes_done=34_200_000,
    bytes_total=80_000_000,
    checkpoint=12,
    checkpoint_at=AT - timedelta(seconds=8),
    interval_s=84.9,
)


def styles(told: Progress, at: datetime = AT) -> dict[str, str]:
    text = progress_text(told, at)
    return {text.plain[s.start : s.end]: str(s.style) for s in text.spans if s.style}


def test_units_bytes_reads_and_the_age_of_the_checkpoint_stand_in_one_line() -> None:
    assert progress_text(TOLD, AT).plain == (
        "12 units, 34.2/80.0 MB, 48,000 reads, checkpoint 12 (8 s ago, every 85 s)"
    )


def test_a_checkpoint_is_green_and_one_that_is_late_is_yellow() -> None:
    assert list(styles(TOLD).values()) == ["green"]
    late = styles(TOLD, AT + timedelta(minutes=5))
    assert late == {"checkpoint 12 (5 min ago, every 85 s)": "yellow"}


def test_units_that_were_given_up_are_red() -> None:
    told = TOLD.model_copy(update={"quarantined": (7, 9)})
    assert styles(told)["units 7, 9 given up"] == "bold red"


def test_before_the_first_unit_only_the_note_speaks() -> None:
    told = Progress(phase=Phase.BASECALLING, units_total=3, note="fetching pod5/a.pod5: 40%")
    assert progress_text(told, AT).plain == "0/3 units, fetching pod5/a.pod5: 40%"


def test_the_bar_goes_by_bytes_then_units_then_to_and_fro() -> None:
    by_bytes = progress_bar(TOLD)
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
        progress=TOLD.model_copy(update={"quarantined": (7,)}),
        updated_at=AT,
    )
    return RunView(run=run, files=(), stages=(stage,), phases=(), costs=())


def test_a_pipe_a_terminal_and_json_all_have_it() -> None:
    view = a_view()
    assert "pathogen_detection 12 units, 34.2/80.0 MB" in one_line(view)
    assert "unit 7 given up" in one_line(view)
    assert "ago" not in one_line(view), "a pipe gets a line for a change, not for every second"
    console = Console(width=240, record=True)
    with console.capture() as shown:
        console.print(picture(view))
    assert "34.2/80.0 MB" in shown.get()
    assert "ago, every 85 s" in shown.get()
    again = RunView.model_validate_json(view.model_dump_json()).stages[0].progress
    assert again == view.stages[0].progress
