"""In whatever order money is held, settled and given back, nothing of it is ever lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from porewatch.domain.money.budget import (
    Books,
    Moves,
    Reservation,
    micro,
)

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
amounts = some.integers(0, 50_000_000)
moves = some.tuples(some.sampled_from(("hold", "settle", "release")), amounts)


def fresh() -> Reservation:
    return Reservation(run_id="r", revision=0, stage="s", epoch=1, month="2026-11", at=AT)


def moved(before: Reservation, what: str, amount: int) -> tuple[Reservation, Moves]:
    match what:
        case "hold":
            return before.hold(amount, AT) or (before, Moves())
        case "settle":
            return before.settle(amount, AT)
        case _:
            return before.release(AT) or (before, Moves())


@given(some.lists(moves, max_size=30))
def test_reserved_is_settled_and_released_and_held_after_any_history(
    history: list[tuple[str, int]],
) -> None:
    now, cap = fresh(), Moves()
    for what, amount in history:
        now, change = moved(now, what, amount)
        cap = Moves(*(a + b for a, b in zip(cap, change, strict=True)))
        assert now.reserved == now.settled + now.released + now.held
        assert cap.reserved == cap.settled + cap.released + now.held
        assert cap.committed == now.held + now.spent
        assert cap.spent == now.spent == sum_of_settled(history, upto=now)
        assert now.held >= 0 and cap.committed >= 0


def sum_of_settled(history: list[tuple[str, int]], upto: Reservation) -> int:
    """What was paid, added up apart from the code under test, as far as the history has come."""
    total, paid = 0, upto.spent
    for what, amount in history:
        if total == paid:
            break
        total += amount if what == "settle" else 0
    return total


def test_holding_twice_is_holding_once() -> None:
    held = fresh().hold(5, AT)
    assert held is not None
    assert held[0].hold(9, AT) is None


def test_books_that_do_not_balance_say_so() -> None:
    good = Books(reserved_usd=3.0, settled_usd=1.0, released_usd=1.5, held_usd=0.5, spent_usd=0.2)
    assert good.balanced
    assert not good.model_copy(update={"held_usd": 0.500001}).balanced


def test_a_dollar_is_a_million_micro_dollars() -> None:
    assert micro(0.1 + 0.2) == 300_000


def books(cap: float | None, spent: float) -> Books:
    own = {"reserved_usd": spent, "settled_usd": spent, "released_usd": 0.0, "held_usd": 0.0}
    return Books(cap_usd=cap, spent_usd=spent, **own)


@pytest.mark.parametrize(
    ("cap", "spent", "running", "passed"),
    [
        (None, 1e6, 1e6, False),
        (1.0, 0.4, 0.6, False),
        (1.0, 0.4, 0.600001, True),
        (1.0, 1.000001, 0.0, True),
        (1.0, 0.0, 1.5, True),
        (0.0, 0.0, 0.0, False),
    ],
)
def test_a_cap_is_passed_by_what_was_paid_and_what_runs_together(
    cap: float | None, spent: float, running: float, passed: bool
) -> None:
    assert books(cap, spent).passed(running) is passed


def test_a_reservation_keeps_its_latest_time() -> None:
    later = AT + timedelta(hours=1)
    after, _ = fresh().settle(5, later)
    assert after.at == later
    assert after.settle(5, AT)[0].at == later
