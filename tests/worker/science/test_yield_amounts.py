"""Copies by mass, agreement with the spike-in, and what reads are worth: against known values."""

from __future__ import annotations

import math

import pytest

from porewatch.domain.calls.findings import Quantity
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.reasons.reason import Code, verbatim
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.lod import lod95
from porewatch_worker.science.amounts.quantity import quantities
from porewatch_worker.science.amounts.quantity_agreement import compared, disagreements
from porewatch_worker.science.amounts.quantity_by_yield import copies_a_ng, from_yield, strand_kind
from porewatch_worker.science.amounts.required_reads import (
    required_reads,
    spread_chance,
    starts_chance,
)
from porewatch_worker.science.amounts.uncertainty import (
    copies_of_one,
    effective_reads,
    log_sd,
    widened,
)
from porewatch_worker.science.intervals import gamma_cdf
from tests.worker.science.test_calls import A, good, quantified
from tests.worker.science.test_numbers import SPIKE, VIRUS, evidence, screen_with, target

P = ScreeningParameters()
MASS = Sample(name="one", nucleic_acid_ng_per_ml=10.0)


def test_a_nanogram_of_a_kilobase_pair_is_close_to_a_billion_copies() -> None:
    assert copies_a_ng(1000, "dsDNA") == pytest.approx(9.265e8, rel=1e-3)
    assert copies_a_ng(1000, "ssRNA") == pytest.approx(1.771e9, rel=1e-3)


def test_the_genome_type_and_the_material_say_which_mass_a_base_has() -> None:
    assert strand_kind("circular ssDNA 1.77 kb", "dna") == "ssDNA"
    assert strand_kind("dsRNA 11 segments ~18.5 kb", "rna") == "dsRNA"
    assert strand_kind("integrated provirus / ssRNA(+) ~8.9 kb", "dna") == "dsDNA"
    assert strand_kind("integrated provirus / ssRNA(+) ~8.9 kb", "rna") == "ssRNA"
    assert strand_kind("linear dsDNA ~190 kb", "rna") is None
    assert strand_kind("ssRNA(+) ~15 kb", "dna") is None


def test_copies_by_yield_are_the_share_of_bases_in_the_stated_mass() -> None:
    # 50,000 of 1,000,000 bases, 10 kb: a twentieth of 10 ng
    found = from_yield(VIRUS, screen_with(VIRUS), MASS, "linear dsDNA", P)
    assert found is not None and found.value is not None
    assert found.value == pytest.approx(0.5 * copies_a_ng(10_000, "dsDNA"))
    assert found.parts == {"counting": pytest.approx(50**-0.5, abs=1e-4), "nucleic_acid": 0.25}
    assert "not corrected" in found.remark
    assert from_yield(VIRUS, screen_with(VIRUS), Sample(name="one"), "linear dsDNA", P) is None


def test_a_stated_efficiency_corrects_the_yield_and_the_spike_in_is_no_mass_of_the_extract() -> (
    None
):
    sample = MASS.model_copy(update={"extraction_efficiency": 0.5})
    found = from_yield(VIRUS, screen_with(VIRUS, SPIKE), sample, "linear dsDNA", P)
    assert found is not None and found.value is not None
    assert found.value == pytest.approx(10 * 0.05 / 0.5 / 0.5 * copies_a_ng(10_000, "dsDNA"))
    assert found.parts["extraction"] == 0.20


def test_both_loads_are_given_and_marked_when_they_cannot_both_be_right() -> None:
    # by spike-in 250 copies/mL; by yield a hundred million
    sample = MASS.model_copy(update={"spike_copies": 2000.0, "volume_ml": 4.0})
    found = quantities(VIRUS, screen_with(VIRUS, SPIKE), sample, 0, genome="linear dsDNA", p=P)
    assert [q.basis for q in found] == ["spike", "yield", "sequenced"]
    assert [q.disagrees for q in found] == [True, True, False]
    assert all(q.remarks[-1].code is Code.SPIKE_AND_YIELD_DISAGREE for q in found[:2])
    right = sample.model_copy(update={"spike_copies": 3.7e8 * 2})
    agreed = quantities(VIRUS, screen_with(VIRUS, SPIKE), right, 0, genome="linear dsDNA", p=P)
    assert not any(q.disagrees for q in agreed)


