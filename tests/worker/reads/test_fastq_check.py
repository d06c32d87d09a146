"""FASTQ: what is accepted, what is counted, and what each fault is called."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porewatch.domain.errors import InputRefused, Unavailable
from porewatch.domain.runs import ReadKind
from porewatch.reads.check import check_file, check_stream
from porewatch.reads.fastq import BLOCK
from porewatch.reads.summary import ReadsSummary
from validation.shared_data import real

LAST = b"@r3\nAC\n+\nII\n"
LAST_TWO = b"@r2\nGGNA\n+r2\n!!~I\n" + LAST
GOOD = b"@r1 ch=5\nACGT\n+\nIIII\n" + LAST_TWO


def check(text: bytes, name: str = "a.fastq") -> ReadsSummary:
    return check_stream(io.BytesIO(text), kind=ReadKind.FASTQ, name=name)


def fault(text: bytes, name: str = "a.fastq") -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        check(text, name)
    assert caught.value.file == name
    assert caught.value.remedy
    return caught.value


def test_a_sound_file_is_counted_and_hashed() -> None:
    summary = check(GOOD)
    assert (summary.reads, summary.bases, summary.longest, summary.n50) == (3, 10, 4, 4)
    assert summary.size == len(GOOD)
    assert summary.sha256 == hashlib.sha256(GOOD).hexdigest()


def test_size_and_digest_of_a_gzip_file_are_those_of_its_raw_bytes() -> None:
    packed = gzip.compress(GOOD)
    summary = check(packed, "a.fastq.gz")
    assert (summary.size, summary.reads) == (len(packed), 3)
    assert summary.sha256 == hashlib.sha256(packed).hexdigest()


def test_mean_quality_averages_error_probabilities_and_not_phred_values() -> None:
    summary = check(b"@r\nAC\n+\n+I\n")  # Phred 10 and 40
    assert summary.mean_quality == pytest.approx(-10 * math.log10((0.1 + 0.0001) / 2), abs=1e-3)
    odd = check(b"@r\nACG\n+\n++I\n")
    assert odd.mean_quality == pytest.approx(-10 * math.log10((0.2 + 0.0001) / 3), abs=1e-3)


def test_several_gzip_members_are_one_file() -> None:
    assert check(gzip.compress(GOOD) * 2, "a.fastq.gz").reads == 6


def test_a_missing_last_newline_is_no_fault() -> None:
    assert check(GOOD[:-1]).reads == 3


@pytest.mark.parametrize(
    ("text", "record", "line", "expected"),
    [
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\nIII\n", 2, 8, "4 bases and the quality 3"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\nIIII\n@r3\n", 2, 7, "should start with '+'"),
        (b"@r1\r\nACGT\r\n+\r\nIIII\r\n", 1, 1, "Windows line ends"),
        (b"@r1\nACGT\n+\nII\x1fI\n", 1, 4, "byte 0x1f at position 3"),
        (b"@r1\nACGT\n+\nII\x7fI\n", 1, 4, "byte 0x7f at position 3"),
        (b"@r1\nACG\n+\nII\x1f\n", 1, 4, "byte 0x1f at position 3"),
        (b">r1\nACGT\n>r2\nACGT\n", 1, 1, "FASTA, not FASTQ"),
        (b">r1\nACGT\n", 1, 1, "FASTA, not FASTQ"),
        (b"@r1\nAC-T\n+\nIIII\n", 1, 2, "'-' at position 3"),
        (b"@r1\nACGT\n+other\nIIII\n", 1, 3, "not the name of the read"),
        (b"@\nACGT\n+\nIIII\n", 1, 1, "no read name"),
        (b"r1\nACGT\n+\nIIII\n", 1, 1, "instead of '@'"),
        (b"@r1\nACGT\n+\nIIII\n\n", 2, 5, "blank"),
        (b"@r1\nACGT\n+\nIIII\n\n@r2\nA\n+\nI\n", 2, 5, "blank"),
        (b"@r1\nACGT\n+\nIIII\ngarbage", 2, 5, "instead of '@'"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nAC", 2, 6, "after 2 of its 4 lines"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\n", 2, 7, "after 3 of its 4 lines"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\nII", 2, 8, "4 bases and the quality 2"),
        (b"@r1\nAC\nGT\n+\nII\nII\n", 1, 3, "should start with '+'"),
    ],
)
def test_each_fault_names_record_line_and_problem(
    text: bytes, record: int, line: int, expected: str
) -> None:
    for name, content in (("a.fastq", text), ("a.fastq.gz", gzip.compress(text))):
        error = fault(content, name)
        assert (error.record, error.line) == (record, line), str(error)
        assert expected in str(error)


def test_a_fault_far_into_a_large_file_is_still_placed_exactly() -> None:
    good = b"".join(b"@r%d\nACGTACGT\n+\nIIIIIIII\n" % i for i in range(3 * BLOCK // 30))
    records = good.count(b"\n") // 4
    error = fault(good + b"@bad\nACGT\n+\nIII\n" + good)
    assert (error.record, error.line) == (records + 1, 4 * records + 4)


def test_a_read_longer_than_a_block_is_read_whole() -> None:
    long = b"@long\n" + b"ACGT" * BLOCK + b"\n+\n" + b"IIII" * BLOCK + b"\n"
    assert check(GOOD + long + GOOD).longest == 4 * BLOCK


@pytest.mark.parametrize("text", [b"", gzip.compress(b"")], ids=["nothing", "nothing packed"])
def test_an_empty_file_is_refused(text: bytes) -> None:
    error = fault(text, "a.fastq.gz" if text else "a.fastq")
    assert "holds no reads" in str(error)


def test_truncated_gzip_names_the_record_after_the_last_sound_one() -> None:
    packed = gzip.compress(GOOD)
    for cut in (3, 12, len(packed) // 2, len(packed) - 9, len(packed) - 1):
        assert "cut short" in str(fault(packed[:cut], "a.fastq.gz")), cut


def test_damaged_gzip_is_distinguished_from_truncated_gzip() -> None:
    packed = bytearray(gzip.compress(GOOD))
    packed[-6] ^= 0xFF
    assert "checksum" in str(fault(bytes(packed), "a.fastq.gz"))


def test_bytes_after_the_gzip_data_are_not_ignored() -> None:
    assert "follows the end" in str(fault(gzip.compress(GOOD) + b"tail" * 5, "a.fastq.gz"))


def test_name_and_content_must_agree_about_gzip() -> None:
    assert "no gzip data" in str(fault(GOOD, "a.fastq.gz"))
    assert "rename it to end in .fastq.gz" in str(fault(gzip.compress(GOOD), "a.fastq"))


def test_fewer_bytes_than_announced_mean_a_broken_transfer_and_not_a_bad_file() -> None:
    packed = gzip.compress(GOOD)
    with pytest.raises(Unavailable, match="bytes arrived"):
        check_stream(
            io.BytesIO(packed[:-10]), kind=ReadKind.FASTQ, name="a.fastq.gz", size=len(packed)
        )


def test_barcodes_are_counted_in_both_header_dialects() -> None:
    old = b"@a runid=ab barcode=barcode07 barcode_alias=barcode07\nA\n+\nI\n"
    new = b"@b\tst:Z:2024-01-01T00:00:00Z\tBC:Z:SQK-RBK114-24_barcode12\nA\n+\nI\n"
    none = b"@c runid=ab barcode=unclassified\nA\n+\nI\n@d\nA\n+\nI\n"
    counted = check(old * 2 + new + none).barcodes
    assert counted == {"barcode07": 2, "barcode12": 1, "unclassified": 1}


def test_the_first_header_has_the_run_in_both_dialects() -> None:
    new = check_file(real("reads/r10_hac_v5.fastq.gz"))
    assert new.sequencing.basecall_model == "dna_r10.4.1_e8.2_400bps_hac@v5.0.0"
    assert new.sequencing.acquisition_id == "49866b12a68a9d2b0f370e21e4f7eee77642831c"
    assert new.first_read_at is not None
    old = check_file(real("reads/qcat_nobarcode_1k.fastq.gz"))
    assert old.sequencing.acquisition_id == "aa5bcc5b35c9d81a274b9ccbe08cbbd62d3ee49b"


@pytest.mark.parametrize(
    ("file", "reads", "longest"),
    [
        ("sars_cov_2_ont_2020_bc07", 1720, 2492),
        ("sars_cov_2_MT007544", 200, 639),
        ("r10_hac_v5", 21, 51091),
        ("qcat_nobarcode_1k", 989, 24336),
        ("nanotest_ultralong", 371, 393431),
    ],
)
def test_real_files_are_accepted_with_their_known_counts(
    file: str, reads: int, longest: int
) -> None:
    summary = check_file(real(f"reads/{file}.fastq.gz"))
    assert (summary.reads, summary.longest) == (reads, longest)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no such file"):
        check_file(tmp_path / "a.fastq")


@settings(max_examples=20)
@given(
    reads=st.lists(st.text(alphabet="ACGTN", max_size=40), min_size=1, max_size=30),
    step=st.integers(min_value=1, max_value=50),
)
def test_counts_do_not_depend_on_how_the_stream_is_cut(reads: list[str], step: int) -> None:
    text = "".join(f"@r{i}\n{s}\n+\n{'5' * len(s)}\n" for i, s in enumerate(reads)).encode()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(step)

    summary = check_stream(Slow(text), kind=ReadKind.FASTQ, name="a.fastq")
    assert (summary.reads, summary.bases) == (len(reads), sum(map(len, reads)))
    assert summary.longest == max(map(len, reads))


@settings(max_examples=20)
@given(cut=st.integers(min_value=1, max_value=len(GOOD) - 2))
def test_no_cut_through_a_file_is_taken_for_a_whole_one(cut: int) -> None:
    ends = [len(GOOD) - len(rest) for rest in (b"\n" + LAST_TWO, LAST_TWO, b"\n" + LAST, LAST)]
    if cut in ends:
        assert check(GOOD[:cut]).reads in (1, 2)
    else:
        fault(GOOD[:cut])


class Large:
    """A file of 32 MB; `largest`: the most that was asked for at once."""

    RECORD = b"@r\n" + 2000 * b"ACGT" + b"\n+\n" + 8000 * b"I" + b"\n"

    def __init__(self) -> None:
        self.content = io.BytesIO(2000 * self.RECORD)
        self.largest = 0

    def read(self, size: int, /) -> bytes:
        self.largest = max(self.largest, size)
        return self.content.read(size)


def test_no_piece_of_a_large_file_is_large() -> None:
    file = Large()
    assert check_stream(file, kind=ReadKind.FASTQ, name="a.fastq").reads == 2000
    assert 0 < file.largest <= 2**20
