"""The reporting phase: from published results to three files."""

from __future__ import annotations

from pathlib import Path

from porewatch.domain.results.publishing import is_of_sample
from porewatch.domain.results.report import Report
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker.phases.reporting import Around, ReportingWork, report_phase
from porewatch_worker.stage_work import Inputs
from tests.web import made_up


def _order(**changes: object) -> WorkOrder:
    inputs = made_up.rich()
    order = WorkOrder(
        run_id=inputs.manifest.run_id,
        revision=0,
        stage="report",
        phases=(Phase.REPORTING,),
        manifest=inputs.manifest,
        bundle="demo@1",
        timeline=made_up.timeline(),
        bill_so_far=made_up.cost_lines(),
    )
    return order.model_copy(update=changes)


def _around(*, rented: bool = True) -> Around:
    inputs = made_up.rich()
    return Around(
        bundle=inputs.bundle,
        panel=inputs.panel,
        phases=inputs.phases,
        rented=rented,
        clock=lambda: inputs.created_at,
    )


PIGS = ("pig-01", "pig-02", "pig-03-empty")


def test_a_stage_that_only_reports_publishes_all_forms_of_one_report(tmp_path: Path) -> None:
    made = made_up.rich()
    (tmp_path / "screen.json").write_text(made.screen.model_dump_json())
    (tmp_path / "quantification.json").write_text(made.quantification.model_dump_json())
    inputs = Inputs({p.name: p for p in tmp_path.iterdir()})
    work = ReportingWork(_order(), inputs, _around())
    contents = [work.process(payload).content for _, payload in work.units(frozenset())]
    result = work.finish(iter(contents), tmp_path / "out")

    assert set(result.outputs) == {
        "report.json",
        "report.html",
        "report.pdf",
        "report.ja.html",
        "report.ja.pdf",
        "tables.zip",
        *(f"report-{key}{tail}.pdf" for key in PIGS for tail in ("", ".ja")),
    }
    assert all(is_of_sample(f"report-{key}.pdf") for key in PIGS)
    report = Report.model_validate_json(result.outputs["report.json"].read_bytes())
    assert report.decision in result.outputs["report.html"].read_text("utf-8")
    assert result.outputs["report.pdf"].read_bytes().startswith(b"%PDF-")
    (record,) = result.phases
    assert (record.phase, record.counts["results"]) == (Phase.REPORTING, 5 * 98)
    assert result.findings == 2  # those of the samples; two more are in controls
    assert list(work.units(frozenset({1}))) == []


def test_earlier_costs_are_in_the_report_and_a_run_without_machines_has_no_bill(
    tmp_path: Path,
) -> None:
    made = made_up.rich()
    for rented in (True, False):
        result = report_phase(
            _order(), made.screen, made.quantification, _around(rented=rented), tmp_path
        )
        report = Report.model_validate_json(result.outputs["report.json"].read_bytes())
        lines = report.bill.lines if report.bill else None
        assert lines == (made_up.cost_lines() if rented else None)


def test_a_changed_parameter_or_input_changes_the_fingerprint() -> None:
    def fingerprint(order: WorkOrder) -> str:
        return ReportingWork(order, Inputs(), _around()).fingerprint()

    order = _order()
    stricter = order.parameters.model_copy(update={"min_identity": 0.9})
    assert fingerprint(order) == fingerprint(_order())
    assert fingerprint(order) != fingerprint(_order(parameters=stricter))
    assert fingerprint(order) != fingerprint(_order(previous=("a/manifest.json",)))
