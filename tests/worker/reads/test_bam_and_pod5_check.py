"""BAM and POD5: real files pass, cut ones are refused, and the libraries are optional."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pysam
import pytest

from porewatch.domain.errors import InputRefused, Unavailable
from porewatch.domain.runs import ReadKind
from porewatch.reads.bam import END_MARK
from porewatch.reads.check import check_file, check_stream
from validation.shared_data import real


def write_bam(path: Path, sequences: list[str | None], flag: int = 4) -> Path:
    with pysam.AlignmentFile(path, "wb", header={"HD": {"VN": "1.6"}}) as bam:
        for number, sequence in enumerate(sequences):
            read = pysam.AlignedSegment()
            read.query_name = f"r{number}"
            read.flag = flag
            read.query_sequence = sequence
            if sequence:
                read.query_qualities = pysam.qualitystring_to_array("I" * len(sequence))
            read.set_tag("BC", "SQK-RBK114-24_barcode03")
            bam.write(read)
    return path


def test_a_real_bam_gives_its_primary_reads() -> None:
    summary = check_file(real("reads/ecoli400.bam"))
    assert (summary.kind, summary.reads, summary.longest) == (ReadKind.BAM, 355, 64316)
    assert summary.size == real("reads/ecoli400.bam").stat().st_size


def test_an_unaligned_bam_is_read_with_its_barcodes(tmp_path: Path) -> None:
    summary = check_file(write_bam(tmp_path / "u.bam", ["ACGT", "ACGTACGT"]))
    assert (summary.reads, summary.bases, summary.barcodes) == (2, 12, {"barcode03": 2})


def test_a_bam_without_sequence_is_refused_at_its_record(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="Read r1 has no sequence") as caught:
        check_file(write_bam(tmp_path / "u.bam", ["ACGT", None]))
    assert (caught.value.record, caught.value.file) == (2, str(tmp_path / "u.bam"))
    assert caught.value.remedy


def test_a_bam_of_secondary_records_only_holds_no_reads(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no primary reads"):
        check_file(write_bam(tmp_path / "u.bam", ["ACGT"], flag=0x100))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.9999])
def test_a_bam_cut_anywhere_is_refused(share: float) -> None:
    whole = real("reads/ecoli400.bam").read_bytes()
    with pytest.raises(InputRefused, match=r"ends early|not BAM") as caught:
        check_stream(io.BytesIO(whole[: int(len(whole) * share)]), kind=ReadKind.BAM, name="x.bam")
    assert caught.value.file == "x.bam"


def test_a_bam_without_its_closing_block_is_refused() -> None:
    whole = real("reads/ecoli400.bam").read_bytes()
    assert whole.endswith(2 * END_MARK)  # this file carries two
    with pytest.raises(InputRefused, match="ends early"):
        check_stream(io.BytesIO(whole[: -2 * len(END_MARK)]), kind=ReadKind.BAM, name="x.bam")


def test_text_named_bam_is_refused() -> None:
    with pytest.raises(InputRefused, match="not BAM"):
        check_stream(io.BytesIO(b"@r\nA\n+\nI\n" * 9), kind=ReadKind.BAM, name="x.bam")


def test_without_pysam_a_bam_is_unavailable_and_fastq_still_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bam = write_bam(tmp_path / "u.bam", ["ACGT"])
    monkeypatch.setitem(sys.modules, "pysam", None)
    with pytest.raises(Unavailable, match="pysam is not installed"):
        check_file(bam)
    text = io.BytesIO(b"@r\nA\n+\nI\n")
    assert check_stream(text, kind=ReadKind.FASTQ, name="a.fastq").reads == 1


def test_a_real_pod5_gives_reads_and_run() -> None:
    summary = check_file(real("signal/multi_fast5_zip.pod5"))
    assert (summary.reads, summary.counted) == (10, True)
    assert summary.sequencing.acquisition_id == "a08e850aaa44c8b56765eee10b386fc3e516a62b"
    assert summary.sequencing.kit == "sqk-lsk108"


def test_without_the_library_a_pod5_is_whole_but_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pod5", None)
    summary = check_file(real("signal/multi_fast5_zip.pod5"))
    assert (summary.reads, summary.counted) == (0, False)


@pytest.mark.parametrize("library", [True, False])
@pytest.mark.parametrize("lost", [1, 8, 100, 700_000])
def test_a_pod5_cut_short_is_refused_with_and_without_the_library(
    monkeypatch: pytest.MonkeyPatch, lost: int, library: bool
) -> None:
    if not library:
        monkeypatch.setitem(sys.modules, "pod5", None)
    whole = real("signal/multi_fast5_zip.pod5").read_bytes()
    with pytest.raises(InputRefused, match="cut short"):
        check_stream(io.BytesIO(whole[:-lost]), kind=ReadKind.POD5, name="x.pod5")


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_what_is_not_pod5_is_refused(content: bytes) -> None:
    with pytest.raises(InputRefused, match=r"empty|not POD5"):
        check_stream(io.BytesIO(content), kind=ReadKind.POD5, name="x.pod5")
