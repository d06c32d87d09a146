"""How a run is sealed, refused and ended: the whole record and the whole fact of each move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from porewatch.domain.calls.findings import Outcome
from porewatch.domain.calls.verdict import Verdict
from porewatch.domain.errors import AlreadyDone, ManifestRefused, RunOver, StaleEpoch
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSealed,
    RunStands,
    RunStarted,
)
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.records.refusal import Refusal
from porewatch.domain.records.retention_record import Hold
from porewatch.domain.records.run_record import RunRecord, Unended
from porewatch.domain.rules import reconciling, revisions, run_endings, run_lifecycle, run_seals
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.rules.reconciling import EVENT_GRACE, SeenExecution, Step
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.rules.run_seals import Refusing
from porewatch.domain.rules.run_states import Move
from porewatch.domain.runs import RunManifest, RunState
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.stage.cloud_events import ExecutionEnded

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
LATER = WHEN + timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
OLD, NOW, BAD = "a" * 64, "b" * 64, "c" * 64
WHAT = Refusing("it names no file.", (Refusal(code="manifest_refused"),))
VERDICT = Verdict(outcome=Outcome.REPORTABLE, samples={Outcome.REPORTABLE: 1}, calls={})
HOLD = Hold(by="M. Sato", reason="complaint", at=WHEN)


OWNER: Any = {"project": "p-abcdefgh23456722", "name": "Farm 7", "submitted_by": "user-1"}


def record(**changes: Any) -> RunRecord:
    """Revision 2 runs in its second execution, after one that failed; no revision completed."""
    running = RunRecord(
        run_id="r",
        **OWNER,
        state=RunState.RUNNING,
        revision=2,
        manifest_digest=NOW,
        earlier_digests=(OLD,),
        execution_arn="arn:x",
        restarts=1,
        profile="one-machine",
        bundle="demo@1",
        created_at=WHEN,
        updated_at=WHEN,
        cost_usd=2.0,
        last_revision=2,
    )
    return running.model_copy(update=changes)


def changed(before: RunRecord, **changes: Any) -> RunRecord:
    """`before` with these changes and no other, at the time of the move."""
    return before.model_copy(update={"updated_at": LATER, **changes})


def completed(number: int = 1) -> RunRecord:
    return record(
        state=RunState.COMPLETED, revision=number, manifest_digest=OLD, earlier_digests=(),
        completed_at=WHEN, findings=1, report_keys={"report.json": "k"}, last_revision=number,
    )  # fmt: skip


def done(move: Move) -> tuple[RunRecord, Any]:
    """The record after it and its only fact, or None."""
    assert move is not None
    after, facts = move
    assert len(facts) < 2
    return after, facts[0] if facts else None


def a_manifest() -> RunManifest:
    return seal(
        [input_file("bam/a.bam", 5), input_file("bam/b.bam", 5)],
        run_id="r",
        created_at=WHEN,
        profile="fast",
        bundle="pig@1",
    )


def unended(state: RunState, problem: str, revision: int = 2) -> Unended:
    return Unended(revision=revision, state=state, execution_arn="arn:x", problem=problem, at=LATER)


def test_a_run_of_a_project_begins_with_its_registration_once() -> None:
    owner = Registration(**OWNER)
    after, fact = done(run_lifecycle.register(None, "r", owner, WHEN))
    assert fact is None
    assert after == RunRecord(
        run_id="r", **OWNER, state=RunState.RECEIVING, created_at=WHEN, updated_at=WHEN
    )
    with pytest.raises(AlreadyDone, match="run r is registered"):
        run_lifecycle.register(after, "r", owner, LATER)


def test_a_sealed_revision_has_nothing_of_the_one_before() -> None:
    shown = {
        "verdict": VERDICT,
        "problem": "p",
        "refusals": WHAT.refusals,
        "late": ("bam/c.bam",),
        "restarts": 2,
    }
    manifest, standing = a_manifest(), completed().model_copy(update=shown)
    before = standing.model_copy(update={"hold": HOLD, "attempt": refusal(1)})

    after, fact = done(run_seals.seal(before, manifest, "bundle", LATER))

    assert after == RunRecord(
        run_id="r",
        **OWNER,
        state=RunState.SEALED,
        revision=2,
        manifest_digest=manifest.digest(),
        earlier_digests=(OLD,),
        profile="fast",
        bundle="pig@1",
        created_at=WHEN,
        updated_at=LATER,
        cost_usd=2.0,
        last_revision=2,
        hold=HOLD,
        standing=standing,
    )
    assert fact == RunSealed(
        fact_id=f"RunSealed:r:2:{manifest.digest()[:16]}",
        run_id="r",
        revision=2,
        at=LATER,
        manifest_digest=manifest.digest(),
        sealed_by="bundle",
        files=2,
        samples=1,
        **OWNER,
    )


def test_no_manifest_runs_twice_and_the_refusal_names_its_file() -> None:
    manifest = a_manifest()
    before = record(state=RunState.FAILED, earlier_digests=(manifest.digest(),))
    with pytest.raises(ManifestRefused, match="no manifest runs twice") as refused:
        run_seals.seal(before, manifest, "run.json", LATER)
    assert refused.value.file == "run.json"
    assert refused.value.remedy


def test_a_seal_of_the_instant_of_the_cancelling_was_made_before_it() -> None:
    before = record(state=RunState.CANCELLED, cancelled_at=WHEN)
    with pytest.raises(ManifestRefused, match="was cancelled at") as refused:
        run_seals.seal(before, a_manifest(), "run.json", LATER, WHEN)
    assert refused.value.file == "run.json"
    assert refused.value.remedy
    after, _ = done(run_seals.seal(before, a_manifest(), "run.json", LATER, WHEN + INSTANT))
    assert (after.state, after.revision) == (RunState.SEALED, 3)


def test_a_sealed_run_starts_with_what_it_was_sealed_with() -> None:
    manifest = a_manifest()
    before = record(
        state=RunState.SEALED, manifest_digest=manifest.digest(), execution_arn=None, bundle=None,
        problem="files are lacking.", refusals=WHAT.refusals,
    )  # fmt: skip

    after, fact = done(run_lifecycle.start(before, manifest, "arn:y", "pig@1", LATER))

    assert after == changed(
        before, state=RunState.RUNNING, execution_arn="arn:y", bundle="pig@1", problem=None,
        refusals=(),
    )  # fmt: skip
    assert fact == RunStarted(
        fact_id=f"RunStarted:r:2:{manifest.digest()[:16]}",
        run_id="r",
        revision=2,
        at=LATER,
        execution_arn="arn:y",
        manifest_digest=manifest.digest(),
        profile="one-machine",
        bundle="pig@1",
        samples=("r",),
    )


def test_a_run_goes_on_in_another_execution_only_if_it_is_as_it_was_seen() -> None:
    before = record()
    after, fact = done(run_lifecycle.start_another(before, record(), "arn:y", LATER))
    assert (after, fact) == (changed(before, execution_arn="arn:y", restarts=2), None)
    for other in (record(revision=1), record(execution_arn="arn:w")):
        assert run_lifecycle.start_another(before, other, "arn:y", LATER) is None
    over = record(state=RunState.FAILED)
    assert run_lifecycle.start_another(over, over, "arn:y", LATER) is None


def test_findings_are_those_of_the_revision_that_runs() -> None:
    before = record()
    after, fact = done(run_lifecycle.found(before, 2, 3, LATER))
    assert (after, fact) == (changed(before, findings=3), None)
    assert run_lifecycle.found(after, 2, 3, LATER) is None
    assert done(run_lifecycle.found(after, 2, 4, LATER))[0].findings == 4
    with pytest.raises(StaleEpoch, match="not running at revision 1"):
        run_lifecycle.found(after, 1, 3, LATER)


def refused_fact(revision: int, owner: Any = OWNER) -> RunRefused:
    return RunRefused(
        fact_id=f"RunRefused:r:{revision}:{BAD[:16]}",
        run_id="r",
        revision=revision,
        at=LATER,
        problem=WHAT.problem,
        refusals=WHAT.refusals,
        **owner,
    )


def refusal(revision: int, owner: Any = OWNER) -> RunRecord:
    """A revision that was refused before it began: its run's, in all that says whose it is."""
    return RunRecord(
        run_id="r",
        **owner,
        state=RunState.REFUSED,
        revision=revision,
        manifest_digest=BAD,
        problem=WHAT.problem,
        refusals=WHAT.refusals,
        created_at=LATER,
        updated_at=LATER,
        completed_at=LATER,
    )


