"""A run's history is recorded as codes, and what earlier and later versions wrote is still read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import RunCancelled, RunRefused
from porewatch.domain.facts.stage_facts import (
    InstanceTerminated,
    LaunchRefused,
    PhaseCompleted,
    StageFailed,
)
from porewatch.domain.facts.timeline import timeline
from porewatch.domain.money.cost import Bill, make_bill
from porewatch.domain.reasons.reason import (
    Reason,
    RunCode,
    because,
    clauses,
    original,
    texts,
    verbatim,
)
from porewatch.domain.rules.cancelling import Cancel
from porewatch.domain.stage.manifest import PhaseRecord, TimelineEntry
from porewatch.domain.stage.retry_policy import decide

AT = datetime(2026, 3, 14, 6, 0, tzinfo=UTC)
OF_STAGE: dict[str, Any] = {"fact_id": "f", "run_id": "run-1", "at": AT, "stage": "screen",
                            "epoch": 1}  # fmt: skip


def line_of(fact: Fact, language: str = "en") -> tuple[str, str]:
    (entry,) = timeline([fact])
    return clauses(entry.happened, language), "\n".join(texts(entry.details, language))


def refused(**more: Any) -> LaunchRefused:
    return LaunchRefused.model_validate(
        {**OF_STAGE, "rung": 0, "executor": "ec2", "purchase": "spot", "problem": "full.",
         "error": "CapacityUnavailable", "then": "wait.", **more}
    )  # fmt: skip


def test_a_fact_with_codes_has_a_text_in_each_language() -> None:
    full = because(RunCode.NO_MACHINE, codes="Full", pools=1, text="No capacity.")
    fact = refused(why=(full,), next=(because(RunCode.ON_DEMAND),),
                   rung_why=(because(RunCode.SPOT),))  # fmt: skip
    assert line_of(fact) == (
        "screen: no machine from EC2, spot",
        "no machine: Full (1 pool asked): No capacity.\nNext: on-demand.",
    )
    happened, details = line_of(fact, "ja")
    assert "スポット" in happened
    assert details == (
        "マシンなし：Full（1 プールに要求）：（原文）No capacity.\n次の手順：オンデマンド。"
    )


def test_a_fact_of_an_earlier_version_keeps_its_text() -> None:
    assert line_of(refused()) == ("screen: no machine from ec2 spot", "full.\nNext: wait.")
    assert line_of(refused(), "ja")[1] == "（原文）full.\n次の手順：（原文）wait。"


@pytest.mark.parametrize(
    "later",
    [
        [{"code": "of_tomorrow", "values": {}}],
        [{"code": "ask_all_again", "values": {}}, {"code": "of_tomorrow", "values": {}}],
        [{"code": "next", "values": {"what": [{"code": "of_tomorrow", "values": {}}]}}],
        [{"code": "machine_silent", "values": {"name": "i-1", "minutes": 5}}],
        "no list",
    ],
    ids=["unknown", "one of two", "within another", "other values", "other shape"],
)
def test_what_a_later_version_says_by_code_is_read_by_its_text(later: object) -> None:
    fact = refused(why=later)
    assert (fact.why, fact.problem) == ((), "full.")
    entry = TimelineEntry.model_validate(
        {"at": AT, "what": "screen: something new", "detail": "a\nb", "happened": later}
    )
    assert (entry.what, entry.detail) == ("screen: something new", "a\nb")
    done = {"phase": "quality_control", "status": "completed", "started_at": AT, "finished_at": AT}
    record = PhaseRecord.model_validate({**done, "reason": "r", "backend": "b", "why": later})
    assert (record.reason, record.backend) == ("r", "b")


def test_a_reason_without_its_values_is_no_reason() -> None:
    with pytest.raises(ValidationError, match="machine_silent lacks a value"):
        because(RunCode.MACHINE_SILENT, name="i-1")
    with pytest.raises(ValidationError):
        because(RunCode.ASKED_AGAIN_SECONDS, n=10**40)


def test_texts_beside_the_codes_are_their_english() -> None:
    decision = decide("WorkerLost", errors_so_far=1, waits=0, interruptions=0)
    lost = because(RunCode.MACHINE_SILENT, name="i-1", n=600)
    fact = StageFailed.model_validate(
        {**OF_STAGE, "error": "WorkerLost", "problem": lost.text(), "will_retry": True,
         "then": decision.reason, "why": (lost,), "next": (decision.why,)}
    )  # fmt: skip
    happened, details = line_of(fact)
    assert happened == "screen: failed, will be tried again"
    assert details == f"WorkerLost: {fact.problem}\n{fact.then}"
    assert "（エラー 1 回目、最大 2 回）" in line_of(fact, "ja")[1]


def test_phases_bills_and_ends_of_machines_of_earlier_versions_keep_their_texts() -> None:
    done = {"phase": "quality_control", "status": "skipped", "started_at": AT, "finished_at": AT}
    record = PhaseRecord.model_validate({**done, "reason": "why not", "backend": "mappy"})
    completed = PhaseCompleted.model_validate({**OF_STAGE, "record": record})
    assert line_of(completed) == ("quality control skipped", "why not")
    assert line_of(completed, "ja") == ("品質管理（QC） 省略", "why not")
    bill = make_bill([], prices=verbatim("p"), as_of=AT, remarks=verbatim("r"))
    old = bill.model_dump(mode="json", exclude={"prices", "remarks"})
    assert Bill.model_validate(old) == bill
    ended = InstanceTerminated.model_validate(
        {**OF_STAGE, "instance_id": "i-1", "instance_type": "m", "purchase": "spot",
         "seconds": 90.4, "cost_usd": 0.01, "reason": "held in vain"}
    )  # fmt: skip
    assert line_of(ended) == ("screen: machine ended", "i-1 (held in vain), 90 s, 0.0100 USD")


def test_who_cancelled_a_run_is_named_in_each_language() -> None:
    order = Cancel(run_id="run-1", by="M. Sato", reason="wrong flow cell")
    assert order.sentence == "it was cancelled by M. Sato: wrong flow cell."
    assert Cancel(run_id="run-1").sentence == "it was cancelled: no reason was given."
    of_run = {"fact_id": "f", "run_id": "run-1", "at": AT, "problem": order.sentence}
    fact = RunCancelled.model_validate(
        {**of_run, "was": "running", "by": order.by, "reason": order.reason, "why": (order.why,)}
    )
    assert line_of(fact, "ja") == (
        "結果なしで終了", "ランは M. Sato により取り消された：（原文）wrong flow cell。"
    )  # fmt: skip
    assert line_of(RunRefused.model_validate(of_run))[1] == order.sentence


def test_a_reason_is_equal_after_a_round_through_json() -> None:
    nested = because(RunCode.NEXT, what=original("wait"))
    assert Reason.model_validate_json(nested.model_dump_json()) == nested
