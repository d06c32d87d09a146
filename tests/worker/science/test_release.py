"""What controls mean for the samples of their run, by the release policy."""

from __future__ import annotations

import pytest

from porewatch.domain.calls.evidence import ReadAccount, SampleScreen, ScreenResult, TargetResult
from porewatch.domain.calls.findings import Outcome, Quantification, SampleOutcome
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.calls.release_policy import ReleasePolicies
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.inputs.sheet.sample_sheet import SampleSheetRefused, parse_sample_sheet
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.science.release.policies import release_policies
from tests.worker.science.test_calls import PANEL, bundle, good, named
from tests.worker.science.test_numbers import evidence
from tests.worker.science.test_numbers import screen_with as bare_screen

ONE = Sample(name="one", barcode="barcode01", spike_copies=1000)
TWO = Sample(name="two", barcode="barcode02", spike_copies=1000)
BLANK = Sample(name="blank", barcode="barcode03", role=SampleRole.NO_TEMPLATE_CONTROL)
POSITIVE = Sample(
    name="pos", barcode="barcode04", role=SampleRole.POSITIVE_CONTROL, expected_codes=("V",)
)
Pair = tuple[Sample, SampleScreen]


def screen_with(*targets: TargetResult, passed: int = 1000) -> SampleScreen:
    """A screen of a sample of the host: most of its reads are."""
    return bare_screen(*targets, passed=passed, host=passed * 9 // 10)


def spike(reads: int) -> TargetResult:
    return TargetResult(
        target="SPIKE", role=ContigRole.SPIKE, genome_length=3000,
        evidence=evidence(reads, reads * 1000),
    )  # fmt: skip


def clean(sample: Sample) -> Pair:
    return sample, screen_with(spike(500))


def run(policy: str, *pairs: Pair) -> Quantification:
    manifest = bundle()
    result = ScreenResult(
        bundle=manifest.ref, bundle_sha256="0" * 64, synthetic=False,
        samples=tuple(named(s.name, screen) for s, screen in pairs),
    )  # fmt: skip
    samples = [s for s, _ in pairs]
    return quantify(result, samples, PANEL, manifest, ScreeningParameters(), release_policy=policy)


def outcome(found: Quantification, sample: Sample) -> SampleOutcome:
    return next(o for o in found.outcomes if o.sample == sample.name)


def whole() -> list[Pair]:
    """A batch in which every control is as it should be."""
    return [
        clean(ONE), clean(TWO), (BLANK, screen_with()), (POSITIVE, screen_with(good("V", 5000)))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "due"),
    [("default", Outcome.REPORTABLE_WITH_REMARKS), ("donor-screening", Outcome.NOT_REPORTABLE)],
)
def test_a_positive_control_that_need_not_show_anything_shows_nothing(
    policy: str, due: Outcome
) -> None:
    pairs = whole()
    unstated = POSITIVE.model_copy(update={"expected_codes": ()})
    pairs[3] = (unstated, pairs[3][1])
    found = run(policy, *pairs)
    reason = "control pos states no expected code: detection is not shown"
    for sample in (ONE, unstated):
        assert outcome(found, sample).outcome is due
        assert outcome(found, sample).reasons == (reason,)


def test_a_sample_of_the_host_without_host_is_remarked_and_so_is_one_of_nothing_known() -> None:
    (_, screen), *others = whole()
    strange = ReadAccount(total=1000, host=5, panel=100, unassigned=895)
    found = run("default", (ONE, screen.model_copy(update={"account": strange})), *others)
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE_WITH_REMARKS
    assert [reason.partition(" of ")[0] for reason in outcome(found, ONE).reasons] == [
        "0.50%", "89.5%",
    ]  # fmt: skip
    assert outcome(found, TWO).reasons == ()
    few = ReadAccount(total=90, unassigned=90)
    found = run("default", (ONE, screen.model_copy(update={"account": few})), *others)
    assert outcome(found, ONE).reasons == ()