@pytest.mark.parametrize(
    "state", [RunState.SEALED, RunState.RUNNING, RunState.COMPLETED, RunState.CANCELLED]
)
def test_a_refusal_beside_a_run_that_stands_is_an_attempt_with_a_number(state: RunState) -> None:
    before = record(state=state)

    after, fact = done(run_seals.refuse(before, "r", BAD, WHAT, LATER))

    assert after == changed(before, attempt=refusal(3), last_revision=3)
    assert fact == refused_fact(3)
    assert run_seals.refuse(after, "r", BAD, WHAT, LATER) is None


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.REFUSED])
def test_a_refusal_after_a_revision_that_came_to_nothing_is_the_next_one(state: RunState) -> None:
    before = record(state=state, last_revision=4)

    after, fact = done(run_seals.refuse(before, "r", BAD, WHAT, LATER))

    assert after == changed(
        before,
        state=RunState.REFUSED,
        revision=5,
        last_revision=5,
        manifest_digest=BAD,
        earlier_digests=(OLD, NOW),
        execution_arn=None,
        restarts=0,
        problem=WHAT.problem,
        refusals=WHAT.refusals,
        completed_at=LATER,
    )
    assert fact == refused_fact(5)


def test_the_manifest_that_sealed_a_run_is_refused_as_that_revision() -> None:
    """Its files turned out to be wrong before it started."""
    before = record(state=RunState.SEALED, manifest_digest=BAD, last_revision=4)

    after, fact = done(run_seals.refuse(before, "r", BAD, WHAT, LATER))

    assert (after.state, after.revision, after.last_revision) == (RunState.REFUSED, 2, 4)
    assert (after.manifest_digest, after.earlier_digests) == (BAD, (OLD,))
    assert fact == refused_fact(2)
    for state in (RunState.RUNNING, RunState.FAILED, RunState.COMPLETED):
        over = record(state=state, manifest_digest=BAD)
        assert run_seals.refuse(over, "r", BAD, WHAT, LATER) is None


