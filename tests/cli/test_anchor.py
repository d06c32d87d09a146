"""The head of a published report's trail is signed outside the report, and `audit` compares it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from typer.testing import CliRunner

from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.items import Item, run_key
from porewatch.adapters.ledger.retention import Endings
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import ChainForged, Conflict
from porewatch.domain.results.audit_anchors import (
    Anchor,
    AnchorDay,
    AnchorFound,
    breaks,
    next_record,
)
from porewatch.domain.results.report import Report
from porewatch.domain.retention.orders import DeleteRun
from porewatch.domain.rules import run_endings
from porewatch.domain.sealing import input_file, seal
from porewatch.usecases.results.record_anchors import record_anchors
from porewatch_cli.main import app
from porewatch_cli.reports.audit import anchored
from porewatch_cli.stack import Stack
from porewatch_worker.report.pages.run_record.audit_trail import (
    trail_faults,
    with_trail,
)
from tests.functional.test_finishing import a_report
from tests.mocked import make_buckets, make_ledger, make_mac_key, mocked_aws

WHEN = datetime(2026, 3, 2, tzinfo=UTC)
LATER = datetime(2026, 3, 4, 2, tzinfo=UTC)
REPORT: Report = with_trail(a_report())
FORGED: Report = with_trail(a_report(decision="all is well"))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack that has published `REPORT` of run-1."""
    with mocked_aws():
        make_buckets()
        make_ledger()
        outputs = {
            "LedgerTable": "ledger",
            "ReportsBucketName": "reports",
            "AuditKeyArn": make_mac_key(),
        }
        made = Stack("porewatch-test", boto3.Session(), outputs)
        manifest = seal([input_file("bam/a.bam", 5)], run_id="run-1", created_at=now())
        made.runs.seal(manifest, sealed_by="run.json", at=now())
        made.runs.start(manifest, execution_arn="a", bundle="demo@1", at=now())
        published(made, REPORT)
        keys = {"report.json": s3_keys.report_key("run-1", 0, "report.json")}
        made.runs.apply(
            "run-1", run_endings.complete, 0, report_keys=keys, findings=0, cost_usd=0, at=now()
        )
        anchors_of(made).keep("run-1", 0, head(REPORT), WHEN)
        monkeypatch.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: made)
        yield made


def head(report: Report) -> str:
    assert report.audit is not None
    return report.audit.head


def anchors_of(stack: Stack) -> Anchors:
    assert stack.anchors is not None
    return stack.anchors


def published(stack: Stack, report: Report) -> None:
    stack.bucket("Reports").put_json(s3_keys.report_key("run-1", 0, "report.json"), report)


