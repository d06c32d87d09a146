"""A sample whose reads may lie elsewhere is not reportable as if it were whole, with the reason."""

from __future__ import annotations

import pytest

from porewatch.domain.calls.evidence import (
    ReadAccount,
    SampleScreen,
    ScreenResult,
)
from porewatch.domain.calls.findings import (
    Outcome,
    Quantification,
    SampleOutcome,
)
from porewatch.domain.completeness import Expected, LostFile
from porewatch.domain.reasons.reason import Code
from porewatch.domain.runs import Sample
from porewatch_worker.science.release.incomplete import Gaps, with_gaps

SAMPLES = (Sample(name="a", barcode="barcode01"), Sample(name="b", barcode="barcode02"))


def screen(owned: int = 100, nobodys: int = 0) -> ScreenResult:
    parts = [SampleScreen.model_construct(sample=s.name, account=ReadAccount(total=owned // 2))
             for s in SAMPLES]  # fmt: skip
    return ScreenResult.model_construct(samples=tuple(parts), unlisted_barcodes={"none": nobodys})


def outcomes(gaps: Gaps, there: ScreenResult) -> dict[str, SampleOutcome]:
    clean = tuple(SampleOutcome(sample=s.name, outcome=Outcome.REPORTABLE) for s in SAMPLES)
    result = Quantification.model_construct(outcomes=clean)
    return {o.sample: o for o in with_gaps(result, there, SAMPLES, gaps).outcomes}


def test_a_whole_run_is_left_as_it_is() -> None:
    found = outcomes(Gaps(), screen(100, 50))
    assert {o.outcome for o in found.values()} == {Outcome.REPORTABLE}
    assert not any(o.why for o in found.values())


@pytest.mark.parametrize(("barcode", "hit"), [("barcode02", {"b"}), (None, {"a", "b"})])
def test_a_lost_file_is_lost_to_its_sample_or_to_all(barcode: str | None, hit: set[str]) -> None:
    lost = LostFile(path="fastq/x.fastq.gz", problem="It is cut. Remedy: again", barcode=barcode)
    found = outcomes(Gaps(lost=(lost,)), screen())
    bad = {name for name, o in found.items() if o.outcome is Outcome.NOT_REPORTABLE}
    assert bad == hit
    assert [r.code for r in found["b"].why] == [Code.FILE_LOST]
    assert "fastq/x.fastq.gz" in found["b"].reasons[0]


def test_files_that_never_came_may_be_anybodys_and_failed_ones_are_not_assumed() -> None:
    few = Expected(kind="fastq", counted=40, came=3, failed=0)
    found = outcomes(Gaps(expected=(few,)), screen())
    assert {o.outcome for o in found.values()} == {Outcome.NOT_REPORTABLE}
    assert "3 of 40" in found["a"].reasons[0]
    assert "failed" in found["a"].reasons[0]


def test_a_run_most_of_whose_reads_nobody_owns_is_not_reportable() -> None:
    found = outcomes(Gaps(), screen(100, 101))
    assert all(o.has(Code.READS_WITHOUT_OWNER) for o in found.values())
    assert "101 of 201" in found["a"].reasons[0]


def test_every_reason_is_in_japanese_too() -> None:
    gaps = Gaps(
        lost=(LostFile(path="x.fastq", problem="cut", barcode="barcode01"),),
        expected=(Expected(kind="fastq", counted=40, came=3),),
    )
    for reason in outcomes(gaps, screen(100, 500))["a"].why:
        assert reason.text("ja") != reason.text(), reason
