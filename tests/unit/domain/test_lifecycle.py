"""How a run moves, whatever order and however often its events arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porewatch.domain.errors import ManifestRefused, StaleEpoch
from porewatch.domain.facts.run_facts import RunRefused, RunSealed, RunStarted
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_endings, run_lifecycle, run_seals, run_states
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.revisions import (
    last_number,
    reported,
)
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.runs import FINAL_STATES, RunManifest, RunState
from porewatch.domain.sealing import input_file, seal

WHEN = datetime(2026, 3, 1, tzinfo=UTC)


def a_manifest(number: int = 0) -> RunManifest:
    return seal([input_file("bam/a.bam", 5)], run_id="r", created_at=WHEN + timedelta(days=number))


def sealed(number: int = 0) -> RunRecord:
    moved = run_seals.seal(None, a_manifest(number), "run.json", WHEN)
    assert moved
    return moved[0]


def running() -> RunRecord:
    moved = run_lifecycle.start(sealed(), a_manifest(), "arn:x", "demo@1", WHEN)
    assert moved
    return moved[0]


def in_state(state: RunState) -> RunRecord:
    return running().model_copy(update={"state": state})


def test_a_manifest_seals_a_run_that_nobody_knew() -> None:
    moved = run_seals.seal(None, a_manifest(), "bundle", WHEN)
    assert moved
    record, (fact,) = moved
    assert (record.state, record.revision) == (RunState.SEALED, 0)
    assert isinstance(fact, RunSealed)
    assert (fact.sealed_by, fact.files, fact.samples) == ("bundle", 1, 1)


@pytest.mark.parametrize("state", list(RunState))
def test_the_same_manifest_again_changes_nothing_in_any_state(state: RunState) -> None:
    assert run_seals.seal(in_state(state), a_manifest(), "run.json", WHEN) is None


def test_a_manifest_that_an_earlier_version_sealed_does_not_run_again() -> None:
    """Its digest, written down before sample sheets had batches."""
    before = "25176e95fade4181f12789b8695ca77a7d6ca2731ed3fef181744b5248030a47"
    assert a_manifest().digest() == before
    known = in_state(RunState.COMPLETED).model_copy(update={"manifest_digest": before})
    assert run_seals.seal(known, a_manifest(), "run.json", WHEN) is None


def test_samples_of_other_batches_are_another_manifest() -> None:
    (sample,) = a_manifest().samples
    files = [input_file("bam/a.bam", 5)]
    of_a, of_b = (
        seal(files, run_id="r", created_at=WHEN, samples=[sample.model_copy(update={"batch": b})])
        for b in ("a", "b")
    )
    assert len({a_manifest().digest(), of_a.digest(), of_b.digest()}) == 3
    assert RunManifest.model_validate_json(of_a.canonical_json()) == of_a


@pytest.mark.parametrize("state", sorted({*FINAL_STATES, RunState.SEALED}))
def test_another_manifest_is_a_new_revision_with_a_clean_slate(state: RunState) -> None:
    moved = run_seals.seal(in_state(state), a_manifest(1), "run.json", WHEN)
    assert moved
    assert (moved[0].state, moved[0].revision) == (RunState.SEALED, 1)
    assert (moved[0].problem, moved[0].execution_arn, moved[0].report_keys) == (None, None, {})


def test_another_manifest_while_the_run_is_under_way_is_refused_with_the_way_out() -> None:
    with pytest.raises(ManifestRefused, match="under way") as refusal:
        run_seals.seal(running(), a_manifest(1), "run.json", WHEN)
    assert refusal.value.remedy


NOON = WHEN + timedelta(hours=12)
BEFORE, AFTER = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)


def received() -> RunRecord:
    moved = run_lifecycle.receive(None, "r", WHEN)
    assert moved
    return moved[0]


def cancelled_at_noon(record: RunRecord) -> RunRecord:
    moved = run_endings.cancel(record, Cancel(run_id="r"), NOON)
    assert moved
    return moved[0]


@pytest.mark.parametrize("was", [received, sealed, running])
@pytest.mark.parametrize("day", [0, 5], ids=["the sender's clock is behind", "it is ahead"])
def test_a_seal_that_was_on_its_way_does_not_start_what_was_cancelled(
    was: Callable[[], RunRecord], day: int
) -> None:
    """By the bucket's clock. One that is made later is an order of its own."""
    record = cancelled_at_noon(was())
    for number in (1, 2):
        with pytest.raises(ManifestRefused, match="was cancelled at 2026-03-01 12:00:00 UTC"):
            run_seals.seal(record, a_manifest(number + day), "run.json", AFTER, BEFORE)
        refused = run_seals.refuse_seal(
            record, "r", f"{number:064x}", Refusing("made before.", ()), AFTER
        )
        assert refused
        record = refused[0]
        assert record.state is RunState.CANCELLED
        assert run_endings.cancel(record, Cancel(run_id="r"), AFTER) is None
    later = run_seals.seal(record, a_manifest(day + 3), "run.json", AFTER, AFTER)
    assert later
    assert (later[0].state, later[0].revision) == (RunState.SEALED, 3)


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.REFUSED, RunState.CANCELLED])
def test_what_a_revision_left_behind_is_remembered_whatever_comes_after_it(
    state: RunState,
) -> None:
    """A bad seal beside it, a good one, and their own ends."""
    record = running()
    beside = run_seals.refuse_seal(record, "r", "7" * 64, Refusing("no JSON.", ()), WHEN)
    assert beside
    if state is RunState.CANCELLED:
        moved = run_endings.cancel(beside[0], Cancel(run_id="r"), NOON)
    else:
        refused = state is RunState.REFUSED
        moved = run_endings.fail(
            beside[0], 0, stage=None, error="e", problem="p", refused=refused, at=NOON
        )
    assert moved
    again = run_seals.refuse_seal(moved[0], "r", "8" * 64, Refusing("no JSON.", ()), AFTER)
    assert again
    following = run_seals.seal(again[0], a_manifest(3), "run.json", AFTER, AFTER)
    assert following
    (left,) = following[0].unended
    assert (left.revision, left.state, left.execution_arn) == (0, state, "arn:x")
    with pytest.raises(StaleEpoch):
        run_states.refuse_unless_running(following[0], 0)
    done = run_endings.close(following[0], 0, 0.5, AFTER)
    assert done
    assert (done[0].unended, done[0].cost_usd, done[0].state) == ((), 0.5, RunState.SEALED)


