"""A read counts once, in whatever file, barcode or unit it comes again, and after any resume; what
the check takes the reader takes, and whatever case or alphabet a read has, it is one read."""

from __future__ import annotations

import gzip
import io
import unicodedata
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import InputFile, ReadKind, Sample
from porewatch.reads.check import check_stream
from porewatch_worker.science.read.demultiplex import SampleAssigner
from porewatch_worker.science.reads import Read, read_units
from porewatch_worker.science.records import in_capitals
from porewatch_worker.science.seen_reads import SeenReads

Records = list[tuple[str, str]]


def uuid(number: int) -> str:
    return str(UUID(int=number))


def text(records: Records) -> bytes:
    return "".join(f"@{name}\n{s}\n+\n{'5' * len(s)}\n" for name, s in records).encode()


def again(
    folder: Path, files: dict[str, Records], *, size: int = 4, done: frozenset[int] = frozenset()
) -> dict[str, list[bool]]:
    """By file, which of its reads came before; units in `done` are not given."""
    listed = []
    for name, records in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text(records)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        barcode = name.split("/")[1] if name.count("/") > 1 else None
        listed.append(
            InputFile(path=name, kind=ReadKind.FASTQ, size=path.stat().st_size, barcode=barcode)
        )
    found: dict[str, list[bool]] = {name: [] for name in files}
    for _, unit in read_units(tuple(listed), lambda name: folder / name, size, done):
        for part in unit.parts:
            found[part.file.path] += [read.again for read in part.reads]
    return found


MOLECULES: Records = [(uuid(n), "ACGTTGCA"[n % 8 :] + "ACGT" * (5 + n)) for n in range(10)]
OTHER_CALLS: Records = [(name, sequence + "A") for name, sequence in MOLECULES]


def test_the_same_reads_packed_and_unpacked_count_once(tmp_path: Path) -> None:
    found = again(tmp_path, {"fastq/a.fastq": MOLECULES, "fastq/b.fastq.gz": MOLECULES})
    assert found == {"fastq/a.fastq": [False] * 10, "fastq/b.fastq.gz": [True] * 10}


def test_a_file_that_is_partly_another_counts_what_is_new(tmp_path: Path) -> None:
    more: Records = [(uuid(77), "ACGT" * 9)]
    files = {"fastq/a.fastq": MOLECULES[:6], "fastq/merged.fastq": MOLECULES[3:] + more}
    assert again(tmp_path, files)["fastq/merged.fastq"] == [True] * 3 + [False] * 5


def test_reads_called_again_by_another_model_count_once(tmp_path: Path) -> None:
    files = {"fastq/barcode01/a.fastq": MOLECULES, "fastq/barcode01/sup.fastq": OTHER_CALLS}
    assert again(tmp_path, files)["fastq/barcode01/sup.fastq"] == [True] * 10


def test_halves_of_a_split_read_stay_in_one_file_and_under_two_barcodes(tmp_path: Path) -> None:
    halves: Records = [(uuid(1), "ACGT" * 8), (uuid(1), "TTGCA" * 8)]
    assert again(tmp_path, {"fastq/a.fastq": halves}, size=1) == {"fastq/a.fastq": [False] * 2}
    files = {"fastq/barcode01/a.fastq": halves[:1], "fastq/barcode02/b.fastq": halves[1:]}
    assert not any(flag for flags in again(tmp_path / "two", files).values() for flag in flags)


def test_the_same_read_twice_in_a_file_counts_once_across_units_and_within(tmp_path: Path) -> None:
    twice = [*MOLECULES[:3], MOLECULES[0], *MOLECULES[3:], MOLECULES[9]]
    for size in (1, 3, 100):
        flags = again(tmp_path / str(size), {"fastq/a.fastq": twice}, size=size)["fastq/a.fastq"]
        assert [i for i, flag in enumerate(flags) if flag] == [3, 11]


def test_numbers_that_begin_again_in_every_file_are_no_ids(tmp_path: Path) -> None:
    numbered = [[(f"read_{n}", s + tail) for n, (_, s) in enumerate(MOLECULES)] for tail in "AC"]
    files = {f"fastq/{i}.fastq": records for i, records in enumerate(numbered)}
    assert not any(flag for flags in again(tmp_path, files).values() for flag in flags)


@pytest.mark.parametrize("done", [{1}, {1, 2}, {2, 5}, {1, 2, 3, 4, 5}])
def test_a_resumed_run_decides_as_one_that_was_never_stopped(
    tmp_path: Path, done: set[int]
) -> None:
    files = {"fastq/a.fastq": MOLECULES, "fastq/b.fastq": MOLECULES[::-1] + OTHER_CALLS[:2]}
    whole, resumed = again(tmp_path, files), again(tmp_path, files, done=frozenset(done))
    flags = [flag for name in files for flag in whole[name]]
    of_unit = [1 + i // 4 for i in range(len(flags))]  # units go on from file to file
    left = [flag for flag, unit in zip(flags, of_unit, strict=True) if unit not in done]
    assert [flag for name in files for flag in resumed[name]] == left


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=60), st.integers(1, 9))
def test_it_agrees_with_a_plain_set(drawn: list[tuple[int, int]], size: int) -> None:
    reads = [Read(f"r{name}", "ACGT"[call] * 12, b"5" * 12) for name, call in drawn]
    seen, flags = SeenReads(), []
    for start in range(0, len(reads), size):
        flags += [r.again for r in seen.marked(reads[start : start + size], 0, None)]
    before: set[tuple[str, str]] = set()
    for read, flag in zip(reads, flags, strict=True):
        assert flag is ((read.id, read.sequence) in before)
        before.add((read.id, read.sequence))