def test_a_batch_with_all_controls_is_released_to_donors() -> None:
    found = run("donor-screening", *whole())
    assert outcome(found, ONE) == SampleOutcome(sample="one", outcome=Outcome.REPORTABLE)


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [(2, "no no-template control"), (3, "no positive control")],
)
def test_a_missing_control_is_a_remark_or_a_refusal_by_policy(left_out: int, expected: str) -> None:
    pairs = whole()
    del pairs[left_out]
    refused = outcome(run("donor-screening", *pairs), ONE)
    assert refused.outcome is Outcome.NOT_REPORTABLE
    assert any(expected in reason for reason in refused.reasons)
    assert outcome(run("default", *pairs), ONE).outcome is not Outcome.NOT_REPORTABLE


def test_a_missing_spike_in_refuses_that_sample_alone() -> None:
    bare = ONE.model_copy(update={"spike_copies": None})
    found = run("donor-screening", (bare, screen_with(good("V"))), *whole()[1:])
    assert outcome(found, bare).outcome is Outcome.NOT_REPORTABLE
    assert outcome(found, TWO).outcome is Outcome.REPORTABLE


@pytest.mark.parametrize("policy", ["default", "donor-screening"])
def test_a_positive_control_without_its_code_invalidates_every_sample(policy: str) -> None:
    failed = (POSITIVE, screen_with(good("MT", 500)))
    found = run(policy, *whole()[:3], failed)
    assert {o.outcome for o in found.outcomes if o.sample != "blank"} == {Outcome.NOT_REPORTABLE}
    assert outcome(found, TWO).reasons == (
        "control pos failed: the positive control does not show V",
    )


def test_two_blanks_that_hold_the_same_do_not_excuse_each_other() -> None:
    other = BLANK.model_copy(update={"name": "blank 2", "barcode": "barcode05"})
    dirty = screen_with(good("MT", 200))
    pairs = [(ONE, screen_with(spike(500), good("MT", 3000))), clean(TWO), (BLANK, dirty)]
    found = run("donor-screening", *pairs, (other, dirty), whole()[3])
    for blank in (BLANK, other):
        assert outcome(found, blank).outcome is Outcome.NOT_REPORTABLE
    assert any("blank 2 holds MT as well" in r for r in outcome(found, ONE).reasons)
    assert outcome(found, TWO).outcome is Outcome.NOT_REPORTABLE


@pytest.mark.parametrize("policy", ["default", "donor-screening"])
def test_contamination_leaves_no_sample_valid_and_names_those_that_hold_the_same(
    policy: str,
) -> None:
    dirty = (BLANK, screen_with(good("MT", 400)))
    pairs = [(ONE, screen_with(spike(500), good("MT", 30))), clean(TWO), dirty, whole()[3]]
    found = run(policy, *pairs)
    assert {outcome(found, sample).outcome for sample in (ONE, TWO)} == {Outcome.NOT_REPORTABLE}
    assert any("control blank failed" in r for r in outcome(found, TWO).reasons)
    assert not any("holds MT as well" in r for r in outcome(found, TWO).reasons)
    if policy == "donor-screening":
        assert any("blank holds MT as well" in r for r in outcome(found, ONE).reasons)


def test_a_recovery_far_from_the_batch_is_out_of_bounds() -> None:
    weak = (TWO, screen_with(spike(20)))
    three = Sample(name="three", barcode="barcode05", spike_copies=1000)
    found = run("donor-screening", clean(ONE), clean(three), weak, *whole()[2:])
    assert any("times the run's median" in r for r in outcome(found, TWO).reasons)
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE


def test_few_reads_are_named_with_the_number_needed() -> None:
    screen = screen_with(spike(500))
    few = screen.quality.model_copy(update={"passed_reads": 12})
    found = run("donor-screening", (ONE, screen.model_copy(update={"quality": few})), *whole()[1:])
    assert "12 reads passed quality control (1000 needed)" in outcome(found, ONE).reasons