def audited(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", "run-1", *options])
    return done.exit_code, " ".join(done.output.split())


def in_json() -> dict[str, Any]:
    code, output = audited("--json")
    read: dict[str, Any] = json.loads(output)
    assert code == (0 if read["holds"] else 1)
    return read


def newest_forged(stack: Stack) -> AnchorDay:
    """The day that names the head is the newest: it is written again without it, and the anchor
    is deleted."""
    *_, second = recorded(stack, LATER - timedelta(days=1))
    assert second.heads
    forged = second.model_copy(update={"heads": (), "mac": "00"})
    replaced(stack, forged)
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")
    return forged


def recorded(stack: Stack, at: datetime = LATER) -> list[AnchorDay]:
    """The daily records as the clock makes them."""
    record_anchors(anchors_of(stack), lambda: at)
    return list(anchors_of(stack).days())


def replaced(stack: Stack, record: AnchorDay) -> None:
    stack.table.put(Item.of("AUDIT", f"DAY#{record.day.isoformat()}", record))


def test_each_day_has_one_record_over_its_heads_and_the_record_before(stack: Stack) -> None:
    document = in_json()["anchor"]
    assert (document["code"], document["chain"]["code"]) == ("signed", "no_chain")
    recorded(stack, WHEN + timedelta(hours=1))  # the day before it: the chain begins
    first, second, third = recorded(stack)
    assert (first.heads, second.heads, third.heads) == ((), (f"run-1 r0 {head(REPORT)}",), ())
    assert recorded(stack) == [first, second, third], "once a day"
    document = in_json()
    assert document["holds"]
    assert document["anchor"]["at"] == WHEN.isoformat()
    assert document["anchor"]["chain"] == {
        "code": "recorded",
        "day": "2026-03-02",
        "newest": "2026-03-03",
        "newest_digest": third.digest(),
        "says": f"the signed record of 2026-03-02 names this head; the chain is valid up to "
        f"2026-03-03, digest {third.digest()}",
    }
    assert "the signed record of 2026-03-02 names this head" in audited()[1]


def test_the_first_record_of_a_stack_names_what_was_published_before(stack: Stack) -> None:
    (first,) = recorded(stack)
    assert (first.day.isoformat(), first.heads) == ("2026-03-03", (f"run-1 r0 {head(REPORT)}",))
    assert in_json()["anchor"]["chain"]["code"] == "recorded"


def test_a_day_that_another_call_recorded_meanwhile_stays(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two calls at once see the same last record; one of them keeps its own."""
    (first,) = recorded(stack)
    monkeypatch.setattr(Anchors, "last_day", lambda _: None)
    with caplog.at_level(logging.INFO):
        assert record_anchors(anchors_of(stack), lambda: LATER) == 0
    assert "the record of 2026-03-03 was made by another call" in caplog.text
    assert anchors_of(stack).days() == (first,)


def test_days_that_were_missed_are_recorded_in_order(stack: Stack) -> None:
    recorded(stack, WHEN + timedelta(hours=1))
    days = recorded(stack, WHEN + timedelta(days=100))
    assert len(days) == 1 + 60, "so many in one call"
    days = recorded(stack, WHEN + timedelta(days=100))
    assert [d.day for d in days] == [days[0].day + timedelta(days=n) for n in range(len(days))]
    assert list(breaks(days)) == []


def test_an_anchor_before_the_chain_and_one_of_today_are_no_faults(stack: Stack) -> None:
    stack.table.put(Item.of(run_key("run-1"), "ANCHOR#0000", anchor_of(stack)))  # has no place
    recorded(stack, LATER)
    document = in_json()
    assert (document["holds"], document["anchor"]["chain"]["code"]) == (True, "before_the_chain")
    recorded(stack, WHEN + timedelta(days=3))
    later = anchor_of(stack).model_copy(update={"at": WHEN + timedelta(days=9)})
    place = ("ANCHORS", later.place)
    stack.table.put(Item.of(run_key("run-1"), "ANCHOR#0000", later, kind=place))
    assert in_json()["anchor"]["chain"]["code"] == "not_yet"


def anchor_of(stack: Stack) -> Anchor:
    anchor = anchors_of(stack).of("run-1", 0)
    assert anchor is not None
    return anchor


def tampered_heads(stack: Stack) -> None:
    _, second, _ = recorded(stack)
    replaced(stack, second.model_copy(update={"heads": ()}))


def removed_day(stack: Stack) -> None:
    _, second, _ = recorded(stack)
    stack.table.delete("AUDIT", f"DAY#{second.day.isoformat()}")


def rewritten_chain(stack: Stack) -> None:
    """All links fit again; nobody could sign them."""
    first, second, third = recorded(stack)
    second = second.model_copy(update={"heads": ()})
    replaced(stack, second)
    replaced(stack, third.model_copy(update={"previous": second.digest()}))
    assert first.digest() == second.previous


def newest_replaced(stack: Stack) -> None:
    *_, third = recorded(stack)
    replaced(stack, third.model_copy(update={"until": "9999"}))


def signed_over_a_forgery(stack: Stack) -> None:
    """As a recorder that does not look would do it: the next record holds the forged one."""
    forged = newest_forged(stack)
    anchors_of(stack).keep_day(next_record(forged, forged.day + timedelta(days=1), ()))
    assert list(breaks(anchors_of(stack).days())) == [], "every link fits"


def removed_anchor(stack: Stack) -> None:
    recorded(stack)
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")


def moved_anchor(stack: Stack) -> None:
    """Signed for a report that no record names."""
    recorded(stack)
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")
    anchors_of(stack).keep("run-1", 0, head(REPORT).replace("a", "b"), WHEN)


@pytest.mark.parametrize(
    ("act", "anchor", "chain"),
    [
        (tampered_heads, "signed", "chain_broken"),
        (removed_day, "signed", "chain_broken"),
        (rewritten_chain, "signed", "chain_not_by_the_audit_key"),
        (newest_replaced, "signed", "chain_not_by_the_audit_key"),
        (newest_forged, "no_anchor", "chain_not_by_the_audit_key"),
        (signed_over_a_forgery, "no_anchor", "chain_not_by_the_audit_key"),
        (removed_anchor, "anchor_removed", "recorded"),
        (moved_anchor, "other_head", "not_in_its_day"),
    ],
)
def test_what_was_changed_behind_the_chain_is_a_fault_with_its_code(
    stack: Stack, act: Any, anchor: str, chain: str
) -> None:
    recorded(stack, WHEN + timedelta(hours=1))
    act(stack)
    document = in_json()
    assert not document["holds"]
    assert (document["anchor"]["code"], document["anchor"]["chain"]["code"]) == (anchor, chain)
    output = audited()[1]
    assert output.count("changed") >= 1


@pytest.mark.parametrize("mac", ["00", "0" * 64, "", "\N{SNOWMAN}"])
@pytest.mark.parametrize("at", [LATER - timedelta(days=1), LATER], ids=["nothing due", "a day due"])
def test_nothing_is_signed_over_a_record_that_the_key_did_not_make(
    stack: Stack, caplog: pytest.LogCaptureFixture, mac: str, at: datetime
) -> None:
    """Forged, then the clock comes: every hour, until somebody has looked."""
    recorded(stack, WHEN + timedelta(hours=1))
    replaced(stack, newest_forged(stack).model_copy(update={"mac": mac}))
    before = anchors_of(stack).days()
    for _ in range(2):
        with pytest.raises(ChainForged, match="2026-03-02") as caught:
            record_anchors(anchors_of(stack), lambda: at)
        assert caught.value.remedy == "docs/runbooks/dead-letters.md"
        assert not isinstance(caught.value, Conflict), "on_event passes over those"
    assert anchors_of(stack).days() == before
    assert [r.levelname for r in caplog.records if "2026-03-02" in r.message] == ["ERROR"] * 2
    document = in_json()
    assert (document["holds"], document["anchor"]["chain"]["code"]) == (
        False,
        "chain_not_by_the_audit_key",
    )


def test_records_before_the_day_of_the_report_are_not_verified_by_kms(stack: Stack) -> None:
    """They prove nothing of it, and a chain of years would take minutes."""
    recorded(stack, WHEN - timedelta(days=20))
    recorded(stack)
    verified: list[AnchorDay] = []
    with patch.object(Anchors, "proves_day", lambda _, one: bool(verified.append(one)) or True):
        assert in_json()["holds"]
    assert [one.day.isoformat() for one in verified] == ["2026-03-02", "2026-03-03"]


def deleted(stack: Stack) -> None:
    order = DeleteRun(run_id="run-1", by="ada", reason="consent withdrawn")
    endings = Endings(stack.table)
    endings.begin_deletion(order, LATER)
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")
    endings.finish_deletion("run-1", LATER)


@pytest.mark.parametrize("report", [REPORT, FORGED], ids=["published", "forged"])
@pytest.mark.parametrize("days", [True, False], ids=["recorded", "no chain"])
def test_a_kept_report_of_a_run_that_was_deleted_is_not_blamed_for_its_anchor(
    stack: Stack, report: Report, days: bool
) -> None:
    """But its day's record still knows the head that was published."""
    if days:
        recorded(stack, WHEN + timedelta(hours=1))
        recorded(stack)
    deleted(stack)
    found = anchored(report, stack)
    if days and report is FORGED:
        assert (found.found, found.denies) == (AnchorFound.OTHER, True)
        assert f"its head was {head(REPORT)} (2026-03-02)" in found.sentence
        return
    assert (found.found.value, found.denies) == ("run_deleted", False)
    assert found.chain.value == ("recorded" if days else "no_chain")
    assert "run run-1 was deleted (2026-03-04 02:00Z by ada: consent withdrawn)" in found.sentence


def test_an_anchor_of_a_version_without_the_chain_is_before_it_whenever_it_was_made(
    stack: Stack,
) -> None:
    """It has no place in the index from which records are made, so that no record can name it."""
    stack.table.put(Item.of(run_key("run-1"), "ANCHOR#0000", anchor_of(stack)))
    recorded(stack, WHEN + timedelta(hours=1))
    recorded(stack)
    document = in_json()
    assert (document["holds"], document["anchor"]["chain"]["code"]) == (True, "before_the_chain")


def test_a_report_that_was_published_is_known_by_its_signed_head(stack: Stack) -> None:
    code, output = audited()
    assert code == 0, output
    assert "the stack signed this head when it was published (2026-03-02)" in output


def test_a_report_rewritten_with_its_whole_trail_is_found(stack: Stack) -> None:
    assert list(trail_faults(FORGED)) == [], "sound in itself"
    published(stack, FORGED)
    code, output = audited()
    assert code == 1
    assert f"the stack published another report: its head was {head(REPORT)}" in output
    document = in_json()
    assert (document["holds"], document["anchor"]["code"]) == (False, "other_head")
    assert document["anchor"]["head"] == head(REPORT)


@pytest.mark.parametrize(
    "change", [{}, {"mac": "00" * 32}, {"mac": "no hex"}], ids=["old proof", "zeros", "no hex"]
)
def test_an_anchor_that_was_written_by_hand_proves_nothing(
    stack: Stack, change: dict[str, Any]
) -> None:
    """Whoever can write report and ledger cannot sign."""
    published(stack, FORGED)
    anchor = anchors_of(stack).of("run-1", 0)
    assert anchor is not None
    fields = {**change, "head": head(FORGED)}
    forged = anchor.model_copy(update=fields)
    stack.table.put(Item.of(run_key("run-1"), "ANCHOR#0000", forged))
    code, output = audited()
    assert code == 1
    assert "was not made by the stack's audit key" in output


def test_an_anchor_of_another_run_or_stack_proves_nothing(stack: Stack) -> None:
    kept = anchors_of(stack)
    anchor = kept.of("run-1", 0)
    assert anchor is not None
    assert kept.proves(anchor)
    assert not kept.proves(anchor.model_copy(update={"run_id": "run-2"}))
    assert not kept.proves(anchor.model_copy(update={"revision": 1}))
    assert not Anchors(stack.table, "other", stack.outputs["AuditKeyArn"]).proves(anchor)


def test_the_first_anchor_of_a_revision_stays(stack: Stack) -> None:
    anchors_of(stack).keep("run-1", 0, head(FORGED), WHEN)
    anchor = anchors_of(stack).of("run-1", 0)
    assert anchor is not None
    assert anchor.head == head(REPORT)


def test_a_report_without_an_anchor_is_audited_and_that_is_shown(stack: Stack) -> None:
    stack.table.delete(run_key("run-1"), "ANCHOR#0000")
    code, output = audited()
    assert code == 0
    assert "keeps no anchor" in output
    recorded(stack)
    stated = in_json()["anchor"]
    assert (stated["code"], stated["chain"]["code"], stated["at"]) == (
        "no_anchor",
        "not_named",
        None,
    )
