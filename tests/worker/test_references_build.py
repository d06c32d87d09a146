"""From a folder of FASTA files to a bundle."""

from __future__ import annotations

import gzip
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import BundleRefused
from porewatch.reads.sandbox import parent
from porewatch_worker.references.building import fasta as reader
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.installed import list_bundles
from porewatch_worker.references.load import load
from tests.worker.bundles import bases, fasta, folder_with_two_viruses

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_folder_names_roles_and_targets_by_itself(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    manifest = build_bundle(source, tmp_path / "root", "mine", "2026.1")
    parts = {c.name: (c.role.value, c.target, c.length, c.circular) for c in manifest.contigs}
    assert parts == {
        "pcv2": ("panel", "PCV2", 1768, True),
        "hev1": ("panel", "HEV", 3000, False),
        "hev2": ("panel", "HEV", 3100, False),
        "spike1": ("spike", "control", 2000, False),
        "pcv1": ("decoy", "PCV1", 1759, False),
        "chr1": ("host", "host", 40_000, False),
        "chr2": ("host", "host", 20_000, False),
    }
    assert manifest.host_bases == 60_000
    assert [bundle.ref for bundle in list_bundles(tmp_path / "root")] == ["mine@2026.1"]


def test_a_loaded_bundle_maps_reads_to_its_contigs(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    build_bundle(source, tmp_path / "root", "mine", "1")
    bundle = load(tmp_path / "root", "mine@1")
    hit = next(bundle.panel_aligner.map(bases(3100, 3)[500:1500]))
    assert (hit.ctg, hit.r_st, hit.r_en, hit.mlen) == ("hev2", 500, 1500, 1000)
    assert bundle.contigs[hit.ctg].target == "HEV"
    assert next(bundle.host_aligner.map(bases(40_000, 6)[100:900])).ctg == "chr1"
    assert [c.name for c in bundle.targets(ContigRole.PANEL)["HEV"]] == ["hev1", "hev2"]
    assert len(bundle.panel.entries) == 98


def test_a_sheet_says_more_than_names_can(tmp_path: Path) -> None:
    source = tmp_path / "in"
    fasta(source / "all.fa", **{"NC_1.1": bases(900, 1), "s2": bases(800, 2), "h": bases(9000, 3)})
    sheet = source / "sheet.tsv"
    sheet.write_text(
        "file\tcontig\trole\ttarget\tcircular\tsegment\taccession\n"
        "all.fa\t\tpanel\tSIV\t\t1\tACC1\n"
        "all.fa\ts2\tpanel\tX-OTHER\tyes\t\t\n"
        "all.fa\th\thost\t\t\t\t\n"
    )
    manifest = build_bundle(source, tmp_path / "root", "mine", "1", sheet=sheet)
    assert [(c.target, c.circular, c.segment, c.accession) for c in manifest.contigs] == [
        ("SIV", False, "1", "ACC1"), ("X-OTHER", True, "", ""), ("host", False, "", ""),
    ]  # fmt: skip


def test_headers_name_the_segments_of_a_genome(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "panel").mkdir(parents=True)
    titles = ("NC_1.1 Influenza A virus segment 1 PB2", "NC_2.1 Influenza A virus, segment 2, PB1")
    (source / "panel" / "SIV.fa").write_text(
        "".join(f">{title}\n{bases(900, seed)}\n" for seed, title in enumerate(titles))
    )
    (source / "panel" / "BRUC.fa").write_text(
        f">I Brucella suis chromosome I, complete sequence\n{bases(900, 8)}\n"
        f">II Brucella suis chromosome II, complete sequence\n{bases(900, 9)}\n"
        f">only Brucella suis chromosome, complete genome\n{bases(900, 7)}\n"
    )
    fasta(source / "host.fa", h=bases(5000, 5))
    manifest = build_bundle(source, tmp_path / "root", "mine", "1")
    assert {c.name: c.segment for c in manifest.contigs} == {
        "NC_1.1": "1", "NC_2.1": "2", "I": "I", "II": "II", "only": "", "h": "",
    }  # fmt: skip


def test_segments_are_never_taken_for_strains(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "panel").mkdir(parents=True)
    fasta(source / "panel" / "HANTV.fa", small=bases(900, 1), large=bases(900, 2))
    fasta(source / "host.fa", h=bases(5000, 3))
    with pytest.raises(BundleRefused, match="HANTV has a genome in 3 segments") as refused:
        build_bundle(source, tmp_path / "root", "mine", "1")
    assert str(refused.value.file).endswith("HANTV.fa")
    assert "segment" in str(refused.value.remedy)


def test_gzip_lower_case_and_rna_are_read(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "panel").mkdir(parents=True)
    text = bases(500, 1)
    packed = gzip.compress(f">v\n{text[:300].lower()}\n{text[300:].replace('T', 'U')}\n".encode())
    (source / "panel" / "HEV.fa.gz").write_bytes(packed)
    fasta(source / "host.fa", h=bases(5000, 2))
    build_bundle(source, tmp_path / "root", "mine", "1")
    written = (tmp_path / "root" / "mine" / "1" / "panel.fa").read_text().splitlines()
    assert "".join(written[1:]) == text


def test_equal_input_and_time_give_equal_bytes(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    for root in ("a", "b"):
        build_bundle(source, tmp_path / root, "mine", "1", created_at=AT)
    for path in (tmp_path / "a" / "mine" / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "mine" / "1" / path.name).read_bytes()


def test_a_host_can_be_stored_as_an_index(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    manifest = build_bundle(source, tmp_path / "root", "mine", "1", host_index=True)
    assert set(manifest.files) == {"panel", "panel_list", "host_index"}
    assert not (tmp_path / "root" / "mine" / "1" / "host.fa").exists()
    aligner = load(tmp_path / "root", "mine@1").host_aligner
    assert next(aligner.map(bases(20_000, 7)[:700])).ctg == "chr2"


BAD = {
    "empty file": ("", r"bad\.fa: the FASTA file is empty"),
    "text first": ("ACGT\n>a\nACGT\n", r"bad\.fa line 1: is not FASTA"),
    "no name": (
        f">a\n{'ACGT' * 50}\n> x\nACGT\n",
        r"bad\.fa record 2 line 3: a header has no name",
    ),
    "no bases": (">a\n>b\nACGT\n", r"bad\.fa record 1 line 1: 'a' has no sequence"),
    "protein": (">a\nACGT\nMKLE\n", r"bad\.fa record 1 line 3: looks like protein \('L'"),
    "gap": (">a\nAC-GT\n", r"bad\.fa record 1 line 2: '-' is not in the IUPAC"),
    "twice": (">chr1\nACGTACGT\n", r"'chr1' was used before, in .*host\.fa record 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_fasta_is_refused_by_file_record_and_line(tmp_path: Path, case: str) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    text, message = BAD[case]
    (source / "panel" / "HEV" / "bad.fa").write_text(text)
    with pytest.raises(BundleRefused, match=message) as refusal:
        build_bundle(source, tmp_path / "root", "mine", "1")
    assert refusal.value.remedy
    assert list((tmp_path / "root" / "mine").iterdir()) == []


def test_gzip_is_undone_in_the_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(f">v\n{bases(5000, 9)}\n".encode()))
    with monkeypatch.context() as broken:
        broken.setattr(reader.igzip, "open", lambda *_: os.kill(os.getpid(), signal.SIGBUS))
        parent.idle.close()
        with pytest.raises(BundleRefused, match="crash: SIGBUS"):
            list(reader.read_fasta(path))
    parent.idle.close()
    [record] = reader.read_fasta(path)
    assert record.sequence.decode() == bases(5000, 9)


def test_a_cut_gzip_is_refused(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    packed = gzip.compress(f">v\n{bases(5000, 9)}\n".encode())
    (source / "panel" / "PPV.fa.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BundleRefused, match=r"PPV\.fa\.gz: the file is damaged or truncated"):
        build_bundle(source, tmp_path / "root", "mine", "1")


def test_a_mistyped_code_is_refused_with_the_way_to_mean_it(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    fasta(source / "panel" / "PVC2.fa", odd=bases(900, 11))
    with pytest.raises(BundleRefused, match=r"'PVC2' is no code .* name an extra target X-PVC2"):
        build_bundle(source, tmp_path / "root", "mine", "1")


def test_an_umbrella_is_no_target(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    fasta(source / "panel" / "PERV.fa", perv=bases(900, 11))
    with pytest.raises(BundleRefused, match="umbrella for PERV-A, PERV-B, PERV-C"):
        build_bundle(source, tmp_path / "root", "mine", "1")


def test_one_sequence_cannot_stand_for_two_targets(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    fasta(source / "decoy" / "TWIN.fa", twin=bases(3000, 2))
    with pytest.raises(BundleRefused, match=r"'hev1' \(HEV\) is the same sequence as 'twin'"):
        build_bundle(source, tmp_path / "root", "mine", "1")


@pytest.mark.parametrize("missing", ["panel", "host"])
def test_a_bundle_needs_a_panel_and_a_host(tmp_path: Path, missing: str) -> None:
    source = tmp_path / "in"
    there = "host.fa" if missing == "panel" else "panel/HEV.fa"
    fasta(source / there, only=bases(900, 1))
    with pytest.raises(BundleRefused, match=f"no sequence has the role {missing}"):
        build_bundle(source, tmp_path / "root", "mine", "1")


def test_a_version_never_changes(tmp_path: Path) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    build_bundle(source, tmp_path / "root", "mine", "1")
    with pytest.raises(BundleRefused, match="build it under the next version"):
        build_bundle(source, tmp_path / "root", "mine", "1")


SHEETS = {
    "no column": ("file\trole\nx\ty\n", "line 1: the sheet has no column 'target'"),
    "odd column": ("file\trole\ttarget\tcolour\n", "line 1: the sheet has an unknown column"),
    "odd role": ("file\trole\ttarget\nhost.fa\tguest\tx\n", "line 2: role 'guest' is unknown"),
    "no target": ("file\trole\ttarget\nhost.fa\tpanel\t\n", "line 2: the target is blank"),
    "no file": ("file\trole\ttarget\ngone.fa\thost\t\nhost.fa\thost\t\n",
                "line 2: names file gone.fa, which is not there"),
    "no row": ("file\trole\ttarget\nother.fa\thost\t\n",
               r"host\.fa record 1 line 1: 'h' has no row"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHEETS)
def test_a_wrong_sheet_is_refused_by_line(tmp_path: Path, case: str) -> None:
    source = tmp_path / "in"
    fasta(source / "host.fa", h=bases(900, 1))
    text, message = SHEETS[case]
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(text)
    with pytest.raises(BundleRefused, match=message):
        build_bundle(source, tmp_path / "root", "mine", "1", sheet=sheet)