def test_a_refused_run_that_nobody_knew_is_revision_0() -> None:
    after, fact = done(run_seals.refuse(None, "r", BAD, WHAT, LATER))
    assert after == refusal(0, {})
    assert fact == refused_fact(0, {"project": "default"})


def test_a_seal_that_is_none_takes_a_number_and_the_run_goes_on_receiving() -> None:
    before = RunRecord(
        run_id="r", **OWNER, state=RunState.RECEIVING, created_at=WHEN, updated_at=WHEN, revision=2
    )

    after, fact = done(run_seals.refuse_seal(before, "r", BAD, WHAT, LATER))

    assert after == changed(before, attempt=refusal(2), revision=3, last_revision=3)
    assert fact == refused_fact(2)
    assert run_seals.refuse_seal(after, "r", BAD, WHAT, LATER) is None
    other = run_seals.refuse_seal(after, "r", NOW, WHAT, LATER)
    assert done(other)[0].revision == 4


def test_a_seal_of_a_run_under_way_is_refused_by_the_name_of_its_file() -> None:
    with pytest.raises(ManifestRefused, match="under way with another manifest") as refused:
        run_seals.seal(record(), a_manifest(), "run.json", LATER)
    assert refused.value.file == "run.json"
    assert refused.value.remedy


@pytest.mark.parametrize("standing", [None, completed(0)])
def test_a_completed_revision_stands_with_all_that_was_published(
    standing: RunRecord | None,
) -> None:
    before = record(standing=standing)

    after, fact = done(
        run_endings.complete(
            before, 2, report_keys={"report.json": "k"}, findings=3, cost_usd=1.5, at=LATER,
            verdict=VERDICT, projection_key="p",
        )
    )  # fmt: skip

    assert after == changed(
        before,
        state=RunState.COMPLETED,
        report_keys={"report.json": "k"},
        findings=3,
        verdict=VERDICT,
        completed_at=LATER,
        standing=None,
    )
    assert fact == RunCompleted(
        fact_id="RunCompleted:r:2",
        run_id="r",
        revision=2,
        at=LATER,
        findings=3,
        verdict=VERDICT,
        cost_usd=1.5,
        report_keys={"report.json": "k"},
        projection_key="p",
    )


def test_a_revision_completes_once_and_only_the_one_that_runs() -> None:
    ended: dict[str, Any] = {"report_keys": {}, "findings": 0, "cost_usd": 0, "at": LATER}
    assert run_endings.complete(completed(2), 2, **ended) is None
    for other in (completed(2), record()):
        with pytest.raises(StaleEpoch, match="not running at revision 1"):
            run_endings.complete(other, 1, **ended)


def test_a_completed_revision_raises_what_the_run_has_cost() -> None:
    ended: dict[str, Any] = {"report_keys": {}, "findings": 0, "at": LATER}
    after, fact = done(run_endings.complete(record(), 2, cost_usd=2.5, **ended))
    assert (after.cost_usd, fact.cost_usd, fact.projection_key) == (2.5, 2.5, "")


