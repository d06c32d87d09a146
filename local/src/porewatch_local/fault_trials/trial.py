"""One run that loses its machine at one moment: submit, wait for the moment, strike, follow to the
end, compare. `kills` plays many of them.

A moment is a place in the work, not on a clock: "so many units done, and so many seconds more", so
that it is as random on a busy computer as on an idle one. A strike that comes after the worker's
last word changed nothing; it is said to have missed, and `kills` makes another.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from porewatch.domain.base import now
from porewatch.domain.facts.stage_facts import InstanceLaunched, StageClaimed
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch_cli.runs.run_view import RunView, follow
from porewatch_cli.submit.submit import submit
from porewatch_local.embedded import instance_host_process
from porewatch_local.fault_trials.baseline import (
    LOOK_S,
    PATIENCE_S,
    Ground,
    bill_of,
    lasting,
    manifest_of,
    report_of,
    worked,
)
from porewatch_local.paths import (
    Control,
    LocalProblem,
)

Strike = Literal["kill", "notice", "freeze"]
"""SIGKILL to all of a machine; the notice of an interruption; SIGSTOP: it is there and silent."""
NOTICE_S = 120.0
"""As on AWS: from the notice to the end. A worker that obeys leaves long before."""


class Moment(BaseModel):
    """When to strike: `after_s` seconds after stage `stage` shows `units` units done (None: after
    its machine was launched)."""

    model_config = ConfigDict(frozen=True)

    stage: str
    units: int | None
    after_s: float


class Outcome(BaseModel):
    """What became of one run. Times count from the strike, in seconds; None: it never came to that.

    `lost_s`: machine seconds of work that nothing was kept of; `lost_share`: of all seconds of work
    on the stage.
    """

    run_id: str
    strike: Strike
    moment: Moment
    landed: bool
    state: RunState
    same_findings: bool = False
    units: int = 0
    resumed: int = 0
    redone: int = 0
    lost_s: float = 0.0
    lost_share: float = 0.0
    relaunched_s: float | None = None
    claimed_s: float | None = None
    first_unit_s: float | None = None
    problem: str = ""


@dataclass
class Trial:
    """One run under one strike."""

    ground: Ground
    run_id: str
    strike: Strike
    moment: Moment
    _struck: tuple[datetime, StageRecord] | None = None
    _shown_at: float | None = None
    _seen: list[tuple[datetime, int, int]] = field(default_factory=list)

    def play(self, undisturbed: str) -> Outcome:
        """To the run's end. `undisturbed`: the lasting part of a report that nobody disturbed."""
        stack = self.ground.stack
        submit(self.ground.run_folder, stack=stack, run_id=self.run_id, quiet=True)
        last: RunView | None = None
        for last in follow(self.run_id, stack, every=LOOK_S, patience=PATIENCE_S):
            self._look(next((s for s in last.stages if s.stage == self.moment.stage), None))
        assert last is not None  # noqa: S101 - follow yields or raises
        return self._outcome(last.run, undisturbed)

    def _look(self, stage: StageRecord | None) -> None:
        if stage is None:
            return
        done = stage.progress.units_done if stage.progress else 0
        if self._struck is not None:
            self._seen.append((now(), stage.epoch, done))
        elif self._is_time(stage, done) and stage.instance_id is not None:
            self._hit(stage, stage.instance_id)

    def _is_time(self, stage: StageRecord, done: int) -> bool:
        if stage.state not in (StageState.LAUNCHED, StageState.CLAIMED):
            return False
        wanted = self.moment.units
        claimed = stage.state is StageState.CLAIMED
        if wanted is not None and not (claimed and done >= wanted):
            return False
        self._shown_at = self._shown_at or time.monotonic()
        return time.monotonic() - self._shown_at >= self.moment.after_s

    def _hit(self, stage: StageRecord, instance_id: str) -> None:
        try:
            strike_at(self.ground.control, instance_id, self.strike)
        except LocalProblem:
            return  # it does not run here yet, or has just gone; the next look decides
        self._struck = (now(), stage)

    def _outcome(self, run: RunRecord, undisturbed: str) -> Outcome:
        outcome = Outcome(
            run_id=self.run_id,
            strike=self.strike,
            moment=self.moment,
            landed=False,
            state=run.state,
            problem=run.problem or "",
        )
        if run.state is not RunState.COMPLETED:
            return outcome.model_copy(update={"landed": self._struck is not None})
        same = lasting(report_of(self.ground.stack, run), self.run_id) == undisturbed
        manifest = manifest_of(self.ground.stack, run, self.moment.stage)
        landed = self._struck is not None and manifest.epoch > self._struck[1].epoch
        found: dict[str, object] = {"landed": landed, "same_findings": same}
        if landed:
            found |= self._work(run, manifest) | self._times(run, manifest)
        return outcome.model_copy(update=found)

    def _work(self, run: RunRecord, manifest: StageManifest) -> dict[str, object]:
        useful, wasted = worked(bill_of(self.ground.stack, run), manifest.stage)
        lost = wasted if self.strike == "notice" else self._unsaved()
        return {
            "units": manifest.units,
            "resumed": manifest.units_resumed,
            "redone": manifest.units_redone,
            "lost_s": lost,
            "lost_share": lost / (lost + useful) if lost + useful else 0.0,
        }

    def _unsaved(self) -> float:
        """Seconds from the last reported checkpoint (or the claim) to the strike. The bill has
        more: it counts until a dead instance is known to be dead."""
        assert self._struck is not None  # noqa: S101 - asked only of what landed
        at, stage = self._struck
        if stage.claimed_at is None:
            return 0.0
        saved = stage.progress.checkpoint_at if stage.progress else None
        return max(0.0, (at - max(stage.claimed_at, saved or stage.claimed_at)).total_seconds())

    def _times(self, run: RunRecord, manifest: StageManifest) -> dict[str, object]:
        assert self._struck is not None  # noqa: S101 - asked only of what landed
        at, epoch = self._struck[0], self._struck[1].epoch
        facts = self.ground.stack.stages.facts(run.run_id, run.revision)
        mine = [f for f in facts if getattr(f, "stage", "") == manifest.stage]
        launched = [f.at for f in mine if isinstance(f, InstanceLaunched) and f.epoch > epoch]
        claimed = [f.at for f in mine if isinstance(f, StageClaimed) and f.epoch > epoch]
        useful = [t for t, e, done in self._seen if e > epoch and done > manifest.units_resumed]
        return {
            "relaunched_s": _seconds(at, launched),
            "claimed_s": _seconds(at, claimed),
            "first_unit_s": _seconds(at, [*useful, manifest.finished_at]),
        }


def strike_at(control: Control, instance_id: str, strike: Strike) -> None:
    """Do it. Raises LocalProblem when no such machine runs here."""
    if strike == "kill":
        instance_host_process.kill(control, instance_id)
    elif strike == "notice":
        instance_host_process.interrupt(control, instance_id, NOTICE_S)
    else:
        os.killpg(_group_of(control, instance_id), signal.SIGSTOP)


def _group_of(control: Control, instance_id: str) -> int:
    for machine in instance_host_process.instances(control):
        if machine["instance_id"] == instance_id and machine["pid"]:
            return int(machine["pid"])
    raise LocalProblem(f"{instance_id} does not run here.")


def _seconds(since: datetime, moments: list[datetime]) -> float | None:
    return max(0.0, (min(moments) - since).total_seconds()) if moments else None
