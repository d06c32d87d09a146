"""One signed record a day over the heads that were published, each holding the one before it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from porewatch.domain.results.audit import GENESIS
from porewatch.domain.results.audit_anchors import (
    MOST_HEADS,
    Anchor,
    AnchorDay,
    AnchorFound,
    DayFound,
    breaks,
    day_due,
    end_of,
    found_by_day,
    heads_of,
    next_record,
    recorded_on,
    signed_day,
    signed_text,
)

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = timedelta(days=1)


def anchor(run_id: str = "run-1", at: datetime = NOON, revision: int = 0) -> Anchor:
    return Anchor(run_id=run_id, revision=revision, head="a" * 64, at=at, mac="m")


def chain(*anchors: Anchor, days: int = 3) -> list[AnchorDay]:
    """Records of `DAY` and the days after it."""
    made: list[AnchorDay] = []
    for number in range(days):
        last = made[-1] if made else None
        there = [a for a in anchors if a.place > (last.until if last else "")]
        record = next_record(last, DAY + number * ONE, there)
        made.append(record.model_copy(update={"mac": f"{number:02d}"}))
    return made


@pytest.mark.parametrize(
    ("last", "at", "due"),
    [
        (None, NOON, DAY - ONE),
        (None, datetime(2026, 3, 2, 0, 59, tzinfo=UTC), DAY - 2 * ONE),
        (None, datetime(2026, 3, 2, 1, tzinfo=UTC), DAY - ONE),
        (DAY - ONE, NOON, None),
        (DAY - ONE, NOON + ONE, DAY),
        (DAY - 9 * ONE, NOON, DAY - 8 * ONE),
    ],
)
def test_a_day_is_due_an_hour_after_its_end_and_after_the_one_before_it(
    last: date | None, at: datetime, due: date | None
) -> None:
    record = last and AnchorDay(day=last, previous=GENESIS, heads=(), until="", mac="m")
    assert day_due(record or None, at) == due


def test_days_are_those_of_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert day_due(None, datetime(2026, 3, 2, 20, tzinfo=UTC)) == DAY - ONE
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_record_names_the_heads_up_to_its_end_and_the_next_one_those_after_it() -> None:
    late, early = anchor("late", NOON + ONE), anchor("early", NOON - 9 * ONE)
    edge = anchor("edge", datetime(2026, 3, 3, tzinfo=UTC))
    first, second, third = chain(early, anchor(), edge, late)
    assert first.heads == (early.line, anchor().line)
    assert second.heads == (edge.line, late.line)
    assert (third.heads, third.until) == ((), end_of(DAY + 2 * ONE))
    assert first.until == "2026-03-03T00:00:00+00:00"
    assert next_record(None, DAY, ()).mac == "", "nobody has signed it yet"
    assert first.previous == GENESIS
    assert (second.previous, third.previous) == (first.digest(), second.digest())
    assert anchor().line == f"run-1 r0 {'a' * 64}"


def test_more_heads_than_one_item_holds_go_into_the_next_record() -> None:
    many = [anchor("r", NOON + timedelta(microseconds=n), n) for n in range(MOST_HEADS + 1)]
    first, second, _ = chain(*many)
    assert (len(first.heads), first.until) == (MOST_HEADS, many[-2].place)
    assert second.heads == (many[-1].line,)
    assert len(first.canonical_json()) < 400_000 * 0.8


def test_a_chain_that_nobody_touched_holds() -> None:
    assert list(breaks(chain(anchor()))) == []
    assert list(breaks([])) == []


@pytest.mark.parametrize("touched", range(3))
@pytest.mark.parametrize("change", [{"heads": ("run-1 r0 b",)}, {"mac": "x"}, {"until": ""}])
def test_a_record_that_is_changed_breaks_the_chain_after_it(
    touched: int, change: dict[str, object]
) -> None:
    """The newest one has nobody after it: its proof shows it."""
    records = chain(anchor())
    records[touched] = records[touched].model_copy(update=change)
    assert list(breaks(records)) == [DAY + (touched + 1) * ONE][: 2 - touched]


def test_a_record_that_is_removed_breaks_the_chain() -> None:
    first, second, third = chain(anchor())
    assert list(breaks([first, third])) == [third.day]
    assert list(breaks([second, third])) == [second.day]
    assert list(breaks([first, second, third.model_copy(update={"day": DAY + 5 * ONE})]))


def test_a_day_that_was_left_out_shows_though_its_digest_fits() -> None:
    first = chain(anchor(), days=1)[0]
    late = next_record(first, DAY + 2 * ONE, ())
    assert list(breaks([first, late])) == [DAY + 2 * ONE]


@pytest.mark.parametrize(
    ("of", "found"),
    [
        (anchor(), DayFound.RECORDED),
        (anchor("another"), DayFound.MISSING),
        (anchor("new", NOON + 5 * ONE), DayFound.NOT_YET),
        (anchor("old", NOON - ONE), DayFound.BEFORE),
    ],
)
def test_where_an_anchor_stands(of: Anchor, found: DayFound) -> None:
    assert found_by_day(of, chain(anchor()), listed=True) is found


def test_an_anchor_that_the_index_does_not_list_is_before_the_chain_unless_a_record_names_it() -> (
    None
):
    assert found_by_day(anchor("another"), chain(anchor()), listed=False) is DayFound.BEFORE
    assert found_by_day(anchor(), chain(anchor()), listed=False) is DayFound.RECORDED


def test_what_lies_just_on_an_edge_of_the_chain_belongs_to_it() -> None:
    """The last place that a record read to, and the first moment of its first day."""
    midnight = anchor(at=datetime(2026, 3, 2, tzinfo=UTC))
    records = chain()
    records[-1] = records[-1].model_copy(update={"until": anchor().place})
    assert found_by_day(anchor(), records, listed=True) is DayFound.MISSING
    assert found_by_day(midnight, chain(), listed=True) is DayFound.MISSING


def test_without_a_record_there_is_no_chain() -> None:
    assert found_by_day(anchor(), [], listed=True) is DayFound.NONE


def test_heads_are_found_by_the_whole_name_of_their_revision() -> None:
    records = chain(anchor(), anchor("run-10"), anchor(revision=10))
    assert heads_of("run-1", 0, records) == ("a" * 64,)
    assert heads_of("run-1", 1, records) == ()
    assert recorded_on(anchor(), records) is records[0]
    assert recorded_on(anchor().model_copy(update={"head": "b"}), records) is None


def test_what_is_signed_says_which_stack_and_which_kind() -> None:
    record = chain(anchor())[0]
    assert len({signed_day("s", record), signed_day("t", record)}) == 2
    assert signed_day("s", record) == signed_day("s", record.model_copy(update={"mac": "x"}))
    assert signed_day("s", record).startswith(b'["porewatch-audit-day-1"')
    assert signed_text("s", anchor()).startswith(b'["porewatch-audit-head-1"')


def test_what_denies_a_report() -> None:
    assert {f for f in AnchorFound if f.denies} == {
        AnchorFound.FORGED,
        AnchorFound.OTHER,
        AnchorFound.REMOVED,
    }
    assert {f for f in DayFound if f.denies} == {
        DayFound.MISSING,
        DayFound.BROKEN,
        DayFound.FORGED,
        DayFound.UNLIKE_LOCKED,
    }