def test_a_run_that_goes_by_its_report_again_remembers_what_the_attempt_left() -> None:
    moved = run_endings.complete(running(), 0, report_keys={}, findings=0, cost_usd=0.1, at=WHEN)
    assert moved
    moved = run_seals.seal(moved[0], a_manifest(1), "run.json", WHEN)
    assert moved
    moved = run_lifecycle.start(moved[0], a_manifest(1), "arn:y", "demo@1", WHEN)
    assert moved
    record = cancelled_at_noon(moved[0])
    assert (record.state, record.revision) == (RunState.COMPLETED, 0)
    assert [(one.revision, one.execution_arn) for one in record.unended] == [(1, "arn:y")]
    with pytest.raises(ManifestRefused, match="was cancelled"):
        run_seals.seal(record, a_manifest(2), "run.json", AFTER, BEFORE)


def test_only_the_manifest_that_sealed_the_run_starts_it() -> None:
    assert run_lifecycle.start(sealed(), a_manifest(1), "arn:x", "b", WHEN) is None
    moved = run_lifecycle.start(sealed(), a_manifest(), "arn:x", "b", WHEN)
    assert moved
    assert moved[0].state is RunState.RUNNING
    assert isinstance(moved[1][0], RunStarted)


def test_a_refused_manifest_does_not_touch_the_run_that_another_one_started() -> None:
    moved = run_seals.refuse(running(), "r", "f" * 64, Refusing("bad", ()), WHEN)
    assert moved
    unmoved = {"attempt": None, "last_revision": 0}
    assert moved[0].model_copy(update=unmoved) == running()
    assert moved[0].attempt and moved[0].attempt.state is RunState.REFUSED
    assert isinstance(moved[1][0], RunRefused)
    assert moved[1][0].revision == 1


def test_a_refusal_twice_is_one_refusal() -> None:
    first = run_seals.refuse(None, "r", "f" * 64, Refusing("bad", ()), WHEN)
    assert first
    assert first[0].state is RunState.REFUSED
    assert run_seals.refuse(first[0], "r", "f" * 64, Refusing("bad", ()), WHEN) is None


def test_the_end_of_an_old_revision_is_stale() -> None:
    with pytest.raises(StaleEpoch, match="not running at revision 3"):
        run_endings.complete(running(), 3, report_keys={}, findings=0, cost_usd=0, at=WHEN)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["seal", "seal", "start", "start", "refuse", "bad seal", "complete", "fail"]
        ),
        st.integers(0, 1),
    ),
    max_size=40,
)


