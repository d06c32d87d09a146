"""One folder, four doors, one answer: who owns which files, what is left out, what is refused."""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path

import pytest

from porewatch_cli.submit.collect_run import collect_run
from tests.doors.four import Answer, at_all, at_summary

Files = dict[str, bytes]


def reads(seed: str, number: int = 3, **fields: str) -> bytes:
    """FASTQ of `number` reads that no other seed gives; `fields` as Guppy writes them."""
    tail = "".join(f" {key}={value}" for key, value in fields.items())
    letters = "ACGT" * 8
    made = (letters[n % 4 : 20 + n % 4] + seed_bases(seed) for n in range(number))
    each = (f"@{seed}-{n}{tail}\n{s}\n+\n{'I' * len(s)}\n" for n, s in enumerate(made))
    return "".join(each).encode()


def seed_bases(seed: str) -> str:
    return "".join("ACGT"[ord(c) % 4] for c in (seed * 8)[:8])


def packed(seed: str, **fields: str) -> bytes:
    return gzip.compress(reads(seed, **fields), mtime=0)


def answer(tmp_path: Path, files: Files) -> Answer:
    """What all doors say; fails when they differ."""
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    said = at_all(tmp_path)
    assert len({found.kind for found in said.values()}) == 1, said
    return said["submit"]


TWO = (("barcode01", 1), ("barcode02", 2))


STYLES = (
    "barcode{:02d}", "barcode{}", "barcode{:03d}", "Barcode{:02d}", "BARCODE {}", "BC{:02d}",
    "bc{}", "NB{:02d}", "RB{:02d}", "barcode_{:02d}", "barcode-{}", "SQK-NBD114-24_barcode{:02d}",
)  # fmt: skip
PLACES = (
    "{b}/{n}", "fastq_pass/{b}/{n}", "{b}/fastq_pass/{n}", "{b}/fastq/{n}", "lib/{b}/run1/{n}",
    "pass/{b}/{n}", "exp/pool/20260301_0900_MN1_FAX11_11111111/fastq_pass/{b}/{n}",
)  # fmt: skip
QUICK = set(zip(STYLES, cycle(PLACES), strict=False))
"""Every style and every place once at least; all 84 pairs are slow."""


@pytest.mark.parametrize(
    ("style", "where"),
    [
        pair if pair in QUICK else pytest.param(*pair, marks=pytest.mark.slow)
        for pair in product(STYLES, PLACES)
    ],
)
def test_a_barcode_is_one_in_any_case_and_width_wherever_it_stands(
    tmp_path: Path, style: str, where: str
) -> None:
    files = {
        where.format(b=style.format(n), n=f"chunk{n}.fastq.gz"): packed(f"s{n}") for n in (1, 2)
    }
    got = answer(tmp_path, files)
    assert [(name, barcode) for name, barcode, _ in got.samples] == [
        ("barcode01", "barcode01"),
        ("barcode02", "barcode02"),
    ]


@pytest.mark.parametrize("numbers", [(97, 98), (101, 102), (96, 960)])
def test_barcodes_beyond_96_are_told_apart(tmp_path: Path, numbers: tuple[int, int]) -> None:
    got = answer(tmp_path, {f"fastq_pass/barcode{n}/x.fastq.gz": packed(f"n{n}") for n in numbers})
    assert {name for name, _, _ in got.samples} == {f"barcode{n}" for n in numbers}


def test_a_kits_variant_is_a_barcode_of_its_own(tmp_path: Path) -> None:
    files = {f"fastq_pass/{b}/x.fastq.gz": packed(b) for b in ("barcode12", "barcode12a")}
    assert [s[0] for s in answer(tmp_path, files).samples] == ["barcode12", "barcode12a"]


