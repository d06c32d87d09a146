"""A relative of another genus gets no species name, at any depth; the species itself does.

Salmonella reads against a bundle that holds E. coli and no Salmonella; real genomes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from porewatch.domain.calls.evidence import NearReads
from porewatch.domain.calls.findings import (
    Call,
    Finding,
)
from porewatch.domain.reasons.reason import RELATIVES, Code
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.call.containment import ReferenceKmers
from porewatch_worker.science.call.relatives import at_least, stands_alone
from porewatch_worker.science.count.placed_reads import Place, Placed, near_reads, smallest
from porewatch_worker.science.sequence.conserved import operons
from porewatch_worker.simulate.edits import diverge
from porewatch_worker.simulate.errors import R9, R10, ErrorModel
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.validation.screened import answer, make_reads
from porewatch_worker.validation.sets import MadeRun, Tube
from validation.panel_set import read_genomes
from validation.shared_data import real

pytestmark = pytest.mark.xdist_group("real-bundle")
P = ScreeningParameters()
ALONE = (Sample(name="one", barcode="barcode01"),)


def made(
    bundle: LoadedBundle, folder: Path, genomes: tuple[Genome, ...], reads: int, model: ErrorModel
) -> Finding:
    """The finding on E. coli of reads of these genomes."""
    tube = Tube("one", ((genomes, reads),))
    run = MadeRun("relatives", (tube,), model, reads, mean=1200, sd=1020, shortest=250)
    result = answer(bundle, ALONE, make_reads(run, ALONE, folder), folder)
    return next(f for f in result.findings if f.code == "EC")


def judged(bundle: LoadedBundle, file: str, folder: Path) -> dict[str, Finding]:
    result = answer(bundle, (Sample(name="one"),), [real(f"judge/{file}.fastq.gz")], folder)
    return {f.code: f for f in result.findings}


def test_salmonella_of_an_outside_simulator_is_no_e_coli(
    real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    found = judged(real_bundle, "salmonella_400", tmp_path)["EC"]
    assert found.call is Call.INDETERMINATE
    assert found.has(*RELATIVES)
    assert found.rule.startswith("a relative, not this species: ANI")


@pytest.mark.parametrize("file", ["ecoli_r10_150", "ecoli_r9_150"])
def test_e_coli_of_an_outside_simulator_is_e_coli(
    real_bundle: LoadedBundle, tmp_path: Path, file: str
) -> None:
    found = judged(real_bundle, file, tmp_path)["EC"]
    assert found.call is Call.DETECTED
    assert [reason.code for reason in found.why] == [Code.SUPPORTED]


@pytest.mark.parametrize("reads", [10, 50, 400])
def test_salmonella_is_no_e_coli(real_bundle: LoadedBundle, tmp_path: Path, reads: int) -> None:
    genomes = read_genomes("salmonella.fa.gz", "", "EC")
    found = made(real_bundle, tmp_path, genomes, reads, R10)
    assert found.call is Call.INDETERMINATE
    assert found.has(*RELATIVES)


@pytest.mark.slow
@pytest.mark.parametrize("model", [R10, R9], ids=["R10", "R9"])
@pytest.mark.parametrize("reads", [20, 100, 200, 1_000, 4_000, 20_000])
def test_salmonella_is_no_e_coli_at_any_depth(
    real_bundle: LoadedBundle, tmp_path: Path, reads: int, model: ErrorModel
) -> None:
    genomes = read_genomes("salmonella.fa.gz", "", "EC")
    found = made(real_bundle, tmp_path, genomes, reads, model)
    assert found.call is Call.INDETERMINATE
    assert found.has(*RELATIVES)


@pytest.mark.parametrize("model", [R10, R9], ids=["R10", "R9"])
@pytest.mark.parametrize("away", [0.0, 0.02])
def test_ten_reads_of_e_coli_are_e_coli(
    real_bundle: LoadedBundle, tmp_path: Path, away: float, model: ErrorModel
) -> None:
    dice = np.random.default_rng(7)
    genomes = tuple(
        replace(g, codes=diverge(g.codes, away, dice))
        for g in read_genomes("ecoli_MG1655.fa.gz", "", "EC")
    )
    assert made(real_bundle, tmp_path, genomes, 10, model).call is Call.DETECTED


def near(reads: int, of: int, own: int = 1, breadth: float = 0.01) -> NearReads:
    return NearReads(of=of, reads=reads, own=own, starts=reads, regions=1,
                     breadth=breadth, expected_breadth=0.01)  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "alone"),
    [
        (near(3, 3), True),
        (near(3, 4), False),  # three of four: one in 270 of a relative's
        (near(9, 10), True),
        (near(60, 1000), False),  # Salmonella's share
        (near(300, 1000), True),
        (near(10, 10, own=0), False),  # pieces of joined molecules alone
        (near(10, 10, breadth=0.001), False),  # one gene
    ],
)
def test_near_reads_stand_alone_by_their_share(seen: NearReads, alone: bool) -> None:
    assert stands_alone(seen, P, P.conserved_cells) is alone


def test_reads_on_ribosomal_operons_are_left_out() -> None:
    there = [Placed(100, 98, 98, start, start + 500) for start in (1000, 2000, 3000, 90_000)]
    place = {"x": Place(1_000_000, ((500, 6000),))}
    seen = near_reads({"x": there}, place, large=True, least=0.9)
    assert (seen.of, seen.reads, seen.starts) == (1, 1, 1)


def test_the_sample_of_reads_does_not_depend_on_their_order() -> None:
    reads = [Placed(100, 90, 90, n, n + 700) for n in range(9_000)]
    half = smallest(reads[4_500:])
    assert smallest(reads) == smallest((*half, *reversed(reads[:4_500])))
    assert len(smallest(reads)) == 4_000


def test_upper_tail_of_the_binomial() -> None:
    assert at_least(3, 3, 0.1) == pytest.approx(0.001)
    assert at_least(1, 2, 0.5) == pytest.approx(0.75)
    assert at_least(0, 5, 0.1) == 1.0


def test_operons_of_e_coli_are_seven() -> None:
    (genome,) = read_genomes("ecoli_MG1655.fa.gz", "", "EC")
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)[genome.codes].tobytes().decode()
    assert len(operons(letters)) == 7


def test_words_of_a_genome_are_found_in_it(real_bundle: LoadedBundle) -> None:
    words = ReferenceKmers(real_bundle.contigs.values(), real_bundle.panel_aligner.seq)
    assert "EC" in words
    assert "ASFV" not in words
    name = next(c.name for c in real_bundle.contigs.values() if c.target == "EC")
    own = real_bundle.panel_aligner.seq(name, 100_000, 130_000)
    sampled, found = words.found("EC", [own])
    assert sampled == found > 200
    assert words.found("EC", ["ACGT" * 10])[1] == 0
