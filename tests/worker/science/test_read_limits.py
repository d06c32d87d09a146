"""How short reads may be: by option, sheet, policy or tissue; and what follows when many are."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.calls.evidence import Histogram, QualityControl, ReadAccount, SampleScreen
from porewatch.domain.calls.findings import Call, Finding, Outcome, Quantification
from porewatch.domain.errors import NoReadsLeft, SampleSheetRefused
from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet
from porewatch.domain.runs import ReadLimits, Sample, SampleRole
from porewatch.domain.stage.read_limits import (
    CELL_FREE_LIMITS,
    limits_of,
    settled,
)
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.amounts.efficiency import (
    FOUND_BY_MAPPING,
    efficiency,
)
from porewatch_worker.science.release.policies import release_policies
from porewatch_worker.validation.screened import answer
from validation.shared_data import real

pytestmark = pytest.mark.xdist_group("real-bundle")
P = ScreeningParameters()
TRUTH = 34_000
PLASMA = Sample(name="one", tissue="Plasma", spike_copies=10_000, volume_ml=1)


def quantified(bundle: LoadedBundle, folder: Path, file: str, sample: Sample) -> Quantification:
    return answer(bundle, (sample,), [real(f"judge/{file}.fastq.gz")], folder)


def of(code: str, result: Quantification) -> Finding:
    return next(f for f in result.findings if f.code == code)


def test_what_is_nearer_to_the_sample_wins() -> None:
    policy = release_policies().of("default").model_copy(update={"min_read_length": 150})
    sample = Sample(name="a", tissue="plasma", min_block=70)
    both = ReadLimits(min_read_length=120, min_block=80)
    assert limits_of(sample, P, both, policy) == both
    assert limits_of(sample, P, None, policy) == ReadLimits(min_read_length=150, min_block=70)
    assert limits_of(Sample(name="a", tissue="cfDNA "), P) == CELL_FREE_LIMITS
    assert limits_of(Sample(name="a"), P) == ReadLimits(min_read_length=200, min_block=100)
    short = ReadLimits(min_read_length=80)
    assert limits_of(Sample(name="a"), P, short).min_block == 80  # no block is longer than a read
    assert settled((sample,), P, both, policy)[0].min_read_length == 120


def test_the_sheet_says_limits_and_cell_free_material() -> None:
    sheet = "name,barcode,material,min_read_length\na,barcode01,cfDNA,\nb,barcode02,dna,150\n"
    a, b = parse_sample_sheet(sheet, file="s.csv")
    assert (a.material, a.tissue) == ("dna", "cfdna")
    assert limits_of(a, P) == CELL_FREE_LIMITS
    assert b.min_read_length == 150
    with pytest.raises(SampleSheetRefused, match="min_read_length"):
        parse_sample_sheet("name,min_read_length\na,1.5\n", file="s.csv")


def test_reads_of_a_nucleosome_are_found_in_plasma(
    real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    found = of("PCV2", quantified(real_bundle, tmp_path, "pcv2_167_bases_100", PLASMA))
    assert found.call is Call.DETECTED
    assert found.evidence
    assert found.evidence.reads >= 95


def test_a_refusal_names_the_option_that_sets_the_limit(
    real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    with pytest.raises(NoReadsLeft, match="--min-read-length"):
        quantified(real_bundle, tmp_path, "pcv2_167_bases_100", Sample(name="one"))


def test_the_load_of_short_molecules_beside_a_long_spike_in_holds_the_truth(
    real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    result = quantified(real_bundle, tmp_path, "plasma_pcv2_60_of_2620", PLASMA)
    load = of("PCV2", result).quantities[0]
    assert load.low
    assert load.high
    assert load.low < TRUTH < load.high
    limit = of("PPV", result).lod95
    assert limit
    assert limit.value


def test_where_most_reads_are_too_short_neither_load_nor_limit_is_stated(
    real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    sample = PLASMA.model_copy(update={"tissue": None})
    result = quantified(real_bundle, tmp_path, "plasma_pcv2_60_of_2620", sample)
    load, limit = of("PCV2", result).quantities[0], of("PPV", result).lod95
    assert limit
    for amount in (load, limit):
        assert (amount.value, amount.high) == (None, None)
        assert amount.remark.startswith("cannot be known: 71% of the bases")
    assert result.outcomes[0].outcome is Outcome.NOT_REPORTABLE
    assert "81% of the reads fall to a filter" in result.outcomes[0].reasons[0]


def screen(short: int, passed: int) -> SampleScreen:
    none = Histogram(unit="bases", edges=(), counts=())
    account = ReadAccount(filtered_bases={"too_short": short})
    quality = QualityControl(
        reads=2, bases=short + passed, passed_reads=1, passed_bases=passed, mean_length=1,
        median_length=1, n50=1, longest=1, mean_quality=None, lengths=none, qualities=none,
    )  # fmt: skip
    return SampleScreen(sample="one", account=account, quality=quality)


@pytest.mark.parametrize(
    ("short", "known", "share"), [(0, True, 1.0), (190, True, 0.9), (210, False, 1.0)]
)
def test_what_the_length_filter_takes_is_corrected_or_not_known(
    short: int, known: bool, share: float
) -> None:
    seen = efficiency(screen(short, 1000 - short))
    assert seen.known is known
    assert seen.share == pytest.approx(FOUND_BY_MAPPING * share)
    assert bool(seen.why) is not known


def test_a_blank_is_not_judged_by_its_junk(real_bundle: LoadedBundle, tmp_path: Path) -> None:
    blank = PLASMA.model_copy(update={"tissue": None, "role": SampleRole.NO_TEMPLATE_CONTROL})
    result = quantified(real_bundle, tmp_path, "plasma_pcv2_60_of_2620", blank)
    assert not any("filter" in reason for reason in result.outcomes[0].reasons)
