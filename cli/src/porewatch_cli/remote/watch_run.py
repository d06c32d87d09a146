"""`porewatch watch --server`: a run while it runs, by the API: one line for each change."""

from __future__ import annotations

import time
from typing import Any

from rich.text import Text

from porewatch.domain.base import Count, Model
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.rules.run_states import RETRYABLE_STATES
from porewatch.domain.runs import FINAL_STATES, RunState
from porewatch_cli.plurals import plural
from porewatch_cli.remote.server import Server
from porewatch_cli.terminal import console, print_line

SECONDS = 5.0
"""Between two looks."""


class RemoteStage(Model):
    """How far a stage is."""

    stage: str
    state: str
    units_done: Count
    units_total: Count | None = None


class RemoteRun(Model):
    """A run of a server, and how far it is: what this version knows of the answers."""

    run_id: str
    name: str | None = None
    state: RunState
    revision: Count
    outcome: Outcome | None = None
    findings: Count | None = None
    cost_usd: float
    problem: str | None = None
    interruptions: Count
    stages: tuple[RemoteStage, ...]


def watch_run(server: Server, run_id: str, *, as_json: bool, every: float = SECONDS) -> RemoteRun:
    """Print what changes until the run is over; returns it as it is then. Raises ServerRefused."""
    last = ""
    while True:
        run = look(server, run_id)
        line = run.model_dump_json() if as_json else one_line(run)
        if line != last and as_json:
            print_line("remote", run)
        elif line != last:
            console.print(Text(line), soft_wrap=True)
        if is_over(run.state):
            return run
        last = line
        time.sleep(every)


def look(server: Server, run_id: str) -> RemoteRun:
    """The run as it is now."""
    run = server.ask("GET", f"/runs/{run_id}")
    progress = server.ask("GET", f"/runs/{run_id}/progress")
    stages = [_known(RemoteStage, stage) for stage in progress["stages"]]
    more = {"stages": stages, "interruptions": progress["interruptions"]}
    return RemoteRun.model_validate({**_known(RemoteRun, run), **more})


def _known(shape: type[Model], found: dict[str, Any]) -> dict[str, Any]:
    """Without what a newer server may answer beside it."""
    return {name: value for name, value in found.items() if name in shape.model_fields}


def is_over(state: RunState) -> bool:
    """Nothing more happens to it by itself."""
    return state in FINAL_STATES or state in RETRYABLE_STATES


def one_line(run: RemoteRun) -> str:
    """State, stages, units and cost."""
    parts = [f"{run.name or run.run_id}: {run.state.value}"]
    for stage in run.stages:
        total = f"/{stage.units_total}" if stage.units_total else ""
        parts.append(f"{stage.stage} {stage.state} {stage.units_done}{total} units")
    if run.interruptions:
        parts.append(f"{plural(run.interruptions, 'interruption')} survived")
    if run.findings is not None:
        parts.append(plural(run.findings, "finding"))
    if run.outcome is not None:
        parts.append(run.outcome.value.replace("_", " "))
    parts.append(f"${run.cost_usd:.4f}")
    if run.problem:
        parts.append(" ".join(run.problem.split()))
    return " · ".join(parts)