@pytest.mark.parametrize(
    "folders",
    [("pig_A", "pig_B"), ("fastq_pass/left", "fastq_pass/right"), ("donor 1", "donor 2"),
     ("a/fastq_pass", "b/fastq_pass"), ("run1", "run2"), ("x", "x/y")],
)  # fmt: skip
def test_folders_that_may_be_two_animals_are_never_one_sample(
    tmp_path: Path, folders: tuple[str, str]
) -> None:
    files = {f"{f}/r{i}.fastq.gz": packed(f"f{i}") for i, f in enumerate(folders)}
    assert "may be of two samples" in answer(tmp_path, files).refused


def test_files_of_one_folder_are_one_sample(tmp_path: Path) -> None:
    files = {f"no_sample/fastq_pass/FAX11_pass_{i}.fastq.gz": packed(f"f{i}") for i in range(3)}
    assert answer(tmp_path, files).samples == (("alone", None, "sample"),)


SHEET = b"alias,barcode,type\nPig-A,barcode01,test_sample\nPig-B,barcode02,test_sample\n"


@pytest.mark.parametrize(
    "names",
    [("fastq_pass/Pig-A/x.fastq.gz", "fastq_pass/Pig-B/x.fastq.gz"),
     ("Pig-A.fastq.gz", "Pig-B.fastq.gz"), ("pig-a/r.fastq", "PIG-B/r.fastq"),
     ("fastq_pass/Pig-A/FAX1_pass_Pig-A_1234abcd_1234abcd_0.fastq.gz", "Pig-B/fastq/y.fastq.gz")],
)  # fmt: skip
def test_a_sample_s_name_is_as_good_as_its_barcode(tmp_path: Path, names: tuple[str, str]) -> None:
    files = {
        name: (packed if name.endswith("gz") else reads)(f"n{i}") for i, name in enumerate(names)
    }
    got = answer(tmp_path, files | {"sample_sheet.csv": SHEET})
    assert [b for b, _ in got.files] == ["barcode01", "barcode02"]
    assert [s[0] for s in got.samples] == ["Pig-A", "Pig-B"]


JAPANESE = "alias,barcode,type\nブタ1,barcode01,test_sample\nヤギ,barcode02,test_sample\n"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "names",
    [("fastq_pass/ブタ1/x.fastq.gz", "fastq_pass/ヤギ/x.fastq.gz"),
     ("ブタ1.fastq.gz", "ヤギ.fastq.gz"), ("ﾌﾞﾀ1/a.fastq.gz", "ヤギ/b.fastq.gz"),
     ("fastq_pass/ブタ1/FAX1_pass_ブタ1_1234abcd_1234abcd_0.fastq.gz", "ヤギ/fastq/y.fastq.gz")],
)  # fmt: skip
def test_a_name_in_any_script_is_found_however_its_folder_was_stored(
    tmp_path: Path, names: tuple[str, str], form: str
) -> None:
    files = {unicodedata.normalize(form, name): packed(f"n{i}") for i, name in enumerate(names)}  # type: ignore[arg-type]
    got = answer(tmp_path, files | {"sample_sheet.csv": JAPANESE.encode()})
    assert [b for b, _ in got.files] == ["barcode01", "barcode02"]
    assert [s[0] for s in got.samples] == ["ブタ1", "ヤギ"]
    assert all(file.path.isascii() for file in collect_run(tmp_path, run_id="r").manifest.files)


def test_a_folder_that_may_be_either_of_two_samples_is_refused(tmp_path: Path) -> None:
    sheet = b"alias,barcode\npig-A,barcode01\nPIG-A,barcode02\n"
    files = {f"{n}/{i}.fastq.gz": packed(n) for i, n in enumerate(("pig-A", "PIG-A"))}
    got = answer(tmp_path / "told", files | {"sample_sheet.csv": sheet})
    assert [b for b, _ in got.files] == ["barcode01", "barcode02"]
    files["Pig-a/c.fastq.gz"] = packed("c")
    got = answer(tmp_path / "not", files | {"sample_sheet.csv": sheet})
    assert "'Pig-a' may be sample pig-A or PIG-A" in got.refused