def test_a_manifest_of_an_earlier_revision_does_not_run_again() -> None:
    moved = run_seals.seal(in_state(RunState.COMPLETED), a_manifest(1), "run.json", WHEN)
    assert moved
    with pytest.raises(ManifestRefused, match="no manifest runs twice"):
        run_seals.seal(moved[0], a_manifest(), "run.json", WHEN)


@settings(max_examples=300)
@given(EVENTS)
def test_no_order_of_events_takes_a_run_backwards(events: list[tuple[str, int]]) -> None:
    record: RunRecord | None = None
    started: set[str] = set()
    for number, (kind, which) in enumerate(events):
        before = record
        try:
            moved = _apply(kind, which, record, WHEN + timedelta(seconds=number))
        except (ManifestRefused, StaleEpoch):
            continue
        if moved is None:
            continue
        record = moved[0]
        if before is not None:
            assert last_number(record) >= last_number(before)
            if kind == "bad seal" and before.state not in run_states.RETRYABLE_STATES:
                assert record.state is before.state
            if reported(before) is not None:
                assert reported(record) is not None, "a report is hidden"
            assert record.updated_at >= before.updated_at
            if record.revision == before.revision and before.state in FINAL_STATES:
                assert record.state is before.state
        for fact in moved[1]:
            if isinstance(fact, RunStarted):
                assert fact.manifest_digest not in started, "a manifest ran twice"
                started.add(fact.manifest_digest)


def _apply(kind: str, which: int, record: RunRecord | None, at: datetime) -> run_states.Move:
    manifest = a_manifest(which)
    if kind == "seal":
        return run_seals.seal(record, manifest, "run.json", at)
    if kind == "start":
        return run_lifecycle.start(record, manifest, "arn:x", "b", at)
    if kind == "refuse":
        return run_seals.refuse(record, "r", manifest.digest(), Refusing("bad", ()), at)
    if kind == "bad seal":
        return run_seals.refuse_seal(record, "r", f"{which}", Refusing("bad", ()), at)
    if record is None:
        return run_lifecycle.receive(None, "r", at)
    if kind == "complete":
        return run_endings.complete(record, which, report_keys={}, findings=0, cost_usd=0, at=at)
    return run_endings.fail(
        record, which, stage=None, error="WorkerLost", problem="p", refused=False, at=at
    )


def test_what_a_run_has_cost_never_shrinks_whoever_added_it_up_last() -> None:
    record = run_lifecycle.receive(None, "r", WHEN)[0]  # type: ignore[index]
    record = run_endings.cost(record, 2.0, WHEN)[0]  # type: ignore[index]
    assert run_endings.cost(record, 1.0, WHEN) is None


def test_a_revision_that_completes_does_not_hide_what_the_earlier_ones_cost() -> None:
    record = run_seals.seal(None, a_manifest(0), "run.json", WHEN)[0]  # type: ignore[index]
    record = run_lifecycle.start(record, a_manifest(0), "arn:x", "b", WHEN)[0]  # type: ignore[index]
    record = run_endings.cost(record, 5.0, WHEN)[0]  # type: ignore[index]
    after, (fact,) = run_endings.complete(  # type: ignore[misc]
        record, 0, report_keys={}, findings=0, cost_usd=2.0, at=WHEN
    )
    assert (after.cost_usd, fact.model_dump()["cost_usd"]) == (5.0, 2.0)


def test_a_manifest_that_ran_is_remembered_through_the_refusal_of_another() -> None:
    record = run_seals.seal(None, a_manifest(0), "run.json", WHEN)[0]  # type: ignore[index]
    record = run_lifecycle.start(record, a_manifest(0), "arn:x", "b", WHEN)[0]  # type: ignore[index]
    record = run_endings.fail(  # type: ignore[index]
        record, 0, stage=None, error="WorkerLost", problem="p", refused=False, at=WHEN
    )[0]
    record = run_seals.refuse(record, "r", "f" * 64, Refusing("bad", ()), WHEN)[0]  # type: ignore[index]
    with pytest.raises(ManifestRefused, match="no manifest runs twice"):
        run_seals.seal(record, a_manifest(0), "run.json", WHEN)


def test_a_problem_of_ten_thousand_files_fits_everywhere_it_is_copied_to() -> None:
    many = " ".join(f"fastq/{n}.fastq.gz: it is not in the run's folder." for n in range(10_000))
    moved = run_seals.refuse(None, "r", "0" * 64, Refusing(many, ()), WHEN)
    assert moved
    record, (fact,) = moved
    for text in (record.canonical_json(), fact.canonical_json()):
        assert len(text) < 6000
        assert "characters in all; the rest is left out" in text
