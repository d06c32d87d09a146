"""What a stage will take is reckoned from what was sent, before anything is launched."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from porewatch.compute.ladder import rungs
from porewatch.compute.layouts import profile
from porewatch.compute.price_table import price_list
from porewatch.domain.forecast.estimate import (
    InputSize,
    reservation_usd,
    size_of,
    span_of,
    vcpus_of,
)
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.stage.instances import (
    Owner,
    Purchase,
)
from porewatch.domain.stage.spec import LaunchRequest, StageSpec

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
FILE = InputFile(path="fastq/a.fastq.gz", kind=ReadKind.FASTQ, size=1_000_000)


def stage(name: str) -> StageSpec:
    return next(spec for spec in profile("default").stages if spec.name == name)


def price(name: str, purchase: Purchase, seconds: float, disk_gib: int) -> float:
    return price_list().usd(name, purchase, seconds) + price_list().disk_usd(disk_gib, seconds)


def of(bases: int) -> InputSize:
    return InputSize(files=1, bytes=bases, bases=bases)


def test_counted_bases_are_taken_before_guessed_ones() -> None:
    seen = FileRecord(
        run_id="r", path=FILE.path, kind=FILE.kind, state=FileState.VALID, size=FILE.size,
        etag="e", bases=700_000, checked_at=AT,
    )  # fmt: skip
    assert size_of([FILE], {}).bases == 1_000_000
    assert size_of([FILE], {FILE.path: seen}).bases == 700_000


def test_a_flow_cell_of_ten_gigabases_is_screened_within_the_hour() -> None:
    """31 core-minutes were measured against a small host; a large one is budgeted dearer."""
    span = span_of(stage("screen"), of(10_000_000_000))
    assert 10 * 60 < span.low < span.likely < span.high < 2 * 3600


def test_more_reads_take_longer_and_nothing_takes_longer_than_its_deadline() -> None:
    small, large = (span_of(stage("screen"), of(n)) for n in (10**8, 10**10))
    assert small.likely < large.likely
    assert span_of(stage("screen"), of(10**15)).high == stage("screen").phase_deadline_s


def test_the_report_takes_the_same_for_any_number_of_bases() -> None:
    few = span_of(stage("report"), InputSize(files=1, bytes=0, bases=10**6))
    many = span_of(stage("report"), InputSize(files=1, bytes=0, bases=10**10))
    assert few == many


@pytest.mark.parametrize(
    ("name", "vcpus"), [("m5.large", 2), ("c5.xlarge", 4), ("m7i.2xlarge", 8), ("g5.8xlarge", 32)]
)
def test_a_type_says_how_many_vcpus_it_has(name: str, vcpus: int) -> None:
    assert vcpus_of(name) == vcpus


def test_a_reservation_is_enough_for_the_dearest_machine_of_any_rung() -> None:
    owner = Owner(stack="s", run_id="r", revision=0, stage="screen", epoch=1)
    ladder = rungs(
        LaunchRequest(owner=owner, stage=stage("screen"), at=AT),
        launch_template_id="lt",
        subnet_ids=("s",),
    )
    held = reservation_usd(ladder, 3600, price)
    for spec in ladder:
        for name in spec.instance_types:
            assert price(name, spec.purchase, 3600, spec.disk_gib) <= held
    assert held == pytest.approx(1.008 + 100 * 0.08 / 720, abs=1e-4)