@pytest.mark.parametrize("refused", [False, True])
def test_a_run_that_fails_leaves_its_execution_to_be_ended(refused: bool) -> None:
    before, why = record(), verbatim("it ran out of memory")

    after, fact = done(
        run_endings.fail(
            before, 2, stage="screen", error="NoReadsLeft", problem="it broke.", why=why,
            refused=refused, at=LATER,
        )
    )  # fmt: skip

    state = RunState.REFUSED if refused else RunState.FAILED
    refusals = (Refusal(code="no_reads_left"),) if refused else ()
    assert after == changed(
        before,
        state=state,
        problem="it broke.",
        refusals=refusals,
        completed_at=LATER,
        unended=(unended(state, "it broke."),),
    )
    about: dict[str, Any] = {
        "run_id": "r", "revision": 2, "at": LATER, "problem": "it broke.", "why": why
    }  # fmt: skip
    expected: Fact = (
        RunRefused(fact_id="RunRefused:r:2:ended", refusals=refusals, **about, **OWNER)
        if refused
        else RunFailed(fact_id="RunFailed:r:2:ended", stage="screen", error="NoReadsLeft", **about)
    )
    assert fact == expected
    again: dict[str, Any] = {"stage": None, "error": "e", "problem": "p", "refused": False}
    assert run_endings.fail(after, 2, **again, at=LATER) is None


def test_a_cancelled_run_says_who_stopped_it_and_what_it_was() -> None:
    left = unended(RunState.FAILED, "p", 1)
    before = record(unended=(left,))
    order = Cancel(run_id="r", by="K. Mori", reason="wrong samples")

    after, fact = done(run_endings.cancel(before, order, LATER))

    assert after == changed(
        before,
        state=RunState.CANCELLED,
        problem=order.sentence,
        completed_at=LATER,
        cancelled_at=LATER,
        unended=(left, unended(RunState.CANCELLED, order.sentence)),
    )
    assert fact == RunCancelled(
        fact_id="RunCancelled:r:2",
        run_id="r",
        revision=2,
        at=LATER,
        was=RunState.RUNNING,
        by="K. Mori",
        reason="wrong samples",
        problem=order.sentence,
        why=(order.why,),
    )


def test_a_run_that_never_had_an_execution_leaves_nothing_to_be_ended() -> None:
    sealed = record(state=RunState.SEALED, execution_arn=None)
    assert done(run_endings.cancel(sealed, Cancel(run_id="r"), LATER))[0].unended == ()


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED, RunState.REFUSED])
def test_what_is_over_cannot_be_cancelled(state: RunState) -> None:
    with pytest.raises(RunOver, match=rf"run r is {state.value} \(revision 2\)") as over:
        run_endings.cancel(record(state=state), Cancel(run_id="r"), LATER)
    assert over.value.remedy


def test_a_run_goes_by_its_report_again_when_a_later_revision_comes_to_nothing() -> None:
    standing = completed().model_copy(update={"cost_usd": 0.5, "created_at": LATER})
    before = record(standing=standing, hold=HOLD, earlier_holds=(HOLD,))

    after, _ = done(run_endings.cancel(before, Cancel(run_id="r"), LATER))

    attempt = changed(
        before,
        state=RunState.CANCELLED,
        problem=Cancel(run_id="r").sentence,
        completed_at=LATER,
        standing=None,
        earlier_digests=(),
        hold=None,
        earlier_holds=(),
    )
    assert after == changed(
        standing,
        created_at=WHEN,
        hold=HOLD,
        earlier_holds=(HOLD,),
        cost_usd=2.0,
        last_revision=2,
        unended=(unended(RunState.CANCELLED, Cancel(run_id="r").sentence),),
        cancelled_at=LATER,
        earlier_digests=(NOW,),
        attempt=attempt,
    )


def test_a_bill_only_grows_and_is_written_only_when_it_does() -> None:
    before = record()
    assert done(run_endings.cost(before, 2.5, LATER)) == (changed(before, cost_usd=2.5), None)
    assert run_endings.cost(before, 2.0, LATER) is None


