"""Alarms while the run goes on: the report's rule over all samples' totals, raised once."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.calls.findings import Call
from porewatch.domain.runs import InputFile, ReadKind, Sample, SampleRole
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.call.unread import (
    NOTHING,
    ToCome,
    Unread,
    in_turns,
)
from porewatch_worker.science.count.units import (
    Place,
    SampleCounts,
    UnitCounts,
    unit_from_bytes,
)
from porewatch_worker.science.reads import read_units
from validation import made_reads as made
from validation.alert_pack import Watched, followed, watch
from validation.screens import screening

LENGTH = 900
A, B = Sample(name="a", barcode="barcode01"), Sample(name="b", barcode="barcode02")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    return made.made_bundle(tmp_path_factory.mktemp("made"))


def csfv(number: int, seed: int = 1) -> list[str]:
    return made.reads_of(made.CSFV, number, LENGTH, seed)


def host(number: int, seed: int = 2) -> list[str]:
    return made.reads_of(made.HOST, number, LENGTH, seed)


def two(
    bundle: LoadedBundle,
    tmp_path: Path,
    first: list[str],
    second: list[str],
    samples: tuple[Sample, Sample] = (A, B),
    shuffled: int | None = None,
) -> Watched:
    """A run of two barcodes, the first one's file read first (controls go before)."""
    paths = [
        made.write_fastq(tmp_path / f"{name}.fastq", reads)
        for name, reads in (("a", first), ("b", second))
    ]
    barcodes = tuple(s.barcode for s in samples)
    return watch(
        bundle, paths, tmp_path,
        samples=samples, barcodes=barcodes, shuffled=shuffled, unit_reads=20,
    )  # fmt: skip


