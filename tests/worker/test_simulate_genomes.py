"""The invented genomes have the shape they are meant to have, and so has the demo."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import mappy
import pytest

from porewatch.domain.calls.references import ContigRole
from porewatch.domain.inputs.final_summary import parse_final_summary
from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet
from porewatch_worker.references.load import load
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.simulate.demo import SPIKE_COPIES, VOLUME_ML, DemoSet, make_demo
from porewatch_worker.simulate.edits import to_bytes
from porewatch_worker.simulate.genomes import SPIKE, Genome, synthetic_genomes

SET = synthetic_genomes(3, host_bases=600_000)


def text(genome: Genome) -> str:
    return to_bytes(genome.codes).decode()


def identity(query: str, reference: str) -> float:
    """Matched bases over all blocks of the query on the reference."""
    hits = list(mappy.Aligner(seq=reference, preset="map-ont", k=11, w=3).map(query))
    return sum(h.mlen for h in hits) / max(1, sum(h.blen for h in hits))


def test_every_name_has_synthetic_and_every_code_is_on_the_list() -> None:
    codes = {entry.code for entry in shipped_panel().entries}
    for genome in SET.genomes:
        assert genome.name.startswith("SYNTHETIC-")
        assert "SYNTHETIC" in genome.description
        if genome.role is ContigRole.PANEL:
            assert genome.target in codes
        elif genome.role is not ContigRole.HOST:
            assert genome.target.startswith("SYNTHETIC-")
    assert len({g.target for g in SET.genomes if g.role is ContigRole.PANEL}) >= 12


def test_the_host_carries_four_provirus_copies_at_the_stated_divergence() -> None:
    contigs = {genome.name: text(genome) for genome in SET.genomes}
    assert [p.divergence for p in SET.proviruses] == [0.01, 0.03, 0.05, 0.08]
    for provirus in SET.proviruses:
        copy = contigs[provirus.contig][provirus.start : provirus.end]
        assert identity(copy, contigs[provirus.source]) == pytest.approx(
            1 - provirus.divergence, abs=0.012
        )


def test_about_a_quarter_of_the_host_is_repeats_shared_by_its_contigs() -> None:
    first, second = (text(genome) for genome in SET.of("host")[:2])
    other = mappy.Aligner(seq=second, preset="map-ont", k=13, w=5, best_n=1)
    windows = [first[i : i + 500] for i in range(0, len(first) - 500, 500)]
    repeated = sum(next((h.q_en - h.q_st for h in other.map(w)), 0) for w in windows)
    assert 0.15 < repeated / (500 * len(windows)) < 0.40


def test_perv_classes_share_gag_and_pol_and_differ_in_env() -> None:
    a, b, c = (text(SET.of(f"PERV-{kind}")[0]) for kind in "ABC")
    for one, other in ((a, b), (a, c), (b, c)):
        assert identity(one[700:5500], other) > 0.94
        assert identity(one[5900:7100], other[5700:7300]) < 0.70
    assert 0.70 < identity(text(SET.of("SYNTHETIC-PERV-E-LIKE")[0])[700:5500], a) < 0.82


@pytest.mark.parametrize(
    ("decoy", "target", "divergence"),
    [("PCV1", "PCV2", 0.22), ("COXSACKIE-B5", "SVDV", 0.12), ("BORDER-DISEASE", "CSFV", 0.20)],
)
def test_relatives_are_as_far_away_as_stated(decoy: str, target: str, divergence: float) -> None:
    relative = text(SET.of(f"SYNTHETIC-{decoy}-LIKE")[0])
    assert identity(relative, text(SET.of(target)[0])) == pytest.approx(1 - divergence, abs=0.03)


def test_segments_and_circles_are_marked() -> None:
    assert [g.segment for g in SET.of("SIV")] == [str(n) for n in range(1, 9)]
    assert {g.target for g in SET.genomes if g.circular} >= {"PCV2", "PCV3", "TTV"}


def test_one_seed_gives_one_set() -> None:
    again, other = synthetic_genomes(3, host_bases=600_000), synthetic_genomes(4, 600_000)
    assert [text(g) for g in again.genomes] == [text(g) for g in SET.genomes]
    assert text(other.of("PPV")[0]) != text(SET.of("PPV")[0])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSet:
    return make_demo(tmp_path_factory.mktemp("demo"), scale=0.02)


def test_the_demo_bundle_is_synthetic_and_whole(demo: DemoSet) -> None:
    bundle = load(demo.references, demo.bundle)
    assert bundle.manifest.synthetic
    assert all("SYNTHETIC" in contig.name for contig in bundle.manifest.contigs)
    masked = {c.name for c in bundle.manifest.contigs if c.masked}
    assert masked == {
        "SYNTHETIC-HEV-1", "SYNTHETIC-HEV-2", "SYNTHETIC-HEV-3", "SYNTHETIC-PRRSV-1",
        "SYNTHETIC-PRRSV-2", "SYNTHETIC-SVDV", "SYNTHETIC-COXSACKIE-B5-LIKE", "SYNTHETIC-PCMV",
    }  # fmt: skip


def test_the_demo_run_is_what_the_product_can_seal(demo: DemoSet) -> None:
    samples = parse_sample_sheet(demo.sample_sheet.read_bytes(), file="sample_sheet.csv")
    assert {s.name for s in samples} == set(demo.expected)
    assert {(s.volume_ml, s.spike_copies) for s in samples} == {(VOLUME_ML, SPIKE_COPIES)}
    (path,) = demo.run_folder.glob("final_summary_*.txt")
    summary = parse_final_summary(path.read_bytes(), file=path.name)
    assert summary.flow_cell == "SYN00001"
    assert sum(summary.files.values()) == len(demo.files) == 4


def test_the_demo_holds_the_loads_it_states(demo: DemoSet) -> None:
    """Depth over the spike-in's depth, from the truth, gives the copies per mL."""
    with demo.truth.open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    bases: Counter[tuple[str, str]] = Counter()
    for row in rows:
        bases[row["sample"], row["target"]] += int(row["end"]) - int(row["start"])
    lengths = {c.target: c.length for c in load(demo.references, demo.bundle).manifest.contigs}
    for sample, loads in demo.copies_per_ml.items():
        found = {t for s, t in bases if s == sample and t not in ("host", SPIKE)}
        assert found == set(loads) == set(demo.expected[sample])
        for code, copies_per_ml in loads.items():
            depth = bases[sample, code] / lengths[code]
            spike = bases[sample, SPIKE] / lengths[SPIKE]
            assert depth / spike * SPIKE_COPIES / VOLUME_ML == pytest.approx(copies_per_ml, rel=0.3)


def test_a_demo_is_kept_while_it_is_whole_and_made_again_otherwise(tmp_path: Path) -> None:
    first = make_demo(tmp_path, scale=0.01)
    file = first.run_folder / next(iter(first.files))
    content, made_at = file.read_bytes(), file.stat().st_mtime_ns
    assert make_demo(tmp_path, scale=0.01) == first
    assert file.stat().st_mtime_ns == made_at
    file.unlink()
    assert make_demo(tmp_path, scale=0.01) == first
    assert file.read_bytes() == content
