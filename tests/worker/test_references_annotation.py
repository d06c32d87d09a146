"""Places in a bundle's sequences: from the sheet, the header, or found; wrong ones are refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.building.annotation import find_env
from porewatch_worker.references.building.build import build_bundle


def dna(length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def frame(codons: int, seed: int) -> str:
    """An open reading frame without a stop but its last codon."""
    dice, codes = random.Random(seed), [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    inside = [c for c in codes if c not in ("TAA", "TAG", "TGA")]
    return "ATG" + "".join(dice.choices(inside, k=codons - 2)) + "TAA"


def build(root: Path, cells: str, header: str = "perv", virus: str = "") -> BundleManifest:
    folder = root / "fasta"
    folder.mkdir(parents=True)
    (folder / "perv.fa").write_text(f">{header}\n{virus or dna(8_000, 1)}\n")
    (folder / "host.fa").write_text(f">host\n{dna(5_000, 2)}\n")
    sheet = root / "sheet.tsv"
    columns = "file\trole\ttarget\tperv_type\tfeatures\tsingle_copy\n"
    sheet.write_text(columns + "\n".join(cells.splitlines()) + "\n")
    return build_bundle(folder, root, "places", "1", sheet=sheet)


PERV = "perv.fa\tpanel\tPERV-C\t{}\t{}\t\nhost.fa\thost\t\t\t\t{}"


def test_places_of_the_sheet_are_kept_half_open_from_zero(tmp_path: Path) -> None:
    cells = PERV.format("", "env:5801..7760 gag:700..2299", "1..1000,2001..3000")
    perv, host = sorted(build(tmp_path, cells).contigs, key=lambda c: c.role.value, reverse=True)
    assert perv.perv_type == "C"
    assert perv.features == {"env": (5_800, 7_760), "gag": (699, 2_299)}
    assert host.single_copy == ((0, 1_000), (2_000, 3_000))
    assert host.perv_type is None


def test_a_header_says_the_same_and_the_sheet_wins(tmp_path: Path) -> None:
    header = "perv an isolate [perv_type=A] [features=env:10..2000]"
    contigs = build(tmp_path, PERV.format("B", "", "yes"), header).contigs
    perv = next(c for c in contigs if c.name == "perv")
    assert (perv.perv_type, perv.features) == ("B", {"env": (9, 2_000)})
    assert next(c for c in contigs if c.name == "host").single_copy == ((0, 5_000),)


def test_env_is_found_as_the_last_long_frame_of_the_second_half(tmp_path: Path) -> None:
    gag_pol, env = frame(1_700, 3), frame(650, 4)
    virus = dna(600, 5) + gag_pol + dna(50, 6) + env + dna(600, 7)
    start = virus.index(env)
    assert find_env(virus.encode()) == (start, start + len(env))
    manifest = build(tmp_path, PERV.format("", "", ""), virus=virus)
    assert manifest.contigs[1].features == {"env": (start, start + len(env))}
    broken = virus.replace(env, env[:900] + "TAA" + env[903:])
    assert find_env(broken.encode()) is None


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (PERV.format("D", "", ""), "perv_type is 'D'"),
        (PERV.format("", "spike:1..20", ""), "feature 'spike:1..20' is unknown"),
        (PERV.format("", "env:5801..9000", ""), r"not within 1\.\.8000"),
        (PERV.format("", "env:0..90", ""), r"'0\.\.90'"),
        (PERV.format("", "", "10-20"), "'10-20'"),
        ("perv.fa\tpanel\tPERV-C\t\t\tyes\nhost.fa\thost\t\t\t\t", "not the host's"),
    ],
)
def test_a_wrong_place_is_refused_with_its_record(tmp_path: Path, cells: str, problem: str) -> None:
    with pytest.raises(BundleRefused, match=problem) as caught:
        build(tmp_path, cells)
    assert caught.value.record == 1 and caught.value.remedy
    assert not (tmp_path / "places").joinpath("1").exists()
