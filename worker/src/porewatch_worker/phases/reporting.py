"""Phase 6: report.json, pages (HTML, PDF) in both languages, a PDF of each sample, and every
number as tables.

`report_phase` is the phase itself; `ReportingWork` wraps it as a stage of one unit, for layouts
that give reporting an instance of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from porewatch.domain.base import now
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.money.cost import make_bill
from porewatch.domain.reasons.catalogue import in_language, languages
from porewatch.domain.reasons.reason import Reasons, RunCode, because
from porewatch.domain.results.report import Report
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker import __version__
from porewatch_worker.report.assemble import ReportInputs, assemble
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.report.sample_files import MOST_PUBLISHED, write_samples
from porewatch_worker.stage_work import (
    Inputs,
    Lost,
    StageResult,
    UnitOutput,
    fingerprint_of,
)
from porewatch_worker.tables.inputs import publish
from porewatch_worker.tables.write import write_tables

REPORT_JSON, REPORT_HTML, REPORT_PDF = "report.json", "report.html", "report.pdf"
TABLES = "tables.zip"
SETTLED_ELSEWHERE = (because(RunCode.PRICES_SETTLED),)


@dataclass(frozen=True)
class Around:
    """Data of a report besides the results of the screen.

    `phases`: records of all earlier phases, in order. `lost`: units that they gave up. `rented`:
    instances were billed, so the report has a bill.
    """

    bundle: BundleManifest
    panel: Panel
    phases: tuple[PhaseRecord, ...]
    lost: tuple[QuarantinedUnit, ...] = ()
    rented: bool = True
    prices: Reasons = SETTLED_ELSEWHERE
    clock: Callable[[], datetime] = now


def report_phase(
    order: WorkOrder,
    screen: ScreenResult,
    quantification: Quantification,
    around: Around,
    scratch: Path,
) -> StageResult:
    """Write the reports below `scratch`. Raises ManifestRefused when the parts do not fit."""
    started = around.clock()
    report = assemble(_inputs(order, screen, quantification, around, started))
    outputs = write_reports(report, scratch)
    if len(report.subjects) <= MOST_PUBLISHED:
        outputs |= write_samples(report, scratch)
    outputs[TABLES] = write_tables(publish(report, around.bundle), scratch / TABLES)
    found = len(report.detected)
    record = PhaseRecord(
        phase=Phase.REPORTING,
        status="completed",
        started_at=started,
        finished_at=around.clock(),
        counts={
            "samples": len(report.samples),
            "results": len(report.findings),
            "detected": found,
            "files": len(outputs),
        },
        tools={name: version(name) for name in ("jinja2", "typst")},
    )
    return StageResult(outputs=outputs, phases=(record,), findings=found)


def write_reports(report: Report, folder: Path) -> dict[str, Path]:
    """The forms of one report, by name: data once, pages in each language."""
    forms = {REPORT_JSON: report.model_dump_json(indent=1).encode()}
    for language in languages():
        forms[in_language(REPORT_HTML, language)] = render_html(report, language).encode()
        forms[in_language(REPORT_PDF, language)] = render_pdf(report, language)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in forms.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in forms}


class ReportingWork:
    """`StageWork` of a stage that only reports: one unit, nothing worth a checkpoint."""

    def __init__(self, order: WorkOrder, inputs: Inputs, around: Around) -> None:
        self._order, self._inputs, self._around = order, inputs, around

    def fingerprint(self) -> str:
        depends_on = [__version__, self._order.manifest.digest(), self._order.parameters.digest()]
        depends_on += [self._order.bundle, *self._order.previous]
        return fingerprint_of(depends_on)

    def units_total(self) -> int | None:
        return 1

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, Any]]:
        if 1 not in done:
            yield 1, None

    def process(self, payload: Any) -> UnitOutput:
        return UnitOutput(content=b"")

    def give_up(self, payload: object) -> Lost | None:
        """It is the whole phase: without it there is no result."""
        return None

    def progress(self) -> Progress:
        return Progress(phase=Phase.REPORTING)

    def running(self) -> None:
        """Nothing alarms before the end."""

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        for _ in contents:
            pass
        screen = ScreenResult.model_validate_json(self._inputs.path("screen.json").read_bytes())
        counted = self._inputs.path("quantification.json").read_bytes()
        quantification = Quantification.model_validate_json(counted)
        return report_phase(self._order, screen, quantification, self._around, scratch)


def with_phases(around: Around, *records: PhaseRecord) -> Around:
    """The same data with records of more phases (quantification, on the same instance)."""
    return replace(around, phases=(*around.phases, *records))


def _inputs(
    order: WorkOrder,
    screen: ScreenResult,
    quantification: Quantification,
    around: Around,
    made_at: datetime,
) -> ReportInputs:
    bill = make_bill(
        order.bill_so_far,
        as_of=made_at,
        prices=order.prices or around.prices,
        remarks=(because(RunCode.BILL_BEFORE_LAST_MACHINE),),
        interruptions=order.interruptions,
        factors=order.carbon_factors,
    )
    return ReportInputs(
        manifest=order.manifest,
        revision=order.revision,
        screen=screen,
        quantification=quantification,
        bundle=around.bundle,
        panel=around.panel,
        parameters=order.parameters,
        phases=around.phases,
        lost=around.lost,
        timeline=order.timeline,
        bill=bill if around.rented else None,
        created_at=made_at,
    )
