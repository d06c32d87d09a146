"""Budgets in the ledger: reserved before a launch, settled or released after it.

There is one item per epoch (`domain.money.budget.Reservation`) and one per cap: the revision of a
run, and the calendar month of its project, of the user who registered it and of the account. A
change writes the reservation, every cap, and whatever must be atomic with it (the line of the bill,
its fact) in one transaction.
DynamoDB cannot add inside a condition, so a cap stores `committed` = held + spent, and the
condition is that it is at most cap - estimate; hence no number of concurrent launches can pass a
cap.

Order: `Budget` (reserve, settle, release, then reading), keys of items, the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Add, Item, Write, run_key
from porewatch.adapters.ledger.run_moves import RUN, project_key, user_key
from porewatch.adapters.retries import PATIENT
from porewatch.adapters.table import Change, Table
from porewatch.domain.errors import AlreadyDone, BudgetExceeded, Conflict, PorewatchError
from porewatch.domain.facts.fact import Fact
from porewatch.domain.money.budget import (
    MILLION,
    Books,
    Moves,
    Reservation,
    micro,
)
from porewatch.domain.people.roles import ProjectId, UserId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.tiers.held import held_to_tier

HELD = "RESERVATIONS-HELD"

Rule = Callable[[Reservation], tuple[Reservation, Moves] | None]


class OfEpoch(Protocol):
    """Anything that names the epoch of a stage: an `Owner`, or a fact."""

    @property
    def run_id(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def stage(self) -> str: ...
    @property
    def epoch(self) -> int: ...


class Cap(NamedTuple):
    """One cap: its name, its key, its limit in USD (None: none), how to raise it."""

    name: str
    pk: str
    sk: str
    usd: float | None
    remedy: str


class Budget:
    """The reservations and caps in ledger `table`. A cap of 0 USD refuses nothing; that of a
    project (`project_usd` of its id) or user (`user_usd`) refuses everything then, and nothing when
    it is None."""

    def __init__(
        self,
        table: Table,
        *,
        run_usd: float = 0.0,
        account_usd: float = 0.0,
        project_usd: Callable[[ProjectId], float | None] = lambda _: None,
        user_usd: Callable[[UserId], float | None] = lambda _: None,
        price_snapshot: str = "",
    ) -> None:
        self._table = table
        self._price_snapshot = price_snapshot
        self._run_usd = run_usd
        self._account_usd = account_usd
        self._project_usd = project_usd
        self._user_usd = user_usd

    def limited_by(
        self,
        project_usd: Callable[[ProjectId], float | None],
        user_usd: Callable[[UserId], float | None] = lambda _: None,
    ) -> Budget:
        """The same, with a cap for each project and month, and for each user and month."""
        return Budget(
            self._table,
            run_usd=self._run_usd,
            account_usd=self._account_usd,
            project_usd=project_usd,
            user_usd=user_usd,
            price_snapshot=self._price_snapshot,
        )

    def reserve(self, owner: OfEpoch, usd: float, at: datetime) -> Reservation:
        """Reserve `usd` for the instance of this epoch; an existing reservation is returned
        unchanged. Raises BudgetExceeded naming the cap, and Throttled (retry)."""
        amount, prices = micro(usd), self._price_snapshot

        def hold(before: Reservation) -> tuple[Reservation, Moves] | None:
            return before.model_copy(update={"price_snapshot": prices}).hold(amount, at)

        return self._move(owner, hold, at, most=amount)

    def settle(
        self,
        owner: OfEpoch,
        usd: float,
        at: datetime,
        *,
        beside: Sequence[Write] = (),
        facts: Iterable[Fact] = (),
    ) -> Reservation:
        """An instance of this epoch is paid, whatever was reserved for it. `beside` makes that
        idempotent: it must hold a write that fails the second time, whose error is raised."""
        cost = micro(usd)
        return self._move(owner, lambda r: r.settle(cost, at), at, beside=beside, facts=facts)

    def release(self, owner: OfEpoch, at: datetime) -> Reservation:
        """Release the reservation of an epoch without an instance. Idempotent."""
        return self._move(owner, lambda r: r.release(at), at)

    def held(self) -> Iterator[Reservation]:
        """All open reservations, in all runs (eventually consistent)."""
        for item in self._table.query_kind(HELD):
            yield item.model(Reservation)

    def of_run(self, run_id: str, revision: int) -> tuple[Reservation, ...]:
        """Every reservation of a revision, by stage and epoch."""
        items = self._table.query(run_key(run_id), f"RESERVED#{revision:04d}#")
        return tuple(item.model(Reservation) for item in items)

    def books(self, run_id: str, revision: int) -> Books:
        """What the cap of a revision counts."""
        return self._books(self._run_cap(run_id, revision))

    def account_books(self, month: str) -> Books:
        """What the account's cap of a month (`2026-11`) counts."""
        return self._books(self._account_cap(month))

    def project_books(self, project: ProjectId, month: str) -> Books:
        """What the cap of a project in a month counts. Asks for no limit."""
        return self._books(_project_cap(project, month, None))

    def user_books(self, user: UserId, month: str) -> Books:
        """What the cap of a user in a month counts. Asks for no limit."""
        return self._books(_user_cap(user, month, None))

    def books_of_projects(
        self, projects: Sequence[ProjectId], month: str
    ) -> dict[ProjectId, Books]:
        """The same of many, in few requests."""
        caps = {project: _project_cap(project, month, None) for project in projects}
        found = get_many(self._table, [(cap.pk, cap.sk) for cap in caps.values()])
        return {p: _counted(cap, found.get((cap.pk, cap.sk))) for p, cap in caps.items()}

    def _books(self, cap: Cap) -> Books:
        return _counted(cap, self._table.get(cap.pk, cap.sk))

    def _move(
        self,
        owner: OfEpoch,
        rule: Rule,
        at: datetime,
        *,
        most: int | None = None,
        beside: Sequence[Write] = (),
        facts: Iterable[Fact] = (),
    ) -> Reservation:
        """Change a reservation and its caps; `most`: what must still fit under every cap."""

        def step(stored: Item | None) -> Change | None:
            moved = rule(stored.model(Reservation) if stored else self._fresh(owner, at))
            if moved is None:
                return None
            after, moves = moved
            adds = [
                _addition(cap, moves, most) for cap in self._caps(after, limited=most is not None)
            ]
            return Change(_item(owner, after), recorded, beside=adds, first=beside)

        def lost(error: PorewatchError) -> None:
            if isinstance(error, AlreadyDone):
                raise error
            if isinstance(error, _Full):  # when room was made meanwhile: again
                self._refuse(owner, error.cap, error.amount)

        recorded = tuple(facts)
        item = self._table.change(*_place(owner), step, retries=PATIENT, lost=lost)
        return item.model(Reservation) if item else self._fresh(owner, at)

    def _fresh(self, owner: OfEpoch, at: datetime) -> Reservation:
        run = self._table.get(run_key(owner.run_id), RUN)
        record = run.model(RunRecord) if run else None
        if record is None:
            return _fresh(owner, at)
        user = held_to_tier(record.submitted_by)
        return _fresh(owner, at).model_copy(update={"project": record.project, "user": user})

    def _caps(self, reservation: Reservation, *, limited: bool) -> tuple[Cap, ...]:
        """`limited`: with the limits of project and user, which have to be asked for."""
        run = self._run_cap(reservation.run_id, reservation.revision)
        month, project, user = reservation.month, reservation.project, reservation.user
        caps = [run, self._account_cap(month)]
        if project is not None:
            usd = self._project_usd(project) if limited else None
            caps.append(_project_cap(project, month, usd))
        if user is not None:
            caps.append(_user_cap(user, month, self._user_usd(user) if limited else None))
        return tuple(caps)

    def _run_cap(self, run_id: str, revision: int) -> Cap:
        name, sk = f"run {run_id}", f"BUDGET#{revision:04d}"
        return Cap(name, run_key(run_id), sk, self._run_usd or None, "raise RunBudgetUsd")

    def _account_cap(self, month: str) -> Cap:
        name, pk = f"the account in {month}", "ACCOUNT"
        remedy = "raise AccountBudgetUsd, or wait for the next month"
        return Cap(name, pk, f"BUDGET#{month}", self._account_usd or None, remedy)

    def _refuse(self, owner: OfEpoch, cap: Cap, amount: int) -> None:
        books, limit = self._books(cap), cap.usd or 0.0
        committed = micro(books.held_usd) + micro(books.spent_usd)
        if committed > micro(limit) - amount:
            raise BudgetExceeded(
                f"the next machine of stage {owner.stage} of {owner.run_id} may cost "
                f"{amount / MILLION:.2f} USD: the budget of {cap.name} is {limit:.2f} USD, "
                f"of which {books.spent_usd:.2f} are spent and {books.held_usd:.2f} held for "
                "machines at work.",
                remedy=f"{cap.remedy}; `porewatch cost {owner.run_id}` shows where it went.",
            )


