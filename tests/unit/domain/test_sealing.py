"""Sealing: which file is what, what MinKNOW reports, and the manifest made of both."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.completeness import Expected, LeftOut, LostFile, Why
from porewatch.domain.errors import InputRefused, ManifestRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.inputs.barcodes_in_paths import barcode_of
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.final_summary import parse_final_summary
from porewatch.domain.inputs.landing.run_paths import run_path
from porewatch.domain.runs import InputFile, ReadKind, ReadLimits, RunManifest, Sample, Sequencing
from porewatch.domain.sealing import input_file, parse_manifest, seal

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUMMARY = """instrument=MN00001
position=
flow_cell_id=FAX00001
sample_id=no_sample
protocol_group_id=pigs
protocol=sequencing/sequencing_MIN114_DNA_e8_2_400K:FLO-MIN114:SQK-NBD114-24:400
protocol_run_id=11111111-2222-3333-4444-555555555555
acquisition_run_id=0123456789abcdef0123456789abcdef01234567
started=2026-02-28T10:00:00.123456+01:00
acquisition_stopped=2026-03-01T10:00:00.5+01:00
processing_stopped=2026-03-01T10:10:00+01:00
basecalling_enabled=1
sequencing_summary_file=sequencing_summary_FAX00001_x.txt
fast5_files_in_final_dest=0
pod5_files_in_final_dest=3
fastq_files_in_final_dest=2
"""


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("run.json", Landed.MANIFEST),
        ("deep/run.json", Landed.MANIFEST),
        ("sample_sheet_FAX1_2026.csv", Landed.SHEET),
        ("SampleSheet.tsv", Landed.SHEET),
        ("final_summary_FAX1_a_b.txt", Landed.SUMMARY),
        ("fastq_pass/barcode01/a.fastq.gz", Landed.READS),
        ("fastq_fail/barcode01/a.fastq.gz", Landed.FAILED),
        ("x/pod5_skip/a.pod5", Landed.FAILED),
        ("old/a.fast5", Landed.SIGNAL_OLD),
        ("report_FAX1.html", Landed.RECORD),
        ("fastq/readme.txt", Landed.TABLE),
        ("old/reads.fastq.bz2", Landed.UNREADABLE),
        ("fastq_pass/._a.fastq.gz", Landed.LEFTOVER),
    ],
)
def test_a_name_tells_what_a_file_is(path: str, member: Landed) -> None:
    assert classify(path) is member


@pytest.mark.parametrize(
    ("path", "barcode"),
    [
        ("fastq/barcode07/a.fastq.gz", "barcode07"),
        ("fastq/FAX1_pass_barcode07_ab_0.fastq.gz", "barcode07"),
        ("fastq/barcode07.fastq", "barcode07"),
        ("fastq/barcode07/FAX1_pass_barcode07_0.fastq", "barcode07"),
        ("fastq/unclassified/a.fastq", None),
        ("fastq/barcode071.fastq", "barcode71"),
        ("fastq/mybarcode07x.fastq", None),
    ],
)
def test_the_barcode_is_read_from_folder_or_name(path: str, barcode: str | None) -> None:
    assert barcode_of(path) == barcode


def test_a_file_in_another_barcodes_folder_is_refused() -> None:
    with pytest.raises(InputRefused, match="barcode07 and barcode08"):
        barcode_of("fastq/barcode07/FAX1_barcode08_0.fastq")


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("no_sample/2026/fastq_pass/barcode07/a.fastq.gz", "fastq/barcode07/a.fastq.gz"),
        ("a.bam", "bam/a.bam"),
        ("pod5/a.pod5", "pod5/a.pod5"),
        ("mine/barcode02/a.fq", "fastq/barcode02/a.fq"),
        ("bam_pass/x/a.bam", "bam/x/a.bam"),
    ],
)
def test_a_file_of_a_sequencing_folder_has_one_place_in_the_run(path: str, there: str) -> None:
    assert run_path(path) == there


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("fastq/a.fast5", "pod5 convert fast5"),
        ("fastq/a.fasta.gz", "send the FASTQ"),
        ("fastq/a.sam", "samtools view -b"),
        ("fastq/a.txt", "send files whose names end in"),
        ("fastq/a", "Neither reads nor signal"),
        ("fastq/a.pod5", "put it in pod5/"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(path: str, expected: str) -> None:
    with pytest.raises(InputRefused, match=expected) as refused:
        input_file(path, 10)
    assert refused.value.file == path
    assert refused.value.remedy


def test_what_is_known_of_a_file_stands_in_the_manifest() -> None:
    path, digest = "fastq/lane/barcode07/a.fastq.gz", "a" * 64
    plain = InputFile(
        path=path, kind=ReadKind.FASTQ, size=10, sha256=digest, barcode="barcode07", at=None
    )
    assert input_file(path, 10, digest) == plain
    assert input_file(path, 10, digest, at=path) == plain
    moved = input_file(path, 10, digest, at="elsewhere/a.fastq.gz", barcode="barcode08")
    assert moved == plain.model_copy(update={"at": "elsewhere/a.fastq.gz", "barcode": "barcode08"})


def test_a_path_that_leaves_the_run_is_refused() -> None:
    with pytest.raises(InputRefused, match="leaves the run's folder") as refused:
        input_file("fastq/../../b.fastq", 10)
    assert refused.value.file == "fastq/../../b.fastq"


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(InputRefused, match="is empty") as refused:
        input_file("fastq/a.fastq", 0)
    assert refused.value.file == "fastq/a.fastq"
    assert refused.value.remedy


def test_a_final_summary_tells_the_sequencing_and_the_counts() -> None:
    summary = parse_final_summary(SUMMARY.encode(), file="final_summary_x.txt")
    assert summary.files == {ReadKind.POD5: 3, ReadKind.FASTQ: 2}
    assert summary.started_at == datetime(2026, 2, 28, 9, 0, 0, 123456, tzinfo=UTC)
    sequencing = summary.sequencing()
    assert (sequencing.instrument, sequencing.flow_cell, sequencing.kit) == (
        "MN00001",
        "FAX00001",
        "SQK-NBD114-24",
    )
    assert (sequencing.started_at, sequencing.acquisition_id) == (
        summary.started_at,
        "0123456789abcdef0123456789abcdef01234567",
    )
    assert summary.stopped_at == datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)
    assert summary.sample_id == "no_sample"


def test_what_a_final_summary_does_not_say_is_unknown() -> None:
    text = "acquisition_run_id=a\nstarted=2026-03-01T10:00:00Z\n"
    summary = parse_final_summary(text, file="f.txt")
    assert (summary.stopped_at, summary.sample_id, summary.files) == (None, None, {})
    assert summary.sequencing().kit is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "it has no acquisition_run_id"),
        ("hello world\n", "line 1: .*'hello world' is not key=value"),
        ("instrument=X\nstarted=2026-01-01T00:00:00Z\n", "no acquisition_run_id"),
        ("acquisition_run_id=a\nstarted=yesterday\n", "started 'yesterday' is not a time"),
        (
            "acquisition_run_id=a\nstarted=2026-01-01T00:00:00Z\nacquisition_stopped=never\n",
            "acquisition_stopped 'never' is not a time",
        ),
        ("@read1\nACGT\n+\nIIII\n", "'@read1' is not key=value"),
    ],
)
def test_what_is_no_final_summary_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ManifestRefused, match=expected) as refusal:
        parse_final_summary(text, file="final_summary_x.txt")
    assert refusal.value.remedy


@given(st.binary(max_size=300))
def test_any_bytes_give_a_summary_or_one_clear_refusal(content: bytes) -> None:
    with pytest.raises(ManifestRefused, match="not a MinKNOW final summary"):
        parse_final_summary(content, file="f.txt")


@given(st.randoms())
def test_the_order_of_the_files_does_not_change_the_digest(rng: random.Random) -> None:
    files = [input_file(f"fastq/barcode0{i % 3 + 1}/f{i}.fastq.gz", 10 + i) for i in range(6)]
    shuffled = rng.sample(files, len(files))
    first, second = (seal(f, run_id="r", created_at=WHEN) for f in (files, shuffled))
    assert first.digest() == second.digest()


def test_without_a_sheet_each_barcode_is_a_sample() -> None:
    files = [input_file(f"fastq/barcode0{b}/a.fastq", 5) for b in (2, 1)]
    assert [s.name for s in seal(files, run_id="r", created_at=WHEN).samples] == [
        "barcode01",
        "barcode02",
    ]


def test_without_sheet_and_barcodes_the_run_is_the_sample() -> None:
    files = [input_file("bam/a.bam", 5)]
    assert seal(files, run_id="r-1", created_at=WHEN).samples == (Sample(name="r-1"),)


def test_a_run_without_reads_is_not_sealed() -> None:
    with pytest.raises(ManifestRefused, match="has no reads") as refused:
        seal([], run_id="r", created_at=WHEN)
    assert refused.value.remedy


def test_the_same_file_twice_is_not_sealed() -> None:
    files = [input_file("bam/a.bam", 5), input_file("bam/a.bam", 6)]
    with pytest.raises(ManifestRefused, match=r"duplicate file path: bam/a\.bam"):
        seal(files, run_id="r", created_at=WHEN)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('"run-1"', '"run 1"'), "run_id 'run 1': string should match pattern"),
        (('"samples"', '"sampels"'), "samples is missing; sampels is not a field we know"),
        (('"size":5', '"size":"many"'), r"files\[0\].size 'many'"),
        (('"kind":"bam"', '"kind":"fastq"'), "bam/a.bam is called fastq"),
        (("{", "{{"), "it is not JSON"),
        (('"run-1"', '"run-2"'), "lies in the folder of 'run-1'"),
        (('"bam/a.bam"', '"bam/../../a.bam"'), "leaves the run's folder"),
    ],
)
def test_a_bad_manifest_is_reported_by_field_value_and_remedy(
    change: tuple[str, str], expected: str
) -> None:
    good = seal([input_file("bam/a.bam", 5)], run_id="run-1", created_at=WHEN).canonical_json()
    with pytest.raises(ManifestRefused, match=expected) as refusal:
        parse_manifest(good.replace(*change, 1).encode(), run_id="run-1")
    assert refusal.value.remedy
    assert refusal.value.file == "run.json"


def test_a_manifest_survives_being_written_and_read() -> None:
    manifest = seal([input_file("bam/a.bam", 5)], run_id="run-1", created_at=WHEN)
    assert parse_manifest(manifest.canonical_json().encode(), run_id="run-1") == manifest


def test_a_file_that_no_function_can_read_in_time_is_refused_with_the_way_out() -> None:
    assert input_file("fastq/a.fastq.gz", 30 * 2**30).size == 30 * 2**30
    with pytest.raises(InputRefused, match=r"30\.1 GiB; one file may have 30\. .*split") as refused:
        input_file("fastq/a.fastq.gz", int(30.1 * 2**30))
    assert refused.value.file == "fastq/a.fastq.gz"


@pytest.mark.parametrize(
    ("size", "shown"),
    [(10**12, r"931\.3"), (10**400, r" 1073741824\.0")],
    ids=["a terabyte", "400 digits"],
)
def test_a_size_beyond_every_file_is_refused_however_many_digits_it_has(
    size: int, shown: str
) -> None:
    with pytest.raises(InputRefused, match=f"{shown} GiB; one file may have"):
        input_file("bam/a.bam", size)


def test_everything_that_is_sealed_stands_in_the_manifest() -> None:
    """Each field that the manifest has, with a value that no default gives."""
    given: dict[str, object] = {
        "run_id": "run-1",
        "created_at": WHEN,
        "created_by": "lab",
        "profile": "one-machine",
        "bundle": "pig@1",
        "release_policy": "donor-screening",
        "samples": (Sample(name="pig-1"),),
        "sequencing": Sequencing(flow_cell="FAX1"),
        "laboratory": Laboratory(client="A client"),
        "left_out": (LeftOut(why=Why.FAILED, files=2),),
        "lost": (LostFile(path="fastq/b.fastq", problem="cut short"),),
        "expected": (Expected(kind="fastq", counted=3, came=2),),
        "read_limits": ReadLimits(min_block=60),
    }
    files = (input_file("fastq/a.fastq", 10),)

    sealed = seal(files, **given)  # type: ignore[arg-type]

    assert given.keys() | {"files", "schema_version"} == RunManifest.model_fields.keys()
    assert sealed.files == files
    assert {name: getattr(sealed, name) for name in given} == given


def test_what_is_sealed_without_more_has_the_defaults_of_the_manifest() -> None:
    files = (input_file("fastq/a.fastq", 10),)
    sample = seal(files, run_id="run-1", created_at=WHEN).samples
    plain = RunManifest(run_id="run-1", created_at=WHEN, files=files, samples=sample)

    assert seal(files, run_id="run-1", created_at=WHEN) == plain


def test_a_manifest_that_contradicts_itself_names_the_file_to_correct() -> None:
    twice = (input_file("fastq/a.fastq", 10), input_file("fastq/a.fastq", 10))
    with pytest.raises(ManifestRefused, match="duplicate file path") as refused:
        seal(twice, run_id="run-1", created_at=WHEN)
    assert refused.value.file == "run.json"
    assert refused.value.remedy
