"""Intervals, quantities, limits, evidence, histograms, filters: against known values."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porewatch.domain.calls.evidence import (
    Evidence,
    Histogram,
    QualityControl,
    ReadAccount,
    SampleScreen,
    TargetResult,
)
from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.reads.summary import n50
from porewatch_worker.science.amounts.efficiency import FOUND_BY_MAPPING
from porewatch_worker.science.amounts.lod import lod95
from porewatch_worker.science.amounts.quantity import (
    against_host,
    from_spike,
    quantities,
    spike_recovery,
)
from porewatch_worker.science.count.evidence import (
    Depth,
    TargetTotals,
    gini,
)
from porewatch_worker.science.count.histograms import (
    LENGTH_EDGES,
    length_histogram,
    length_statistics,
    quality_bin,
    yield_points,
)
from porewatch_worker.science.count.target_counts import TargetCounts
from porewatch_worker.science.count.totals import RunTotals
from porewatch_worker.science.count.units import UnitCounts
from porewatch_worker.science.intervals import (
    beta_quantile,
    gamma_cdf,
    gamma_quantile,
    poisson_interval,
    ratio_interval,
    wilson_interval,
)
from porewatch_worker.science.read.filter_reads import (
    FRONT,
    REAR,
    filter_read,
    inner_span,
    mean_errors,
)
from porewatch_worker.science.reads import Read
from validation.screens import random_sequence

EMPTY = Histogram(unit="bases", edges=(0.0, 1.0), counts=(0,))


def evidence(reads: int, aligned: int, **more: object) -> Evidence:
    fields: dict[str, object] = {
        "reads": reads, "aligned_bases": aligned, "distinct_starts": reads, "breadth": 0.5,
        "expected_breadth": 0.5, "mean_depth": 1.0, "evenness": 0.5, "identity": 0.95,
        "median_mapq": 60,
    }  # fmt: skip
    return Evidence.model_validate({**fields, **more})


def target(name: str, role: ContigRole, length: int, reads: int, aligned: int) -> TargetResult:
    return TargetResult(
        target=name, role=role, genome_length=length, evidence=evidence(reads, aligned)
    )


def screen_with(*targets: TargetResult, passed: int = 1000, host: int = 0) -> SampleScreen:
    quality = QualityControl(
        reads=passed, bases=passed * 1000, passed_reads=passed, passed_bases=passed * 1000,
        mean_length=1000, median_length=1000, n50=1000, longest=1000, mean_quality=15,
        lengths=EMPTY, qualities=EMPTY,
    )  # fmt: skip
    account = ReadAccount(total=passed, host=host, unassigned=passed - host)
    return SampleScreen(
        sample="one", account=account, quality=quality, host_bases=host * 1000, targets=targets
    )


SPIKE = target("lambda", ContigRole.SPIKE, 50_000, 100, 500_000)  # ten genomes
VIRUS = target("V", ContigRole.PANEL, 10_000, 50, 50_000)  # five genomes


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (3, 0.619, 8.767), (10, 4.795, 18.390),
     (100, 81.364, 121.627)],
)  # fmt: skip
def test_poisson_intervals_are_those_of_the_published_tables(
    count: int, low: float, high: float
) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), abs=1e-3)


@settings(max_examples=100)
@given(a=st.integers(1, 60), x=st.floats(0.01, 100))
def test_the_incomplete_gamma_function_is_a_poisson_tail(a: int, x: float) -> None:
    below = sum(math.exp(-x + k * math.log(x) - math.lgamma(k + 1)) for k in range(a))
    assert gamma_cdf(a, x) == pytest.approx(1 - below, abs=1e-9)


@settings(max_examples=100)
@given(a=st.integers(1, 30), b=st.integers(1, 30), tail=st.floats(1e-4, 1 - 1e-4))
def test_the_beta_quantile_is_where_a_binomial_tail_is_so_much(a: int, b: int, tail: float) -> None:
    n, x = a + b - 1, beta_quantile(tail, a, b)
    there = sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert there == pytest.approx(tail, abs=1e-9)


def test_ratio_intervals_cover_the_true_ratio_at_least_as_often_as_they_say() -> None:
    dice = np.random.default_rng(7)
    hits = 0
    for above, below in zip(dice.poisson(12, 600), dice.poisson(40, 600), strict=True):
        low, high = ratio_interval(int(above), int(below))
        hits += low <= 12 / 40 <= high
    assert hits / 600 >= 0.94


def test_a_ratio_without_its_denominator_has_no_upper_end() -> None:
    low, high = ratio_interval(5, 0)
    assert low > 0
    assert math.isinf(high)
    assert ratio_interval(0, 10)[0] == 0.0


def test_wilson_intervals_are_the_published_ones() -> None:
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-3)
    assert wilson_interval(19, 20) == pytest.approx((0.7639, 0.9911), abs=1e-3)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_copies_by_spike_in_are_the_depth_ratio_times_the_copies_added() -> None:
    sample = Sample(name="one", spike_copies=2000, volume_ml=4)
    quantity = from_spike(VIRUS, screen_with(VIRUS, SPIKE), sample, ScreeningParameters())
    assert quantity is not None
    assert quantity.unit == "copies/mL"
    assert quantity.value == pytest.approx(5 / 10 * 2000 / 4)
    assert quantity.low is not None and quantity.high is not None
    assert quantity.low < 250 < quantity.high
    low, high = ratio_interval(50, 100)
    assert quantity.low < 500 * low < 500 * high < quantity.high
    assert quantity.parts == {
        "counting": pytest.approx(math.sqrt(1 / 50 + 1 / 100), abs=1e-4),
        "spike_in": 0.10,
        "extraction": 0.20,
    }


def test_a_stated_extraction_efficiency_is_divided_out() -> None:
    sample = Sample(name="one", spike_copies=2000, volume_ml=4, extraction_efficiency=0.5)
    quantity = from_spike(VIRUS, screen_with(VIRUS, SPIKE), sample, ScreeningParameters())
    assert quantity is not None
    assert quantity.value == pytest.approx(500)


def test_below_three_reads_only_an_upper_bound_is_given() -> None:
    few = target("V", ContigRole.PANEL, 10_000, 2, 2_000)
    sample = Sample(name="one", spike_copies=2000, volume_ml=4)
    found = quantities(few, screen_with(few, SPIKE, host=500), sample, 1_000_000)
    assert len(found) == 3
    assert all(q.value is None and q.low is None and q.high is not None for q in found)


def test_the_copy_number_does_not_change_when_everything_is_sequenced_more() -> None:
    # the flaw of the predecessor: total reads cancelled out of its "copies/mL"
    sample = Sample(name="one", spike_copies=2000, volume_ml=4)
    ten = target("V", ContigRole.PANEL, 10_000, 500, 500_000)
    spike = target("lambda", ContigRole.SPIKE, 50_000, 1000, 5_000_000)
    once = from_spike(VIRUS, screen_with(VIRUS, SPIKE), sample, ScreeningParameters())
    more = from_spike(ten, screen_with(ten, spike), sample, ScreeningParameters())
    doubled = from_spike(VIRUS, screen_with(VIRUS, spike), sample, ScreeningParameters())
    assert once is not None and more is not None and doubled is not None
    assert once.value == pytest.approx(more.value)
    assert doubled.value == pytest.approx(once.value / 10 if once.value else None)


def test_without_spike_the_host_is_the_yardstick_and_without_both_nothing_is_claimed() -> None:
    quantity = against_host(VIRUS, screen_with(VIRUS, host=800), 1_000_000)
    assert quantity is not None
    assert quantity.value == pytest.approx(5 / 0.8)
    assert against_host(VIRUS, screen_with(VIRUS), 1_000_000) is None
    nothing = from_spike(
        VIRUS, screen_with(VIRUS, SPIKE), Sample(name="one"), ScreeningParameters()
    )
    assert nothing is None


def test_spike_recovery_counts_sequenced_genomes_per_copy_added() -> None:
    sample = Sample(name="one", spike_copies=1000)
    recovery = spike_recovery(screen_with(SPIKE), sample)
    assert recovery is not None
    assert recovery.value == pytest.approx(10 / 1000)
    lost = spike_recovery(screen_with(), sample)
    assert lost is not None
    assert lost.value == 0.0


def test_lod95_gives_enough_reads_in_95_of_100_runs() -> None:
    # 20 genomes of spike for 1000 copies: 50 copies a sequenced genome; reads of 1000 bases
    sample = Sample(name="one", spike_copies=1000, volume_ml=2)
    spike = target("lambda", ContigRole.SPIKE, 50_000, 1000, 1_000_000)
    limit = lod95(10_000, screen_with(spike), sample, 0, ScreeningParameters())
    assert limit is not None and limit.value is not None
    genomes = limit.value * 2 / 50
    reads = genomes * 10 * FOUND_BY_MAPPING
    dice = np.random.default_rng(3)
    assert (dice.poisson(reads, 20_000) >= 3).mean() == pytest.approx(0.95, abs=0.005)


def test_lod95_falls_with_yield_and_with_genome_length() -> None:
    sample = Sample(name="one", spike_copies=1000)
    more = target("lambda", ContigRole.SPIKE, 50_000, 200, 1_000_000)
    values = []
    for length, spike in ((10_000, SPIKE), (10_000, more), (100_000, SPIKE)):
        limit = lod95(length, screen_with(spike), sample, 0, ScreeningParameters())
        assert limit is not None and limit.value is not None
        values.append(limit.value)
    assert values[1] == pytest.approx(values[0] / 2)
    # a little less than a tenth: reads that fill a tenth of the genome pile up now and then
    assert 0.9 * values[0] / 10 < values[2] < values[0] / 10


def test_lod95_without_yardstick_is_a_share_of_reads_and_without_reads_nothing() -> None:
    limit = lod95(10_000, screen_with(passed=100), Sample(name="one"), 0, ScreeningParameters())
    assert limit is not None
    assert limit.unit == "reads per million"
    assert limit.value is not None
    least = gamma_quantile(0.95, 3) / FOUND_BY_MAPPING / 100 * 1e6
    assert least < limit.value < 1.1 * least
    nothing = screen_with(passed=0)
    assert lod95(10_000, nothing, Sample(name="one"), 0, ScreeningParameters()) is None


@settings(max_examples=40)
@given(
    spans=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 100)), min_size=1, max_size=40),
    masked=st.booleans(),
)
def test_depth_is_what_counting_base_by_base_gives(
    spans: list[tuple[int, int]], masked: bool
) -> None:
    mask = ((200, 300), (500, 520)) if masked else ()
    contig = Contig(name="c", role=ContigRole.PANEL, target="T", length=1000, masked=mask)
    depth = Depth(contig)
    intervals = [(a, a + n) for a, n in spans]
    depth.add(intervals)
    plain = [0] * 1000
    for a, b in intervals:
        for i in range(a, b):
            plain[i] += not any(x <= i < y for x, y in mask)
    assert depth.values().tolist() == plain
    assert depth.covered() == sum(d > 0 for d in plain)
    free = [d > 0 for i, d in enumerate(plain) if not any(x <= i < y for x, y in mask)]
    assert depth.regions() == sum(b and not a for a, b in zip([False, *free], free, strict=False))
    coverage = depth.coverage()
    assert len(coverage.bins) <= 200
    assert coverage.max_depth == max(plain)


def test_depth_of_a_large_contig_is_sampled_and_still_right() -> None:
    contig = Contig(name="c", role=ContigRole.PANEL, target="T", length=5_000_000)
    depth = Depth(contig)
    depth.add([(i * 10_000, i * 10_000 + 2_500) for i in range(500)])
    assert depth.covered() / 5_000_000 == pytest.approx(0.25, abs=0.001)
    assert len(depth.coverage().bins) == 200
    assert depth.regions() == 500


def test_evidence_rests_on_the_best_strain_and_on_all_segments() -> None:
    def contig(name: str, segment: str, length: int) -> Contig:
        return Contig(name=name, role=ContigRole.PANEL, target="T", length=length, segment=segment)

    totals = TargetTotals([contig("1a", "1", 1000), contig("1b", "1", 900), contig("2a", "2", 500)])
    counts = TargetCounts(reads=2, matched=900, block=1000, aligned=1000)
    counts.intervals = {"1b": [(0, 600)], "1a": [(0, 400)]}
    counts.starts = {"1b": [0], "1a": [0]}
    counts.mapq.update([0, 60])
    totals.add(counts)
    result = totals.result("T")
    assert result.genome_length == 900 + 500
    assert result.evidence.breadth == pytest.approx(600 / 1400)
    assert result.evidence.expected_breadth == pytest.approx(1 - math.exp(-600 / 1400), abs=1e-6)
    assert result.evidence.identity == 0.9
    assert [c.contig for c in result.evidence.coverage] == ["1b"]


def test_gini_is_zero_for_even_and_near_one_for_one_place() -> None:
    assert gini(np.array([3.0, 3.0, 3.0])) == pytest.approx(0.0)
    assert gini(np.array([0.0] * 99 + [1.0])) == pytest.approx(0.99)


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=200))
def test_statistics_from_counts_are_those_of_the_lengths_themselves(lengths: list[int]) -> None:
    counts = {length: lengths.count(length) for length in lengths}
    mean, median, half, longest = length_statistics(counts)
    assert mean == pytest.approx(sum(lengths) / len(lengths))
    assert median == float(np.median(lengths))
    assert (half, longest) == (n50(lengths), max(lengths))
    histogram = length_histogram(counts)
    assert (sum(histogram.counts), sum(histogram.bases)) == (len(lengths), sum(lengths))
    assert len(histogram.edges) == len(histogram.counts) + 1


def test_length_bins_are_ascending_and_hold_their_edges() -> None:
    assert list(LENGTH_EDGES) == sorted(set(LENGTH_EDGES))
    histogram = length_histogram({0: 1, 10: 1, 20_000_000: 1})
    assert (histogram.counts[0], histogram.counts[1], histogram.counts[-1]) == (1, 1, 1)


def test_quality_bins_are_phred_values() -> None:
    assert [quality_bin(e) for e in (1.0, 0.1, 0.01, 0.0)] == [0, 10, 20, 49]


def test_yield_starts_at_the_first_minute_of_the_run_and_has_few_points() -> None:
    minutes = {1000 + m: 2 for m in range(4000)}
    points = yield_points(minutes, {m: 20 for m in minutes}, 1000)
    assert len(points) <= 200
    assert (points[0].minute, sum(p.reads for p in points)) == (0, 8000)
    assert yield_points({}, {}, None) == ()


def test_adapters_at_the_ends_are_cut_and_clean_reads_are_left_alone() -> None:
    inner = random_sequence(1000, 5)
    for front in FRONT:
        read = random_sequence(20, 6) + front + inner
        assert inner_span(read)[0] == pytest.approx(20 + len(front), abs=4)
    start, end = inner_span(inner + REAR[0] + "ACGT")
    assert (start, end) == (0, pytest.approx(1000, abs=4))
    clean = [random_sequence(2000, seed) for seed in range(200, 260)]
    assert all(inner_span(read) == (0, len(read)) for read in clean)
    assert inner_span("") == (0, 0)
    assert inner_span(FRONT[0])[0] <= len(FRONT[0])


def test_an_adapter_with_errors_is_still_found() -> None:
    adapter = list(FRONT[1])
    adapter[3] = "A"
    read = "".join(adapter) + random_sequence(500, 8)
    assert inner_span(read)[0] == pytest.approx(len(adapter), abs=4)


def test_quality_is_judged_by_mean_error_and_not_by_mean_phred() -> None:
    # half Phred 3, half Phred 40: mean Phred 21.5, mean error 0.25
    read = Read("r", "A" * 400, b"$" * 200 + b"I" * 200)
    assert filter_read([read], ScreeningParameters())[0].reason == "low_quality"
    fine = Read("r", random_sequence(400, 1), b"5" * 400)
    short = Read("r", "ACGT", b"IIII")
    empty = Read("r", "", b"")
    reasons = [j.reason for j in filter_read([fine, short, empty], ScreeningParameters())]
    assert reasons == [None, "too_short", "too_short"]


def test_mean_errors_of_many_reads_are_those_of_each() -> None:
    dice = random.Random(2)
    reads = [
        Read("r", "A" * n, bytes(dice.randrange(33, 80) for _ in range(n)))
        for n in (5, 0, 1, 300, 0)
    ]
    expected = [
        sum(10 ** (-(q - 33) / 10) for q in r.qualities) / len(r.qualities) if r.sequence else 1.0
        for r in reads
    ]
    assert mean_errors(reads).tolist() == pytest.approx(expected)
    assert mean_errors([]).tolist() == []


def test_reads_of_a_lost_unit_count_and_have_no_quality() -> None:
    counts = UnitCounts()
    for number in range(10):
        read = Read(f"r{number}", "ACGT" * 100, b"+" * 400)
        counts.sample("s").see(filter_read([read], ScreeningParameters())[0])
    for _ in range(90):
        counts.sample("s").lose()
    totals = RunTotals([])
    totals.add(counts)
    (screen,) = totals.screens(["s"])
    assert (screen.quality.reads, screen.quality.passed_reads) == (100, 10)
    assert screen.quality.mean_quality == pytest.approx(10.0)
