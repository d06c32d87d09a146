"""Alerts against the final call: harmless runs raise none, true ones are raised in the run."""

from __future__ import annotations

import pytest

from porewatch.domain.calls.findings import Call
from porewatch_worker.references.load import LoadedBundle
from validation import made_reads as made
from validation.alert_pack import (
    a_envelopes_in_c,
    copies_in_the_reference,
    harmless,
    near_relative,
    of_recombinants,
    ten_reads,
)
from validation.surrogates import PervWorld, make_perv_world

CSFV = ("one", "CSFV")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> PervWorld:
    return make_perv_world(tmp_path_factory.mktemp("perv"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    return made.made_bundle(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 8, 9))])
def test_envelopes_of_a_in_a_backbone_like_c_alert_nobody(world: PervWorld, seed: int) -> None:
    """Seeds 0, 8 and 9 have some reads of PERV that stray to the host: no depth of a host."""
    run = a_envelopes_in_c(world, seed)
    assert run.finding("PERV-C").evidence is not None  # its backbone has reads
    assert run.finding("PERV-C").call is not Call.DETECTED
    assert run.alarms == run.final_alarms == set()


def test_copies_of_c_in_the_host_reference_alert_as_the_report_does(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = make_perv_world(tmp_path_factory.mktemp("c"), copies=("A", "B", "C"))
    run = copies_in_the_reference(world, 1)
    assert run.finding("PERV-C").call is Call.DETECTED
    assert run.alarms == run.final_alarms == {("one", "PERV-C")}
    assert run.final.perv[0].alarms


def test_recombinants_of_a_and_c_alert_in_the_run(world: PervWorld) -> None:
    run = of_recombinants(world, 1)
    assert ("one", "X-PERV-AC") in run.alarms
    assert run.alarms == run.final_alarms


@pytest.mark.parametrize("seed", range(6))
def test_harmless_runs_alert_nobody(world: PervWorld, bundle: LoadedBundle, seed: int) -> None:
    assert harmless(world, bundle, seed).alarms == set()


@pytest.mark.parametrize("seed", [113, 146])
def test_a_relative_whose_first_reads_lie_within_the_limit_is_waited_for(
    bundle: LoadedBundle, seed: int
) -> None:
    run = near_relative(bundle, seed)
    assert run.finding("CSFV").call is Call.INDETERMINATE
    assert run.alarms == set()


@pytest.mark.parametrize("seed", range(3))
def test_ten_reads_of_a_critical_target_alert_before_the_reads_end(
    bundle: LoadedBundle, seed: int
) -> None:
    run = ten_reads(bundle, seed)
    assert CSFV in run.final_alarms
    assert next(n for n, a in run.raised if a.code == "CSFV") <= run.units


@pytest.mark.slow
def test_two_hundred_harmless_runs_alert_nobody(world: PervWorld, bundle: LoadedBundle) -> None:
    raised = {seed: harmless(world, bundle, seed).alarms for seed in range(200)}
    assert {seed for seed, alarms in raised.items() if alarms} == set()


@pytest.mark.slow
def test_fifty_runs_of_ten_critical_reads_are_all_alerted_in_the_run(
    bundle: LoadedBundle,
) -> None:
    runs = [ten_reads(bundle, seed) for seed in range(50)]
    assert all(CSFV in run.alarms for run in runs)
    late = [run for run in runs for n, a in run.raised if a.code == "CSFV" and n > run.units]
    assert late == []
