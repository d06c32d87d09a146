"""Money is held before a launch, by many at once, and never more of it than a cap allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from porewatch.adapters.items import Item, PutNew
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.retries import CHANGE_ATTEMPTS, LONGEST_PAUSE_SECONDS, PATIENT
from porewatch.adapters.table import Table
from porewatch.domain.errors import AlreadyDone, BudgetExceeded, Conflict
from porewatch.domain.facts.stage_facts import InstanceTerminated
from porewatch.domain.money.budget import Books, Reservation
from porewatch.domain.stage.instances import Owner
from tests.mocked import facts_in

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MONTH = "2026-11"


def owner(epoch: int = 1, *, run: str = "run-1", stage: str = "screen") -> Owner:
    return Owner(stack="porewatch-test", run_id=run, revision=1, stage=stage, epoch=epoch)


@pytest.fixture
def budget(ledger: Table) -> Budget:
    return Budget(ledger, run_usd=1.0, account_usd=1.5)


def granted(reservations: Sequence[Callable[[], Reservation]]) -> tuple[int, int]:
    """How many of these got their money, and how many were refused, all at once."""

    def reserved(one: Callable[[], Reservation]) -> bool:
        try:
            one()
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(reserved, reservations))
    return answers.count(True), answers.count(False)


def test_money_is_held_until_the_machine_is_paid(budget: Budget) -> None:
    budget.reserve(owner(), 0.40, AT)
    before = budget.books("run-1", 1)
    budget.settle(owner(), 0.25, AT)
    after = budget.books("run-1", 1)
    assert (before.held_usd, before.spent_usd, before.reserved_usd) == (0.40, 0.0, 0.40)
    assert (after.held_usd, after.spent_usd, after.settled_usd) == (0.0, 0.25, 0.40)
    assert before.balanced and after.balanced


def test_reserving_twice_for_one_epoch_holds_once(budget: Budget) -> None:
    first = budget.reserve(owner(), 0.40, AT)
    again = budget.reserve(owner(), 0.90, AT + timedelta(minutes=1))
    assert again == first
    assert budget.books("run-1", 1).held_usd == 0.40


def test_what_was_given_back_can_be_reserved_again(budget: Budget) -> None:
    budget.reserve(owner(), 0.90, AT)
    budget.release(owner(), AT)
    budget.release(owner(), AT)
    budget.reserve(owner(2), 0.90, AT)
    budget.release(owner(2), AT)
    budget.reserve(owner(), 0.80, AT)
    books = budget.books("run-1", 1)
    assert (books.reserved_usd, books.released_usd, books.held_usd) == (2.60, 1.80, 0.80)
    assert books.balanced


def test_the_refusal_names_cap_spent_held_estimate_and_remedy(budget: Budget) -> None:
    budget.reserve(owner(), 0.30, AT)
    budget.settle(owner(), 0.20, AT)
    budget.reserve(owner(2), 0.50, AT)
    with pytest.raises(BudgetExceeded) as refused:
        budget.reserve(owner(3), 0.31, AT)
    text = str(refused.value)
    for part in (
        "run run-1 is 1.00 USD",
        "0.20 are spent",
        "0.50 held",
        "0.31 USD",
        "RunBudgetUsd",
    ):
        assert part in text
    assert str(refused.value.remedy).startswith("raise RunBudgetUsd; `porewatch cost run-1`")
    assert budget.books("run-1", 1).held_usd == 0.50  # the refused one left nothing behind
    assert [r.epoch for r in budget.of_run("run-1", 1)] == [1, 2]


def test_the_account_has_a_cap_of_its_own_by_month(budget: Budget) -> None:
    budget.reserve(owner(run="run-1"), 0.90, AT)
    with pytest.raises(BudgetExceeded, match=r"account in 2026-11 is 1\.50 USD"):
        budget.reserve(owner(run="run-2"), 0.90, AT)
    budget.reserve(owner(run="run-2"), 0.90, AT + timedelta(days=30))
    assert budget.account_books("2026-12").held_usd == 0.90


def test_a_cap_of_nothing_refuses_nothing_and_still_counts(ledger: Table) -> None:
    free = Budget(ledger)
    free.reserve(owner(), 5000, AT)
    assert free.books("run-1", 1).held_usd == 5000
    assert free.account_books(MONTH).held_usd == 5000


def test_an_estimate_above_the_cap_is_refused_though_nothing_was_spent(budget: Budget) -> None:
    with pytest.raises(BudgetExceeded, match=r"0\.00 are spent"):
        budget.reserve(owner(), 1.01, AT)
    budget.reserve(owner(), 1.0, AT)  # exactly the cap is not above it


def test_what_is_paid_beside_a_line_is_paid_once(budget: Budget, ledger: Table) -> None:
    budget.reserve(owner(), 0.40, AT)
    line = [PutNew(Item("RUN#run-1", "COST#1"))]
    budget.settle(owner(), 0.25, AT, beside=line)
    with pytest.raises(AlreadyDone):
        budget.settle(owner(), 0.25, AT, beside=line)
    assert budget.books("run-1", 1).spent_usd == 0.25


def test_a_machine_nobody_reserved_for_is_paid_even_above_the_cap(budget: Budget) -> None:
    budget.settle(owner(), 1.20, AT)
    books = budget.books("run-1", 1)
    assert (books.spent_usd, books.held_usd, books.reserved_usd) == (1.20, 0.0, 0.0)
    with pytest.raises(BudgetExceeded):
        budget.reserve(owner(2), 0.01, AT)


def test_a_machine_paid_after_its_money_was_given_back_still_counts(budget: Budget) -> None:
    budget.reserve(owner(), 0.40, AT)
    budget.release(owner(), AT)
    budget.settle(owner(), 0.25, AT)
    books = budget.books("run-1", 1)
    assert (books.released_usd, books.settled_usd, books.spent_usd) == (0.40, 0.0, 0.25)
    assert books.balanced


def test_all_that_is_held_anywhere_can_be_listed(budget: Budget) -> None:
    budget.reserve(owner(run="run-1"), 0.1, AT)
    budget.reserve(owner(run="run-2"), 0.1, AT)
    budget.release(owner(run="run-1"), AT)
    assert [r.run_id for r in budget.held()] == ["run-2"]


def test_what_nobody_ever_reserved_from_has_empty_books(ledger: Table) -> None:
    nothing = {f"{what}_usd": 0.0 for what in ("reserved", "settled", "released", "held", "spent")}
    assert Budget(ledger).books("run-1", 1) == Books(**nothing)
    assert Budget(ledger, account_usd=1.5).account_books(MONTH) == Books(cap_usd=1.5, **nothing)


def test_the_books_lie_where_earlier_versions_kept_them(budget: Budget, ledger: Table) -> None:
    budget.reserve(owner(), 0.40, AT)
    for key in (("RUN#run-1", "BUDGET#0001"), ("ACCOUNT", "BUDGET#2026-11")):
        assert ledger.need(*key).attributes["committed"] == 400_000
    assert ledger.get("RUN#run-1", "RESERVED#0001#screen#0001") is not None


def test_who_is_refused_by_the_account_is_shown_its_setting(budget: Budget) -> None:
    budget.reserve(owner(), 0.90, AT)
    with pytest.raises(BudgetExceeded) as refused:
        budget.reserve(owner(run="run-2"), 0.90, AT)
    remedy = "raise AccountBudgetUsd, or wait for the next month; `porewatch cost run-2`"
    assert str(refused.value.remedy).startswith(remedy)


def test_a_reservation_keeps_the_prices_it_was_estimated_with(ledger: Table) -> None:
    Budget(ledger, price_snapshot="2026-11-01").reserve(owner(), 0.40, AT)
    Budget(ledger).reserve(owner(2), 0.40, AT)
    kept = Budget(ledger).of_run("run-1", 1)
    assert [one.price_snapshot for one in kept] == ["2026-11-01", ""]


def test_what_is_paid_is_written_with_its_fact(budget: Budget, ledger: Table) -> None:
    fact = InstanceTerminated(
        fact_id="f", run_id="run-1", revision=1, at=AT, stage="screen", epoch=1, instance_id="i-1",
        instance_type="r5.large", purchase="spot", seconds=60, cost_usd=0.25, reason="done",
    )  # fmt: skip
    budget.settle(owner(), 0.25, AT, facts=[fact])
    assert facts_in(ledger, "run-1") == ["InstanceTerminated"]


class Meanwhile:
    """What somebody else does just before each transaction, or when it has failed."""

    def __init__(self, ledger: Table, monkeypatch: pytest.MonkeyPatch) -> None:
        self.before: list[Callable[[], object]] = []
        self.after_a_refusal: list[Callable[[], object]] = []
        self._transact = ledger.transact
        monkeypatch.setattr(ledger, "transact", self)

    def __call__(self, *writes: Any) -> None:
        if self.before:
            self.before.pop()()
        try:
            self._transact(*writes)
        except Conflict:
            if self.after_a_refusal:
                self.after_a_refusal.pop()()
            raise


def test_room_that_was_made_since_the_refusal_is_used(
    budget: Budget, ledger: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget.reserve(owner(), 1.0, AT)
    meanwhile = Meanwhile(ledger, monkeypatch)
    meanwhile.after_a_refusal = [lambda: budget.release(owner(), AT)]
    assert budget.reserve(owner(2), 1.0, AT).held == 1_000_000, "it fits exactly"
    assert budget.books("run-1", 1).held_usd == 1.0


def test_a_reservation_that_many_write_at_once_is_tried_more_often_than_other_items(
    budget: Budget, ledger: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine of this epoch must be paid, however many machines of it are paid meanwhile."""
    monkeypatch.setattr("porewatch.adapters.table.time.sleep", lambda _: None)
    races = CHANGE_ATTEMPTS + 4
    meanwhile = Meanwhile(ledger, monkeypatch)

    def settled() -> None:
        left, meanwhile.before = meanwhile.before, []
        budget.settle(owner(), 0.01, AT)
        meanwhile.before = left

    meanwhile.before = [settled] * races
    budget.settle(owner(), 0.01, AT)
    assert budget.books("run-1", 1).spent_usd == pytest.approx(0.01 * (races + 1))


