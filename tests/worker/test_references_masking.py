"""What of a genome cannot serve as evidence."""

from __future__ import annotations

from pathlib import Path

from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.building.masking import masked_intervals
from tests.worker.bundles import bases, fasta


def test_random_sequence_is_not_masked() -> None:
    assert masked_intervals(bases(300_000, 1).encode()) == ()


def test_a_poly_a_tail_is_masked_and_little_else() -> None:
    ((start, end),) = masked_intervals((bases(2000, 2) + "A" * 70).encode())
    assert 1970 <= start <= 2003
    assert end == 2070


def test_a_tandem_repeat_is_masked_even_when_its_copies_differ() -> None:
    unit = bases(41, 3)
    copies = "".join(unit[:i] + "A" + unit[i + 1 :] for i in range(0, 40, 8))
    ((start, end),) = masked_intervals((bases(1000, 4) + copies + bases(1000, 5)).encode())
    assert abs(start - 1000) <= 15
    assert abs(end - 1205) <= 15


def test_masks_do_not_depend_on_where_blocks_are_cut() -> None:
    tail = "A" * 80
    at_the_cut = bases((1 << 18) - 40, 6) + tail + bases(3000, 7)
    ((start, end),) = masked_intervals(at_the_cut.encode())
    ((near, far),) = masked_intervals(
        (bases(1 << 18, 6)[-2040:-40] + tail + bases(3000, 7)).encode()
    )
    assert (start - ((1 << 18) - 40), end - start) == (near - 2000, far - near)


def test_unknown_bases_are_neither_masked_nor_matched() -> None:
    assert masked_intervals((bases(500, 8) + "N" * 500 + bases(500, 9)).encode()) == ()


def test_a_prophage_that_a_spike_in_resembles_counts_for_nothing(tmp_path: Path) -> None:
    phage = bases(3000, 10)
    fasta(tmp_path / "in" / "panel" / "EC.fa", ec=bases(40_000, 11) + phage + bases(10_000, 12))
    fasta(tmp_path / "in" / "spike" / "phage.fa", phage=bases(4000, 13) + phage)
    fasta(tmp_path / "in" / "host.fa", h=bases(5000, 14))
    contigs = build_bundle(tmp_path / "in", tmp_path / "root", "mine", "1").contigs
    ((start, end),) = next(c.masked for c in contigs if c.name == "ec")
    assert abs(start - 40_000) < 20
    assert abs(end - 43_000) < 20
    assert next(c.masked for c in contigs if c.name == "phage") == ()


def test_a_near_relative_does_not_mask_the_whole_virus(tmp_path: Path) -> None:
    virus = bases(1768, 20)
    relative = "".join(b if i % 10 else "A" for i, b in enumerate(virus))
    fasta(tmp_path / "in" / "panel" / "PCV2.fa", pcv2=virus)
    fasta(tmp_path / "in" / "decoy" / "PCV1.fa", pcv1=relative)
    fasta(tmp_path / "in" / "host.fa", h=bases(5000, 21))
    contigs = build_bundle(tmp_path / "in", tmp_path / "root", "mine", "1").contigs
    assert next(c.masked for c in contigs if c.name == "pcv2") == ()
