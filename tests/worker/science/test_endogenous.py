"""What the host's genome carries is no alarm, unless there is more of it than the host explains."""

from __future__ import annotations

import pytest

from porewatch.domain.calls.findings import Call, PervResult, PervType, Quantity
from porewatch.domain.calls.panel import ExpectedCopies, HostSpecies, Panel, PanelEntry
from porewatch.domain.calls.perv import PervScreen, PervTypeCount
from porewatch.domain.reasons.reason import clauses, verbatim
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.science.call.endogenous import as_inherited, excess_alarms, inherited
from porewatch_worker.science.release.controls import Batch, positive_faults
from porewatch_worker.science.release.policies import release_policies
from tests.worker.science.test_calls import NTC, A, B, finding, good, quantified, row
from tests.worker.science.test_numbers import screen_with

PIG = "Sus scrofa"
EXPECTED = ExpectedCopies(most=140, source="somebody", why="because")
ROW = row("PERV-A", endogenous_in=(PIG,), expected_copies=EXPECTED)
PANEL = Panel(name="p", version="1", provenance="t", entries=(ROW,), hosts=(HostSpecies(name=PIG),))
SEEN = (Call.DETECTED, verbatim("20 reads"))


def perv(low: float | None, value: float | None, high: float) -> PervResult:
    amount = Quantity(
        value=value,
        low=low,
        high=high,
        unit="copies per diploid genome",
        how=verbatim("depth ratio"),
    )
    counted = PervTypeCount(reads=9)
    types = (PervType(name="SYNTHETIC-A", counted=counted, copies=amount),)
    return PervResult(
        sample="a", material="dna", synthetic=True, counted=PervScreen(reads=9), types=types
    )


def judged(
    sample: Sample = A,
    *,
    measured: PervResult | None = None,
    host: int = 500,
    entry: PanelEntry = ROW,
) -> tuple[Call, str]:
    screen = screen_with(good("PERV-A"))
    there = screen.model_copy(update={"account": screen.account.model_copy(update={"host": host})})
    call, why = as_inherited(entry, SEEN, good("PERV-A"), there, sample=sample, perv=measured)
    return call, clauses(why)


def test_copies_within_expectation_are_endogenous_with_their_numbers() -> None:
    assert judged(measured=perv(30, 40, 55)) == (
        Call.ENDOGENOUS,
        "endogenous in Sus scrofa: 40 (30 to 55) copies per diploid genome, at most 140 expected",
    )


def test_an_interval_that_reaches_down_to_the_expected_is_no_excess() -> None:
    assert judged(measured=perv(139, 200, 260))[0] is Call.ENDOGENOUS


def test_more_copies_than_expected_are_detected_and_raise_a_perv_alarm() -> None:
    many = perv(150, 200, 260)
    rule = "200 (150 to 260) copies per diploid genome: more than the 140 expected"
    assert judged(measured=many) == (Call.DETECTED, rule)
    (alarmed,) = excess_alarms(PANEL, (A,), (many,))
    assert alarmed.alarms == (f"SYNTHETIC-A: {rule}.",)
    (quiet,) = excess_alarms(PANEL, (A,), (perv(30, 40, 55),))
    assert quiet.alarms == ()


def test_without_a_published_number_copies_are_as_measured() -> None:
    bare = ROW.model_copy(update={"expected_copies": None})
    call, rule = judged(measured=perv(900, 1000, 1100), entry=bare)
    assert (call, rule.rpartition(", ")[0]) == (
        Call.ENDOGENOUS,
        "endogenous in Sus scrofa: 1e+03 (900 to 1.1e+03) copies per diploid genome, as measured",
    )


def test_a_blanks_own_reads_keep_their_call_and_copies_that_are_not_known_are_no_excess() -> None:
    assert judged(NTC) == (SEEN[0], clauses(SEEN[1]))
    for sample in (A, A.model_copy(update={"material": "rna"})):
        assert judged(sample, host=0)[0] is Call.ENDOGENOUS
    positive = A.model_copy(update={"role": SampleRole.POSITIVE_CONTROL})
    assert judged(positive, host=0) == (SEEN[0], clauses(SEEN[1]))
    assert judged(positive)[0] is Call.ENDOGENOUS


@pytest.mark.parametrize(
    ("species", "carries"),
    [(None, True), ("Sus scrofa", True), ("sus scrofa domesticus", True), ("Pig", True),
     ("ブタ", True), ("Macaca mulatta", False), ("guinea pig", False)],
)  # fmt: skip
def test_the_species_of_the_sheet_decides(species: str | None, carries: bool) -> None:
    rows = {e.code: e for e in shipped_panel().entries}
    sample = A.model_copy(update={"species": species})
    assert inherited(rows["PERV-A"], sample, shipped_panel()) is carries
    assert not inherited(rows["PERV-C"], sample, shipped_panel())


def test_another_species_gets_the_ordinary_rule() -> None:
    monkey = A.model_copy(update={"species": "Macaca mulatta"})
    assert finding(quantified((monkey, screen_with(good("PERV-A")))), "a", "PERV-A").call is (
        Call.DETECTED
    )


def test_what_is_as_expected_leaves_a_sample_without_a_remark_of_it() -> None:
    host_only = good("PERV-A", reads=0, host_better=40)
    result = quantified((A, screen_with(host_only)), (B, screen_with()))
    outcomes = {o.sample: o for o in result.outcomes}
    assert outcomes["a"].reasons == outcomes["b"].reasons


def test_a_positive_control_that_is_to_show_it_shows_it() -> None:
    control = Sample(name="a", role=SampleRole.POSITIVE_CONTROL, expected_codes=("PERV-A",))
    screen = screen_with(good("PERV-A"))
    result = quantified((control, screen))
    batch = Batch(
        samples=(control,), screens={"a": screen}, findings=result.findings, recoveries={},
        crosstalk=(), policy=release_policies().of("default"), least_spike_reads=3,
    )  # fmt: skip
    assert list(positive_faults(control, batch)) == []