def test_those_who_lose_a_race_pause_for_different_and_longer_times() -> None:
    assert PATIENT.pause(0) == 0
    for attempt in range(1, 9):
        most = min(LONGEST_PAUSE_SECONDS, 0.02 * 2**attempt)
        pauses = [PATIENT.pause(attempt) for _ in range(300)]
        assert 0 <= min(pauses) < most / 10
        assert most * 0.9 < max(pauses) <= most


def test_a_hundred_launches_at_once_never_pass_the_cap_of_a_run(ledger: Table) -> None:
    budget = Budget(ledger, run_usd=1.0)
    reservations = [partial(budget.reserve, owner(n), 0.03, AT) for n in range(1, 101)]
    yes, no = granted(reservations)
    books = budget.books("run-1", 1)
    assert (yes, no) == (33, 67)
    assert books.held_usd == 0.99
    assert books.reserved_usd == pytest.approx(sum(r.held for r in budget.held()) / 1e6)


def test_a_hundred_runs_at_once_never_pass_the_cap_of_the_account(ledger: Table) -> None:
    budget = Budget(ledger, run_usd=1.0, account_usd=2.0)
    reservations = [partial(budget.reserve, owner(run=f"run-{n}"), 0.07, AT) for n in range(100)]
    yes, no = granted(reservations)
    assert (yes, no) == (28, 72)
    assert budget.account_books(MONTH).held_usd == pytest.approx(1.96)
    assert len(list(budget.held())) == 28
