"""docs/science/recompute.md takes four numbers from the published tables: these very lines, run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from porewatch.compute.carbon import carbon_factors
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.money.cost import CostLine
from porewatch.domain.results.report import Report
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker.local.run import screen_locally
from porewatch_worker.phases.reporting import Around, report_phase
from porewatch_worker.references.installed import (
    bundle_folder,
    read_manifest,
)
from porewatch_worker.references.panel import read_panel
from porewatch_worker.simulate.demo import make_demo
from tests.web import made_up

FEW = ScreeningParameters(min_mean_quality=22.0)
"""Strict enough to leave few reads, so that genomes are covered in part."""
ODD_LINES = (
    CostLine(what="machine", instance_type="g4dn.xlarge", seconds=600.0, usd=0.02, gib_hours=16.7),
    CostLine(what="machine", instance_type="g6.xlarge", seconds=600.0, usd=0.03),
    CostLine(what="files", usd=0.01, gib_hours=7200.0),
)
"""A machine with an accelerator, one whose watts nobody publishes, and files that are kept."""
DOC = Path(__file__).parents[2] / "docs/science/recompute.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, dict[str, Any]]:
    """A real screen's report, with a bill, and what the page's lines make of its tables."""
    folder = tmp_path_factory.mktemp("run")
    demo = make_demo(folder / "demo", scale=0.0008)
    done = screen_locally(
        [demo.run_folder],
        references_root=demo.references,
        bundle=demo.bundle,
        out=folder / "out",
        sample_sheet=demo.sample_sheet,
        parameters=FEW,
    )
    report = Report.model_validate_json(done.report_json.read_bytes())
    bundle = read_manifest(demo.references, demo.bundle)
    manifest = made_up.manifest(report.samples)
    order = WorkOrder(
        run_id=manifest.run_id,
        revision=0,
        stage="report",
        phases=(Phase.REPORTING,),
        manifest=manifest,
        bundle=demo.bundle,
        parameters=FEW,
        bill_so_far=(*made_up.cost_lines(), *ODD_LINES),
        carbon_factors=carbon_factors("eu-central-1"),
    )
    panel = read_panel(bundle_folder(demo.references, demo.bundle) / "panel.json")
    result = report_phase(
        order,
        ScreenResult.model_validate_json(done.screen.read_bytes()),
        Quantification.model_validate_json(done.quantification.read_bytes()),
        Around(bundle, panel, report.phases),
        folder / "again",
    )
    again = Report.model_validate_json(result.outputs["report.json"].read_bytes())
    return again, lines_of_the_page(result.outputs["tables.zip"])


def lines_of_the_page(tables: Path) -> dict[str, Any]:
    """Run the page's code blocks, beside `tables`, and return their variables."""
    page = DOC.read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5
    variables: dict[str, Any] = {}
    exec("\n".join(blocks).replace('"tables.zip"', repr(str(tables))), variables)
    return variables


def test_copies_a_ml_and_their_interval(run: tuple[Report, dict[str, Any]]) -> None:
    report, made = run
    finding = next(f for f in report.findings if (f.sample, f.code) == ("donor-1", "PCV2"))
    by_spike = finding.quantities[0]
    assert (by_spike.unit, by_spike.basis) == ("copies/mL", "spike")
    amounts = (by_spike.value, by_spike.low, by_spike.high)
    assert amounts == pytest.approx((made["copies"], made["low"], made["high"]), rel=1e-6)


def test_breadth_and_expected_breadth_of_every_target(run: tuple[Report, dict[str, Any]]) -> None:
    report, made = run
    breadths = {
        (s.sample, t.target): (t.evidence.breadth, t.evidence.expected_breadth)
        for s in report.screens
        for t in s.targets
        if t.evidence.reads
    }
    found = {
        (row["sample"], row["target"]): (row["breadth"], row["expected"])
        for row in made["spread"].to_dicts()
    }
    assert found.keys() == breadths.keys()
    assert any(breadth < 1 for breadth, _ in breadths.values())
    for key, pair in breadths.items():
        assert found[key] == pytest.approx(pair, abs=2e-4), key


def test_the_bill(run: tuple[Report, dict[str, Any]]) -> None:
    report, made = run
    assert report.bill is not None
    assert report.bill.saved_usd > 0
    assert (made["paid"], made["saved"]) == pytest.approx(
        (report.bill.total_usd, report.bill.saved_usd), abs=1e-9
    )


def test_carbon_at_every_load(run: tuple[Report, dict[str, Any]]) -> None:
    report, made = run
    assert report.bill is not None and report.bill.carbon is not None
    carbon = report.bill.carbon
    assert carbon.total is not None and carbon.uncovered == 1
    assert made["grams"].row(0, named=True) == pytest.approx(carbon.total.model_dump(), abs=1e-4)