def test_a_file_without_barcode_beside_barcoded_ones_is_refused(tmp_path: Path) -> None:
    files = {"fastq_pass/barcode01/x.fastq.gz": packed("a"), "fastq_pass/y.fastq.gz": packed("b")}
    assert "neither its name nor its folders tell a barcode" in answer(tmp_path, files).refused


@pytest.mark.parametrize("folder", ["unclassified", "mixed", "Unclassified"])
def test_what_the_demultiplexer_left_undecided_may_lie_beside(tmp_path: Path, folder: str) -> None:
    files = {
        "fastq_pass/barcode01/x.fastq.gz": packed("a"),
        f"fastq_pass/{folder}/y.fastq.gz": packed("b"),
    }
    assert [s[0] for s in answer(tmp_path, files).samples] == ["barcode01"]


THREE = ("barcode01", "barcode02", "barcode09")


def test_a_barcode_that_no_sample_has_is_refused_when_it_is_no_crumb(tmp_path: Path) -> None:
    files = {
        f"fastq_pass/{b}/x.fastq.gz": packed(b) for b in ("barcode01", "barcode02", "barcode09")
    }
    got = answer(tmp_path, files | {"sample_sheet.csv": SHEET})
    assert "barcode09, which no sample has" in got.refused


def test_crumbs_of_a_barcode_that_no_sample_has_are_said(tmp_path: Path) -> None:
    files: Files = {f"fastq_pass/{b}/x.fastq": reads(b, 400) for b in ("barcode01", "barcode02")}
    files["fastq_pass/barcode09/x.fastq"] = reads("crumb", 1)
    got = answer(tmp_path, files | {"sample_sheet.csv": SHEET})
    assert got.left_out == (("stray_barcode", 1),)
    assert len(got.samples) == 2


def test_a_barcode_of_the_sheet_without_files_stays_a_sample(tmp_path: Path) -> None:
    sheet = SHEET + b"water,barcode03,no_template_control\n"
    files = {f"fastq_pass/{b}/x.fastq.gz": packed(b) for b in ("barcode01", "barcode02")}
    got = answer(tmp_path, files | {"sample_sheet.csv": sheet})
    assert [s[0] for s in got.samples] == ["Pig-A", "Pig-B", "water"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.fastq", b""), ("x.fastq.gz", b""), ("x.fastq.gz", gzip.compress(b"", mtime=0)),
     ("x.fastq.gz", gzip.compress(b"", mtime=0) * 2)],
)  # fmt: skip
def test_a_blank_without_reads_is_left_out_and_said(
    tmp_path: Path, name: str, content: bytes
) -> None:
    sheet = SHEET + b"water,barcode03,no_template_control\n"
    files = {f"fastq_pass/{b}/x.fastq.gz": packed(b) for b in ("barcode01", "barcode02")}
    files |= {f"fastq_pass/barcode03/{name}": content, "sample_sheet.csv": sheet}
    got = answer(tmp_path, files)
    assert got.left_out == (("no_reads", 1),)
    assert [s[0] for s in got.samples] == ["Pig-A", "Pig-B", "water"]


def test_the_same_file_under_another_name_is_a_second_copy(tmp_path: Path) -> None:
    same = packed("same")
    files = {f"fastq_pass/barcode01/{n}.fastq.gz": same for n in ("a", "merged", "a (1)")}
    got = answer(tmp_path, files)
    assert (len(got.files), got.left_out) == (1, (("second_copy", 2),))


def test_the_same_file_under_two_barcodes_is_refused(tmp_path: Path) -> None:
    same = packed("same")
    files = {f"fastq_pass/{b}/a.fastq.gz": same for b in ("barcode01", "barcode02")}
    assert "holds the same bytes as" in answer(tmp_path, files).refused