@pytest.mark.parametrize(("usd", "kept"), [(2.5, 2.5), (1.0, 2.0)])
def test_what_is_ended_whole_is_closed_with_its_bill(usd: float, kept: float) -> None:
    left = unended(RunState.FAILED, "p"), unended(RunState.FAILED, "p", 1)
    before = record(unended=left)
    after, _ = done(run_endings.close(before, 2, usd, LATER))
    assert after == changed(before, cost_usd=kept, unended=left[1:])
    assert run_endings.close(after, 2, 0.5, LATER) is None
    dearer = run_endings.close(record(unended=left[1:]), 2, 9.0, LATER)
    assert done(dearer)[0] == changed(before, cost_usd=9.0, unended=left[1:])


def test_a_file_that_comes_after_the_seal_is_named_once() -> None:
    before = record(late=("bam/a.bam",))
    after, _ = done(run_endings.late(before, "bam/b.bam", LATER))
    assert after == changed(before, late=("bam/a.bam", "bam/b.bam"))
    assert run_endings.late(after, "bam/b.bam", LATER) is None
    receiving = record(state=RunState.RECEIVING)
    assert run_endings.late(receiving, "bam/b.bam", LATER) is None


def test_so_many_late_files_are_named_and_no_more() -> None:
    some = tuple(f"bam/{n}.bam" for n in range(run_endings.MOST_LATE - 1))
    full, _ = done(run_endings.late(record(late=some), "bam/last.bam", LATER))
    assert len(full.late) == run_endings.MOST_LATE
    assert run_endings.late(full, "bam/one-more.bam", LATER) is None


def test_the_newest_revision_is_the_run_itself_unless_an_attempt_is_newer() -> None:
    for number, newest in ((1, 2), (2, 2), (3, 3)):
        run = record(attempt=record(revision=number, state=RunState.REFUSED))
        found = revisions.newest(run)
        assert found.revision == newest
        assert (found == run) is (number < 3)


def test_what_a_revision_left_is_found_by_its_number() -> None:
    left = unended(RunState.FAILED, "p", 1), unended(RunState.CANCELLED, "q", 2)
    run = record(unended=left)
    assert [revisions.unended(run, number) for number in (1, 2, 3)] == [*left, None]


def test_a_record_holds_up_to_three_revisions() -> None:
    standing, attempt = completed(0), record(revision=3, state=RunState.REFUSED)
    run = record(standing=standing, attempt=attempt)
    assert [revisions.held_in(run, number) for number in range(4)] == [
        standing, None, run, attempt
    ]  # fmt: skip
    assert revisions.held_in(record(), 3) is None


def test_something_is_to_be_done_for_a_run_at_work_and_for_what_is_left_of_one() -> None:
    over = record(state=RunState.FAILED)
    assert reconciling.is_open(record())
    assert reconciling.is_open(over.model_copy(update={"unended": (unended(over.state, "p"),)}))
    assert not reconciling.is_open(over)
    assert not reconciling.is_open(record(execution_arn=None))


def test_a_refusal_is_kept_in_words_and_by_code() -> None:
    error = ManifestRefused("it is not JSON.", file="run.json")
    assert Refusing.of(error) == (
        str(error),
        (Refusal(code="manifest_refused", file="run.json"),),
    )


