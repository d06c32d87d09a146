"""What controls mean at the edges of each rule: at a limit, one beside it, none, and two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from porewatch.domain.calls.evidence import (
    ReadAccount,
    SampleScreen,
    ScreenResult,
)
from porewatch.domain.calls.findings import (
    Call,
    Crosstalk,
    Finding,
    Outcome,
    Quantity,
)
from porewatch.domain.calls.release_policy import Consequence
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.release import controls as release
from porewatch_worker.science.release import sample_outcomes as release_outcomes
from porewatch_worker.science.release.controls import Batch
from porewatch_worker.science.release.policies import release_policies
from porewatch_worker.science.release.sample_outcomes import _is_remarked, sample_outcomes
from tests.worker.science.test_calls import good, named
from tests.worker.science.test_numbers import evidence
from tests.worker.science.test_release import (
    BLANK,
    ONE,
    POSITIVE,
    TWO,
    Pair,
    outcome,
    run,
    screen_with,
    spike,
    whole,
)

DONORS = release_policies().of("donor-screening")
ALL = (ONE, TWO, BLANK, POSITIVE)
Judged = list[tuple[Consequence, str]]


def judged(sample: Sample, made: Batch) -> Judged:
    """The policy's decisions, as texts."""
    return [(what, why.text()) for what, why in release.judged(sample, made)]


def positive_faults(control: Sample, made: Batch) -> list[str]:
    return [why.text() for why in release.positive_faults(control, made)]


def _remarks(sample: Sample, mine: list[Finding]) -> list[str]:
    return [why.text() for why in release_outcomes._remarks(sample, mine)]


def batch(samples: Sequence[Sample] = ALL, **changes: Any) -> Batch:
    screens = {s.name: screen_with(spike(500)) for s in samples}
    made = Batch(
        samples=samples, screens=screens, findings=[], recoveries={}, crosstalk=[], policy=DONORS,
        least_spike_reads=10,
    )  # fmt: skip
    return replace(made, **changes)


def finding(sample: str, code: str, call: Call, **more: Any) -> Finding:
    own = {"sample": sample, "code": code, "call": call, "why": (), "evidence": None}
    return Finding.model_construct(**{**own, **more})


def with_passed(reads: int, *targets: Any) -> SampleScreen:
    screen = screen_with(*targets)
    quality = screen.quality.model_copy(update={"passed_reads": reads})
    return screen.model_copy(update={"quality": quality})


def reasons(policy: str, sample: Sample, screen: SampleScreen) -> tuple[str, ...]:
    """Of a sample that stands in a batch whose controls are as they should be."""
    others = [pair for pair in whole() if pair[0].name != sample.name]
    return outcome(run(policy, (sample, screen), *others), sample).reasons


def test_nothing_is_stated_of_a_sample_without_reads_and_a_blank_may_have_none() -> None:
    texts = reasons("default", ONE, with_passed(0))
    assert texts == ("no read passed quality control, so nothing can be said",)
    found = run("donor-screening", *whole()[:2], (BLANK, with_passed(0)), whole()[3])
    assert outcome(found, BLANK).outcome is Outcome.REPORTABLE
    assert outcome(found, ONE).outcome is Outcome.REPORTABLE


@pytest.mark.parametrize(("passed", "fails"), [(999, True), (1000, False)])
def test_so_many_reads_are_enough(passed: int, fails: bool) -> None:
    texts = reasons("donor-screening", ONE, with_passed(passed, spike(500)))
    assert bool(texts) is fails
    found = run("donor-screening", (ONE, with_passed(999, spike(500))), *whole()[1:])
    assert outcome(found, TWO).outcome is Outcome.REPORTABLE, "a sample counts for no other"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [((), "0 reads"), ((spike(1),), "1 read"), ((spike(9),), "9 reads"), ((spike(10),), "")],
)
def test_a_spike_in_is_shown_by_so_many_reads(targets: tuple[Any, ...], expected: str) -> None:
    texts = reasons("donor-screening", ONE, screen_with(*targets))
    due = f"the spike-in gave {expected} (10 needed): sensitivity is not shown"
    assert (due in texts) is bool(expected)
    assert any("the spike-in gave" in one for one in texts) is bool(expected)


