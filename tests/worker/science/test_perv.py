"""PERV on surrogates of the real class E backbone: types, junctions, flanks, copies, alarms.

The same measurements at full size: `python -m validation.perv_pack`.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from porewatch.domain.calls.evidence import Evidence, TargetResult
from porewatch.domain.calls.findings import Call, PervResult, PervType
from porewatch.domain.calls.perv import (
    JunctionRead,
    PervScreen,
    PervTypeCount,
)
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.reasons.reason import clauses, verbatim
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.science.call.perv import (
    judge_type,
    perv_references,
)
from porewatch_worker.science.call.perv_alarm import AC
from porewatch_worker.science.call.perv_calls import by_env, recombinant_finding
from porewatch_worker.science.call.perv_recombinants import (
    Frame,
    sites,
    smallest_share,
)
from porewatch_worker.simulate.edits import random_codes, to_bytes
from porewatch_worker.simulate.errors import R9, R10, ErrorModel
from validation import made_reads as made
from validation.perv_pack import (
    ac_junctions,
    copy_ratio,
    mixture,
    recombinant_alarms,
    run,
    typing,
    with_recombinant,
    without_recombinants,
)
from validation.screens import screen, screening
from validation.surrogates import PervWorld, genome, make_perv_world, recombinant

P = ScreeningParameters()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> PervWorld:
    return make_perv_world(tmp_path_factory.mktemp("perv"))


@pytest.mark.parametrize(
    "model", [R10, pytest.param(R9, marks=pytest.mark.slow)], ids=["R10", "R9"]
)
def test_three_types_are_distinguished_and_none_is_mistaken(
    world: PervWorld, model: ErrorModel
) -> None:
    for kind, counts in typing(world, model, 150, seed=5).items():
        print(f"\ntyping {model.name} {kind}: {dict(counts)}", end="")
        assert counts[kind] >= 0.95 * sum(counts.values())
        assert set(counts) - {kind, "none", "junction"} == set()
        assert not counts["junction"]


@pytest.mark.parametrize(
    ("model", "order", "step"),
    [(R10, "AC", 6), pytest.param(R9, "CA", 9, marks=pytest.mark.slow)],
)
def test_a_recombinant_of_one_per_cent_is_found_at_its_breakpoint(
    world: PervWorld, model: ErrorModel, order: str, step: int
) -> None:
    result = with_recombinant(world, 2500, step=step, order=order, model=model, seed=6)
    assert ac_junctions(result) >= 5
    assert recombinant_alarms([result]) == 1
    first = result.sites[0]
    assert (first.left, first.right, first.call) == (*order, Call.DETECTED)
    true = world.types[order[0]].borders[step] - world.types[order[0]].env[0]
    assert first.low - 20 <= true <= first.high + 20
    finding = recombinant_finding(result)
    assert finding is not None
    assert (finding.code, finding.call) == (AC, Call.DETECTED)
    assert finding.name == "SYNTHETIC-A/C recombinant"


def test_no_mixture_without_recombinants_raises_a_recombinant_alarm(world: PervWorld) -> None:
    found = without_recombinants(world, 4, kinds="ABC", chimeras=0.05, seed=700)
    assert recombinant_alarms(found) == 0
    assert sum(r.counted.env_reads for r in found) > 500


def test_genomes_with_a_and_b_only_raise_no_alarm_at_all(world: PervWorld) -> None:
    found = without_recombinants(world, 2, kinds="AB", chimeras=0.02, seed=800)
    assert [r.alarms for r in found] == [(), ()]
    assert [r.type_c for r in found] == [Call.NOT_DETECTED] * 2


def test_copies_per_diploid_genome_are_those_of_the_animal(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = make_perv_world(tmp_path_factory.mktemp("copies"), locus=1_000_000)
    found = [copy_ratio(world, 60, 0.5, seed) for seed in range(4)]
    ratios = [ratio for ratio, _ in found]
    print(f"\ncopies at 0.5 x over truth: {[round(r, 3) for r in ratios]}", end="")
    assert np.mean(ratios) == pytest.approx(1, abs=0.15)
    assert sum(held for _, held in found) >= 3


def test_answers_depend_on_neither_order_nor_threads_nor_units(
    world: PervWorld, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    left, right = world.types["A"], world.types["C"]
    sources = [
        *mixture(world, {"A": 20, "C": 20}, rng),
        (genome("x", recombinant(left, right, 9)), 20),
    ]
    reads = _reads_of([g.codes for g, n in sources for _ in range(n)], 2500)
    reads += _reads_of([world.host] * 60, 2500)
    results = []
    for seed, threads, unit in ((0, 1, 4000), (1, 3, 17), (2, 2, 40)):
        random.Random(seed).shuffle(reads)
        path = made.write_fastq(tmp_path / f"{seed}.fastq", reads)
        work = screening(world.bundle, path, threads=threads, unit_reads=unit)
        results.append(screen(work, tmp_path).samples[0].perv)
    assert results[0] == results[1] == results[2]
    assert results[0] is not None and results[0].junctions and results[0].locus_reads


def _reads_of(codes: list[np.ndarray], length: int) -> list[str]:
    dice = random.Random(9)
    found = []
    for genome_codes in codes:
        start = dice.randrange(max(1, len(genome_codes) - length))
        plain = to_bytes(genome_codes[start : start + length]).decode()
        read = made.erred(plain, dice.randrange(1 << 30))
        found.append(read if dice.random() < 0.5 else made.reverse(read))
    return found


def _looked(world: PervWorld, tmp_path: Path, reads: list[str]) -> PervScreen:
    path = made.write_fastq(tmp_path / "reads.fastq", reads)
    found = screen(screening(world.bundle, path), tmp_path).samples[0].perv
    assert found is not None
    return found


def test_reads_with_and_without_host_flank_are_counted_apart(
    world: PervWorld, tmp_path: Path
) -> None:
    provirus = to_bytes(world.types["A"].codes).decode()
    rng = np.random.default_rng(4)
    site = to_bytes(world.host).decode()[10_000:12_000]
    inside = provirus[2_000:4_500]
    at_start, at_end = site + provirus[:1_500], provirus[-1_500:] + site
    ligated = provirus[3_000:4_500] + site
    foreign = provirus[-1_500:] + to_bytes(random_codes(2_000, rng)).decode()
    found = _looked(world, tmp_path, [inside, at_start, made.reverse(at_end), ligated, foreign])
    assert (found.reads, found.with_host_flank, found.without_host_flank) == (5, 3, 2)
    assert found.at_ends == 2
    assert found.host_alike == 0


def test_reads_of_the_host_s_own_copies_count_as_perv_and_are_marked(
    world: PervWorld, tmp_path: Path
) -> None:
    host = to_bytes(world.host).decode()
    start = len(world.locus) + 20_000
    found = _looked(
        world, tmp_path, [host[start + 500 : start + 3_500], host[start - 900 : start + 900]]
    )
    assert (found.reads, found.host_alike, found.with_host_flank, found.at_ends) == (2, 2, 1, 1)


def test_a_whole_provirus_and_a_gap_in_env_are_seen(world: PervWorld, tmp_path: Path) -> None:
    a = world.types["A"]
    whole = to_bytes(a.codes).decode()
    cut = whole[: a.env[0] + 600] + whole[a.env[0] + 700 :]
    found = _looked(world, tmp_path, [whole, cut, whole[: a.env[0] + 500]])
    assert found.full_length == 2
    assert (found.orfs["env"].spanning, found.orfs["env"].whole) == (2, 1)


def test_two_ligated_molecules_are_no_junction(world: PervWorld, tmp_path: Path) -> None:
    a, c = (to_bytes(world.types[k].codes).decode() for k in "AC")
    begin = world.types["A"].env[0]
    ligated = a[begin : begin + 500] + c[begin + 900 : begin + 1_400]
    turned = a[begin : begin + 500] + made.reverse(c[begin + 500 : begin + 1_000])
    joined = a[: begin + 500] + c[begin + 500 : begin + 1_400]
    found = _looked(world, tmp_path, [ligated, turned, joined])
    assert found.apart == 1
    assert len(found.junctions) == 1


def test_rna_has_no_copies_per_genome(world: PervWorld) -> None:
    rng = np.random.default_rng(2)
    sources = [*mixture(world, {"A": 30}, rng), (genome("host", world.host, "host"), 60)]
    rna = run(world, sources, model=R10, seed=1, sample=Sample(name="one", material="rna"))[1]
    dna = run(world, sources, model=R10, seed=1)[1]
    assert rna.copies is None and dna.copies is not None
    assert "RNA" in rna.limits[0]
    assert rna.counted == dna.counted


def test_without_a_named_locus_the_whole_host_is_the_yardstick_and_it_is_recorded(
    tmp_path: Path,
) -> None:
    world = make_perv_world(tmp_path, named=False)
    sources = [(genome("host", world.host, "host"), 150)]
    copies = run(world, sources, model=R10, seed=1)[1].copies
    assert copies is not None
    assert "no single-copy locus" in copies.remark
    assert copies.value == pytest.approx(4, rel=0.5)  # two in the haploid reference


def test_surrogates_never_yield_a_named_type(world: PervWorld) -> None:
    rng = np.random.default_rng(2)
    result, perv = run(world, mixture(world, {"A": 60, "C": 60}, rng), model=R10, seed=1)
    assert perv.synthetic
    assert perv.types_told == ("SYNTHETIC-A", "SYNTHETIC-B", "SYNTHETIC-C")
    text = perv.model_dump_json()
    assert "PERV-" not in text
    assert perv.alarms[0].startswith("SYNTHETIC-C: ")
    # one marked contig is enough, in a bundle that does not call itself synthetic
    real = world.bundle.manifest.model_copy(update={"synthetic": False})
    known = perv_references(real)
    assert known is not None and known.name("C") == "SYNTHETIC-C"
    findings = quantify(result, (Sample(name="one"),), world.bundle.panel, real, P).findings
    assert all(f.name.startswith("SYNTHETIC") for f in findings if f.code == AC)


def _junctions(*places: int, first: int = 0) -> list[JunctionRead]:
    return [
        JunctionRead(
            left="A", right="C", low=p, high=p + 8, first=first - 37 * i, last=1_500 + 53 * i
        )
        for i, p in enumerate(places)
    ]


FRAME = Frame(env_length=1_960, in_others={}, parameters=P)


def test_a_junction_that_recurs_is_a_recombinant_and_scattered_ones_are_chimeras() -> None:
    recurring, scattered = _junctions(*[700] * 5), _junctions(*range(50, 1_800, 70))
    assert [s.call for s in sites(recurring, FRAME)] == [Call.DETECTED]
    assert {s.call for s in sites(scattered, FRAME)} == {Call.INDETERMINATE}
    both = sites([*recurring, *scattered[:2]], FRAME)
    assert both[0].call is Call.DETECTED and (both[0].low, both[0].high) == (701, 708)
    few = sites([*_junctions(*[700] * 3), *scattered], FRAME)
    assert few[0].call is Call.INDETERMINATE and "elsewhere lead to expect" in few[0].rule


def test_copies_of_one_molecule_are_one_witness() -> None:
    one = _junctions(700) * 6
    [site] = sites(one, FRAME)
    assert (site.reads, site.molecules, site.call) == (6, 1, Call.INDETERMINATE)


def test_junctions_of_another_barcode_do_not_alarm_by_crossover() -> None:
    others = Frame(env_length=1_960, in_others={"A/C": 4_000}, parameters=P)
    [site] = sites(_junctions(*[700] * 4), others)
    assert site.call is Call.INDETERMINATE and "crossover" in site.rule


def test_the_smallest_share_falls_with_reads_over_env() -> None:
    many, some = smallest_share(1_000, 900_000, 1_960, P), smallest_share(100, 90_000, 1_960, P)
    assert many is not None and some is not None
    assert some == pytest.approx(10 * many)
    assert smallest_share(3, 2_000, 1_960, P) is None


def _typed(c: int, starts: int = 99, others: int = 0) -> Call:
    counts = {"A": PervTypeCount(reads=5_000), "C": PervTypeCount(reads=c, starts=min(c, starts))}
    return judge_type(PervScreen(types=counts), others, P)[0]


def test_type_c_needs_reads_starts_and_more_than_errors_and_crossover_explain() -> None:
    assert _typed(0) is Call.NOT_DETECTED
    assert _typed(2) is Call.INDETERMINATE
    assert _typed(30) is Call.DETECTED
    assert _typed(30, starts=1) is Call.INDETERMINATE
    assert _typed(9) is Call.INDETERMINATE  # 5 mistyped reads of 5,000 are in the budget
    assert _typed(30, others=20_000) is Call.INDETERMINATE


def _won(reads: int) -> TargetResult:
    evidence = Evidence(
        reads=reads, aligned_bases=900 * reads, distinct_starts=reads, breadth=0.5,
        expected_breadth=0.5, mean_depth=1, evenness=0.5, identity=0.95, median_mapq=9,
    )  # fmt: skip
    role = ContigRole.PANEL
    return TargetResult(target="PERV-C", role=role, genome_length=8_000, evidence=evidence)


def test_backbone_reads_alone_never_call_type_c() -> None:
    result = PervResult(
        sample="s", material="dna", synthetic=False, counted=PervScreen(),
        type_c=Call.NOT_DETECTED, type_c_why=verbatim("none"),
    )  # fmt: skip
    assert by_env("PERV-A", None, result) is None
    assert by_env("PERV-C", None, result) == (Call.NOT_DETECTED, verbatim("none"))
    assert by_env("PERV-C", None, result.model_copy(update={"type_c": None})) is None
    unsure = by_env("PERV-C", _won(40), result)
    assert unsure is not None and unsure[0] is Call.INDETERMINATE
    assert "40 reads fit its genome best elsewhere" in clauses(unsure[1])
    typed = (PervType(name="PERV-A", counted=PervTypeCount(reads=50)),)
    sure = by_env("PERV-C", _won(40), result.model_copy(update={"types": typed}))
    assert sure is not None and sure[0] is Call.NOT_DETECTED