TWO_CELLS: dict[str, Callable[[str], dict[str, bytes]]] = {
    "run folders": lambda b: {
        f"20260301_0900_MN1_{cell}_1111111{i}/fastq_pass/{b}/x{i}.fastq.gz": packed(cell)
        for i, cell in enumerate(("FAX11", "FBB22"))
    },
    "file names": lambda b: {
        f"fastq_pass/{b}/{cell}_pass_{b}_0.fastq.gz": packed(cell) for cell in ("FAX11", "FBB22")
    },
    "headers": lambda b: {
        f"fastq_pass/{b}/{i}.fastq.gz": packed(cell, flow_cell_id=cell)
        for i, cell in enumerate(("FAX11", "FBB22"))
    },
}


@pytest.mark.parametrize("told", ["run folders", "file names"])
def test_two_flow_cells_are_never_one_sample(tmp_path: Path, told: str) -> None:
    assert "2 flow cells: FAX11, FBB22" in answer(tmp_path, TWO_CELLS[told]("barcode01")).refused


@pytest.mark.parametrize("cell", ["FBB22", "fbb22"])
def test_a_sheet_of_another_flow_cell_is_refused(tmp_path: Path, cell: str) -> None:
    sheet = f"flow_cell_id,alias,barcode\n{cell},pig,barcode01\n".encode()
    files = {"fastq_pass/barcode01/FAX11_pass_barcode01_0.fastq.gz": packed("a")}
    assert "for flow cell FBB22" in answer(tmp_path, files | {"sample_sheet.csv": sheet}).refused


def test_of_a_sheet_for_two_flow_cells_this_run_s_rows_are_read(tmp_path: Path) -> None:
    rows = "FAX11,pig,barcode01\nFBB22,cow,barcode01\n"
    sheet = f"flow_cell_id,alias,barcode\n{rows}".encode()
    files = {"fastq_pass/barcode01/FAX11_pass_barcode01_0.fastq.gz": packed("a")}
    got = answer(tmp_path, files | {"sample_sheet.csv": sheet})
    assert [s[0] for s in got.samples] == ["pig"]


ASIDE = {
    ".DS_Store": "leftover", "fastq_pass/barcode01/._x.fastq.gz": "leftover",
    "fastq_pass/barcode01/Thumbs.db": "leftover", "desktop.ini": "leftover",
    "fastq_pass/barcode01/x.fastq.gz.part": "leftover", "~$sample_sheet.csv": "leftover",
    "sample_sheet.csv~": "leftover",
    "__MACOSX/fastq_pass/barcode01/._x.fastq.gz": "hidden",
    ".snapshot/hourly.0/fastq_pass/barcode01/old.fastq.gz": "hidden",
    ".ipynb_checkpoints/y-checkpoint.fastq": "hidden", ".Trash-1000/files/y.fastq": "hidden",
    "@eaDir/y.fastq.gz": "hidden", "fastq_pass/.cache/barcode02/y.fastq.gz": "hidden",
    "fastq_fail/barcode01/y.fastq.gz": "failed_or_skipped",
    "fail/barcode01/y.fastq.gz": "failed_or_skipped",
    "pod5_skip/y.pod5": "failed_or_skipped", "fast5_skip/y.fast5": "failed_or_skipped",
    "fastq_pass/barcode01/FAX11_fail_barcode01_0.fastq.gz": "failed_or_skipped",
    "fast5_pass/barcode01/y.fast5": "second_copy", "fast5/y.fast5": "second_copy",
    "bam_pass/barcode01/y.bam": "second_copy", "pod5_pass/y.pod5": "second_copy",
    "fastq_pass/barcode01/x.fastq.gz.fai": "index", "bam_pass/barcode01/y.bam.bai": "index",
    "y.bam.csi": "index", "y.bam.pbi": "index",
    "samples.csv": "table_not_read", "sample_sheet.xlsx": "table_not_read",
    "sample_sheet.txt": "table_not_read", "fastq_pass/readme.txt": "table_not_read",
    "sample_sheet_FAX11_1.csv": "minknow_sheet", "notes.docx": "not_understood",
}  # fmt: skip
MINKNOWS = (
    b"protocol_run_id,position_id,flow_cell_id,sample_id,experiment_id,kit\n1,2,FAX11,s,e,k\n"
)