def test_a_blank_is_reported_with_everything_it_holds_and_for_whom() -> None:
    dirty = screen_with(good("MT", 400), good("V", 400))
    found = run("default", *whole()[:2], (BLANK, dirty), whole()[3])
    held = "the no-template control holds V, MT: "
    assert outcome(found, BLANK).reasons == (f"{held}the run is contaminated",)
    assert f"control blank failed: {held}the run is contaminated" in outcome(found, ONE).reasons
    of_batch = {"batch": "b1"}
    pairs: list[Pair] = [(s.model_copy(update=of_batch), screen) for s, screen in whole()]
    pairs[2] = (pairs[2][0], dirty)
    found = run("default", *pairs)
    assert outcome(found, BLANK).reasons == (f"{held}batch b1 is contaminated",)
    failed = f"control blank of batch b1 failed: {held}batch b1 is contaminated"
    assert failed in outcome(found, ONE).reasons


def test_what_is_held_by_sample_and_blank_is_named_code_by_code() -> None:
    there = [finding("blank", code, Call.DETECTED) for code in ("MT", "V")]
    there += [finding("one", "MT", Call.DETECTED), finding("one", "V", Call.INDETERMINATE)]
    decisions: Judged = list(judged(ONE, batch(findings=there)))
    assert (Consequence.REFUSE, "control blank holds MT, V as well: contamination") in decisions
    other = BLANK.model_copy(update={"batch": "elsewhere"})
    samples = (ONE.model_copy(update={"batch": "here"}), other, POSITIVE)
    assert "as well" not in str(list(judged(samples[0], batch(samples, findings=there))))


@pytest.mark.parametrize(
    ("lacking", "here", "expected"),
    [
        (BLANK, None, "no no-template control for samples without a batch"),
        (BLANK, "b1", "no no-template control for batch b1"),
        (POSITIVE, None, "no positive control for samples without a batch"),
        (POSITIVE, "b1", "no positive control for batch b1"),
    ],
)
def test_a_control_of_another_batch_is_missing_here(
    lacking: Sample, here: str | None, expected: str
) -> None:
    mine = ONE.model_copy(update={"batch": here})
    samples = tuple(
        s.model_copy(update={"batch": "other" if s is lacking else here}) for s in (BLANK, POSITIVE)
    )
    texts = [text for _, text in judged(mine, batch((mine, *samples)))]
    assert any(one.startswith(f"{expected}: ") for one in texts), texts


def test_a_sample_without_a_spike_in_has_that_reason() -> None:
    bare = ONE.model_copy(update={"spike_copies": None})
    due = "no spike-in stated: no absolute copies, and sensitivity rests on yield alone"
    assert (Consequence.REFUSE, due) in list(judged(bare, batch((bare, *ALL[1:]))))
    assert due not in str(list(judged(ONE, batch())))


def implausible(passed: int, host: int, nothing: int, *, hosted: bool = True) -> list[str]:
    panel = passed - host - nothing
    account = ReadAccount(total=passed, host=host, panel=panel, unassigned=nothing)
    screen = screen_with(spike(500)).model_copy(update={"account": account})
    made = batch(hosted=hosted)
    made = replace(made, screens={**made.screens, "one": screen})
    return [text.partition(" of ")[0] for _, text in judged(ONE, made) if "expected:" in text]


@pytest.mark.parametrize(
    ("passed", "host", "nothing", "expected"),
    [
        (10_000, 100, 0, []),
        (10_000, 99, 0, ["0.99%"]),
        (10_000, 5000, 5000, []),
        (10_000, 4999, 5001, ["50.0%"]),
        (100, 0, 0, ["0.00%"]),
        (99, 0, 0, []),
    ],
)
def test_shares_are_odd_beyond_their_limits_and_from_so_many_reads_on(
    passed: int, host: int, nothing: int, expected: list[str]
) -> None:
    assert implausible(passed, host, nothing) == expected


def test_a_bundle_without_a_host_expects_none() -> None:
    assert implausible(10_000, 0, 0, hosted=False) == []


def recovery(share: float | None, *others: float) -> list[str]:
    """The remarks on one whose recovery is so many times that of the rest."""

    def quantity(value: float | None) -> Quantity:
        return Quantity(value=value, low=None, high=None, unit="")

    known = {f"s{n}": quantity(value) for n, value in enumerate(others)}
    made = batch(recoveries={**known, "one": quantity(share)})
    return [text for _, text in judged(ONE, made) if "recovery" in text]


