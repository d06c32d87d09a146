"""A report holds its provenance: each digest follows what it is a digest of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from porewatch.domain.base import Model
from porewatch.domain.calls.panel import Panel
from porewatch.domain.results.report import (
    Provenance,
    Report,
)
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker import __version__
from porewatch_worker.local.run import (
    LocalReport,
    screen_locally,
)
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.verify import manifest_sha256
from porewatch_worker.report.assemble import ReportInputs, assemble
from porewatch_worker.simulate.demo import DemoSet, make_demo
from tests.web import made_up


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    return make_demo(tmp_path_factory.mktemp("demo"), scale=0.02)


@pytest.fixture(scope="module")
def screened(demo: DemoSet, tmp_path_factory: pytest.TempPathFactory) -> LocalReport:
    return screen_locally(
        [demo.run_folder],
        references_root=demo.references,
        bundle=demo.bundle,
        out=tmp_path_factory.mktemp("out"),
        sample_sheet=demo.sample_sheet,
    )


def test_a_screened_run_names_what_lay_there_by_digest(
    demo: DemoSet, screened: LocalReport
) -> None:
    provenance = Report.model_validate_json(screened.report_json.read_bytes()).provenance
    folder: Path = bundle_folder(demo.references, demo.bundle)
    panel = Panel.model_validate_json((folder / "panel.json").read_bytes())
    assert provenance.bundle_sha256 == manifest_sha256(demo.references, demo.bundle)
    assert (provenance.panel_sha256, provenance.panel_version) == (panel.digest(), panel.version)
    assert provenance.parameters_sha256 == ScreeningParameters().digest()
    assert provenance.porewatch_version == __version__ == version("porewatch-worker")
    assert provenance.tools["mappy"] == version("mappy")
    named = (
        "reads were already basecalled (model dna_r10.4.1_e8.2_400bps_hac@v5.0.0, by their headers)"
    )
    assert provenance.basecalling == f"not done here: {named}"


def changed(what: str, inputs: ReportInputs) -> ReportInputs:
    """The same run, with one thing about it changed."""
    if what == "panel_sha256":
        first, *others = inputs.panel.entries
        milder = first.model_copy(update={"status_reason": "another reason"})
        panel = inputs.panel.model_copy(update={"entries": (milder, *others)})
        return replace(inputs, panel=panel)
    if what == "bundle_sha256":
        return replace(inputs, screen=_with(inputs.screen, bundle_sha256="12" * 32))
    if what == "parameters_sha256":
        return replace(inputs, parameters=_with(inputs.parameters, min_identity=0.71))
    if what == "manifest_sha256":
        return replace(inputs, manifest=_with(inputs.manifest, profile="another"))
    if what == "tools":
        record = inputs.phases[0]
        phases = (_with(record, tools={"dorado": "1.2.3"}), *inputs.phases[1:])
        return replace(inputs, phases=phases)
    return replace(inputs, phases=(_basecalled(inputs.phases[0]), *inputs.phases[1:]))


def _with(model: Any, **changes: object) -> Any:
    assert isinstance(model, Model)
    return model.model_copy(update=changes)


def _basecalled(record: PhaseRecord) -> PhaseRecord:
    return record.model_copy(
        update={"phase": Phase.BASECALLING, "status": "completed", "backend": "dorado 9.9"}
    )


@pytest.mark.parametrize(
    "what",
    [
        "panel_sha256",
        "bundle_sha256",
        "parameters_sha256",
        "manifest_sha256",
        "tools",
        "basecalling",
    ],
)
def test_no_part_of_the_provenance_is_a_constant(what: str) -> None:
    inputs = made_up.rich()
    before, after = (
        assemble(one).provenance.model_dump(mode="json") for one in (inputs, changed(what, inputs))
    )
    assert before[what] != after[what]


def test_the_code_version_is_that_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porewatch_worker.report.assemble.__version__", "9.9.9")
    assert assemble(made_up.rich()).provenance.porewatch_version == "9.9.9"


def test_every_field_of_the_provenance_is_on_the_page() -> None:
    from porewatch_worker.report.pages.run_record.phases_and_tools import provenance

    report = assemble(made_up.rich())
    section = provenance(report)
    page = json.dumps([str(block) for block in section.blocks])
    fields: Callable[[str], str] = lambda name: str(getattr(report.provenance, name))  # noqa: E731
    for name in Provenance.model_fields:
        if name not in {"tools", "parameters", "bundle_synthetic", "basecalled"}:
            assert fields(name) in page, name
    assert report.provenance.basecalling in page