def test_a_spike_in_where_none_was_added_is_crosstalk_over_budget() -> None:
    found = run("donor-screening", *whole()[:2], (BLANK, screen_with(spike(60))), whole()[3])
    seen = next(c for c in found.crosstalk if c.sample == "blank" and c.marker == "SPIKE")
    assert (seen.stray_reads, seen.reads, seen.over) == (60, 1060, True)
    assert seen.low < seen.share < seen.high


def test_reads_with_another_barcode_are_held_to_the_budget() -> None:
    def with_barcodes(own: int, other: int) -> Pair:
        account = ReadAccount(barcodes_told={"barcode01": own, "barcode02": other})
        return ONE, screen_with(spike(500)).model_copy(update={"account": account})

    over = run("donor-screening", with_barcodes(1000, 50), *whole()[1:])
    assert any("crosstalk over budget: 4.762%" in r for r in outcome(over, ONE).reasons)
    under = run("donor-screening", with_barcodes(100_000, 50), *whole()[1:])
    assert outcome(under, ONE).outcome is Outcome.REPORTABLE


def test_the_policy_is_named_with_its_digest() -> None:
    rules = run("donor-screening", *whole()).release
    assert rules is not None
    assert rules.sha256 == release_policies().of("donor-screening").digest()


def test_an_unknown_policy_is_refused_with_those_there_are() -> None:
    with pytest.raises(ManifestRefused, match="default, donor-screening"):
        run("lax", *whole())


def test_two_policies_of_one_name_are_no_policy_file() -> None:
    there = release_policies()
    with pytest.raises(ValueError, match="duplicate policy"):
        ReleasePolicies(version="1", provenance="", policies=there.policies[:1] * 2)


def test_the_sheet_says_what_a_positive_control_must_show() -> None:
    sheet = "name,barcode,role,expected_codes\np,barcode01,positive_control,V MT\ns,barcode02,,\n"
    samples = parse_sample_sheet(sheet, file="s.csv")
    assert [s.expected_codes for s in samples] == [("V", "MT"), ()]
    with pytest.raises(SampleSheetRefused, match="only a positive control"):
        parse_sample_sheet(sheet.replace("s,barcode02,,", "s,barcode02,,V"), file="s.csv")


def test_a_relative_in_a_sample_is_no_crosstalk_from_the_positive_control() -> None:
    far = good("V", 500, identity=0.72, whole_identity=0.6)
    found = run("donor-screening", (ONE, screen_with(spike(500), far)), *whole()[1:])
    assert outcome(found, ONE).reasons == ("indeterminate: V",)
    assert not [c for c in found.crosstalk if (c.sample, c.marker) == ("one", "V")]
    piled = good("V", 500, regions=1, breadth=0.05)
    found = run("donor-screening", (ONE, screen_with(spike(500), piled)), *whole()[1:])
    assert any("crosstalk over budget" in r for r in outcome(found, ONE).reasons)


@pytest.mark.parametrize(
    "odd", [{"regions": 1, "breadth": 0.05}, {"identity": 0.72, "whole_identity": 0.6}]
)
def test_what_a_blank_holds_is_reported_though_it_is_no_detection(odd: dict[str, float]) -> None:
    pairs = [(ONE, screen_with(spike(500), good("MT", 60_000))), clean(TWO)]
    found = run(
        "donor-screening", *pairs, (BLANK, screen_with(good("MT", 5000, **odd))), whole()[3]
    )
    assert outcome(found, BLANK) == SampleOutcome(
        sample="blank",
        outcome=Outcome.REPORTABLE_WITH_REMARKS,
        why=(because(Code.INDETERMINATE, codes=("MT",)),),
    )
    strays = run("default", *pairs, (BLANK, screen_with(good("MT", 40))), whole()[3])
    assert outcome(strays, BLANK).outcome is Outcome.REPORTABLE