def test_one_read_alarms_nobody_and_the_evidence_that_met_the_rule_goes_with_the_alarm(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    lone = made.write_fastq(tmp_path / "lone.fastq", csfv(1) + host(40))
    assert watch(bundle, [lone], tmp_path).raised == ()
    path = made.write_fastq(tmp_path / "a.fastq", csfv(6) + host(40))
    [(unit, alarm)] = watch(bundle, [path], tmp_path, unit_reads=20).raised
    assert (unit, alarm.code, alarm.severity, alarm.reads) == (1, "CSFV", "critical", 6)
    assert alarm.starts is not None and 2 <= alarm.starts <= 6
    assert alarm.breadth and alarm.breadth > 0.2
    assert alarm.identity and alarm.identity > 0.9
    assert "6 reads" in alarm.rule


def test_reads_are_added_up_over_units(bundle: LoadedBundle, tmp_path: Path) -> None:
    """No unit holds enough by itself."""
    reads = [r for one in csfv(4) for r in (one, *host(19))]
    path = made.write_fastq(tmp_path / "a.fastq", reads)
    [(unit, alarm)] = watch(bundle, [path], tmp_path, unit_reads=20).raised
    assert (unit, alarm.reads) == (3, 3)


def perv_a(number: int) -> list[str]:
    return made.reads_of(made.PERV_A[5000:], number, LENGTH, 1)


def test_what_pigs_carry_alarms_nobody_though_its_reads_come_before_the_hosts(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    path = made.write_fastq(tmp_path / "a.fastq", perv_a(20) + host(40))
    run = watch(bundle, [path], tmp_path, unit_reads=5)
    assert run.finding("PERV-A").call is Call.ENDOGENOUS
    assert run.raised == ()
    assert run.final.alarms == ()


def test_without_a_read_of_the_host_what_pigs_carry_alarms_nobody(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    path = made.write_fastq(tmp_path / "a.fastq", perv_a(6))
    run = watch(bundle, [path], tmp_path, unit_reads=5)
    assert run.finding("PERV-A").call is Call.ENDOGENOUS
    assert not run.raised and not run.final_alarms


def test_in_a_host_that_does_not_carry_it_a_provirus_alarms_in_the_run(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    monkey = Sample(name="one", species="Macaca mulatta")
    path = made.write_fastq(tmp_path / "a.fastq", perv_a(6) + host(40))
    run = watch(bundle, [path], tmp_path, samples=(monkey,), unit_reads=5)
    assert [a.code for unit, a in run.raised if unit <= run.units] == ["PERV-A"]
    assert run.final_alarms == {("one", "PERV-A")}


@pytest.mark.parametrize(
    ("stated", "alarms"), [(("CSFV",), set()), ((), set()), (("RABV",), {("b", "CSFV")})]
)
def test_a_positive_controls_content_alarms_nobody_unless_another_is_stated(
    bundle: LoadedBundle, tmp_path: Path, stated: tuple[str, ...], alarms: set[tuple[str, str]]
) -> None:
    role = SampleRole.POSITIVE_CONTROL
    control = Sample(name="b", barcode="barcode02", role=role, expected_codes=stated)
    run = two(bundle, tmp_path, host(60), csfv(20) + host(20), (A, control))
    assert run.finding("CSFV", "b").call is Call.DETECTED
    assert run.alarms == run.final_alarms == alarms


@pytest.mark.parametrize("shuffled", [None, 1, 2, 3])
def test_crossover_is_waited_for_though_the_other_barcode_is_read_later(
    bundle: LoadedBundle, tmp_path: Path, shuffled: int | None
) -> None:
    run = two(bundle, tmp_path, csfv(3) + host(40), csfv(400, 5), shuffled=shuffled)
    assert "crossover" in run.finding("CSFV", "a").rule
    assert run.alarms == run.final_alarms == {("b", "CSFV")}


def test_what_the_blank_holds_as_well_alarms_nobody(bundle: LoadedBundle, tmp_path: Path) -> None:
    blank = Sample(name="b", barcode="barcode02", role=SampleRole.NO_TEMPLATE_CONTROL)
    run = two(bundle, tmp_path, csfv(12) + host(60), csfv(2, 7) + host(8), (A, blank))
    assert "no-template control" in run.finding("CSFV", "a").rule
    assert run.alarms == run.final_alarms == set()


@pytest.mark.parametrize("shuffled", [None, 1, 2, 3, 4])
def test_what_is_raised_does_not_depend_on_the_order_of_units(
    bundle: LoadedBundle, tmp_path: Path, shuffled: int | None
) -> None:
    blank = Sample(name="b", barcode="barcode02", role=SampleRole.NO_TEMPLATE_CONTROL)
    reads = [r for one in csfv(30) for r in (one, *host(2))]
    run = two(bundle, tmp_path, reads, csfv(1, 7) + host(60), (A, blank), shuffled=shuffled)
    assert run.alarms == run.final_alarms == {("a", "CSFV")}


def test_a_successor_that_finds_all_units_raises_what_its_predecessor_could_not(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    path = made.write_fastq(tmp_path / "a.fastq", csfv(6) + host(40))
    work = screening(bundle, path, unit_reads=20)
    contents = [work.process(u).content for _, u in work.units(frozenset())]
    running = work.running()
    for content in contents:
        running.take(content)
    assert [a.code for a in running.alarms()] == ["CSFV"]
    assert list(running.alarms()) == []
    assert [a.code for _, a in followed(work, contents)] == ["CSFV"]


def unit(barcode: str, first: int, reads: int, consumed: int, last: bool = False) -> UnitCounts:
    sample = {"barcode01": "a", "barcode02": "b"}[barcode]
    place = Place(f"fastq/{barcode}.fastq", consumed, first, reads, last, {sample: reads})
    return UnitCounts(samples={sample: SampleCounts(total=reads)}, places=(place,))


def test_what_is_to_come_shrinks_as_files_are_read() -> None:
    size = 10_000_000
    files = [
        InputFile(path=f"fastq/{b}.fastq", kind=ReadKind.FASTQ, size=size, barcode=b)
        for b in ("barcode01", "barcode02")
    ]
    unread = Unread(files, (A, B))
    unread.take(unit("barcode01", 1001, 1000, 5_000_000, last=True))
    to_come = unread.to_come()
    assert 2000 <= to_come.most("b", 0) < 2300  # not looked at: all of it may be of the kind
    assert 7 <= to_come.most("a", 0) < 8  # half is unread, none was seen in the other half
    unread.take(unit("barcode02", 1, 2000, size, last=True))
    unread.take(unit("barcode01", 1, 1000, 5_000_000))
    assert unread.to_come().most("a", 50) == unread.to_come().most("b", 50) == 0
    assert NOTHING.most("a", 9) == 0
    assert ToCome({"a": 10}, {"a": 5.0}).most("a", 10) == 5.0


def test_a_unit_that_spans_files_shows_how_far_each_of_them_is_read() -> None:
    """Reads of a file of one barcode show nothing about the shares in a file of several."""
    files = [
        InputFile(path="fastq/b.fastq", kind=ReadKind.FASTQ, size=900, barcode="barcode02"),
        InputFile(path="fastq/mixed.fastq", kind=ReadKind.FASTQ, size=10_000_000),
    ]
    unread = Unread(files, (A, B))
    places = (
        Place("fastq/b.fastq", 900, 1, 3000, True, {"b": 3000}),
        Place("fastq/mixed.fastq", 5_000_000, 1, 1000, False, {"a": 1000}),
    )
    samples = {"a": SampleCounts(total=1000), "b": SampleCounts(total=3000)}
    unread.take(UnitCounts(samples=samples, places=places))
    left = unread.to_come().unread
    assert 0 < left["b"] < 0.02 * left["a"], "b was never seen in what is left"
    unread.take(
        UnitCounts(places=(Place("fastq/mixed.fastq", 5_000_000, 1001, 9, True, {"a": 9}),))
    )
    assert unread.to_come().unread == {"a": 0, "b": 0}


def test_small_files_of_two_barcodes_share_a_unit_and_are_read_to_their_end(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    reads, files = csfv(6) + host(40), []
    for number in range(6):
        barcode = f"barcode0{number % 2 + 1}"
        path = made.write_fastq(tmp_path / f"{number}.fastq", reads[number::6])
        files.append((path, barcode))
    listed = [
        InputFile(path=f"fastq/{p.name}", kind=ReadKind.FASTQ, size=p.stat().st_size, barcode=b)
        for p, b in files
    ]
    units = [
        u for _, u in read_units(tuple(listed), lambda n: tmp_path / Path(n).name, 20, frozenset())
    ]
    assert [u.number_of_reads for u in units] == [20, 20, 6]
    unread = Unread(listed, (A, B))
    for unit in units:
        counts = UnitCounts()
        counts.stood_in(unit, [{"a": len(part.reads)} for part in unit.parts])
        unread.take(unit_from_bytes(counts.to_bytes()))
        assert (unread.to_come().unread == {"a": 0, "b": 0}) == (unit is units[-1])


def test_a_small_file_is_not_read_because_its_bytes_are() -> None:
    """A reader takes a small file in at once, and makes reads of it one by one."""
    files = [
        InputFile(path=f"fastq/{b}.fastq", kind=ReadKind.FASTQ, size=90_000, barcode=b)
        for b in ("barcode01", "barcode02")
    ]
    unread = Unread(files, (A, B))
    unread.take(unit("barcode02", 1, 20, 90_000))
    assert unread.to_come().most("b", 0) > 50


def test_files_of_controls_are_read_first_and_barcodes_in_turn() -> None:
    control = Sample(name="c", barcode="barcode03", role=SampleRole.NO_TEMPLATE_CONTROL)
    names = [("barcode01", 1), ("barcode01", 2), ("barcode02", 1), ("barcode03", 1)]
    files = [
        InputFile(path=f"fastq/{b}_{n}.fastq", kind=ReadKind.FASTQ, size=1, barcode=b)
        for b, n in names
    ]
    turned = [f.path[6:-6] for f in in_turns(files, (A, B, control))]
    assert turned == ["barcode03_1", "barcode01_1", "barcode02_1", "barcode01_2"]
