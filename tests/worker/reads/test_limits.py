"""Limits of what strangers send: refused with the record, at the first and at any record."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from porewatch.domain import bounds
from porewatch.domain.errors import InputRefused, ManifestRefused
from porewatch.domain.inputs.final_summary import parse_final_summary
from porewatch.domain.inputs.landing.sorting import (
    Door,
    sort_out,
)
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.sealing import parse_manifest, seal
from porewatch.reads.check import check_stream
from porewatch.reads.headers import OutOfBounds, from_tags, parse_header, read_time
from porewatch.reads.summary import ReadsSummary

SOUND = b"@r0 ch=5 start_time=2026-03-01T12:00:00Z\nACGT\n+\nIIII\n"


def check(text: bytes, name: str = "a.fastq", kind: ReadKind = ReadKind.FASTQ) -> ReadsSummary:
    return check_stream(io.BytesIO(text), kind=kind, name=name)


HEADERS = {
    "year 1, ahead of UTC": b"r start_time=0001-01-01T00:00:00+10:00",
    "year 9999, behind UTC": b"r start_time=9999-12-31T23:59:59-10:00",
    "year 1969": b"r start_time=1969-12-31T00:00:00Z",
    "year 2200": b"r\tst:Z:2200-01-01T00:00:00Z",
    "a control character": b"r ch=1 \x1b[2J",
    "a zero byte": b"r\0",
    "delete": b"r\x7f",
    "a name of 2,000 letters": b"r" * 2000,
    "a flow cell of 2,000 letters": b"r flow_cell_id=" + b"F" * 2000,
    "a sample of 2,000 letters": b"r barcode_alias=" + b"F" * 2000,
    "a group of 2,000 letters": b"r\tRG:Z:" + b"F" * 2000,
    "2,000 fields": b"r" + b" a=b" * 2000,
    "2,000 tags": b"r" + b"\tXX:i:1" * 2000,
    "17 MB": b"r\tMM:Z:" + b"C" * (17 << 20),
}


@pytest.mark.parametrize("what", HEADERS)
@pytest.mark.parametrize("before", [0, 1, 3000])
def test_every_header_is_held_to_the_limits(what: str, before: int) -> None:
    with pytest.raises(InputRefused) as caught:
        check(SOUND * before + b"@" + HEADERS[what] + b"\nACGT\n+\nIIII\n" + SOUND)
    assert (caught.value.record, caught.value.line) == (before + 1, 4 * before + 1)
    assert caught.value.remedy
    assert len(str(caught.value)) < 1000


TAKEN = {
    "a time that cannot be read": b"r start_time=0000-00-00T99:00:00",
    "the clock's first day": b"r start_time=1970-01-01T00:00:00-10:00",
    "a channel of superscript": "r ch=²".encode(),
    "a channel of 5,000 digits": b"r ch=" + b"9" * 5000,
    "methylation tags of 1 MB": b"r\tch:i:7\tMM:Z:" + b"C+m,1" * 200_000,
    "Latin-1": "r sample_id=Schwein_ü".encode("latin-1"),
    "Thai": "r sample_id=ไทย".encode(),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_unknown_or_long_for_a_reason_is_taken(what: str) -> None:
    assert check(b"@" + TAKEN[what] + b"\nACGT\n+\nIIII\n").reads == 1


def test_one_moment_for_all(recwarn: pytest.WarningsRecorder) -> None:
    assert bounds.moment(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert read_time("never") is None
    for text in ("0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-10:00"):
        with pytest.raises(OutOfBounds, match="year"):
            read_time(text)
        with pytest.raises(ManifestRefused, match="year"):
            parse_final_summary(f"acquisition_run_id=a\nstarted={text}\n", file="f.txt")
        with pytest.raises(ManifestRefused, match="created_at"):
            parse_manifest(a_manifest().replace(b"2026-03-01T00:00:00Z", text.encode()))


def a_manifest() -> bytes:
    file = InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=9)
    made = seal([file], run_id="r", created_at=datetime(2026, 3, 1, tzinfo=UTC))
    return made.canonical_json().encode()


@pytest.mark.parametrize("text", ["²", "9" * 5000, "-1", "1.0", "", "٣", "1_000"])
def test_numbers_are_of_ascii_digits_and_short(text: str) -> None:
    assert bounds.number(text) is None
    assert parse_header(f"r ch={text}").channel is None
    assert from_tags("r", {"ch": text}).channel is None
    counts = f"acquisition_run_id=a\nstarted=2026-03-01\nfastq_files_in_final_dest={text}\n"
    assert parse_final_summary(counts, file="f.txt").files == {}


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\x7f", "\x85", "\u2028"])
def test_no_path_of_a_run_holds_a_control_character(character: str) -> None:
    with pytest.raises(ValidationError, match="control character"):
        InputFile(path=f"fastq/a{character}.fastq", kind=ReadKind.FASTQ, size=1)
    with pytest.raises(ValidationError, match="control character"):
        InputFile(path="fastq/a.fastq", at=f"x{character}", kind=ReadKind.FASTQ, size=1)


@pytest.mark.parametrize("name", ["ไทย", "🐖", "नमस्ते", "a\u200db", "é"])
def test_any_script_may_stand_in_a_path(name: str) -> None:
    assert InputFile(path=f"fastq/{name}.fastq", kind=ReadKind.FASTQ, size=1).path


def test_a_bomb_behind_noise_is_refused_before_it_is_unpacked() -> None:
    record = b"@x\n" + b"A" * 10_000 + b"\n+\n" + b"I" * 10_000 + b"\n"
    with pytest.raises(InputRefused, match="unpacks to more than 200 times") as caught:
        check(gzip.compress(SOUND * 9 + record * 10_000, 9), "a.fastq.gz")
    assert caught.value.record
    assert caught.value.record < 8_000


def test_lengths_are_kept_as_a_histogram() -> None:
    tally = check(b"@x\nA\n+\nI\n@y\n\n+\n\n@z\nAC\n+\nII\n")
    assert (tally.reads, tally.bases, tally.n50, tally.longest) == (3, 3, 2, 2)


def test_documents_have_a_limit_at_every_door() -> None:
    def never(_path: str) -> bytes:
        raise AssertionError("it was read")

    for name in ("sample_sheet.csv", "final_summary_x.txt", "lab.toml"):
        sizes = {"fastq/a.fastq": 10, name: bounds.MOST_TEXT + 1}
        [fault] = sort_out(Door(sizes=sizes, text=never)).faults
        assert name in str(fault)
        assert "5,242,881 bytes" in str(fault)