def test_a_yield_that_extraction_may_have_lost_is_no_contradiction() -> None:
    def load(low: float, high: float) -> Quantity:
        return Quantity(value=low, low=low, high=high, unit="copies/mL", how=verbatim("made"))

    spiked, fifth, hundredth = load(90, 110), load(18, 22), load(0.9, 1.1)
    stated = Sample(name="one", extraction_efficiency=0.4)
    assert not compared(spiked, fifth, MASS, P)[0].disagrees
    assert compared(spiked, hundredth, MASS, P)[0].disagrees
    assert compared(spiked, fifth, stated, P)[0].disagrees


def test_a_disagreement_is_a_remark_of_the_samples_outcome() -> None:
    sample = A.model_copy(
        update={"spike_copies": 2000.0, "volume_ml": 4.0, "nucleic_acid_ng_per_ml": 10.0}
    )
    found = quantified((sample, screen_with(good("V", 100), SPIKE)))
    remark = "copies/mL by spike-in and by yield disagree: V"
    assert [why.text() for why in disagreements(found.findings)] == [remark]
    assert remark in found.outcomes[0].reasons


def test_factors_widen_an_interval_as_their_squares_add_up() -> None:
    assert widened(10, 5, 20, []) == pytest.approx((5, 20))
    both = math.exp(1.959964 * math.hypot(log_sd(0.1), log_sd(0.2)))
    assert widened(10, 10, 10, [0.1, 0.2]) == pytest.approx((10 / both, 10 * both))
    assert widened(10, 0, math.inf, [0.1]) == (0.0, math.inf)


def test_unequal_reads_and_copies_of_one_molecule_are_worth_fewer() -> None:
    equal = evidence(10, 1000, squared_bases=10 * 100**2)
    one_long = evidence(10, 1000, squared_bases=9 * 20**2 + 820**2)
    assert effective_reads(equal, 50_000) == pytest.approx(10, rel=1e-3)
    assert effective_reads(one_long, 50_000) == pytest.approx(1000**2 / 676_000, rel=1e-3)
    assert copies_of_one(evidence(30, 3000, distinct_starts=10), 50_000) == pytest.approx(
        3, rel=0.01
    )
    # full-length reads of a short linear genome start at its ends: nothing follows
    assert copies_of_one(evidence(30, 30_000, distinct_starts=2), 1_000) == 1.0


def test_reads_in_other_samples_and_in_the_control_raise_what_a_call_needs() -> None:
    assert required_reads(0, [], P) == 3
    assert required_reads(0, [2.0], P) == 21
    k = required_reads(20_000, [], P)
    assert gamma_cdf(k, 20.0) < 0.001 <= gamma_cdf(k - 1, 20.0)


def test_reads_that_fill_a_genome_partly_pile_up_now_and_then() -> None:
    rule = (P.min_spread, P.many_regions)
    assert spread_chance(3, 0.0, *rule) == spread_chance(3, 1.0, *rule) == 1.0
    assert 0.9 < spread_chance(3, 0.25, *rule) < 1.0
    assert starts_chance(3, 0.0) == 1.0
    assert starts_chance(3, 1.0) == pytest.approx(0.75)


def test_without_spike_in_the_mass_gives_the_limit_and_its_interval_is_the_masss() -> None:
    limit = lod95(10_000, screen_with(), MASS, 0, P, genome="linear dsDNA")
    assert limit is not None and limit.value is not None and limit.low is not None
    assert (limit.unit, limit.basis) == ("copies/mL", "yield")
    assert limit.value / limit.low == pytest.approx(math.exp(1.959964 * log_sd(0.25)))
    few = target("V", ContigRole.PANEL, 10_000, 2, 2_000)
    assert lod95(10_000, screen_with(few), MASS, 0, P, genome="ssRNA(+)") is not None
