"""Panel first, host second, ties, masks: where single reads go."""

from __future__ import annotations

import math
import random
import tempfile
from pathlib import Path

import mappy
import pytest

from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.science.count.evidence import TargetTotals
from porewatch_worker.science.count.target_counts import TargetCounts
from porewatch_worker.science.read.assign_read import ReadAssigner
from porewatch_worker.science.read.placement import Placement
from porewatch_worker.science.sequence.complexity import complex_bases
from validation import made_reads as made
from validation.screens import diverged, random_sequence


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    return made.made_bundle(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def placer(bundle: LoadedBundle) -> ReadAssigner:
    return ReadAssigner(
        bundle.panel_aligner, bundle.host_aligner, bundle.contigs, ScreeningParameters()
    )


def place(placer: ReadAssigner, read: str) -> Placement:
    return placer.place(read, mappy.ThreadBuffer())


def winners(placer: ReadAssigner, reads: list[str]) -> list[str | None]:
    placed = [place(placer, r) for r in reads]
    return [p.winner.target if p.winner and not p.tied else p.role for p in placed]


def test_reads_of_a_panel_member_are_its_own(placer: ReadAssigner) -> None:
    reads = made.reads_of(made.CSFV[6_000:], 60, 900, seed=1)
    assert winners(placer, reads).count("CSFV") >= 58


def test_host_reads_are_host_and_strange_reads_are_unassigned(placer: ReadAssigner) -> None:
    host = made.reads_of(made.HOST[:150_000], 60, 1500, seed=2)
    assert winners(placer, host).count(ContigRole.HOST) == 60
    strange = [random_sequence(1500, seed) for seed in range(900, 930)]
    assert winners(placer, strange) == [None] * 30


def test_panel_first_keeps_perv_reads_although_the_host_carries_a_copy(
    placer: ReadAssigner,
) -> None:
    exogenous = winners(placer, made.reads_of(made.PERV_A[5_000:], 100, 1200, seed=3))
    assert exogenous.count("PERV-A") >= 97
    endogenous = winners(placer, made.reads_of(made.HOST_PERV[5_000:], 100, 1200, seed=4))
    assert endogenous.count("PERV-A") == 0
    assert endogenous.count(ContigRole.HOST) >= 97


def test_host_first_would_have_lost_them(bundle: LoadedBundle) -> None:
    reads = made.reads_of(made.PERV_A[5_000:], 100, 1200, seed=3)
    taken = [r for r in reads if next(bundle.host_aligner.map(r), None) is not None]
    assert len(taken) >= 97


def test_a_read_over_a_new_insertion_site_counts_with_its_host_flank(placer: ReadAssigner) -> None:
    site = made.NEW_SITE[:1_000] + made.PERV_A[5_000:7_000]
    placement = place(placer, made.erred(site, 5))
    assert placement.winner is not None
    assert (placement.winner.target, placement.host_flank) == ("PERV-A", True)
    inside = place(placer, made.erred(made.PERV_A[5_500:7_500], 6))
    assert not inside.host_flank


def test_a_read_over_an_old_insertion_site_is_host(placer: ReadAssigner) -> None:
    start = 150_000 - 800
    placement = place(placer, made.erred(made.HOST[start : start + 2_500], 7))
    assert placement.role is ContigRole.HOST


def test_members_that_tie_share_the_read_and_none_gets_it_alone(placer: ReadAssigner) -> None:
    common = made.reads_of(diverged(made.PERV_A[:4_800], 0.0, 1), 30, 1000, seed=8)
    for read in common:
        placement = place(placer, read)
        assert placement.role is ContigRole.PANEL
        assert placement.tied == placement.tied_with == ("PERV-A", "PERV-B")


def own_placer(panel: dict[str, tuple[Contig, str]], host: str, **parameters: int) -> ReadAssigner:
    """A placer on hand-made contigs, masked as the contigs are and not otherwise."""
    with tempfile.NamedTemporaryFile("w", suffix=".fa") as fasta:
        fasta.write("".join(f">{name}\n{sequence}\n" for name, (_, sequence) in panel.items()))
        fasta.flush()
        aligner = mappy.Aligner(fasta.name, preset="map-ont", k=13, w=5, best_n=5)
    contigs = {name: contig for name, (contig, _) in panel.items()}
    hosts = mappy.Aligner(seq=host, preset="map-ont", best_n=1)
    return ReadAssigner(aligner, hosts, contigs, ScreeningParameters(**parameters))


def contig(name: str, sequence: str, role: ContigRole = ContigRole.PANEL, **more: object) -> Contig:
    fields: dict[str, object] = {"name": name, "role": role, "target": name.upper()}
    return Contig.model_validate({**fields, "length": len(sequence), **more})


def test_a_tie_with_a_decoy_is_not_a_panel_read() -> None:
    both, host = random_sequence(2_000, 77), random_sequence(5_000, 78)
    panel = {
        "p": (contig("p", both), both),
        "d": (contig("d", both, ContigRole.DECOY), both),
    }
    placement = place(own_placer(panel, host), both[200:1_500])
    assert placement.role is ContigRole.DECOY
    assert (placement.tied, placement.tied_with) == (("P",), ("D",))


def test_a_tie_with_the_host_is_not_a_panel_read_and_a_better_host_is_distinguished() -> None:
    virus = random_sequence(3_000, 79)
    panel = {"p": (contig("p", virus), virus)}
    same = own_placer(panel, random_sequence(3_000, 80) + virus)
    tie = place(same, virus[500:2_000])
    assert (tie.role, tie.tied, tie.tied_with) == (ContigRole.HOST, ("P",), ("host",))
    near = diverged(virus, 0.04, 81)
    better = place(own_placer(panel, random_sequence(3_000, 80) + near), near[500:2_000])
    assert (better.role, better.host_better, better.tied) == (ContigRole.HOST, "P", ())


def test_a_masked_region_is_no_evidence_however_complex_it_is() -> None:
    virus, host = random_sequence(3_000, 82), random_sequence(3_000, 83)
    panel = {"p": (contig("p", virus, masked=((1_000, 2_000),)), virus)}
    placer = own_placer(panel, host)
    assert winners(placer, [virus[1_050:1_950], virus[950:1_990]]) == [None, None]
    assert winners(placer, [virus[800:1_900]]) == ["P"]


def test_a_repeat_that_nobody_masked_is_no_evidence_either() -> None:
    repeat = "ACT" * 400
    virus = random_sequence(2_000, 84) + repeat
    placer = own_placer({"p": (contig("p", virus), virus)}, random_sequence(3_000, 85))
    assert next(placer._panel.map(repeat), None) is not None  # it would map
    assert winners(placer, [repeat]) == [None]


def test_a_near_relative_takes_its_own_reads(placer: ReadAssigner) -> None:
    found = winners(placer, made.reads_of(made.RELATIVE[:6_000], 60, 800, seed=9))
    assert found.count("CSFV") == 0
    assert found.count("pestivirus-relative") >= 58


def test_poly_a_never_counts_although_a_genome_ends_in_it(placer: ReadAssigner) -> None:
    tails = ["A" * n for n in (300, 700, 1500)] + ["T" * 1500]
    tails += [made.erred("A" * 1200, seed) for seed in range(10)]
    assert winners(placer, tails) == [None] * len(tails)


def test_simple_repeats_never_count(placer: ReadAssigner) -> None:
    repeats = [unit * 400 for unit in ("AC", "ACG", "ATTT")]
    assert winners(placer, repeats) == [None] * 3


def test_a_read_that_hangs_mostly_over_the_mask_needs_a_hundred_bases_beside_it(
    placer: ReadAssigner,
) -> None:
    edge = len(made.RABV) - 1_500
    assert winners(placer, [made.RABV[edge - 60 : edge + 900]]) == [None]
    assert winners(placer, [made.RABV[edge - 500 : edge + 900]]) == ["RABV"]


def test_masked_bases_are_counted_to_the_base(placer: ReadAssigner, bundle: LoadedBundle) -> None:
    masked = bundle.contigs["rabv"].masked
    dice = random.Random(1)
    for _ in range(200):
        a, b = sorted(dice.sample(range(len(made.RABV)), 2))
        plain = sum(any(x <= i < y for x, y in masked) for i in range(a, b))
        assert placer.masked_bases("rabv", a, b) == plain


def test_a_hit_below_the_least_identity_is_none() -> None:
    virus = random_sequence(4_000, 86)
    read = diverged(virus, 0.14, 87)[500:3_500]
    panel, host = {"p": (contig("p", virus), virus)}, random_sequence(3_000, 88)
    assert winners(own_placer(panel, host), [read]) == ["P"]
    strict = own_placer(panel, host)
    strict._parameters = ScreeningParameters(min_identity=0.95)
    assert winners(strict, [read]) == [None]


def test_complexity_distinguishes_random_from_repeats() -> None:
    assert complex_bases(random_sequence(1_000, 3)) == 1_000
    assert complex_bases("A" * 1_000) == 0
    assert complex_bases("AC" * 300) == 0
    mixed = complex_bases(random_sequence(640, 4) + "A" * 640)
    assert 600 <= mixed <= 704
    assert complex_bases("ACG") == 3


def test_host_between_two_pieces_of_virus_is_flank_and_does_not_outweigh_them(
    placer: ReadAssigner,
) -> None:
    read = made.CSFV[9_000:9_600] + made.NEW_SITE + made.CSFV[7_000:7_600]
    placed = place(placer, read)
    assert placed.winner is not None
    assert placed.winner.target == "CSFV"
    assert placed.winner.matched >= 1190
    assert placed.host_flank


def test_near_identical_strains_do_not_share_the_reads_out(tmp_path: Path) -> None:
    """Three isolates a tenth of a percent apart: whichever a read fits best, all are covered."""
    folder = tmp_path / "fasta"
    (folder / "panel").mkdir(parents=True)
    strains = [made.CSFV, diverged(made.CSFV, 0.001, 61), diverged(made.CSFV, 0.001, 62)]
    (folder / "panel" / "CSFV.fa").write_text(
        "".join(f">strain{i}\n{strain}\n" for i, strain in enumerate(strains))
    )
    (folder / "host.fa").write_text(f">host\n{made.HOST}\n")
    build_bundle(folder, tmp_path, "strains", "1")
    bundle = load(tmp_path, "strains@1")
    placer = ReadAssigner(
        bundle.panel_aligner, bundle.host_aligner, bundle.contigs, ScreeningParameters()
    )
    counts, totals = TargetCounts(), TargetTotals(bundle.targets(ContigRole.PANEL)["CSFV"])
    for start in (0, 3_000, 6_000, 9_000):
        winner = place(placer, made.erred(strains[start // 3_000 % 3][start : start + 900], start))
        assert winner.winner is not None
        counts.take(winner.winner, 900, host_flank=False)
    totals.add(counts)
    found = totals.result("CSFV").evidence
    assert found.regions == 4
    assert found.breadth == pytest.approx(3_600 / 12_000, rel=0.03)
    assert found.expected_breadth == pytest.approx(1 - math.exp(-0.3), rel=0.03)


def test_many_strains_do_not_crowd_a_relative_out(tmp_path: Path) -> None:
    """A stretch that twelve strains and a decoy share: the decoy is seen, and takes the read."""
    folder = tmp_path / "fasta"
    (folder / "panel").mkdir(parents=True)
    (folder / "decoy").mkdir()
    shared = random_sequence(1_500, 71)
    (folder / "panel" / "CSFV.fa").write_text(
        "".join(f">s{i:02d}\n{shared}{random_sequence(3_000, 80 + i)}\n" for i in range(12))
    )
    (folder / "decoy" / "relative.fa").write_text(f">zz\n{random_sequence(3_000, 99)}{shared}\n")
    (folder / "host.fa").write_text(f">host\n{made.HOST}\n")
    build_bundle(folder, tmp_path, "crowd", "1")
    bundle = load(tmp_path, "crowd@1")
    placer = ReadAssigner(
        bundle.panel_aligner, bundle.host_aligner, bundle.contigs, ScreeningParameters()
    )
    reads = [made.erred(shared, seed) for seed in range(20)]
    assert winners(placer, reads) == [ContigRole.DECOY] * 20


def test_host_beside_a_virus_makes_no_relative_of_an_integrated_strain(
    placer: ReadAssigner,
) -> None:
    strain = diverged(made.CSFV, 0.15, 77)
    beside = made.HOST[20_000:21_000]
    counts, stranger = TargetCounts(), TargetCounts()
    for start in range(9_000, 10_500, 300):
        piece = made.erred(strain[start : start + 1_000], start)
        for taker, other in ((counts, beside), (stranger, random_sequence(1_000, start))):
            placed = place(placer, other + piece)
            assert placed.winner is not None
            length = len(other + piece)
            taker.take(placed.winner, length, placed.host_flank, placed.flank_bases)
    assert counts.host_flank == counts.reads == 5
    assert counts.unaligned < 0.1 * counts.block
    assert min(counts.explained) >= 75
    assert stranger.unaligned >= 0.9 * stranger.block  # what nothing fits is still held against it
    assert max(stranger.explained) < 50