@pytest.mark.parametrize(
    ("share", "others", "expected"),
    [
        (0.1, (1.0, 1.0), False),
        (0.0999, (1.0, 1.0), True),
        (10.0, (1.0, 1.0), False),
        (10.01, (1.0, 1.0), True),
        (0.01, (1.0,), True),
        (0.01, (), False),
        (None, (1.0, 1.0), False),
    ],
)
def test_a_recovery_is_held_against_the_median_of_two_or_more(
    share: float | None, others: tuple[float, ...], expected: bool
) -> None:
    remarks = recovery(share, *others)
    assert bool(remarks) is expected
    assert all("(0.1 to 10 allowed)" in one for one in remarks)


def stray(sample: str, *, over: bool = True) -> Crosstalk:
    own = {"basis": "marker", "marker": "MT", "stray_reads": 50, "reads": 1000, "low": 0.03}
    return Crosstalk.model_construct(
        sample=sample, share=0.05, high=0.07, budget=0.001, over=over, **own
    )


def test_crosstalk_weighs_by_where_it_is_found() -> None:
    apart = {
        "crosstalk_over_budget": Consequence.REMARK,
        "crosstalk_in_control": Consequence.REFUSE,
    }
    policy = DONORS.model_copy(update=apart)
    share_text = "5.000% by MT, 0.100% allowed"

    def decisions(sample: Sample, *found: Crosstalk) -> Judged:
        made = batch(policy=policy, crosstalk=found)
        return [one for one in judged(sample, made) if "crosstalk" in one[1]]

    own = f"crosstalk over budget: {share_text}"
    assert decisions(ONE, stray("one")) == [(Consequence.REMARK, own)]
    assert decisions(BLANK, stray("blank")) == [(Consequence.REFUSE, own)]
    beside = f"crosstalk over budget in control blank: {share_text}"
    assert decisions(ONE, stray("blank")) == [(Consequence.REFUSE, beside)]
    assert decisions(ONE, stray("two")) == [], "of another sample"
    assert decisions(POSITIVE, stray("blank")) == [], "one control counts for no other"
    assert decisions(ONE, stray("one", over=False), stray("blank", over=False)) == []
    alone = ONE.model_copy(update={"barcode": None})
    assert decisions(alone, stray("blank")) == [], "what was not pooled got nothing from the pool"


def test_a_positive_control_shows_its_codes_or_at_least_its_spike_in() -> None:
    def faults(control: Sample, *there: Finding, reads: int = 0) -> list[str]:
        screens = {"pos": screen_with(good("MT", 5), *([spike(reads)] if reads else []))}
        return list(positive_faults(control, batch(findings=there, screens=screens)))

    two = POSITIVE.model_copy(update={"expected_codes": ("MT", "V")})
    bare = POSITIVE.model_copy(update={"expected_codes": ()})
    assert faults(two) == ["the positive control does not show MT, V"]
    mine = finding("pos", "MT", Call.ENDOGENOUS), finding("pos", "V", Call.DETECTED)
    assert faults(two, *mine) == []
    assert faults(two, finding("one", "MT", Call.ENDOGENOUS), mine[1]) == [
        "the positive control does not show MT"
    ]
    nothing = "the positive control shows neither a panel member nor a spike-in"
    assert faults(bare) == [nothing]
    assert faults(bare, reads=1) == []
    assert faults(bare, finding("pos", "V", Call.DETECTED)) == []


def test_only_what_the_positive_control_of_its_batch_fails_at_reaches_a_sample() -> None:
    mine = ONE.model_copy(update={"batch": "here"})
    near = POSITIVE.model_copy(update={"batch": "here", "name": "near"})
    far = POSITIVE.model_copy(update={"batch": "there", "name": "far"})
    samples = (mine, BLANK, near, far)
    texts = [text for _, text in judged(mine, batch(samples))]
    assert "control near of batch here failed: the positive control does not show V" in texts
    assert not any("control far" in one for one in texts)
    assert not any("control one" in one or "control blank" in one for one in texts)


