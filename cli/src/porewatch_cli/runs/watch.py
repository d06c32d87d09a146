"""`porewatch watch`: the phases of a run while it runs, from the ledger alone.

One picture of a run (`RunView`) is read every second. A terminal shows it live; a pipe gets one
line per change, and one for each rung that gave no machine; `--json` one JSON document per change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from porewatch.domain.base import Model, now
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.alerts import Alert
from porewatch.domain.facts.run_facts import ObjectAnswered
from porewatch.domain.facts.stage_facts import LaunchRefused, PhaseCompleted, StageFailed
from porewatch.domain.money.cost import CostLine
from porewatch.domain.records.file_record import FileRecord
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import FINAL_STATES, RunState
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli.reports.reports import record_of
from porewatch_cli.runs.alerts import alert_lines
from porewatch_cli.runs.capacity_steps import (
    failures_of,
    last_steps,
    refusals_of,
    steps,
)
from porewatch_cli.runs.files_seen import FilesSeen
from porewatch_cli.runs.holds_and_deletions import hold_text
from porewatch_cli.runs.progress import (
    progress_bar,
    progress_text,
)
from porewatch_cli.runs.verdict_text import (
    detections_text,
    result_text,
    revisions_text,
    state_text,
)
from porewatch_cli.submit.wait_for_stack import (
    Sent,
    refuse_unknown,
)
from porewatch_cli.terminal import console, errors, print_json

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

FIRST_SIGHT_SECONDS = 60.0


class RunView(Model):
    """All that the ledger knows of one run, at one moment."""

    run: RunRecord
    files: tuple[FileRecord, ...]
    stages: tuple[StageRecord, ...]
    phases: tuple[PhaseRecord, ...]
    costs: tuple[CostLine, ...]
    refusals: tuple[LaunchRefused, ...] = ()
    failures: tuple[StageFailed, ...] = ()
    alerts: tuple[Alert, ...] = ()
    answers: tuple[ObjectAnswered, ...] = ()

    @property
    def said(self) -> list[str]:
        """What objects that are no reads are taken for, a line each."""
        return [f"{a.path}: {a.problem} {a.remedy}".strip() for a in self.answers]

    @property
    def steps(self) -> list[str]:
        """What kept it from a machine, a line each."""
        return steps(self.refusals, self.failures)

    @property
    def over(self) -> bool:
        return self.run.state in FINAL_STATES


def look(
    run_id: str,
    stack: Stack,
    files: FilesSeen | None = None,
    *,
    sent: Sent | None = None,
    revision: int | None = None,
) -> RunView:
    """Read the picture: of `revision`, of what was `sent`, or of the revision that the run goes by.
    NotFound when nobody has heard of the run. `files`: of earlier looks."""
    run = record_of(stack, run_id, revision)
    run = sent.meant(run) if sent is not None else run
    seen = files or FilesSeen()
    facts = stack.stages.facts(run_id, run.revision)
    return RunView(
        run=run,
        files=seen.of(run_id, stack, over=run.state in FINAL_STATES),
        stages=stack.stages.of_run(run_id, run.revision),
        phases=tuple(fact.record for fact in facts if isinstance(fact, PhaseCompleted)),
        costs=stack.stages.cost_lines(run_id, run.revision),
        refusals=refusals_of(facts),
        failures=failures_of(facts),
        alerts=tuple(a for a in stack.alerts.of_run(run_id) if a.revision == run.revision),
        answers=stack.runs.answers(run_id),
    )


def follow(
    run_id: str,
    stack: Stack,
    *,
    sent: Sent | None = None,
    revision: int | None = None,
    every: float = 1.0,
    patience: float = FIRST_SIGHT_SECONDS,
) -> Iterator[RunView]:
    """A picture every `every` seconds until the run is over; with `sent`, from the moment on when
    the run is sealed by it. A run just sent may take a moment to appear: then that is said on
    standard error, and NotFound is raised after `patience` seconds; at once when nothing was sent.
    """
    given_up, said, files = time.monotonic() + patience, False, FilesSeen()
    while True:
        view = _if_seen(run_id, stack, files, sent, revision)
        if view is not None and (sent is None or sent.is_taken_in(view.run)):
            yield view
            if view.over:
                return
        elif not said:
            if view is None:
                refuse_unknown(run_id, stack)
            _say_unseen(run_id, view, patience)
            said = True
        elif view is None and time.monotonic() > given_up:
            stack.runs.get(run_id)
        time.sleep(every)


def _if_seen(
    run_id: str, stack: Stack, files: FilesSeen, sent: Sent | None, revision: int | None
) -> RunView | None:
    try:
        return look(run_id, stack, files, sent=sent, revision=revision)
    except NotFound:
        if revision is not None and stack.runs.find(run_id) is not None:
            raise  # it is there, and has no such revision
        return None


def _say_unseen(run_id: str, view: RunView | None, patience: float) -> None:
    if view is None:
        line = f"run {run_id} is not seen yet; waiting {patience:.0f} s"
    else:
        line = (
            f"run {run_id} is still {view.run.state.value} at revision {view.run.revision}; "
            "waiting for what was sent to be taken in"
        )
    errors.print(line, soft_wrap=True)


def watch(
    run_id: str,
    stack: Stack,
    *,
    sent: Sent | None = None,
    revision: int | None = None,
    as_json: bool = False,
    noticed: Callable[[RunView], None] = lambda _view: None,
) -> RunView:
    """Show the run until it is over; the last picture. `noticed` is called with every picture."""
    last: RunView | None = None
    if console.is_terminal and not as_json:
        with Live(console=console, refresh_per_second=4) as live:
            for last in follow(run_id, stack, sent=sent, revision=revision):
                live.update(picture(last))
                noticed(last)
    else:
        told: set[str] = set()
        for last in follow(run_id, stack, sent=sent, revision=revision):
            told = _tell(last, told, as_json)
            noticed(last)
    assert last is not None  # noqa: S101 - follow yields or raises
    return last


def _tell(view: RunView, told: set[str], as_json: bool) -> set[str]:
    """Print what is new since `told`; what is told now."""
    loud = alert_lines(view.alerts) | dict.fromkeys(view.said, "")
    lines = [view.model_dump_json()] if as_json else [*loud, *view.steps, one_line(view)]
    for line in lines:
        if line in told:
            continue
        if as_json:
            print_json(view)
        else:
            console.print(Text(line, style=loud.get(line, "")), soft_wrap=True)
    return set(lines)


def one_line(view: RunView) -> str:
    """The picture in a line, for pipes and logs."""
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
        parts.append(f"{len(view.files)} files checked")
    if stops := sum(s.interruptions for s in view.stages):
        parts.append(f"{stops} interruption{'s' if stops > 1 else ''} survived")
    if run.late:
        parts.append(f"{len(run.late)} files came after the seal and are not screened")
    if result := result_text(run).plain:
        parts += [result, detections_text(run)]
    parts.append(f"${run.cost_usd:.4f}")
    parts += filter(None, (hold_text(run), revisions_text(run)))
    if run.problem:
        parts.append(" ".join(run.problem.split()))
    return " · ".join(parts)


def picture(view: RunView) -> RenderableType:
    """The picture for a terminal."""
    run = view.run
    head = Text.assemble(
        ("run ", "dim"),
        (run.run_id, "bold"),
        ("  ", ""),
        state_text(run),
        ("  ", ""),
        result_text(run),
        (f"   {_age(run.created_at, run.completed_at)}   ${run.cost_usd:.4f} so far", "dim"),
    )
    parts: list[RenderableType] = [head, _phase_table(view)]
    parts += [Text(line, style=style) for line, style in alert_lines(view.alerts).items()]
    if steps_taken := view.steps:
        parts.append(last_steps(steps_taken))
    if held := hold_text(run):
        parts.append(Text(held, style="bold"))
    if beside := revisions_text(run):
        parts.append(Text(beside, style="yellow"))
    if run.problem:
        parts.append(Text(run.problem, style="red"))
    parts += [Text(line, style="dim") for line in view.said]
    return Group(*parts)


def _phase_table(view: RunView) -> Table:
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("phase", "state", "progress", "instance", "interruptions"):
        made.add_column(column)
    done = {record.phase: record for record in view.phases}
    stage_of = {phase: stage for stage in view.stages for phase in stage.phases}
    for phase in Phase:
        record, stage = done.get(phase), stage_of.get(phase)
        made.add_row(
            phase.value.replace("_", " "),
            _state(record, stage),
            _progress(record, stage, phase),
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


def _progress(
    record: PhaseRecord | None, stage: StageRecord | None, phase: Phase
) -> RenderableType:
    if record is not None:
        return Text(record.reason or _counts(record), style="dim")
    if stage is None or stage.progress is None or stage.progress.phase is not phase:
        return Text("")
    row = Table.grid(padding=(0, 1))
    row.add_row(progress_bar(stage.progress), progress_text(stage.progress, now()))
    return row


def _counts(record: PhaseRecord) -> str:
    shown = [f"{name.replace('_', ' ')} {n:,}" for name, n in list(record.counts.items())[:3]]
    return ", ".join(shown)


def _instance(stage: StageRecord | None) -> Text:
    if stage is None or stage.instance_id is None:
        return Text("")
    return Text(f"{stage.purchase} {stage.instance_type} {stage.instance_id} e{stage.epoch}")


def current_stage(view: RunView) -> StageRecord | None:
    """The stage that is on a machine now, or was last asked to be."""
    open_ones = [s for s in view.stages if s.state is not StageState.PUBLISHED]
    return max(open_ones, key=lambda s: s.updated_at, default=None)


def _age(start: datetime, end: datetime | None) -> str:
    seconds = int(((end or now()) - start).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02d} min"
