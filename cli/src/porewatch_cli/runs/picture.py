"""The live view of a run for a terminal: state, phases, progress, suspicions, cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from porewatch.domain.base import now
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli.runs.alerts import alert_lines
from porewatch_cli.runs.capacity_steps import last_steps
from porewatch_cli.runs.holds_and_deletions import hold_text
from porewatch_cli.runs.pace import Pace, eta_text
from porewatch_cli.runs.progress import progress_bar, progress_text
from porewatch_cli.runs.run_view import RunView, current_stage
from porewatch_cli.runs.verdict_text import result_text, revisions_text, state_text
from porewatch_cli.terminal import table


def picture(view: RunView, pace: Pace | None = None, at: datetime | None = None) -> RenderableType:
    """The view at `at` (default: now). `pace`: of this watch, for the remaining time."""
    at = at or now()
    return Group(_head(view, at), _phase_table(view), *_progress(view, pace, at), *_below(view))


def _head(view: RunView, at: datetime) -> Text:
    run = view.run
    cost = run.cost_usd + view.running_usd
    return Text.assemble(
        ("run ", "dim"),
        (run.run_id, "bold"),
        "  ",
        state_text(run),
        "  ",
        result_text(run),
        (f"   {_age(run.created_at, run.completed_at or at)}   ${cost:.4f} so far", "dim"),
    )


def _phase_table(view: RunView) -> Table:
    made = table("", "phase", "state", "instance", "interruptions", numeric=("interruptions",))
    done = {record.phase: record for record in view.phases}
    stage_of = {phase: stage for stage in view.stages for phase in stage.phases}
    for phase in Phase:
        record, stage = done.get(phase), stage_of.get(phase)
        made.add_row(
            phase.value.replace("_", " "),
            _state(record, stage),
            _instance(stage),
            str(stage.interruptions) if stage and stage.interruptions else "",
        )
    return made


def _state(record: PhaseRecord | None, stage: StageRecord | None) -> Text:
    if record is not None:
        style = "green" if record.status == "completed" else "dim"
        return Text(record.status, style=style)
    if stage is None:
        return Text("waiting", style="dim")
    if stage.state in (StageState.FAILED, StageState.INTERRUPTED):
        return Text(stage.state.value, style="red")
    return Text("running" if stage.state is StageState.CLAIMED else "starting", style="yellow")


def _instance(stage: StageRecord | None) -> Text:
    if stage is None or stage.instance_id is None:
        return Text("")
    again = f", attempt {stage.epoch}" if stage.epoch > 1 else ""
    return Text(f"{stage.instance_type} ({stage.purchase}{again})")


def _progress(view: RunView, pace: Pace | None, at: datetime) -> Iterator[RenderableType]:
    """Progress of the current stage, below the table, which is too narrow for it."""
    stage = current_stage(view)
    if view.over or stage is None or stage.progress is None:
        return
    row = Table.grid(padding=(0, 1))
    row.add_row(Text(stage.progress.phase.value.replace("_", " ")), progress_bar(stage.progress))
    yield row
    yield Text.assemble("  ", progress_text(stage.progress, at))
    left = pace.seconds_left(view, at) if pace else None
    if left is not None:
        yield Text(f"  {eta_text(left)}", style="dim")


def _below(view: RunView) -> Iterator[RenderableType]:
    for line, style in alert_lines(view.alerts).items():
        yield Text(line, style=style)
    if steps_taken := view.steps:
        yield last_steps(steps_taken)
    if held := hold_text(view.run):
        yield Text(held, style="bold")
    if revisions := revisions_text(view.run):
        yield Text(revisions, style="yellow")
    if view.run.problem:
        yield Text(view.run.problem, style="red")
    for line in view.answer_lines:
        yield Text(line, style="dim")


def _age(start: datetime, end: datetime) -> str:
    seconds = int((end - start).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02d} min"
