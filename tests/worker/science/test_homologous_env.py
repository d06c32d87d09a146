"""A/C recombinants behind a net indel of env: places are compared where envs are aligned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch_worker.references.load import load
from porewatch_worker.references.read_off_sequences import completed
from porewatch_worker.science.sequence.homologous import (
    aligned,
    columns,
    hub_of,
)
from porewatch_worker.simulate.edits import diverge, random_codes, to_bytes
from porewatch_worker.simulate.errors import R9, R10, ErrorModel
from validation.perv_pack import (
    ac_junctions,
    recombinant_alarms,
    with_recombinant,
    without_recombinants,
)
from validation.surrogates import PervWorld, make_perv_world

LONGER = {"a80": {"A": 80}, "c80": {"C": 80}, "a150": {"A": 150}, "c150": {"C": 150}}


@pytest.fixture(scope="module", params=["a80", pytest.param("c150", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PervWorld:
    folder = tmp_path_factory.mktemp(request.param)
    return make_perv_world(folder, longer=LONGER[request.param])


def text(codes: np.ndarray) -> str:
    return to_bytes(codes).decode()


@pytest.mark.parametrize("size", [80, 150])
def test_places_behind_an_insertion_answer_to_each_other(size: int) -> None:
    rng = np.random.default_rng(3)
    one = random_codes(2000, rng)
    far = one.copy()
    changed = rng.random(2000) < 0.33
    far[changed] = (far[changed] + rng.integers(1, 4, changed.sum())) % 4
    other = np.concatenate([far[:600], random_codes(size, rng), far[600:]])
    there = columns(aligned(text(one), text(other)), len(one), len(other))
    for place in (100, 500, 700, 1200, 1990):
        own = place + size * (place >= 600)
        assert abs(there.hub(own) - place) <= 6
        assert abs(there.own(place) - own) <= 6


def test_equal_envs_are_one_block() -> None:
    assert aligned("ACGTACGGT", "ACGTACGGT") == ((0, 0, 9),)


def test_the_hub_is_type_a_and_every_env_gets_its_places() -> None:
    rng = np.random.default_rng(5)
    codes = random_codes(400, rng)
    sequences = {"c": text(codes), "a": text(diverge(codes, 0.1, rng))}
    contigs = [
        Contig(name=name, role=ContigRole.PANEL, target=f"PERV-{name.upper()}", length=len(s),
               perv_type=kind, features={"env": (10, len(s) - 10)})
        for (name, s), kind in zip(sequences.items(), ("C", "A"), strict=True)
    ]  # fmt: skip
    hub = hub_of(contigs)
    assert hub is not None
    assert hub.name == "a"
    by_name = {c.name: c for c in completed(contigs, sequences.__getitem__)}
    assert by_name["a"].env_blocks == ((0, 0, len(sequences["a"]) - 20),)
    assert sum(n for *_, n in by_name["c"].env_blocks) > 300
    assert completed(by_name.values(), {}.__getitem__) == tuple(by_name.values())


def test_the_bundle_manifest_holds_the_places(world: PervWorld, tmp_path: Path) -> None:
    pervs = [c for c in world.bundle.manifest.contigs if c.perv_type]
    assert pervs
    assert all(c.env_blocks for c in pervs)


@pytest.mark.parametrize(
    ("order", "step", "model"), [("AC", 9, R10), pytest.param("CA", 9, R9, marks=pytest.mark.slow)]
)
def test_a_recombinant_behind_the_indel_alarms(
    world: PervWorld, order: str, step: int, model: ErrorModel
) -> None:
    result = with_recombinant(world, 3000, step=step, order=order, model=model, seed=step)
    assert ac_junctions(result) >= 3
    assert recombinant_alarms([result]) == 1


@pytest.mark.slow  # without an indel: test_perv.py
def test_without_recombinants_nothing_alarms(world: PervWorld) -> None:
    found = without_recombinants(world, 3, kinds="ABC", chimeras=0.02, seed=77)
    assert recombinant_alarms(found) == 0


@pytest.mark.slow
def test_a_hundred_mixtures_without_recombinants_do_not_alarm(world: PervWorld) -> None:
    found = without_recombinants(world, 100, kinds="ABC", chimeras=0.02, seed=7_000)
    assert recombinant_alarms(found) == 0


def test_bundles_of_earlier_versions_are_completed_when_loaded(tmp_path: Path) -> None:
    world = make_perv_world(tmp_path, longer={"A": 80})
    before = tuple(c.model_copy(update={"env_blocks": ()}) for c in world.bundle.manifest.contigs)
    again = completed(before, world.bundle.panel_aligner.seq)
    assert again == world.bundle.manifest.contigs
    assert load(tmp_path, "surrogate@1").contigs == {c.name: c for c in again}
