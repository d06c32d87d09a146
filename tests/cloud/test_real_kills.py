"""Real kills in small: `python -m porewatch_local.kills` plays sixty of them.

Two workers get SIGKILL and two a notice, at moments that a seed draws. Four runs more: slow, and
`test_interruption` tests the same at moments that it chooses.
"""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from porewatch_local.fault_trials.baseline import Ground
from porewatch_local.fault_trials.report import (
    Proof,
    table,
)
from porewatch_local.fault_trials.trial import (
    Moment,
    Outcome,
)
from porewatch_local.kills import prove, split_run, strikes_of
from tests.cloud.lab import PATIENCE, Lab

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
PLAYED: list[Future[Proof]] = []


def send_runs(lab: Lab) -> None:
    run = lab.demo.run_folder
    folder = split_run(run, run.parent / "split")
    control = lab.cloud.local.control
    assert control
    ground = Ground(lab.stack, control, folder)
    PLAYED.append(lab.later(lambda: prove(ground, strikes_of(2, 2), together=2, tag=f"k{lab.tag}")))


@pytest.fixture(scope="module")
def proof(lab: Lab) -> Proof:
    return PLAYED[0].result(timeout=2 * PATIENCE)


def test_every_run_that_lost_its_worker_ends_with_the_same_findings(proof: Proof) -> None:
    assert [len(proof.of("kill")), len(proof.of("notice"))] == [2, 2]
    assert list(proof.faults()) == []


def test_a_replacement_is_launched_claims_and_works_in_this_order(proof: Proof) -> None:
    for o in proof.outcomes:
        assert None not in (o.relaunched_s, o.claimed_s, o.first_unit_s)
        assert 0 <= (o.relaunched_s or 0) <= (o.claimed_s or 0) <= (o.first_unit_s or 0)


def test_a_notice_needs_no_sweep_to_be_acted_on(proof: Proof) -> None:
    """The sweep of the minute finds a SIGKILL half a minute after the last heartbeat or later."""
    slowest = max(o.relaunched_s or 0 for o in proof.of("notice"))
    assert slowest < min(o.relaunched_s or 0 for o in proof.of("kill"))


OUTCOME = Outcome(
    run_id="r",
    strike="notice",
    moment=Moment(stage="screen", units=3, after_s=0.1),
    landed=True,
    state="completed",  # type: ignore[arg-type]
    same_findings=True,
    units=30,
    redone=1,
)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"same_findings": False}, "other findings"),
        ({"redone": 2}, "2 units computed twice"),
        ({"units": 10}, "of the work lost"),
        ({"lost_share": 0.06}, "6.0% of the work lost"),
        ({"units": 0, "redone": 0, "lost_s": 11.0}, "of the work lost"),
        ({"state": "failed", "problem": "it broke"}, "it broke"),
    ],
)
def test_the_proof_sees_what_does_not_hold(what: dict[str, object], expected: str) -> None:
    sound = Proof(outcomes=(OUTCOME,), missed=0, units=30)
    assert list(sound.faults()) == []
    spoiled = Outcome.model_validate({**OUTCOME.model_dump(), **what})
    (fault,) = Proof(outcomes=(spoiled,), missed=0, units=30).faults()
    assert expected in fault
    assert table(sound).row_count == table(Proof(outcomes=(), missed=0, units=0)).row_count
