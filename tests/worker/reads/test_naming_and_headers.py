"""Kinds by name, and the two header dialects."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import ReadKind
from porewatch.reads.headers import barcode_in, parse_header
from porewatch.reads.naming import kind_of
from porewatch.reads.summary import n50


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.fastq", ReadKind.FASTQ),
        ("a.b.fq.gz", ReadKind.FASTQ),
        ("A.FASTQ.GZ", ReadKind.FASTQ),
        ("a.bam", ReadKind.BAM),
        ("fast5_pass/a.pod5", ReadKind.POD5),
    ],
)
def test_the_suffix_gives_the_kind(name: str, kind: ReadKind) -> None:
    assert kind_of(name) is kind


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.fast5", "pod5 convert fast5"),
        ("a.fasta.gz", "send the FASTQ"),
        ("a.fa", "send the FASTQ"),
        ("a.fastq.bz2", "gzip"),
        ("a.cram", "samtools view"),
        ("a.txt", ".fastq.gz"),
        ("fastq", ".fastq.gz"),
    ],
)
def test_other_names_are_refused_with_what_to_do(name: str, remedy: str) -> None:
    with pytest.raises(InputRefused) as caught:
        kind_of(name)
    assert caught.value.file == name
    assert remedy in str(caught.value.remedy)


def test_the_old_dialect_is_read() -> None:
    header = parse_header(
        "c579 runid=aa5b read=4541 ch=234 start_time=2017-08-17T14:47:05Z flow_cell_id=FAK1 "
        "barcode=barcode07 model_version_id=dna_r9.4.1_450bps_hac@v4"
    )
    assert (header.id, header.channel, header.barcode) == ("c579", 234, "barcode07")
    assert header.start_time == datetime(2017, 8, 17, 14, 47, 5, tzinfo=UTC)
    assert (header.acquisition_id, header.flow_cell) == ("aa5b", "FAK1")
    assert header.basecall_model == "dna_r9.4.1_450bps_hac@v4"


def test_the_new_dialect_is_read_with_its_barcode_in_the_read_group() -> None:
    header = parse_header(
        "9ae4\tqs:f:12.4\tst:Z:2023-11-23T10:23:09.015+00:00\tch:i:783\t"
        "RG:Z:49866b12a68a_dna_r10.4.1_e8.2_400bps_hac@v5.0.0_SQK-RBK114-96_barcode05"
    )
    assert (header.id, header.channel, header.barcode) == ("9ae4", 783, "barcode05")
    assert header.basecall_model == "dna_r10.4.1_e8.2_400bps_hac@v5.0.0"
    assert header.acquisition_id == "49866b12a68a"


def test_odd_fields_never_refuse_a_read() -> None:
    header = parse_header("r1 ch=x start_time=yesterday barcode=")
    assert (header.channel, header.start_time, header.barcode) == (None, None, None)
    assert parse_header("r1\tch\t\tst:Z:never").start_time is None


def test_a_barcode_is_only_taken_from_a_field() -> None:
    assert barcode_in(b"@mybarcode01read runid=x") is None
    assert barcode_in(b"@r barcode=barcode01") == "barcode01"
    assert barcode_in(b"@r barcode=barcode012") is None


def test_n50_is_the_length_that_holds_half_the_bases() -> None:
    assert n50([]) == 0
    assert n50([0, 0]) == 0
    assert n50([10, 1, 1, 1]) == 10
    assert n50([2, 2, 2, 3, 3, 4, 8, 8]) == 8
    assert n50([5, 5]) == 5