@pytest.mark.parametrize("name", ASIDE)
def test_what_is_not_screened_is_left_out_for_its_reason_and_said(
    tmp_path: Path, name: str
) -> None:
    content = MINKNOWS if "sample_sheet_" in name else packed("other")
    files = {"fastq_pass/barcode01/x.fastq.gz": packed("a"), name: content}
    got = answer(tmp_path, files)
    assert got.left_out == ((ASIDE[name], 1),)
    assert got.files == (("barcode01", len(packed("a"))),)


@pytest.mark.parametrize(
    "name",
    ["report_FAX11.html", "throughput_FAX11.csv", "other_reports/x.csv",
     "sequencing_summary_FAX11_ab.txt", "pore_activity_FAX11.csv"],
)  # fmt: skip
def test_minknows_reports_are_no_news(tmp_path: Path, name: str) -> None:
    files = {"fastq_pass/barcode01/x.fastq.gz": packed("a"), name: b"x"}
    assert answer(tmp_path, files).left_out == ()


def test_two_sheets_are_refused_with_both_names(tmp_path: Path) -> None:
    files = {"fastq_pass/barcode01/x.fastq.gz": packed("a"), "sample_sheet.csv": SHEET,
             "old/SampleSheet.csv": SHEET + b"more,barcode03,test_sample\n"}  # fmt: skip
    refused = answer(tmp_path, files).refused
    assert "sample_sheet.csv" in refused
    assert "SampleSheet.csv" in refused


def test_one_unbarcoded_sample_does_not_swallow_barcodes(tmp_path: Path) -> None:
    files = {f"fastq_pass/{b}/x.fastq.gz": packed(b) for b in ("barcode01", "barcode02")}
    got = answer(tmp_path, files | {"sample_sheet.csv": b"name\npig\n"})
    assert "names one sample without a barcode" in got.refused


def test_fast5_alone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    assert "pod5 convert fast5" in answer(tmp_path, {"fast5_pass/a.fast5": b"x"}).refused


def test_a_barcode_that_comes_in_another_kind_only_is_not_lost(tmp_path: Path) -> None:
    files = {"fastq_pass/barcode01/x.fastq.gz": packed("a"), "bam_pass/barcode02/y.bam": b"x"}
    assert "barcode02 comes in this kind only" in answer(tmp_path, files).refused


def test_every_fault_of_a_folder_is_named_at_once(tmp_path: Path) -> None:
    files = {
        "fastq_pass/barcode01/cut.fastq.gz": packed("a")[:-8],
        "fastq_pass/barcode01/two_barcode02_.fastq.gz": packed("b"),
        "fastq_pass/barcode01/reads.cram": b"x",
        "fastq_pass/barcode01/reads.fasta": b">x",
        "fastq_pass/barcode01/minus.fastq": b"@r1\nACGT\nIIII\n",
        "sample_sheet.csv": b"alias,barcode\npig,bc-x\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for door in ("submit", "screen"):
        refused = at_all(tmp_path)[door].refused
        for name in ("cut.fastq.gz", "two_barcode02_", "reads.cram", "reads.fasta", "minus.fastq",
                     "sample_sheet.csv"):  # fmt: skip
            assert name in refused, door


def test_a_file_that_was_cut_on_its_way_is_lost_to_its_sample_at_the_summary_door(
    tmp_path: Path,
) -> None:
    for name, content in {"fastq/barcode01/a.fastq.gz": packed("a"),
                          "fastq/barcode02/b.fastq.gz": packed("b"),
                          "fastq/barcode02/c.fastq.gz": packed("c")[:-9]}.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert at_summary(tmp_path).lost == ("fastq/barcode02/c.fastq.gz",)
