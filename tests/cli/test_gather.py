"""Nothing is uploaded before all of it is sound: each fault is named by file, place and remedy."""

import gzip
import json
from pathlib import Path

import pytest
import typer

from porewatch.domain.errors import (
    BasecallerMissing,
    InputRefused,
    LaboratoryRefused,
    ManifestRefused,
    SampleSheetRefused,
    SeveralRefused,
)
from porewatch.domain.runs import ReadKind
from porewatch_cli.submit.collect_run import collect_run
from porewatch_cli.terminal import fail

READ = b"@r%d runid=abc barcode=%s\nACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIII\n"


def fastq(folder: Path, name: str, barcode: str = "unclassified", reads: int = 3) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    body = b"".join(READ % (n, barcode.encode()) for n in range(reads))
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


def test_a_single_file_is_a_run_of_one_sample(tmp_path):
    got = collect_run(fastq(tmp_path, "pig 7.fastq.gz"))
    assert got.manifest.run_id.startswith("pig-7-")
    assert [f.path for f in got.manifest.files] == ["fastq/pig 7.fastq.gz"]
    assert len(got.manifest.samples) == 1
    assert got.reads == 3
    assert got.bases == 48


def test_the_same_files_give_the_same_run(tmp_path):
    path = fastq(tmp_path, "a.fastq.gz")
    assert collect_run(path).manifest.run_id == collect_run(path).manifest.run_id


def test_a_minknow_folder_keeps_its_barcodes_and_leaves_failed_reads_aside(tmp_path):
    fastq(tmp_path, "fastq_pass/barcode01/x.fastq.gz", "barcode01")
    fastq(tmp_path, "fastq_pass/barcode02/x.fastq.gz", "barcode02")
    fastq(tmp_path, "fastq_fail/barcode01/y.fastq.gz", "barcode01")
    got = collect_run(tmp_path, run_id="r1")
    assert {f.path: f.barcode for f in got.manifest.files} == {
        "fastq/barcode01/x.fastq.gz": "barcode01",
        "fastq/barcode02/x.fastq.gz": "barcode02",
    }
    assert [s.barcode for s in got.manifest.samples] == ["barcode01", "barcode02"]
    assert got.left_out == ("left out, because MinKNOW failed or skipped them: 1 files",)


def test_the_same_reads_in_several_kinds_are_counted_once_and_that_is_shown(tmp_path):
    fastq(tmp_path, "fastq_pass/barcode01/x.fastq.gz", "barcode01")
    for copy in ("bam_pass/barcode01/x.bam", "pod5/x.pod5"):
        (tmp_path / copy).parent.mkdir(parents=True)
        (tmp_path / copy).write_bytes(b"the same reads, never opened")
    got = collect_run(tmp_path, basecalling=False)
    assert [f.path for f in got.manifest.files] == ["fastq/barcode01/x.fastq.gz"]
    assert got.reads == 3
    assert got.left_out == ("left out, because their reads come in another kind: 2 files",)


def test_loose_files_of_two_kinds_are_refused_for_they_may_be_the_same_reads(tmp_path):
    fastq(tmp_path, "a.fastq.gz")
    (tmp_path / "a.bam").write_bytes(b"never opened")
    with pytest.raises(InputRefused, match=r"a\.bam: it lies beside fastq files") as refused:
        collect_run(tmp_path)
    assert "one kind" in str(refused.value.remedy)


def test_every_bad_file_is_named_at_once(tmp_path):
    fastq(tmp_path, "good.fastq")
    (tmp_path / "cut.fastq.gz").write_bytes(gzip.compress(READ * 1)[:-6])
    (tmp_path / "minus.fastq").write_bytes(b"@r1\nACGT\nIIII\n")
    with pytest.raises(SeveralRefused) as refused:
        collect_run(tmp_path)
    faults = {Path(str(fault.file)).name: fault for fault in refused.value.faults}
    assert set(faults) == {"cut.fastq.gz", "minus.fastq"}
    assert faults["minus.fastq"].record == 1
    assert all(fault.remedy for fault in faults.values())