def test_a_million_reads_take_twenty_bytes_each() -> None:
    seen = SeenReads()
    for start in range(0, 200_000, 4000):
        seen.marked([Read(f"r{start + i}", "ACGT", b"5555") for i in range(4000)], 0, None)
    kept = sum(run.keys.nbytes + run.details.nbytes for run in seen._runs)
    assert kept == 20 * 200_000
    assert len(seen._runs) < 20
    assert all(np.all(np.diff(run.keys.astype(object)) >= 0) for run in seen._runs[-1:])


@pytest.mark.parametrize(
    ("given_", "made"),
    [("ACGTN", "ACGTN"), ("acgtn", "ACGTN"), ("ACgu", "ACGT"), ("UUUU", "TTTT"), ("", "")],
)
def test_a_read_is_dna_in_capitals(given_: str, made: str) -> None:
    assert in_capitals(given_.encode()) == made


def reader_takes(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    file = InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=len(content))
    try:
        return (
            sum(u.number_of_reads for _, u in read_units((file,), lambda _: path, 9, frozenset()))
            > 0
        )
    except InputRefused:
        return False


def check_takes(content: bytes) -> bool:
    try:
        check_stream(io.BytesIO(content), kind=ReadKind.FASTQ, name="a.fastq")
    except InputRefused:
        return False
    return True


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le", "shift_jis", "cp1252"])
@pytest.mark.parametrize("name", ["Göttingen_µ7", "ブタ1", "São Paulo", "pig ×2", "naïve"])
def test_a_header_in_any_encoding_has_one_verdict_by_check_and_reader(
    tmp_path: Path, encoding: str, name: str
) -> None:
    raw = name.encode(encoding, "replace").replace(b"\n", b"").replace(b"\r", b"")
    content = b"@r1 sample_id=" + raw + b" barcode=barcode01\nACGT\n+\n5555\n"
    assert check_takes(content) is (encoding != "utf-16-le")  # which holds zero bytes
    assert reader_takes(tmp_path / "a.fastq", content) is check_takes(content)


HEADS = st.binary(min_size=1, max_size=30).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b""))
BASES = st.text("ACGTUNacgtunRYKM", max_size=12).map(str.encode)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(HEADS, BASES, st.booleans()), min_size=1, max_size=4), st.booleans())
def test_check_and_reader_give_one_verdict(
    tmp_path: Path, records: list[tuple[bytes, bytes, bool]], last: bool
) -> None:
    content = b"".join(
        b"@%b\n%b\n+%b\n%b\n" % (head, bases, head if repeated else b"", b"5" * len(bases))
        for head, bases, repeated in records
    )
    content = content if last else content[:-1]
    assert reader_takes(tmp_path / "a.fastq", content) is check_takes(content)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 60), st.binary(max_size=3))
def test_a_damaged_byte_is_refused_by_the_check_or_read_by_the_reader(
    tmp_path: Path, at: int, put: bytes
) -> None:
    sound = b"@r1 ch=1\nACGTAC\n+\n555555\n@r2\nAC\n+r2\n55\n"
    content = sound[:at] + put + sound[at + len(put) :]
    assert reader_takes(tmp_path / "a.fastq", content) is check_takes(content)


def test_names_that_differ_in_capitals_never_share_a_read() -> None:
    twins = (Sample(name="pig-a", barcode="barcode01"), Sample(name="PIG-A", barcode="barcode02"),
             Sample(name="ブタ1", barcode="barcode03"))  # fmt: skip
    names = ("pig-a", "PIG-A", "Pig-A", "ブタ1", unicodedata.normalize("NFD", "ブタ1"), "ﾌﾞﾀ1")
    reads = [Read(str(n), "ACGT" * 50, b"5" * 200, alias=name) for n, name in enumerate(names)]
    file = InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=1)
    found = SampleAssigner(twins).assign(file, reads, search_ends=False)
    assert [own.sample for own in found.owned] == ["pig-a", "PIG-A", "ブタ1", "ブタ1", "ブタ1"]
    assert found.unlisted == {"none": 1}


def test_an_alias_in_the_header_is_as_good_as_a_barcode() -> None:
    samples = (Sample(name="Pig-A", barcode="barcode01"), Sample(name="Pig-B", barcode="barcode02"))
    file = InputFile(path="bam/a.bam", kind=ReadKind.BAM, size=1)
    reads = [Read("1", "ACGT" * 50, b"5" * 200, alias=name) for name in ("Pig-A", "pig-b", "Cow")]
    found = SampleAssigner(samples).assign(file, reads)
    assert [each.sample for each in found.owned] == ["Pig-A", "Pig-B"]
    assert sum(found.unlisted.values()) == 1
