"""How phases are laid out on machines changes no answer: one machine for each, or shared ones.

Two runs more: slow. tests/simulator/test_many_stages.py plays such layouts too."""

from __future__ import annotations

import pytest

from porewatch.compute.layouts import profile
from porewatch.domain.facts.stage_facts import InstanceLaunched, StageCompleted
from porewatch.domain.stage.spec import Phase
from tests.cloud.lab import Lab
from tests.cloud.test_interruption import same_but_for_time

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
SHARED, APART = "default", "one-instance-per-phase"


def send_runs(lab: Lab) -> None:
    """The same reads, once for each layout."""
    files = {f"fastq/barcode01/reads_{n:02d}.fastq.gz": c for n, c in enumerate(lab.donor[:4])}
    for layout in (SHARED, APART):
        run_id = lab.run_id(layout)
        lab.put_files(run_id, files)
        manifest = lab.manifest(run_id, files)
        lab.put_seal(run_id, manifest.model_copy(update={"profile": layout}))


def test_both_layouts_give_the_same_report(lab: Lab) -> None:
    shared, apart = (lab.completed(lab.run_id(layout)).run for layout in (SHARED, APART))
    assert same_but_for_time(lab, apart) == same_but_for_time(lab, shared)
    assert any(finding.call == "detected" for finding in lab.findings(apart).findings)


@pytest.mark.parametrize("layout", [SHARED, APART])
def test_every_stage_of_a_layout_had_a_machine_of_its_own(lab: Lab, layout: str) -> None:
    run = lab.completed(lab.run_id(layout)).run
    stages = [s for s in profile(layout).stages if s.phases != (Phase.BASECALLING,)]
    launched = lab.facts(run.run_id, InstanceLaunched)
    assert [fact.stage for fact in launched] == [stage.name for stage in stages]
    assert len({fact.instance_id for fact in launched}) == len(stages)
    done = [p for fact in lab.facts(run.run_id, StageCompleted) for p in fact.phases]
    assert [p for p in done if p is not Phase.BASECALLING] == list(Phase)[1:]
