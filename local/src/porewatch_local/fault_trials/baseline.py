"""A run that nobody disturbs: what the disturbed ones are compared with, and how long it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from porewatch.domain import s3_keys
from porewatch.domain.facts.stage_facts import InstanceLaunched, StageClaimed
from porewatch.domain.money.cost import Bill
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import VOLATILE
from porewatch.domain.runs import RunState
from porewatch.domain.stage.manifest import StageManifest
from porewatch_cli.runs.run_view import follow
from porewatch_cli.stack import Stack
from porewatch_cli.submit.submit import submit
from porewatch_local.paths import (
    Control,
    LocalProblem,
)

LOOK_S = 0.25
PATIENCE_S = 600.0
"""Until a run that was sent first shows in the ledger: many are sent at once."""


@dataclass(frozen=True)
class Ground:
    """Where trials take place."""

    stack: Stack
    control: Control
    run_folder: Path


def report_of(stack: Stack, run: RunRecord) -> dict[str, Any]:
    found = stack.bucket("Reports").get(run.report_keys["report.json"])
    report: dict[str, Any] = json.loads(found)
    return report


def bill_of(stack: Stack, run: RunRecord) -> Bill:
    return Bill.model_validate_json(stack.bucket("Reports").get(run.report_keys["bill.json"]))


def manifest_of(stack: Stack, run: RunRecord, stage: str) -> StageManifest:
    key = s3_keys.manifest_key(run.run_id, run.revision, stage)
    return stack.bucket("Results").get_json(key, StageManifest)


def lasting(report: dict[str, Any], run_id: str) -> str:
    """The report as canonical JSON, without times, costs and the run's name."""
    kept = {name: value for name, value in report.items() if name not in VOLATILE}
    provenance = dict(kept["provenance"])
    del provenance["manifest_sha256"]  # the manifest holds the run's id and its time
    text = json.dumps({**kept, "provenance": provenance}, sort_keys=True)
    return re.sub(re.escape(run_id), "RUN", text)


def worked(bill: Bill, stage: str) -> tuple[float, float]:
    """(useful, wasted) seconds of all machines of a stage, as the bill splits them."""
    lines = [line for line in bill.lines if line.stage == stage]
    useful = sum(line.useful_seconds or 0.0 for line in lines)
    return useful, sum(line.wasted_seconds or 0.0 for line in lines)


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed: what to compare with, and how long its parts took."""

    run: RunRecord
    lasting: str
    stages: tuple[StageManifest, ...]
    boot_s: dict[str, float]


def undisturbed(ground: Ground, run_id: str) -> Undisturbed:
    """Play it. Raises LocalProblem when it did not complete."""
    stack = ground.stack
    submit(ground.run_folder, stack=stack, run_id=run_id, quiet=True)
    last = list(follow(run_id, stack, every=LOOK_S, patience=PATIENCE_S))[-1]
    if last.run.state is not RunState.COMPLETED:
        raise LocalProblem(f"{run_id} is {last.run.state.value}: {last.run.problem}")
    boot = dict(_boots(stack.stages.facts(run_id, last.run.revision)))
    stages = tuple(
        manifest_of(stack, last.run, s.stage)
        for s in sorted(last.stages, key=lambda s: s.updated_at)
    )
    report = lasting(report_of(stack, last.run), run_id)
    return Undisturbed(last.run, report, stages, boot)


def _boots(facts: Any) -> Iterator[tuple[str, float]]:
    launched = {f.stage: f.at for f in facts if isinstance(f, InstanceLaunched)}
    for fact in facts:
        if isinstance(fact, StageClaimed) and fact.stage in launched:
            yield fact.stage, (fact.at - launched[fact.stage]).total_seconds()
