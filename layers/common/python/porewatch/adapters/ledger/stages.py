"""Stages in the ledger. The rules are in `domain.rules.stage_lifecycle` and
`domain.rules.stage_endings`.

Order: read, open, apply a rule, launch intents, the bill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Concatenate, ParamSpec

from porewatch.adapters.items import Item, PutNew, run_key
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.table import Change, Table
from porewatch.domain.errors import AlreadyDone, NotFound
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.outbox import FACT_PREFIX
from porewatch.domain.facts.stage_facts import InstanceTerminated, LaunchRefused, StageClaimed
from porewatch.domain.money.cost import CostLine
from porewatch.domain.rules import stage_lifecycle as rules
from porewatch.domain.rules.fencing import Move
from porewatch.domain.stage.instances import (
    ExecutorName,
    LaunchIntent,
    Owner,
)
from porewatch.domain.stage.record import StageKey, StageRecord
from porewatch.domain.stage.spec import StageSpec

P = ParamSpec("P")
OPEN_STAGES = "STAGES-OPEN"
MOST_RUNGS = 8
ABOUT_FILES = "File"
"""Ids of facts begin with their kind; those of FileValidated and FileQuarantined with this."""


class StageLedger:
    """The stages in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._budget = Budget(table)

    def find(self, key: StageKey) -> StageRecord | None:
        """The stage as it is now, or None when it was never opened."""
        item = self._table.get(*_place(key))
        return item.model(StageRecord) if item else None

    def get(self, key: StageKey) -> StageRecord:
        """The stage as it is now. Raises NotFound."""
        record = self.find(key)
        if record is None:
            raise _never_opened(key)
        return record

    def of_run(self, run_id: str, revision: int) -> tuple[StageRecord, ...]:
        """All stages of a revision that were ever opened."""
        items = self._table.query(run_key(run_id), f"STAGE#{revision:04d}#")
        return tuple(item.model(StageRecord) for item in items)

    def awaiting(self) -> Iterator[StageRecord]:
        """Every stage under watch, in all runs (eventually consistent)."""
        for item in self._table.query_kind(OPEN_STAGES):
            yield item.model(StageRecord)

    def open_stage(
        self,
        key: StageKey,
        spec: StageSpec,
        at: datetime,
        secret_of: Callable[[int], str] | None = None,
    ) -> StageRecord:
        """Take the next epoch; a published stage is returned unchanged. `secret_of`: digest of the
        secret of its messages; without it none of them is accepted."""
        return self._move(key, lambda record: rules.reopen(record, key, spec, at, secret_of))

    def apply(
        self,
        key: StageKey,
        rule: Callable[Concatenate[StageRecord, P], Move],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> StageRecord:
        """Apply a rule of `domain.rules` to the stage: `apply(key, stage_endings.fail, 1, ...)`.
        One conditional write with its facts. Returns the stored record.

        Raises NotFound, StaleEpoch for a rule of an old epoch, and what else the rule raises.
        """

        def of_opened(record: StageRecord | None) -> Move:
            if record is None:
                raise _never_opened(key)
            return rule(record, *args, **kwargs)

        return self._move(key, of_opened)

    def record_launch_intent(self, intent: LaunchIntent) -> LaunchIntent:
        """Record a launch before it is requested. Returns the stored intent: when the same rung was
        recorded before, that one, so that the same request is sent again."""
        owner = intent.spec.owner
        sk = f"INTENT#{owner.revision:04d}#{owner.stage}#{owner.epoch:04d}#{intent.spec.rung}"
        attributes = {"client_token": intent.client_token}
        item = Item.of(run_key(owner.run_id), sk, intent, attributes=attributes)
        try:
            self._table.put_new(item)
        except AlreadyDone:
            return self._table.need(run_key(owner.run_id), sk).model(LaunchIntent)
        return intent

    def intents(self, key: StageKey, epoch: int) -> list[LaunchIntent]:
        """The launch intents of this epoch, rung by rung."""
        prefix = f"INTENT#{key.revision:04d}#{key.stage}#{epoch:04d}#"
        items = self._table.query(run_key(key.run_id), prefix)
        return [item.model(LaunchIntent) for item in items]

    def asked(self, key: StageKey, epoch: int) -> frozenset[ExecutorName]:
        """The executors that were tried in this epoch: only they can have an instance of it."""
        return frozenset(intent.spec.executor for intent in self.intents(key, epoch))

    def settle_cost(self, key: StageKey, line: CostLine, fact: InstanceTerminated) -> bool:
        """Put an instance on the bill, once, with its fact and its change of the budget. False when
        it is there already.

        There is one line per epoch, and another one for every further instance of an epoch.
        """
        pk, first = run_key(key.run_id), f"COST#{key.revision:04d}#{key.stage}#{line.epoch:04d}"
        for sk in (first, f"{first}#{line.instance_id}"):
            there = self._table.get(pk, sk)
            if there is None:
                new = PutNew(Item.of(pk, sk, line))
                try:
                    self._budget.settle(fact, line.usd, fact.at, beside=[new], facts=[fact])
                except AlreadyDone:
                    there = self._table.need(
                        pk, sk
                    )  # another writer was first: with which instance?
            if there is None:
                return True
            if there.model(CostLine).instance_id == line.instance_id:
                return False
        return False

    def settle_overhead(self, run_id: str, revision: int, line: CostLine, at: datetime) -> None:
        """Put service costs on the bill, once per kind, and into the budget."""
        nobody = Owner(stack="", run_id=run_id, revision=revision, stage=line.what, epoch=0)
        sk = f"COST#{revision:04d}#~{line.what}"  # after all stages
        new = PutNew(Item.of(run_key(run_id), sk, line))
        with suppress(AlreadyDone):
            self._budget.settle(nobody, line.usd, at, beside=[new])

    def release_money(self, owner: Owner, at: datetime) -> None:
        """Release the reservation of an epoch that has no instance and gets none."""
        self._budget.release(owner, at)

    def claim_of(self, key: StageKey, epoch: int) -> StageClaimed | None:
        """The instance that owned an epoch, and since when; None when none did."""
        fact_id = StageClaimed.id_of(*key, epoch)
        item = self._table.get(run_key(key.run_id), FACT_PREFIX + fact_id)
        return StageClaimed.model_validate_json(str(item.attributes["detail"])) if item else None

    def refusals(self, key: StageKey, epoch: int) -> tuple[LaunchRefused, ...]:
        """The rungs that gave this epoch no instance, by single reads: a worker may not query."""
        ids = (LaunchRefused.id_of(*key, epoch, rung) for rung in range(MOST_RUNGS))
        items = (self._table.get(run_key(key.run_id), FACT_PREFIX + one) for one in ids)
        details = (str(item.attributes["detail"]) for item in items if item)
        return tuple(LaunchRefused.model_validate_json(detail) for detail in details)

    def cost_lines(self, run_id: str, revision: int) -> tuple[CostLine, ...]:
        """The bill of a revision so far, in order of stage and epoch."""
        items = self._table.query(run_key(run_id), f"COST#{revision:04d}#")
        return tuple(item.model(CostLine) for item in items)

    def facts(self, run_id: str, revision: int) -> list[Fact]:
        """All facts of a revision, oldest first.

        Facts about single files (there may be thousands, and they belong to no revision) are left
        out, and not read.
        """
        found = [
            FACTS[kind].model_validate_json(str(item.attributes["detail"]))
            for item in self._table.query_but(run_key(run_id), FACT_PREFIX, ABOUT_FILES)
            if (kind := str(item.attributes["detail_type"])) in FACTS
        ]
        return sorted((f for f in found if f.revision == revision), key=lambda f: f.at)

    def record(self, facts: Sequence[Fact]) -> None:
        """Record facts without a change of a stage. Idempotent."""
        self._table.record(facts)

    def _move(self, key: StageKey, rule: Callable[[StageRecord | None], Move]) -> StageRecord:
        def step(before: Item | None) -> Change | None:
            moved = rule(before.model(StageRecord) if before else None)
            return Change(_item(moved[0]), moved[1]) if moved else None

        item = self._table.change(*_place(key), step)
        if item is None:
            raise _never_opened(key)
        return item.model(StageRecord)


def _place(key: StageKey) -> tuple[str, str]:
    return run_key(key.run_id), f"STAGE#{key.revision:04d}#{key.stage}"


def _never_opened(key: StageKey) -> NotFound:
    return NotFound(f"stage {key.stage} of {key.run_id} revision {key.revision} was never opened.")


def _item(record: StageRecord) -> Item:
    return Item.of(
        *_place(record.key),
        record,
        attributes={"state": record.state.value, "epoch": record.epoch},
        kind=(OPEN_STAGES, f"{record.run_id}#{record.revision:04d}#{record.stage}")
        if rules.watched(record)
        else None,
    )
