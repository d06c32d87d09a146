"""1,000 users' results archived and thawed, with restores that take their time and calls that are
throttled: how long it takes, what it costs, and that nothing reads a whole table."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.archive.cold_storage import ColdStorage
from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.run_moves import move_run
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.people.entitlements import Entitlements
from porewatch.adapters.table import Table
from porewatch.domain.archive.artefact import Artefact, Shelf
from porewatch.domain.archive.looks import LOOK, LookAtArtefact, LookAtUser
from porewatch.domain.archive.results_expiring import ResultsExpiring
from porewatch.domain.archive.results_thawed import ResultsThawed
from porewatch.domain.errors import PorewatchError
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.tiers.entitlement import Entitlement
from porewatch.domain.tiers.tier import TierName
from porewatch.usecases.archive.archive_context import ArchiveContext
from porewatch.usecases.archive.look_at_run import Ages
from porewatch.usecases.archive.sweep_archive import sweep_archive
from porewatch.usecases.archive.take_look import take_look
from simulator.cold_s3 import ColdS3
from simulator.dynamodb import DynamoDb
from simulator.faults import refusal
from tests.archive_prices import usd

START = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
MB = 10**6
SIZES = {Shelf.REPORTS: 2 * MB, Shelf.RESULTS: 400 * MB}
PATHS = {Shelf.REPORTS: "r0/tables.zip", Shelf.RESULTS: "r0/screen/e1/A:i/outputs/a.bin"}
ACTIONS = {
    "query": "dynamodb:Query", "get_item": "dynamodb:GetItem", "put_item": "dynamodb:PutItem",
    "batch_get_item": "dynamodb:BatchGetItem", "delete_item": "dynamodb:DeleteItem",
    "transact_write_items": "dynamodb:TransactWriteItems", "head_object": "s3:GetObject",
    "paginate": "s3:ListBucket", "copy": "s3:PutObject",
}  # fmt: skip
"""What a client is called with -> as IAM, and the prices, know it."""


class Counted:
    """A client that counts its calls and refuses some of them. What the simulated services do not
    know (Scan, for one) is an AttributeError."""

    def __init__(self, of: Any, seen: Counter[str], refuse: Callable[[str], None]) -> None:
        self._of, self._seen, self._refuse = of, seen, refuse

    def get_paginator(self, _: str) -> Counted:
        return self

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._of, name)

        def counted(*args: Any, **named: Any) -> Any:
            self._seen[ACTIONS.get(name, name)] += 1
            self._refuse(name)
            return call(*args, **named)

        return counted


class World:
    def __init__(self, users: int, throttled: float) -> None:
        self.time, self.seen, dice = START, Counter[str](), random.Random(14)
        self.users = [f"u-{'a' * 12}{_letters(number)}" for number in range(users)]
        self.queue: list[str] = []
        self.thawed: list[ResultsThawed] = []
        self.s3 = ColdS3(lambda: self.time, restored=self._restored)

        def refuse(name: str) -> None:
            if dice.random() < throttled:
                slow = name in ("head_object", "copy", "restore_object", "paginate")
                raise refusal("SlowDown" if slow else "ThrottlingException", status=503)

        ledger = Counted(DynamoDb(), self.seen, refuse)
        people = Counted(DynamoDb(), self.seen, lambda _: None)
        s3 = Counted(self.s3, self.seen, refuse)
        self.table = Table("ledger", ledger)  # type: ignore[arg-type]
        self.entitlements = Entitlements(Table("people", people))  # type: ignore[arg-type]
        storage = {shelf: ColdStorage(shelf.value, s3) for shelf in Shelf}  # type: ignore[arg-type]
        self.ledger = ArchiveLedger(self.table)
        self.context = ArchiveContext(
            runs=RunLedger(self.table),
            entitlements=self.entitlements,
            ledger=self.ledger,
            shelves=storage,
            looks=self,
            say=self.say,
            inbox=Inbox(self.table, clock=lambda: self.time),
            unpaid=TierName.FREE,
            clock=lambda: self.time,
        )
        days = {Shelf.RESULTS: 90, Shelf.REPORTS: 365}
        self.ages = Ages(days, ColdStorage("raw", s3))  # type: ignore[arg-type]

    def say(self, event: ResultsThawed | ResultsExpiring) -> None:
        assert isinstance(event, ResultsThawed), "all of them are over"
        self.thawed.append(event)

    def send(self, looks: Any) -> None:
        self.seen["message"] += len(looks)
        self.queue += [look.canonical_json() for look in looks]

    def run_of(self, user: str) -> None:
        run_id = f"run-{user}"
        record = RunRecord(
            run_id=run_id, state=RunState.COMPLETED, submitted_by=user,
            created_at=START, updated_at=START, completed_at=START,
        )  # fmt: skip
        for shelf, path in PATHS.items():
            self.s3.put(shelf.value, f"runs/{run_id}/{path}", run_id, SIZES[shelf])
        while True:
            try:
                move_run(self.table, run_id, lambda _: (record, ()))
            except PorewatchError:
                continue
            return

    def work(self, until: Callable[[], bool]) -> timedelta:
        """Sweeps every quarter of an hour and message by message; how long it took."""
        begin = self.time
        while not until():
            assert self.time - begin < timedelta(days=3), "it does not come to an end"
            self.s3.time_passed()
            self._take_all()
            try:
                self.seen["call"] += 1
                sweep_archive(self.context, self.time + timedelta(minutes=10))
            except PorewatchError:
                pass  # the next sweep goes on
            self._take_all()
            self.time += timedelta(minutes=15)
        return self.time - begin

    def _take_all(self) -> None:
        for _ in range(5):  # deliveries of a message
            bodies, self.queue = self.queue, []
            for body in bodies:
                self.seen["call"] += 1
                try:
                    take_look(LOOK.validate_python(json.loads(body)), self.context, self.ages)
                except PorewatchError:
                    self.queue.append(body)

    def _restored(self, shelf: str, key: str) -> None:
        artefact = Artefact(run_id=key.split("/")[1], shelf=Shelf(shelf), key=key)
        self.send([LookAtArtefact(artefact=artefact)])

    def cold(self) -> int:
        versions = (self.s3.newest(*place) for place in self.s3.versions)
        return sum(found is not None and found.cold for found in versions)

    def usd(self) -> float:
        return usd(self.seen) + self.s3.retrieval_usd


def _letters(number: int) -> str:
    return "".join("abcdefghijklmnopqrstuvwxyz"[number // 26**n % 26] for n in range(4))


@pytest.mark.parametrize("users", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_users_are_archived_and_thawed(users: int) -> None:
    world = World(users, throttled=0.01)
    for user in world.users:
        world.run_of(user)
    world.time += timedelta(days=14)
    world.seen.clear()
    archived = world.work(lambda: world.cold() == 2 * users and not world.queue)
    once = world.usd()
    world.seen.clear()
    for user in world.users:
        world.entitlements.keep(
            Entitlement(user_id=user, tier=TierName.PREMIUM, since=world.time, read_at=world.time)
        )
        world.send([LookAtUser(user_id=user)])
    thawed = world.work(lambda: len({one.user_id for one in world.thawed}) == users)
    print(f"\n{users} users, {2 * users} artefacts, 1 % of calls throttled:")
    print(f"archived in {archived}, {once:.2f} USD; thawed in {thawed}, {world.usd():.2f} USD")
    print(f"calls of the thaw: {dict(world.seen.most_common())}")
    assert world.cold() == 0
    assert len({one.record().fact_id for one in world.thawed}) == users, "one event for each"
    assert {(one.runs, one.files) for one in world.thawed} == {(1, 2)}
    assert archived <= timedelta(hours=4)
    assert thawed <= timedelta(hours=12)
    assert world.seen["call"] < 30 * users, "work grows with what there is to do"
