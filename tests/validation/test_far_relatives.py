"""A relative that no bundle holds is no detection, and a strain as far as HEV's is one.

Small here; the table of docs/science/calls.md was made with 300 reads of each strain at each
distance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from porewatch.domain.calls.findings import Call
from porewatch_worker.science.call import calls
from porewatch_worker.simulate.edits import diverge
from porewatch_worker.simulate.errors import R9, R10, ErrorModel
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.validation.screened import screen_made
from porewatch_worker.validation.sets import MadeRun, Tube
from porewatch_worker.validation.worlds import World
from validation.panel_set import MEAN, SD, SHORTEST, make_panel_world, read_genomes, strain

pytestmark = pytest.mark.xdist_group("far-relatives")  # one world
READS = 150
FAR = 0.35


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_panel_world(tmp_path_factory.mktemp("far"))


def relatives(world: World) -> dict[str, tuple[Genome, ...]]:
    """Real West Nile viruses, which resemble JEV, and made relatives of three members."""
    real = {
        "West Nile 1": read_genomes("wnv1.fa", "", "JEV"),
        "West Nile 2": read_genomes("jev_csfv_wnv2.fa", "NC_001563.2", "JEV"),
    }
    rng = np.random.default_rng(35)
    made = {
        f"far {code}": tuple(
            replace(g, codes=diverge(g.codes, FAR, rng)) for g in world.genomes.of(code)
        )
        for code in ("CSFV", "ASFV", "PCV2")
    }
    return real | made


def called(
    world: World, tubes: dict[str, tuple[Genome, ...]], model: ErrorModel
) -> dict[str, set[str]]:
    """Label -> members that are detected."""
    made = tuple(Tube(label, ((genomes, READS),)) for label, genomes in tubes.items())
    run = MadeRun("far", made, model, 12, mean=MEAN, sd=SD, shortest=SHORTEST)
    return {
        seen.tube.label: {code for code, call in seen.calls.items() if call is Call.DETECTED}
        for seen in screen_made(world, run)
    }


@pytest.mark.parametrize("model", [R10, R9], ids=["R10", "R9"])
def test_relatives_that_no_bundle_holds_are_not_detected(world: World, model: ErrorModel) -> None:
    assert called(world, relatives(world), model) == {label: set() for label in relatives(world)}


def test_without_the_rule_relatives_would_be_detected(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "a_relative", lambda *_: None)
    assert "JEV" in called(world, relatives(world), R10)["West Nile 1"]


@pytest.mark.parametrize("model", [R10, R9], ids=["R10", "R9"])
def test_diverged_strains_are_still_detected(world: World, model: ErrorModel) -> None:
    tubes = {code: strain(world, code, 4) for code in ("HEV", "RABV", "JEV")}
    assert called(world, tubes, model) == {code: {code} for code in tubes}


def test_a_strain_beside_many_reads_of_its_relative_is_still_detected(world: World) -> None:
    there = (strain(world, "JEV", 4), 12), (relatives(world)["West Nile 1"], READS)
    run = MadeRun("both", (Tube("both", there),), R10, 8, mean=MEAN, sd=SD, shortest=SHORTEST)
    (seen,) = screen_made(world, run)
    assert seen.calls["JEV"] is Call.DETECTED
