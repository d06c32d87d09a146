"""What Porewatch adds to the tools: seconds of each phase that are neither boot, staging nor work.

A run with a machine for each phase, on the embedded AWS. The wall time of a phase is from the end
of the one before (the start of the execution for the first) to its own end, by the facts' times;
its machine boots from launch to claim, stages until the first unit, and works until its result is
written. The rest is orchestration: deciding, launching, callbacks, terminating the instance.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.pairs import Pair
from porewatch.domain.facts.run_facts import RunStarted
from porewatch.domain.facts.stage_facts import InstanceLaunched, StageClaimed, StageCompleted
from porewatch.domain.stage.manifest import StageManifest
from porewatch_cli.runs.watch import follow
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.submit.submit import submit
from porewatch_local.embedded.session import session
from porewatch_local.fault_trials.baseline import manifest_of
from porewatch_local.history import history_of
from porewatch_worker.simulate.demo import make_demo

SCALE = 0.2
PATIENCE_S = 300.0
PROFILES = ("default", "one-instance-per-phase")


class Parts(NamedTuple):
    """Seconds of one stage."""

    wall: float
    boot: float
    staging: float
    work: float

    @property
    def overhead(self) -> float:
        return self.wall - self.boot - self.staging - self.work


def measure(folder: Path, pairs: int) -> list[Pair]:
    """Both profiles once; the first runs of a fresh stack also warm its functions."""
    with session() as home:
        stack = find_stack(folder=home.root)
        demo = make_demo(folder / "overhead", home.references, scale=SCALE)
        _run(stack, demo.run_folder, PROFILES[0])
        return [row for profile in PROFILES for row in _rows(stack, demo.run_folder, profile)]


def _rows(stack: Stack, reads: Path, profile: str) -> Iterator[Pair]:
    run_id = _run(stack, reads, profile)
    history = history_of(stack, run_id)
    for stage, parts in _stages(stack, run_id):
        note = (
            f"wall {parts.wall:.1f} s = boot {parts.boot:.1f} + staging {parts.staging:.1f}"
            f" + work {parts.work:.1f} + overhead"
        )
        yield _row(f"overhead of {stage} ({profile})", parts.overhead, note)
    note = f"{history.transitions} transitions, {history.events} events"
    yield _row(f"state machine ({profile})", 0.0, note)


def _row(what: str, seconds: float, note: str) -> Pair:
    return Pair(what, seconds, 0, 0, 0, 0, peer="", note=note)


def _run(stack: Stack, reads: Path, profile: str) -> str:
    run_id = f"bench-{uuid.uuid4().hex[:8]}"
    submit(reads, stack=stack, run_id=run_id, profile=profile, quiet=True)
    last = list(follow(run_id, stack, patience=PATIENCE_S))[-1]
    if last.run.state.value != "completed":
        raise RuntimeError(f"{run_id} is {last.run.state.value}: {last.run.problem}")
    return run_id


def _stages(stack: Stack, run_id: str) -> Iterator[tuple[str, Parts]]:
    run = stack.runs.get(run_id)
    facts = sorted(stack.stages.facts(run_id, run.revision), key=lambda fact: fact.at)
    (began,) = (fact.at for fact in facts if isinstance(fact, RunStarted))
    for done in (fact for fact in facts if isinstance(fact, StageCompleted)):
        mine = [fact for fact in facts if getattr(fact, "stage", "") == done.stage]
        if any(isinstance(fact, StageClaimed) for fact in mine):
            yield done.stage, _parts(began, mine, manifest_of(stack, run, done.stage), done.at)
        began = done.at


def _parts(began: datetime, mine: list[Any], made: StageManifest, ended: datetime) -> Parts:
    launched = max(fact.at for fact in mine if isinstance(fact, InstanceLaunched))
    claimed = max(fact.at for fact in mine if isinstance(fact, StageClaimed))
    return Parts(
        wall=(ended - began).total_seconds(),
        boot=(claimed - launched).total_seconds(),
        staging=(made.started_at - claimed).total_seconds(),
        work=(made.finished_at - made.started_at).total_seconds(),
    )
