"""`porewatch watch`: the phases of a run while it runs, from the ledger alone.

One view of a run (`RunView`) is read every second. A terminal shows it live; a pipe gets one line
per change, and one for each rung without capacity; `--json` one line of JSON per change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from porewatch.domain.runs import RunState
from porewatch_cli.plurals import plural
from porewatch_cli.runs.alerts import alert_lines
from porewatch_cli.runs.holds_and_deletions import hold_text
from porewatch_cli.runs.pace import Pace
from porewatch_cli.runs.picture import picture
from porewatch_cli.runs.progress import progress_text
from porewatch_cli.runs.run_view import RunView, current_stage, follow
from porewatch_cli.runs.verdict_text import detections_text, result_text, revisions_text
from porewatch_cli.submit.wait_for_stack import Sent
from porewatch_cli.terminal import console, print_line

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def watch(
    run_id: str,
    stack: Stack,
    *,
    sent: Sent | None = None,
    revision: int | None = None,
    as_json: bool = False,
    noticed: Callable[[RunView], None] = lambda _view: None,
) -> RunView:
    """Show the run until it is over; returns the last view. `noticed` is called with every view."""
    last: RunView | None = None
    if console.is_terminal and not as_json:
        pace = Pace()
        with Live(console=console, refresh_per_second=4) as live:
            for last in follow(run_id, stack, sent=sent, revision=revision):
                live.update(picture(last, pace))
                noticed(last)
    else:
        printed: set[str] = set()
        for last in follow(run_id, stack, sent=sent, revision=revision):
            printed = _print_new(last, printed, as_json)
            noticed(last)
    assert last is not None  # noqa: S101 - follow yields or raises
    return last


def _print_new(view: RunView, printed: set[str], as_json: bool) -> set[str]:
    """Print the lines that are not in `printed`; returns the current lines. The running cost grows
    every second and does not count as a change."""
    styles = alert_lines(view.alerts) | dict.fromkeys(view.answer_lines, "")
    same = view.model_dump_json(exclude={"running_usd"})
    lines = [same] if as_json else [*styles, *view.steps, one_line(view)]
    for line in lines:
        if line in printed:
            continue
        if as_json:
            print_line("run", view)
        else:
            console.print(Text(line, style=styles.get(line, "")), soft_wrap=True)
    return set(lines)


def one_line(view: RunView) -> str:
    """The view in one line, for pipes and logs."""
    run = view.run
    parts = [f"{run.run_id}: {run.state.value}"]
    stage = current_stage(view)
    if stage is not None:
        parts.append(f"stage {stage.stage} epoch {stage.epoch} {stage.state.value}")
        if stage.progress:
            parts.append(f"{stage.progress.phase.value} {progress_text(stage.progress).plain}")
        if stage.instance_id:
            parts.append(f"{stage.purchase} {stage.instance_type} {stage.instance_id}")
    elif run.state in (RunState.RECEIVING, RunState.SEALED):
        parts.append(f"{plural(len(view.files), 'file')} checked")
    if stops := sum(s.interruptions for s in view.stages):
        parts.append(f"{plural(stops, 'interruption')} survived")
    if run.late:
        were = "was" if len(run.late) == 1 else "were"
        parts.append(f"{plural(len(run.late), 'file')} came after the seal and {were} not screened")
    if result := result_text(run).plain:
        parts += [result, detections_text(run)]
    parts.append(f"${run.cost_usd:.4f}")
    parts += filter(None, (hold_text(run), revisions_text(run)))
    if run.problem:
        parts.append(" ".join(run.problem.split()))
    return " · ".join(parts)
