"""The real bundle, and what the real reads are: one look with the aligner, before any science."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import dnaio
import pysam
import pytest

from porewatch.domain.calls.references import ContigRole
from porewatch_worker.references.load import LoadedBundle, load
from tests.real_data import READ_SETS, SEGMENTS, RealReads, real_bundle
from validation.shared_data import SHARED, real

LOOKED_AT = 200
"""Reads of each set: enough for a share, and the ultra-long ones take a minute in full."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    real("genomes")
    root = tmp_path_factory.mktemp("references")
    return load(root, real_bundle(SHARED, root))


def sequences(path: Path) -> Iterator[str]:
    if path.suffix == ".bam":
        with pysam.AlignmentFile(str(path), check_sq=False) as records:
            for record in records:
                if not record.flag & 0x900:
                    yield record.get_forward_sequence() or ""
    else:
        with dnaio.open(path) as reads:
            yield from (read.sequence for read in reads)


def target_of(bundle: LoadedBundle, sequence: str) -> str | None:
    """The contig with most matched bases, when 100 bases of it lie outside masked intervals."""
    hit = max(bundle.panel_aligner.map(sequence), key=lambda h: h.mlen, default=None)
    if hit is None or hit.mlen < 0.7 * hit.blen:
        return None
    contig = bundle.contigs[hit.ctg]
    masked = sum(max(0, min(hit.r_en, b) - max(hit.r_st, a)) for a, b in contig.masked)
    return contig.target if hit.r_en - hit.r_st - masked >= 100 else None


def test_the_real_bundle_has_targets_on_and_off_the_list(bundle: LoadedBundle) -> None:
    panel = bundle.targets(ContigRole.PANEL)
    on_list = {entry.code for entry in bundle.panel.entries}
    assert set(panel) & on_list == {
        "PCV2", "PCV3", "PPV", "JEV", "CSFV", "RABV", "HEV", "ASFV", "SIV", "EC", "STAPH",
    }  # fmt: skip
    assert {code for code in panel if code.startswith("X-")} == set(panel) - on_list
    assert [c.name for c in sorted(panel["SIV"], key=lambda c: c.segment)] == list(SEGMENTS)
    assert len(panel["HEV"]) == 3
    assert set(bundle.targets(ContigRole.SPIKE)) == {"lambda", "phix174"}
    assert set(bundle.targets(ContigRole.DECOY)) == {"PCV1", "PERV-E"}
    assert "NOT a pig genome" in bundle.manifest.description


def test_real_poly_a_tails_and_herpes_repeats_are_masked(bundle: LoadedBundle) -> None:
    covid, vzv = bundle.contigs["MN908947"], bundle.contigs["NC_001348.1"]
    assert covid.masked[-1][1] > covid.length - 30
    assert 1000 < sum(b - a for a, b in vzv.masked) < 5000
    coli = bundle.contigs["K-12-MG1655"]
    assert any(a > 577_000 and b < 582_000 and b - a > 1000 for a, b in coli.masked)


@pytest.mark.parametrize("reads", READ_SETS, ids=lambda reads: Path(reads.path).name)
def test_real_reads_fall_where_they_belong(bundle: LoadedBundle, reads: RealReads) -> None:
    looked_at = list(islice(sequences(real(reads.path)), LOOKED_AT))
    found = Counter(target_of(bundle, sequence) for sequence in looked_at)
    right = reads.finding or reads.control
    assert found.pop(right, 0) >= reads.least_share * len(looked_at) if right else True
    found.pop(None, 0)
    assert set(found) <= set(reads.traces)
    assert sum(found.values()) < 3


@pytest.mark.parametrize("reads", READ_SETS, ids=lambda reads: Path(reads.path).name)
def test_read_sets_hold_as_many_reads_as_stated(reads: RealReads) -> None:
    assert sum(1 for _ in sequences(real(reads.path))) == reads.reads