def test_json_names_every_bad_file_too(tmp_path, capsys):
    for name in ("one.fastq", "two.fastq"):
        (tmp_path / name).write_bytes(b"@r1\nACGT\nIIII\n")
    with pytest.raises(SeveralRefused) as refused:
        collect_run(tmp_path)
    with pytest.raises(typer.Exit):
        fail(refused.value, as_json=True)
    document = json.loads(capsys.readouterr().out)
    faults = document["faults"]
    assert document["values"] == {}, "they are of each fault"
    assert [Path(f["file"]).name for f in faults] == ["one.fastq", "two.fastq"]
    assert all(f["record"] == 1 and f["remedy"] for f in faults)


def test_a_file_of_a_barcode_that_no_sample_has_is_refused(tmp_path):
    fastq(tmp_path, "fastq_pass/barcode01/x.fastq.gz", "barcode01")
    fastq(tmp_path, "fastq_pass/barcode09/x.fastq.gz", "barcode09")
    sheet = tmp_path / "samples.csv"
    sheet.write_text("sample,barcode\ndonor,barcode01\n")
    with pytest.raises(SampleSheetRefused, match="barcode09"):
        collect_run(tmp_path, sample_sheet=sheet)


def test_duplicate_sample_names_are_refused(tmp_path):
    fastq(tmp_path, "fastq_pass/barcode01/x.fastq.gz", "barcode01")
    sheet = tmp_path / "samples.csv"
    sheet.write_text("sample,barcode\ndonor,barcode01\ndonor,barcode02\n")
    with pytest.raises(SampleSheetRefused, match="donor"):
        collect_run(tmp_path, sample_sheet=sheet)


def test_signal_is_refused_before_anything_is_read_when_nothing_can_basecall(tmp_path):
    (tmp_path / "a.pod5").write_bytes(b"not read at all")
    with pytest.raises(BasecallerMissing, match=r"a\.pod5"):
        collect_run(tmp_path, basecalling=False)


@pytest.mark.parametrize("run_id", ["../etc", "a b", "", "x" * 64, "ünï"])
def test_a_run_id_with_odd_characters_is_refused(tmp_path, run_id):
    path = fastq(tmp_path, "a.fastq.gz")
    if run_id == "":
        assert collect_run(path, run_id=run_id).manifest.run_id  # empty means: make one
        return
    with pytest.raises(ManifestRefused):
        collect_run(path, run_id=run_id)


def test_an_empty_folder_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(InputRefused, match="no reads") as refused:
        collect_run(tmp_path)
    assert refused.value.remedy


def test_two_folders_that_may_be_two_animals_are_refused(tmp_path):
    fastq(tmp_path, "one/a.fastq.gz")
    fastq(tmp_path, "two/a.fastq.gz", reads=4)
    with pytest.raises(InputRefused, match="may be of two samples"):
        collect_run(tmp_path)


def test_kinds_go_to_their_folders(tmp_path):
    fastq(tmp_path, "a.fastq")
    got = collect_run(tmp_path)
    assert got.manifest.files[0].kind is ReadKind.FASTQ
    assert got.manifest.basecalled


def test_the_laboratory_is_the_folders_or_the_one_that_is_named(tmp_path):
    fastq(tmp_path, "run/a.fastq.gz")
    (tmp_path / "run/lab.toml").write_text('client = "A"')
    assert collect_run(tmp_path / "run").manifest.laboratory.client == "A"
    other = tmp_path / "other.toml"
    other.write_text('client = "B"')
    assert collect_run(tmp_path / "run", lab=other).manifest.laboratory.client == "B"
    (tmp_path / "run/below").mkdir()
    (tmp_path / "run/below/lab.toml").write_text('client = "C"')
    with pytest.raises(
        LaboratoryRefused, match=r"2 different files of this name: below/lab.toml, lab.toml"
    ):
        collect_run(tmp_path / "run")
