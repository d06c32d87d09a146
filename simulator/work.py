"""The work of a stage, made up: units that take a while, and results that show whether every unit
went in once and in order. It looks to the loop like every other work.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from porewatch.domain.base import now
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.results.report import (
    Provenance,
    Report,
)
from porewatch.domain.runs import Sequencing
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker.build_stage import Means
from porewatch_worker.stage_work import (
    Lost,
    Running,
    StageResult,
    StageWork,
    UnitOutput,
)
from simulator.made_results import a_screen, some_findings, some_outcomes

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """How much work there is: `units` of `unit_s` virtual seconds each, then `finish_s`."""

    units: int = 3
    unit_s: float = 60.0
    finish_s: float = 5.0
    scratch: Path = Path("/dev/shm")


def builder(plan: Plan, *, bug: bool = False) -> Callable[[WorkOrder, Means], StageWork]:
    """What `stages.build` is in production. With a `bug`, the second unit fails on this machine."""
    return lambda order, means: MadeUp(order, means, plan, bug)


class Grows:
    """Alarms in the first unit, as a successor does that finds it in the checkpoint."""

    def __init__(self) -> None:
        self._units, self._alarmed = 0, False

    def take(self, content: bytes) -> None:
        self._units += 1

    def end(self) -> None:
        pass

    def alarms(self) -> Iterator[Alarm]:
        if self._units and not self._alarmed:
            self._alarmed = True
            yield Alarm(sample="pig", code="PERV-C", name="PERV-C", severity="critical", reads=9)


class MadeUp:
    """Unit n of a stage is n bytes of a digest; the result is a digest over all of them."""

    def __init__(self, order: WorkOrder, means: Means, plan: Plan, bug: bool) -> None:
        self._order, self._means, self._plan, self._bug = order, means, plan, bug

    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self._order.run_id}{self._order.stage}".encode()).hexdigest()

    def units_total(self) -> int | None:
        return self._plan.units

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, Any]]:
        return ((n, n) for n in range(self._plan.units) if n not in done)

    def process(self, payload: Any) -> UnitOutput:
        time.sleep(self._plan.unit_s)
        if self._bug and payload == 1:
            raise ValueError("a bug that strikes on this machine only")
        made = content(self._order.run_id, self._order.stage, payload)
        return UnitOutput(made, reads=10, bases=1000)

    def give_up(self, payload: Any) -> Lost | None:
        return None

    def progress(self) -> Progress:
        return Progress(phase=self._order.phases[0])

    def running(self) -> Running | None:
        return Grows() if Phase.PATHOGEN_DETECTION in self._order.phases else None

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        time.sleep(self._plan.finish_s)
        whole = hashlib.sha256(b"".join(contents)).hexdigest()
        made = self._outputs(whole)
        outputs = {}
        for name, text in made.items():
            outputs[name] = scratch / name
            outputs[name].write_text(text)
        records = tuple(_record(phase) for phase in self._order.phases)
        return StageResult(outputs=outputs, phases=records)

    def _outputs(self, whole: str) -> dict[str, str]:
        made = {}
        if Phase.PATHOGEN_DETECTION in self._order.phases:
            made["screen.json"] = screen_json().replace("WHOLE", whole)
        if Phase.QUANTIFICATION in self._order.phases:
            made["quantification.json"] = quantification_json()
        if Phase.REPORTING in self._order.phases:
            earlier = hashlib.sha256(self._means.inputs.path("screen.json").read_bytes())
            report = report_json().replace("RUN-ID", self._order.run_id)
            made["report.json"] = report.replace("DECISION", earlier.hexdigest() + whole)
            made |= {"report.html": "<p>", "report.pdf": "%PDF"}
        return made


def content(run_id: str, stage: str, unit: int) -> bytes:
    return hashlib.sha256(f"{run_id} {stage} {unit}".encode()).digest()


def whole(run_id: str, stage: str, units: int) -> str:
    """What a stage comes to when every unit goes in once and in order."""
    return hashlib.sha256(b"".join(content(run_id, stage, n) for n in range(units))).hexdigest()


def decision(run_id: str, units: int) -> str:
    """The decision in the report of a clean run."""
    screen = screen_json().replace("WHOLE", whole(run_id, "screen", units))
    return hashlib.sha256(screen.encode()).hexdigest() + whole(run_id, "report", units)


def _record(phase: Phase) -> PhaseRecord:
    return PhaseRecord(phase=phase, status="completed", started_at=now(), finished_at=now())


@cache
def screen_json() -> str:
    return ScreenResult(
        bundle="demo@1",
        bundle_sha256="0" * 64,
        synthetic=True,
        samples=(a_screen("pig"),),
        unlisted_barcodes={"WHOLE": 1},
    ).canonical_json()


@cache
def quantification_json() -> str:
    return Quantification(findings=some_findings(), outcomes=some_outcomes()).canonical_json()


@cache
def report_json() -> str:
    return Report(
        run_id="RUN-ID",
        revision=0,
        created_at=WHEN,
        synthetic=True,
        decision="DECISION",
        inputs=(),
        samples=(),
        sequencing=Sequencing(),
        outcomes=some_outcomes(),
        findings=some_findings(),
        screens=(a_screen("pig"),),
        panel=(),
        phases=(),
        timeline=(),
        bill=None,
        provenance=Provenance(
            porewatch_version="0",
            tools={},
            bundle="demo@1",
            bundle_sha256="0" * 64,
            bundle_synthetic=True,
            panel="panel",
            panel_version="1",
            parameters=ScreeningParameters(),
            parameters_sha256="0" * 64,
            manifest_sha256="0" * 64,
            basecalled=verbatim("none"),
        ),
    ).canonical_json()
