"""A control counts for its batch, or for the whole run; crosstalk knows no batches."""

from __future__ import annotations

import pytest

from porewatch.domain.calls.evidence import ReadAccount
from porewatch.domain.calls.findings import (
    Call,
    Outcome,
    Quantification,
)
from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet
from porewatch.domain.runs import Sample
from porewatch_worker.report.pages.first_sentence import Verdicts, decide, run_outcome
from porewatch_worker.report.parts.i18n import speaking
from porewatch_worker.report.parts.languages import Language, languages
from tests.worker.science.test_calls import PANEL, finding, good
from tests.worker.science.test_release import (
    BLANK,
    ONE,
    POSITIVE,
    TWO,
    Pair,
    clean,
    outcome,
    run,
    screen_with,
    spike,
    whole,
)


def of(batch: str, sample: Sample) -> Sample:
    return sample.model_copy(update={"batch": batch})


def two_batches() -> list[Pair]:
    """ONE in batch a, TWO in batch b, each with controls of its own; all as it should be."""
    blank_b = BLANK.model_copy(update={"name": "blank b", "barcode": "barcode05"})
    positive_b = POSITIVE.model_copy(update={"name": "pos b", "barcode": "barcode06"})
    return [
        clean(of("a", ONE)), clean(of("b", TWO)),
        (of("a", BLANK), screen_with()), (of("a", POSITIVE), screen_with(good("V", 5000))),
        (of("b", blank_b), screen_with()), (of("b", positive_b), screen_with(good("V", 5000))),
    ]  # fmt: skip


def verdicts(found: Quantification, pairs: list[Pair]) -> Verdicts:
    return Verdicts([s for s, _ in pairs], found.outcomes, found.findings, PANEL.entries, False)


def test_two_batches_with_their_own_controls_are_released() -> None:
    found = run("donor-screening", *two_batches())
    assert {o.outcome for o in found.outcomes} == {Outcome.REPORTABLE}


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        (4, "no no-template control for batch b: contamination cannot be excluded"),
        (5, "no positive control for batch b: detection is not shown"),
    ],
)
def test_a_control_missing_in_one_batch_touches_that_batch_alone(
    left_out: int, expected: str
) -> None:
    pairs = two_batches()
    del pairs[left_out]
    found = run("donor-screening", *pairs)
    assert outcome(found, TWO).reasons == (expected,)
    assert outcome(found, TWO).outcome is Outcome.NOT_REPORTABLE
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE


def test_a_sample_without_a_batch_needs_controls_of_the_whole_run() -> None:
    pairs = [clean(ONE), *two_batches()[1:]]
    assert outcome(run("donor-screening", *pairs), ONE).reasons == (
        "no no-template control for samples without a batch: contamination cannot be excluded",
        "no positive control for samples without a batch: detection is not shown",
    )


def test_controls_without_a_batch_speak_for_every_batch() -> None:
    pairs = [clean(of("a", ONE)), clean(of("b", TWO)), *whole()[2:]]
    found = run("donor-screening", *pairs)
    assert {o.outcome for o in found.outcomes} == {Outcome.REPORTABLE}


@pytest.mark.parametrize("policy", ["default", "donor-screening"])
def test_a_failed_positive_control_invalidates_its_batch_alone(policy: str) -> None:
    pairs = two_batches()
    pairs[5] = (pairs[5][0], screen_with(good("MT", 500)))
    found = run(policy, *pairs)
    assert outcome(found, TWO).outcome is Outcome.NOT_REPORTABLE
    assert outcome(found, TWO).reasons == (
        "control pos b of batch b failed: the positive control does not show V",
    )
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE


def test_contamination_of_one_batch_changes_calls_and_outcomes_of_that_batch_alone() -> None:
    pairs = two_batches()
    for place in (0, 1):
        pairs[place] = (pairs[place][0], screen_with(spike(500), good("MT", 300)))
    pairs[4] = (pairs[4][0], screen_with(good("MT", 200)))
    found = run("default", *pairs)
    assert finding(found, "one", "MT").call is Call.DETECTED
    assert finding(found, "two", "MT").call is Call.INDETERMINATE
    assert "in the no-template control blank b" in finding(found, "two", "MT").rule
    assert not any("contamination" in r for r in outcome(found, ONE).reasons)
    assert outcome(found, ONE).outcome is not Outcome.NOT_REPORTABLE
    assert outcome(found, TWO).outcome is Outcome.NOT_REPORTABLE


@pytest.mark.parametrize("policy", ["default", "donor-screening"])
@pytest.mark.parametrize("language", languages())
def test_a_batch_whose_blank_is_dirty_releases_nobody_as_its_decision_says(
    policy: str, language: Language
) -> None:
    pairs = two_batches()
    pairs[4] = (pairs[4][0], screen_with(good("MT", 200)))
    found = run(policy, *pairs)
    (reason,) = outcome(found, TWO).why
    why = reason.text()
    assert why == (
        "control blank b of batch b failed: "
        "the no-template control holds MT: batch b is contaminated"
    )
    assert outcome(found, TWO).outcome is Outcome.NOT_REPORTABLE
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE
    text = reason.text(language)
    assert (text == why) is (language == "en")
    assert ("contaminated" in text) is (language == "en")