@pytest.mark.parametrize(
    ("role", "reads", "why", "expected"),
    [
        (
            SampleRole.SAMPLE,
            None,
            (because(Code.CROSSOVER, reads=3, elsewhere=900, sample="two"),),
            True,
        ),
        (SampleRole.NO_TEMPLATE_CONTROL, 1, (), True),
        (
            SampleRole.NO_TEMPLATE_CONTROL,
            1,
            (because(Code.CROSSOVER, reads=1, elsewhere=900, sample="two"),),
            False,
        ),
        (SampleRole.NO_TEMPLATE_CONTROL, 0, (), False),
        (SampleRole.NO_TEMPLATE_CONTROL, None, (), False),
    ],
)
def test_of_a_blank_only_reads_that_crossover_does_not_explain_are_reported(
    role: SampleRole, reads: int | None, why: tuple[Reason, ...], expected: bool
) -> None:
    there = None if reads is None else evidence(reads, 1000)
    sample = ONE.model_copy(update={"role": role})
    assert _is_remarked(
        finding("one", "V", Call.INDETERMINATE, evidence=there, why=why), sample
    ) is (expected)


def test_every_code_that_is_unsure_is_named() -> None:
    far = {"identity": 0.72, "whole_identity": 0.6}
    screen = screen_with(spike(500), good("MT", 500, **far), good("V", 500, **far))
    assert "indeterminate: V, MT" in reasons("default", ONE, screen)


def test_an_unstated_positive_control_is_no_matter_of_the_blank() -> None:
    unstated = POSITIVE.model_copy(update={"expected_codes": ()})
    made = batch((ONE, BLANK, unstated))
    refusal = (Consequence.REFUSE, "control pos states no expected code: detection is not shown")
    assert refusal in list(judged(ONE, made))
    assert refusal in list(judged(unstated, made))
    assert refusal not in list(judged(BLANK, made))


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        (BLANK, "no no-template control in this run: contamination cannot be excluded"),
        (POSITIVE, "no positive control in this run: detection is not shown"),
    ],
)
def test_a_control_that_the_run_has_not_is_reported_as_the_runs(
    lacking: Sample, expected: str
) -> None:
    there = tuple(sample for sample in ALL if sample is not lacking)
    assert (Consequence.REFUSE, expected) in list(judged(ONE, batch(there)))


@pytest.mark.parametrize(
    ("short", "due"),
    [
        (250, Outcome.REPORTABLE),
        (430, Outcome.REPORTABLE_WITH_REMARKS),
        (1100, Outcome.NOT_REPORTABLE),
    ],
)
def test_what_the_filters_take_is_a_remark_before_it_is_a_refusal(short: int, due: Outcome) -> None:
    account = ReadAccount(total=1000 + short, host=900, panel=100, filtered={"too_short": short})
    screen = screen_with(spike(500)).model_copy(update={"account": account})
    found = run("donor-screening", (ONE, screen), *whole()[1:])
    assert outcome(found, ONE).outcome is due


def test_a_load_that_disagrees_is_remarked_of_a_sample_and_of_no_blank() -> None:
    load = Quantity(value=1.0, low=None, high=None, unit="", disagrees=True)
    there = [finding(name, "V", Call.DETECTED, quantities=(load,)) for name in ("one", "blank")]
    remark = "copies/mL by spike-in and by yield disagree: V"
    assert list(_remarks(ONE, there[:1])) == [remark]
    assert list(_remarks(BLANK, there[1:])) == []


@pytest.mark.parametrize(("bundle", "odd"), [({}, True), ({"hosted": False}, False)])
def test_a_bundle_is_taken_to_hold_a_host_by_default(bundle: dict[str, bool], odd: bool) -> None:
    account = ReadAccount(total=1000, panel=1000)
    screen = screen_with(spike(500)).model_copy(update={"account": account})
    result = ScreenResult.model_construct(samples=(named("one", screen),))
    (outcome_of_one,) = sample_outcomes(
        result, [ONE], [], ScreeningParameters(), policy=DONORS, strays=[], recovered={}, **bundle
    )
    assert outcome_of_one.outcome is Outcome.NOT_REPORTABLE, "it has no controls"
    policy = DONORS.model_copy(
        update=dict.fromkeys(
            ("missing_no_template_control", "missing_positive_control"), Consequence.NONE
        )
    )
    (outcome_of_one,) = sample_outcomes(
        result, [ONE], [], ScreeningParameters(), policy=policy, strays=[], recovered={}, **bundle
    )
    assert bool(outcome_of_one.reasons) is odd
