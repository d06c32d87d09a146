"""Stages one after the other on S3, as instances run them, for both profiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from porewatch.domain import s3_keys
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.results.publishing import is_of_sample
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunManifest
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch.domain.stage.work_order import WorkOrder
from porewatch_worker import build_stage
from porewatch_worker.instance.attempt import (
    DONE,
    run_attempt,
)
from porewatch_worker.local.reads import check_reads
from porewatch_worker.report.sample_files import sample_files
from porewatch_worker.settings import BasecallerSettings
from porewatch_worker.simulate.demo import DemoSet, make_demo
from porewatch_worker.stage.stop import Stop
from porewatch_worker.stage_work import Inputs
from tests.worker.runtime_world import AT, World, an_order, world

__all__ = ["world"]

SCREEN = (Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL, Phase.PATHOGEN_DETECTION)
TOGETHER = (("screen", SCREEN), ("report", (Phase.QUANTIFICATION, Phase.REPORTING)))
ALONE = tuple((phase.value, (phase,)) for phase in Phase if phase is not Phase.BASECALLING)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    return make_demo(tmp_path_factory.mktemp("demo"), scale=0.01)


def run_stages(
    world: World, demo: DemoSet, layout: Sequence[tuple[str, tuple[Phase, ...]]]
) -> list[StageManifest]:
    """Upload the demo run and work through its stages, one attempt each."""
    manifest, sources = check_reads(
        [demo.run_folder], demo.sample_sheet, demo.bundle, lambda _: None
    )
    manifest = manifest.model_copy(update={"run_id": "run-1"})
    for name, path in sources.items():
        key = s3_keys.raw_key("run-1", name)
        world.s3.put_object(Bucket="raw", Key=key, Body=path.read_bytes())
    done: list[str] = []
    published = []
    for stage, phases in layout:
        published.append(_run_stage(world, demo, manifest, stage, phases, tuple(done)))
        done.append(s3_keys.manifest_key("run-1", 2, stage))
    return published


def _run_stage(
    world: World,
    demo: DemoSet,
    manifest: RunManifest,
    stage: str,
    phases: tuple[Phase, ...],
    previous: tuple[str, ...],
) -> StageManifest:
    key = StageKey("run-1", 2, stage)
    spec = StageSpec(name=stage, phases=phases, instance_types=("m7i.large",))
    epoch = world.ledger.open_stage(key, spec, AT).epoch
    for tag, value in (("revision", 2), ("stage", stage), ("epoch", epoch)):
        world.metadata.leaves[f"meta-data/tags/instance/porewatch-{tag}"] = str(value)
    order = WorkOrder(
        run_id="run-1",
        revision=2,
        stage=stage,
        phases=phases,
        manifest=manifest,
        bundle=demo.bundle,
        previous=previous,
        parameters=ScreeningParameters(unit_reads=200),
    )
    content = order.canonical_json().encode()
    world.s3.put_object(Bucket="results", Key=s3_keys.order_key(*key), Body=content)
    settings = world.settings.model_copy(update={"references": demo.references})
    assert run_attempt(settings, world.cloud, Stop()) == DONE, world.messages()
    world.make_visible(key=key)
    return StageManifest.model_validate_json(world.text(s3_keys.manifest_key(*key)))


def report_of(world: World, manifests: list[StageManifest]) -> Report:
    return Report.model_validate_json(world.text(manifests[-1].outputs["report.json"].key))


def test_two_stages_make_the_report_of_a_basecalled_run(world: World, demo: DemoSet) -> None:
    screened, reported = run_stages(world, demo, TOGETHER)
    assert screened.units >= demo.reads // 200
    single = {name for name in reported.outputs if is_of_sample(name)}
    assert set(reported.outputs) - single == {
        "quantification.json",
        "report.json",
        "report.html",
        "report.pdf",
        "report.ja.html",
        "report.ja.pdf",
        "tables.zip",
    }
    records = [*screened.phases, *reported.phases]
    assert [r.phase for r in records] == list(Phase)
    assert records[0].status == "skipped"
    report = report_of(world, [reported])
    assert single == set(sample_files(report))
    assert len(single) == 2 * len(report.subjects) > 0
    assert report.bill is not None, "an instance is paid for"
    counted = sum(s.account.total for s in report.screens) + sum(report.unlisted_barcodes.values())
    assert counted == demo.reads


def test_a_machine_for_each_phase_finds_the_same(world: World, demo: DemoSet) -> None:
    together = report_of(world, run_stages(world, demo, TOGETHER))
    manifests = run_stages(world, demo, ALONE)
    alone = report_of(world, manifests)
    assert [r.phase for m in manifests for r in m.phases] == list(Phase)
    assert manifests[1].phases[0].reason.startswith("counted during the pass")
    for name in ("findings", "screens", "outcomes", "unlisted_barcodes", "decision"):
        assert getattr(alone, name) == getattr(together, name)


def test_phases_that_make_no_stage_are_refused(tmp_path: Path) -> None:
    order = an_order().model_copy(update={"phases": (Phase.BASECALLING, Phase.REPORTING)})
    means = build_stage.Means(Inputs(), (), tmp_path, tmp_path, BasecallerSettings())
    with pytest.raises(ConfigurationRefused, match="a stage of basecalling, reporting"):
        build_stage.build(order, means)