def test_a_positive_control_with_too_few_reads_leaves_its_batch_alone_invalid() -> None:
    pairs = two_batches()
    poor = pairs[5][1]
    few = poor.quality.model_copy(update={"passed_reads": 900})
    pairs[5] = (pairs[5][0], poor.model_copy(update={"quality": few}))
    found = run("donor-screening", *pairs)
    assert outcome(found, TWO).reasons == (
        "control pos b of batch b failed: 900 reads passed quality control (1000 needed)",
    )
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE


@pytest.mark.parametrize("language", languages())
def test_the_decision_names_the_batch_whose_control_failed(language: Language) -> None:
    pairs = two_batches()
    pairs[5] = (pairs[5][0], screen_with(good("MT", 500)))
    v = verdicts(run("donor-screening", *pairs), pairs)
    assert run_outcome(v, remarked=False) is Outcome.REPORTABLE_WITH_REMARKS
    with speaking(language):
        assert {"en": "No sample of batch b ", "ja": "バッチ b "}[language] in decide(v)


def test_a_batch_that_is_the_whole_run_makes_the_run_invalid() -> None:
    pairs = [pair for pair in two_batches() if pair[0].batch == "a"]
    pairs[2] = (pairs[2][0], screen_with(good("MT", 500)))
    v = verdicts(run("donor-screening", *pairs), pairs)
    assert run_outcome(v, remarked=False) is Outcome.NOT_REPORTABLE
    assert decide(v).startswith("NOT REPORTABLE, no result may be relied on: control pos")


@pytest.mark.parametrize(
    ("policy", "due"),
    [("default", Outcome.REPORTABLE_WITH_REMARKS), ("donor-screening", Outcome.NOT_REPORTABLE)],
)
def test_crosstalk_in_a_control_reaches_all_that_was_pooled_with_it(
    policy: str, due: Outcome
) -> None:
    pairs = two_batches()
    pairs[4] = (pairs[4][0], screen_with(spike(60)))
    found = run(policy, *pairs)
    for sample in (ONE, TWO):
        assert outcome(found, sample).outcome is due
        assert outcome(found, sample).reasons == (
            "crosstalk over budget in control blank b: 5.660% by SPIKE, 0.100% allowed",
        )
    assert outcome(found, pairs[4][0]).outcome is due


def test_crosstalk_in_a_control_within_budget_changes_nothing() -> None:
    pairs = two_batches()
    pairs[4] = (pairs[4][0], screen_with(spike(1)))
    found = run("donor-screening", *pairs)
    seen = next(c for c in found.crosstalk if c.sample == "blank b" and c.marker == "SPIKE")
    assert (seen.stray_reads, seen.over) == (1, False)
    assert {o.outcome for o in found.outcomes} == {Outcome.REPORTABLE}


def test_the_few_strays_of_a_blank_are_held_against_the_reads_they_come_from() -> None:
    def with_barcodes(pair: Pair, **barcodes: int) -> Pair:
        account = ReadAccount(barcodes_told=barcodes)
        return pair[0], pair[1].model_copy(update={"account": account})

    def by_ends(strays: int) -> Quantification:
        pairs = whole()
        pairs[0] = with_barcodes(pairs[0], barcode01=100_000)
        pairs[2] = with_barcodes(pairs[2], barcode01=strays, barcode03=2)
        return run("donor-screening", *pairs)

    few = next(c for c in by_ends(5).crosstalk if c.sample == "blank" and c.basis == "ends")
    assert (few.stray_reads, few.reads, few.over) == (5, 100_005, False)
    assert outcome(by_ends(5), ONE).outcome is Outcome.REPORTABLE
    assert outcome(by_ends(500), ONE).outcome is Outcome.NOT_REPORTABLE


@pytest.mark.parametrize("column", ["batch", "extraction_batch", "Extraction Batch"])
def test_the_sheet_names_batches(column: str) -> None:
    sheet = f"name,barcode,role,{column}\ns,barcode01,,a 1\nn,barcode02,ntc,a 1\np,barcode03,,\n"
    assert [s.batch for s in parse_sample_sheet(sheet, file="s.csv")] == ["a 1", "a 1", None]


def test_a_batch_that_no_sample_has_is_refused_with_those_there_are() -> None:
    sheet = "name,barcode,role,batch\ns,barcode01,,day 1\nn,barcode02,ntc,day1\n"
    with pytest.raises(SampleSheetRefused, match=r"line 3: batch 'day1'.*day 1") as refusal:
        parse_sample_sheet(sheet, file="s.csv")
    assert "leave the cell empty" in refusal.value.remedy
    only_controls = sheet.replace("s,barcode01,,", "s,barcode01,ntc,")
    assert len(parse_sample_sheet(only_controls, file="s.csv")) == 2


def test_an_odd_batch_name_is_refused() -> None:
    with pytest.raises(SampleSheetRefused, match=r"batch .\.\./x. cannot be used"):
        parse_sample_sheet("name,batch\ns,../x\n", file="s.csv")