SHOWN_OWNER: Any = {"project": "p-abcdefgh23456722", "name": "Farm 7"}
FACT: dict[str, Any] = {"run_id": "r", "revision": 2}
LIFE = (
    RunSealed(
        fact_id="1", at=WHEN, manifest_digest=NOW, sealed_by="run.json", files=1, samples=1, **FACT
    ),
    RunStarted(
        fact_id="2", at=LATER, manifest_digest=NOW, execution_arn="arn:x", profile="fast",
        bundle="b", samples=("r",), **FACT,
    ),
    RunStands(fact_id="3", at=LATER + INSTANT, clock="sealed", since=WHEN, **FACT),
)  # fmt: skip
PROBLEM = "it broke."
ENDS: list[tuple[Fact, dict[str, Any]]] = [
    (
        RunCompleted(
            fact_id="4", at=LATER, findings=3, verdict=VERDICT, cost_usd=1.5,
            report_keys={"report.json": "k"}, **FACT,
        ),
        {
            "state": RunState.COMPLETED, "findings": 3, "verdict": VERDICT, "cost_usd": 1.5,
            "report_keys": {"report.json": "k"},
        },
    ),
    (
        RunFailed(fact_id="4", at=LATER, stage=None, error="e", problem=PROBLEM, **FACT),
        {"state": RunState.FAILED, "problem": PROBLEM},
    ),
    (
        RunRefused(fact_id="4", at=LATER, problem=PROBLEM, **FACT),
        {"state": RunState.REFUSED, "problem": PROBLEM},
    ),
    (
        RunCancelled(
            fact_id="4", at=LATER, was=RunState.RUNNING, by="b", reason="r", problem=PROBLEM, **FACT
        ),
        {"state": RunState.CANCELLED, "problem": PROBLEM},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("end", "values"), ENDS, ids=[type(end).__name__ for end, _ in ENDS])
def test_a_revision_that_the_record_lost_is_read_from_its_facts_in_any_order(
    end: Fact, values: dict[str, Any]
) -> None:
    other = LIFE[0].model_copy(update={"revision": 1, "manifest_digest": OLD})
    expected = RunRecord(
        run_id="r",
        **SHOWN_OWNER,
        revision=2,
        created_at=WHEN,
        updated_at=LATER,
        completed_at=LATER,
        manifest_digest=NOW,
        execution_arn="arn:x",
        profile="fast",
        bundle="b",
        **values,
    )
    facts = (*LIFE, end, other)
    for order in (facts, facts[::-1]):
        assert revisions.from_facts(record(), 2, order) == expected
    assert revisions.from_facts(record(), 3, facts) is None


def test_a_revision_that_has_just_been_sealed_or_started_is_known_by_that() -> None:
    sealed = revisions.from_facts(record(), 2, LIFE[:1])
    assert sealed == RunRecord(
        run_id="r", **SHOWN_OWNER, revision=2,
        state=RunState.SEALED, manifest_digest=NOW, created_at=WHEN,
        updated_at=WHEN,
    )  # fmt: skip
    started = revisions.from_facts(record(), 2, LIFE)
    assert started == RunRecord(
        run_id="r", **SHOWN_OWNER, revision=2,
        state=RunState.RUNNING, manifest_digest=NOW, created_at=WHEN,
        updated_at=LATER, execution_arn="arn:x", profile="fast", bundle="b",
    )  # fmt: skip


def seen(status: str, **more: Any) -> SeenExecution:
    return SeenExecution(status=status, **more)


LONG_AGO = WHEN - EVENT_GRACE
RESTART = "States.ServiceRestart"


@pytest.mark.parametrize(
    ("run", "execution", "step"),
    [
        (record(state=RunState.SEALED), seen("FAILED", ended_at=LONG_AGO), Step.NOTHING),
        (record(execution_arn=None), seen("FAILED", ended_at=LONG_AGO), Step.NOTHING),
        (record(updated_at=LONG_AGO), None, Step.START),
        (record(updated_at=LONG_AGO + INSTANT), None, Step.NOTHING),
        (record(), seen("RUNNING"), Step.NOTHING),
        (record(), seen("PENDING_REDRIVE", ended_at=LONG_AGO), Step.NOTHING),
        (record(), seen("FAILED", ended_at=LONG_AGO + INSTANT), Step.NOTHING),
        (record(), seen("FAILED", ended_at=LONG_AGO), Step.CLOSE),
        (record(), seen("FAILED"), Step.CLOSE),
        (record(), seen("FAILED", error=RESTART), Step.START_ANOTHER),
        (record(restarts=8), seen("FAILED", error=RESTART), Step.START_ANOTHER),
        (record(restarts=9), seen("FAILED", error=RESTART), Step.CLOSE),
    ],
)
def test_what_brings_a_run_on_that_stands_still(
    run: RunRecord, execution: SeenExecution | None, step: Step
) -> None:
    assert reconciling.step(run, execution, WHEN) is step


def test_what_came_to_nothing_is_ended_once_whoever_began_had_time_for_it() -> None:
    due = unended(RunState.FAILED, "p").model_copy(update={"at": LONG_AGO})
    early = due.model_copy(update={"revision": 1, "at": LONG_AGO + INSTANT})
    assert reconciling.overdue(record(unended=(due, early)), WHEN) == (due,)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("FAILED", "FAILED"),
        ("TIMED_OUT", "TIMED_OUT"),
        ("ABORTED", "ABORTED"),
        ("SUCCEEDED", "FAILED"),
    ],
)
def test_an_end_that_no_event_reported_is_as_the_event_would_have_been(
    status: str, told: Any
) -> None:
    ended = reconciling.ending(record(), seen(status, error="E", cause="because"))
    assert ended == ExecutionEnded(
        run_id="r", revision=2, status=told, error="E", cause="because", execution_arn="arn:x"
    )
    unknown = reconciling.ending(record(execution_arn=None), seen(status))
    assert unknown.execution_arn == ""
