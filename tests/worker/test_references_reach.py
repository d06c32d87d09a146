"""What of a folder becomes a reference, what is passed over, and what no read could ever hit."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.errors import BundleRefused
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.building.sheet import not_read
from tests.worker.bundles import bases, fasta, folder_with_two_viruses

LEAST = ScreeningParameters().min_block


def test_leftovers_of_desktops_and_hidden_copies_are_passed_over(tmp_path: Path) -> None:
    clean = build_bundle(folder_with_two_viruses(tmp_path / "in"), tmp_path / "root", "m", "1")
    source = folder_with_two_viruses(tmp_path / "again")
    (source / "panel" / "._HEV.fa").write_bytes(b"\x00\x05\x16\x07Mac OS X")
    (source / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    fasta(source / "panel" / ".HEV.fa", hidden=bases(2000, 40))
    again = build_bundle(source, tmp_path / "root", "m", "2")
    assert [c.name for c in again.contigs] == [c.name for c in clean.contigs]
    assert not_read(source) == not_read(tmp_path / "in")


def test_files_that_were_not_read_are_named(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    before = not_read(source)
    (source / "panel" / "PPV.gb").write_text("LOCUS PPV")
    (source / "notes.docx").write_bytes(b"PK")
    assert {*not_read(source)} - {*before} == {"panel/PPV.gb", "notes.docx"}


@pytest.mark.parametrize(
    ("sequence", "longest"),
    [
        ("N" * 2000, 0),
        (bases(LEAST - 1, 41), LEAST - 1),
        ("N".join(bases(LEAST - 1, seed) for seed in range(42, 62)), LEAST - 1),
    ],
    ids=["unknown", "short", "in pieces"],
)
def test_a_target_that_no_read_can_hit_is_refused(
    tmp_path: Path, sequence: str, longest: int
) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    fasta(source / "panel" / "PPV.fa", ppv=sequence)
    expected = rf"no read can hit 'ppv' \(PPV\): .* has {longest}, and a hit needs {LEAST}\."
    with pytest.raises(BundleRefused, match=expected) as refused:
        build_bundle(source, tmp_path / "root", "m", "1")
    assert "PPV.fa" in str(refused.value)
    assert not (tmp_path / "root" / "m" / "1").exists()


def test_the_shortest_target_that_a_read_can_hit_is_taken(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    fasta(source / "panel" / "PPV.fa", ppv=bases(LEAST, 63) + "N" * 50)
    manifest = build_bundle(source, tmp_path / "root", "m", "1")
    assert "PPV" in {c.target for c in manifest.contigs}
