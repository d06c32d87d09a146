"""Every failure is retried, waited for or given up, with a sentence that a person understands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain import errors
from porewatch.domain.errors import PorewatchError
from porewatch.domain.reasons.reason import Reason, RunCode
from porewatch.domain.stage.retry_policy import (
    FIRST_WAIT_S,
    JITTER,
    LONGEST_WAIT_S,
    MAX_ERRORS,
    MAX_INTERRUPTIONS,
    MAX_WAITS,
    MAX_WAITS_FOR_A_DEPLOY,
    MEANINGS,
    UNFORESEEN,
    Decision,
    Kind,
    class_of,
    decide,
    input_is_to_blame,
    kind_of,
    meaning_of,
)

DOCS = Path(__file__).parents[3] / "docs" / "errors.md"
OURS = sorted(
    name
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, PorewatchError) and one is not PorewatchError
)
LIMITS = {Kind.INTERRUPTION: MAX_INTERRUPTIONS, Kind.WAIT: MAX_WAITS, Kind.ERROR: MAX_ERRORS}


def decided(error: str, count: int = 1, seed: str = "") -> Decision:
    """The decision when this error has come for the `count`th time, and no other ever."""
    kind = kind_of(error)
    return decide(
        error,
        errors_so_far=count if kind is Kind.ERROR else 0,
        waits=count if kind is Kind.WAIT else 0,
        interruptions=count if kind is Kind.INTERRUPTION else 0,
        seed=seed,
    )


def rows() -> dict[str, tuple[str, ...]]:
    """The table in the documentation: each error's cells."""
    text = DOCS.read_text().split("## What is done about an error")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {
        name.strip("`"): tuple(rest) for first, *rest in lines[1:] for name in first.split(", ")
    }


@pytest.mark.parametrize("name", sorted(rows()))
def test_the_documentation_says_of_each_error_what_is_done(name: str) -> None:
    example = {"any other": "States.Runtime"}.get(name, name.replace("*", "Unknown"))
    row = meaning_of(example)
    assert rows()[name] == (row.what, row.kind.value, row.remedy)


@pytest.mark.parametrize("name", OURS)
def test_every_error_of_ours_has_a_meaning(name: str) -> None:
    bases = {base.__name__ for base in (class_of(name) or object).__mro__}
    assert bases & set(MEANINGS)
    assert meaning_of(name) is not UNFORESEEN


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("SpotInterrupted", Kind.INTERRUPTION),
        ("CapacityUnavailable", Kind.WAIT),
        ("QuotaExceeded", Kind.WAIT),
        ("Throttled", Kind.WAIT),
        ("Unavailable", Kind.WAIT),
        ("DiskFull", Kind.ERROR),
        ("LaunchUnknown", Kind.WAIT),
        ("NotShownYet", Kind.WAIT),
        ("InputRefused", Kind.REFUSED),
        ("BudgetExceeded", Kind.REFUSED),
        ("WorkerFailed", Kind.ERROR),
        ("WorkerLost", Kind.ERROR),
        ("States.Timeout", Kind.ERROR),
        ("Lambda.Unknown", Kind.ERROR),
        ("Sandbox.Timedout", Kind.ERROR),
        ("ZeroDivisionError", Kind.ERROR),
    ],
)
def test_each_failure_counts_as_what_it_is(error: str, kind: Kind) -> None:
    assert kind_of(error) is kind


@pytest.mark.parametrize("name", [*OURS, "States.Timeout", "Lambda.Unknown", "no such error"])
def test_what_is_given_up_says_what_happened_and_what_helps(name: str) -> None:
    limit = meaning_of(name).most or LIMITS.get(kind_of(name), 0)
    last = decided(name, limit + 1)
    assert not last.retry
    row = meaning_of(name)
    assert last.reason.lower().startswith(row.what.lower())
    assert last.reason.endswith(f"What helps: {row.remedy}.")
    if limit:
        assert f"{limit} are allowed" in last.reason
        again = decided(name, limit)
        assert again.retry
        assert f"{limit} of at most {limit}" in again.reason


@pytest.mark.parametrize("name", OURS)
def test_sentences_are_sentences(name: str) -> None:
    for count in (1, 100):
        assert re.fullmatch(r"[A-Z][^\n]*\.", decided(name, count).reason)


def test_what_a_deploy_made_is_waited_for_for_minutes_and_not_for_hours() -> None:
    waited, times = 0, 0
    while (decision := decided("NotShownYet", times + 1)).retry:
        waited, times = waited + decision.wait_seconds, times + 1
    assert times == MAX_WAITS_FOR_A_DEPLOY
    assert 600 < waited < 1200


@given(waits=st.integers(1, MAX_WAITS), seed=st.text(max_size=20))
def test_a_wait_doubles_up_to_a_quarter_of_an_hour_and_is_spread(waits: int, seed: str) -> None:
    plain = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (waits - 1))
    waited = decided("CapacityUnavailable", waits, seed).wait_seconds
    assert round(plain * (1 - JITTER)) <= waited <= round(plain * (1 + JITTER))
    assert decided("CapacityUnavailable", waits, seed).wait_seconds == waited


def test_runs_that_wait_do_not_all_retry_at_once() -> None:
    waits = {decided("CapacityUnavailable", 6, f"run-{n}").wait_seconds for n in range(50)}
    assert len(waits) > 40


def test_a_quota_is_retried_less_often_than_capacity() -> None:
    assert decided("QuotaExceeded").wait_seconds > 2 * decided("CapacityUnavailable").wait_seconds


def test_a_wait_of_two_minutes_or_more_is_said_in_minutes() -> None:
    """A first wait for a quota is one of 90 to 150 seconds."""
    said = {}
    for n in range(800):
        decision = decided("QuotaExceeded", 1 if n < 700 else 5, f"run-{n}")
        then = (decision.why.values or {})["then"]
        assert isinstance(then, Reason)
        said[decision.wait_seconds] = (then.code, (then.values or {})["n"])
    assert {119, 120} <= said.keys()
    for seconds, (code, number) in said.items():
        short = (RunCode.ASKED_AGAIN_SECONDS, seconds)
        long = (RunCode.ASKED_AGAIN_MINUTES, round(seconds / 60))
        assert (code, number) == (short if seconds < 120 else long)


def test_what_is_no_error_of_ours_is_unforeseen() -> None:
    assert class_of("annotations") is None
    assert meaning_of("annotations") is UNFORESEEN
    assert meaning_of("PorewatchError") is UNFORESEEN


def test_who_must_mend_something_is_the_sender_or_the_operator() -> None:
    assert input_is_to_blame("SampleSheetRefused")
    assert not input_is_to_blame("BudgetExceeded")
    assert not input_is_to_blame("ConfigurationRefused")
    assert not input_is_to_blame("WorkerFailed")


@given(
    error=st.sampled_from([*OURS, "States.Timeout", "Lambda.Unknown", "?"]),
    counts=st.tuples(*[st.integers(0, 30)] * 3),
)
def test_no_kind_uses_up_the_retries_of_another(error: str, counts: tuple[int, int, int]) -> None:
    failures, waits, interruptions = counts
    kind = kind_of(error)
    own = {Kind.ERROR: failures, Kind.WAIT: waits, Kind.INTERRUPTION: interruptions}.get(kind)
    decision = decide(error, errors_so_far=failures, waits=waits, interruptions=interruptions)
    limit = meaning_of(error).most or LIMITS.get(kind, 0)
    assert decision.retry == (own is not None and own <= limit)