class _Full(Conflict):
    """This cap has no room for `amount` micro-dollars."""

    def __init__(self, cap: Cap, amount: int, problem: str) -> None:
        super().__init__(problem)
        self.cap, self.amount = cap, amount


def _counted(cap: Cap, item: Item | None) -> Books:
    counted = item.attributes if item else {}
    sums = Moves(*(int(counted.get(name, 0)) for name in Moves._fields))
    return Books(
        cap_usd=cap.usd,
        reserved_usd=sums.reserved / MILLION,
        settled_usd=sums.settled / MILLION,
        released_usd=sums.released / MILLION,
        held_usd=(sums.committed - sums.spent) / MILLION,
        spent_usd=sums.spent / MILLION,
    )


def _project_cap(project: ProjectId, month: str, usd: float | None) -> Cap:
    name, remedy = f"project {project} in {month}", "raise the project's month_usd, or wait for "
    return Cap(name, project_key(project), f"BUDGET#{month}", usd, remedy + "the next month")


def _user_cap(user: UserId, month: str, usd: float | None) -> Cap:
    name, remedy = f"user {user} in {month}", "have the user upgrade, or wait for the next month"
    return Cap(name, user_key(user), f"BUDGET#{month}", usd, remedy)


def _fresh(owner: OfEpoch, at: datetime) -> Reservation:
    return Reservation(
        run_id=owner.run_id,
        revision=owner.revision,
        stage=owner.stage,
        epoch=owner.epoch,
        month=f"{at:%Y-%m}",
        at=at,
    )


def _place(owner: OfEpoch) -> tuple[str, str]:
    return run_key(owner.run_id), f"RESERVED#{owner.revision:04d}#{owner.stage}#{owner.epoch:04d}"


def _item(owner: OfEpoch, after: Reservation) -> Item:
    pk, sk = _place(owner)
    return Item.of(pk, sk, after, kind=(HELD, f"{pk}#{sk}") if after.held else None)


def _addition(cap: Cap, moves: Moves, most: int | None) -> Add:
    item, amounts = Item(cap.pk, cap.sk), moves._asdict()
    if most is None or cap.usd is None:
        return Add(item, amounts)
    return Add(item, amounts, ("committed", micro(cap.usd) - most), partial(_Full, cap, most))
