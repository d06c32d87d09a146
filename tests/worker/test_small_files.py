"""Runs of many small files: units span files, and the answer does not depend on how it was cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.runs import InputFile, ReadKind
from porewatch_worker.science.reads import MOST_FILES, Unit, read_units

COUNTS = (1, 7, 0, 40, 3, 3, 3, 25, 1)
"""Reads of each file."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[InputFile, ...]:
    made = []
    for number, reads in enumerate(COUNTS):
        path = tmp_path / f"{number}.fastq"
        path.write_text("".join(f"@f{number}r{n}\nACGT\n+\nIIII\n" for n in range(1, reads + 1)))
        size = path.stat().st_size
        made.append(InputFile(path=f"fastq/{path.name}", kind=ReadKind.FASTQ, size=size))
    return tuple(made)


def units(
    files: tuple[InputFile, ...], folder: Path, size: int, done: frozenset[int] = frozenset()
) -> dict[int, Unit]:
    return dict(read_units(files, lambda name: folder / Path(name).name, size, done))


def names(unit: Unit) -> list[str]:
    return [read.id for read in unit.reads]


ALL = [f"f{number}r{n}" for number, reads in enumerate(COUNTS) for n in range(1, reads + 1)]


@pytest.mark.parametrize("size", [1, 4, 10, 83, 500])
def test_every_read_is_in_one_unit_in_order_whatever_the_size(
    files: tuple[InputFile, ...], tmp_path: Path, size: int
) -> None:
    found = units(files, tmp_path, size)
    assert [name for unit in found.values() for name in names(unit)] == ALL
    assert list(found) == list(range(1, -(-len(ALL) // size) + 1))
    assert all(unit.number_of_reads == size for unit in list(found.values())[:-1])
    assert sum(unit.consumed for unit in found.values()) <= sum(file.size for file in files)


def test_parts_have_which_reads_of_which_file(files: tuple[InputFile, ...], tmp_path: Path) -> None:
    for unit in units(files, tmp_path, 10).values():
        for part in unit.parts:
            number = Path(part.file.path).stem
            ids = [f"f{number}r{n}" for n in range(part.first, part.first + len(part.reads))]
            assert [read.id for read in part.reads] == ids
    last = units(files, tmp_path, 500)[1].sentence()
    assert last == (
        "fastq/0.fastq, reads 1 to 1; fastq/1.fastq, reads 1 to 7; fastq/3.fastq, reads 1 to 40; "
        "and 5 more files"
    )


def test_units_that_are_done_are_passed_over_and_the_others_stay_what_they_were(
    files: tuple[InputFile, ...], tmp_path: Path
) -> None:
    whole = units(files, tmp_path, 10)
    rest = units(files, tmp_path, 10, frozenset({1, 3, 9}))
    assert {n: names(unit) for n, unit in rest.items()} == {
        n: names(unit) for n, unit in whole.items() if n not in (1, 3, 9)
    }


def test_a_unit_names_every_file_that_is_lost_with_it(
    files: tuple[InputFile, ...], tmp_path: Path
) -> None:
    (unit,) = units(files, tmp_path, 500).values()
    assert len(unit.stretches()) == len(unit.parts) == 8, "all but the empty one"
    assert unit.stretches()[-2:] == ("fastq/7.fastq, reads 1 to 25", "fastq/8.fastq, reads 1 to 1")


def test_ten_thousand_small_files_make_a_hundred_units(tmp_path: Path) -> None:
    one = tmp_path / "a.fastq"
    one.write_text("@r\nACGT\n+\nIIII\n@s\nACGT\n+\nIIII\n")
    some = tuple(
        InputFile(path=f"fastq/{n}.fastq", kind=ReadKind.FASTQ, size=one.stat().st_size)
        for n in range(10_000)
    )
    found = dict(read_units(some, lambda _: one, 4000, frozenset()))
    assert [unit.number_of_reads for unit in found.values()] == [2 * MOST_FILES] * 100
    assert {len(unit.parts) for unit in found.values()} == {MOST_FILES}
