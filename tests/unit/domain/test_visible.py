"""What strangers write is shown on one line, in terminals, mails and reports."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.alerts import Alert
from porewatch.domain.facts.run_facts import FileQuarantined, ObjectAnswered, RunFailed, RunRefused
from porewatch.domain.inputs.landing.answers import Treatment
from porewatch.domain.labels import unseen
from porewatch.domain.notices.notice import notice_about
from porewatch.domain.notices.run_notices import (
    notice_of,
    stray,
    unreadable,
)
from porewatch.domain.visible import visible, visible_model

AT = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "a\r\nBcc: all\x1b[2J\u202e\x9b\u2028\u200b\x00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pig-7 (plasma)", "pig-7 (plasma)"),
        ("ブタ７ é ไทย 🐖", "ブタ７ é ไทย 🐖"),
        ("نمونه\u200cها", "نمونه\u200cها"),
        ("a\nb\tc", "a[U+000A]b[U+0009]c"),
        ("\x1b[2J", "[U+001B][2J"),
        ("a\u202eb", "a[U+202E]b"),
        ("\u2028\u200b\ufeff", "[U+2028][U+200B][U+FEFF]"),
        ("\udcff", "[U+DCFF]"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_shown_by_code_point(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_models_are_shown_at_any_depth_and_their_types_stay() -> None:
    alert = Alert(
        run_id="r", revision=0, sample="a\x1b", code="HEV", name="HEV", severity="high",
        level=Level.FINAL, reads=1, raised_at=AT,
    )  # fmt: skip
    shown = visible_model(alert)
    assert (shown.sample, shown.level, shown.raised_at) == ("a[U+001B]", Level.FINAL, AT)
    assert alert.sample == "a\x1b"


OWN = {"fact_id": "f", "run_id": "run-1", "revision": 0, "at": AT}
FACTS = (
    FileQuarantined(**OWN, path=HOSTILE, problem=HOSTILE, quarantine_key=HOSTILE),
    ObjectAnswered(
        **OWN, path=HOSTILE, kind="k", verdict=Treatment.NOT_UNDERSTOOD, problem=HOSTILE,
        remedy=HOSTILE, act=True,
    ),
    RunRefused(**OWN, problem=HOSTILE),
    RunFailed(**OWN, stage=HOSTILE, error=HOSTILE, problem=HOSTILE),
    PathogenSuspected(
        **OWN, sample=HOSTILE, code=HOSTILE, name=HOSTILE, severity="critical", reads=9,
        rule=HOSTILE,
    ),
)  # fmt: skip


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_notice_holds_no_line_of_strangers(fact: FileQuarantined) -> None:
    rendered = notice_of(fact, link=lambda key: key)
    assert rendered is not None
    notice = rendered[1]
    assert notice.subject.isprintable() and notice.subject.isascii() and len(notice.subject) <= 100
    assert {c for c in notice.body if unseen(c)} <= {"\n"}
    assert not any(line.startswith("Bcc") for line in notice.body.splitlines())
    assert "a[U+000D][U+000A]Bcc: all[U+001B]" in notice.body


@pytest.mark.parametrize("notice", [unreadable(HOSTILE, HOSTILE), stray(HOSTILE, HOSTILE, HOSTILE)])
def test_objects_outside_of_runs_are_named_on_one_line(notice: object) -> None:
    body = notice.body  # type: ignore[attr-defined]
    assert {c for c in body if unseen(c)} <= {"\n"}
    assert not any(line.startswith("Bcc") for line in body.splitlines())


def test_a_subject_is_one_line_of_100_ascii_characters() -> None:
    long = notice_about(FACTS[2], "豚\n" * 200, "")
    assert len(long.subject) == 100 and long.subject.startswith("?[U+000A]?[U+000A]")
