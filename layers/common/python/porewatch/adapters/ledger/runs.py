"""Runs and their files in the ledger. The rules are in `domain.rules.run_*`.

Order: read runs, read files, change a run (each in one conditional write with its facts), record a
file (an older event never overwrites a newer one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec

from porewatch.adapters.items import Item, Plain, Put, Write, run_key
from porewatch.adapters.ledger.intake_counters import one_more
from porewatch.adapters.ledger.review_states import review_states
from porewatch.adapters.ledger.run_moves import (
    OPEN_RUNS,
    RUN,
    RUNS,
    Step,
    move_run,
    place_of,
    there,
)
from porewatch.adapters.table import Change, Table
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.outbox import FACT_PREFIX
from porewatch.domain.facts.run_facts import ObjectAnswered, RunStands
from porewatch.domain.inputs.seal_note import (
    SealNote,
    note_of,
)
from porewatch.domain.money.cost import CostLine
from porewatch.domain.records.file_record import FileRecord
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import revisions, run_lifecycle, run_seals
from porewatch.domain.rules.reconciling import is_open
from porewatch.domain.rules.run_seals import Refusing, SealedBy
from porewatch.domain.rules.run_states import Move
from porewatch.domain.runs import RunManifest
from porewatch.domain.signatures.steps import State

P = ParamSpec("P")
FILE_PREFIX = "FILE#"
COST_PREFIX = "COST#"
IN_S3 = {"kept": "s3"}
"""Attribute of a note whose manifest lies in S3. Earlier versions kept the manifest itself here."""


class RunLedger:
    """The runs in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, run_id: str) -> RunRecord | None:
        """The run as it is now, or None."""
        item = self._table.get(run_key(run_id), RUN)
        return item.model(RunRecord) if item else None

    def get(self, run_id: str) -> RunRecord:
        """The run as it is now. Raises NotFound."""
        record = self.find(run_id)
        if record is None:
            raise NotFound(
                f"there is no run {run_id!r}.", remedy="`porewatch list` shows all runs there are."
            )
        return record

    def revision(self, run_id: str, number: int, record: RunRecord | None = None) -> RunRecord:
        """One revision of the run, whatever its outcome. `record`: the run, if the caller has just
        read it. Raises NotFound."""
        record = record or self.get(run_id)
        found = revisions.held_in(record, number)
        found = found or revisions.from_facts(record, number, self._facts_of(run_id, number))
        if found is None:
            raise NotFound(
                f"run {run_id} has no revision {number}.",
                remedy=f"its newest is revision {revisions.last_number(record)}.",
            )
        return found

    def _facts_of(self, run_id: str, number: int) -> Iterator[Fact]:
        for kind in revisions.LIFE_FACTS:
            prefix = f"{FACT_PREFIX}{kind.id_of(run_id, number)}"
            for item in self._table.query(run_key(run_id), prefix):
                yield kind.model_validate_json(str(item.attributes["detail"]))

    def list(self, before: str = "") -> Iterator[RunRecord]:
        """All runs, newest first; read only as far as you iterate. `before`: those that come after
        this place (`place_of`) in that order."""
        for item in self._table.query_kind(RUNS, newest_first=True, past=before):
            yield item.model(RunRecord)

    def reviews(self, runs: Sequence[RunRecord]) -> dict[str, State | None]:
        """How far the reports of these runs are signed, by their ids."""
        return review_states(self._table, runs)

    def open(self) -> Iterator[RunRecord]:
        """Runs that may still need work (`reconciling.is_open`), as they are now."""
        for item in self._table.query_kind(OPEN_RUNS):
            record = self.find(item.pk.removeprefix(run_key("")))
            if record is not None and is_open(record):
                yield record

    @staticmethod
    def place(record: RunRecord) -> str:
        """The place after which `list` continues."""
        return place_of(record)

    def seal_note(self, run_id: str, revision: int) -> SealNote:
        """Digest and counts of the manifest that sealed a revision. Raises NotFound."""
        item = self._table.need(run_key(run_id), f"MANIFEST#{revision}")
        return item.model(SealNote) if _in_s3(item) else note_of(item.model(RunManifest))

    def manifest_in_ledger(self, run_id: str, revision: int) -> RunManifest | None:
        """The manifest of a revision that an earlier version sealed; None when it is in S3. Raises
        NotFound. Use `adapters.s3.manifests`, which handles both."""
        item = self._table.need(run_key(run_id), f"MANIFEST#{revision}")
        return None if _in_s3(item) else item.model(RunManifest)

    def file(self, run_id: str, path: str) -> FileRecord | None:
        item = self._table.get(run_key(run_id), FILE_PREFIX + path)
        return item.model(FileRecord) if item else None

    def files_of(self, run_id: str) -> dict[str, FileRecord]:
        """What the validator knows of the run's files, by path."""
        items = self._table.query(run_key(run_id), FILE_PREFIX)
        return {f.path: f for f in (item.model(FileRecord) for item in items)}

    def cost_lines(self, run_id: str, revision: int | None = None) -> tuple[CostLine, ...]:
        """Every line of the run's bill, or of one revision's, in order of stage and epoch."""
        prefix = COST_PREFIX if revision is None else f"{COST_PREFIX}{revision:04d}#"
        items = self._table.query(run_key(run_id), prefix)
        return tuple(item.model(CostLine) for item in items)

    def receive(self, run_id: str, at: datetime) -> RunRecord:
        """Create the run, unless it exists. Returns it."""
        return self._move(run_id, lambda record: run_lifecycle.receive(record, run_id, at))

    def seal(
        self,
        manifest: RunManifest,
        *,
        sealed_by: SealedBy,
        at: datetime,
        made_at: datetime | None = None,
        admitted: Callable[[RunRecord], Sequence[Write]] | None = None,
    ) -> RunRecord:
        """Run, note of the manifest and fact in one write; nothing when this manifest sealed the
        run before. The manifest must be in S3 already (`Manifests.keep`).

        Raises ManifestRefused while another manifest is under way, and when the seal was made
        (`made_at`) before the run was cancelled. `admitted` as in `move_run`, with what it raises.
        """
        note = note_of(manifest)
        return self._move(
            manifest.run_id,
            lambda record: run_seals.seal(record, manifest, sealed_by, at, made_at),
            beside=lambda record: [_note_item(record, note)],
            admitted=admitted,
        )

    def start(
        self,
        manifest: RunManifest,
        *,
        execution_arn: str,
        bundle: str,
        at: datetime,
        checked_digest: str | None = None,
        bundle_sha256: str | None = None,
    ) -> RunRecord:
        """SEALED -> RUNNING when sealed by exactly this manifest. Returns the stored run.

        `checked_digest`: of the manifest as it was checked, which must be in S3 already;
        `bundle_sha256`: of the bundle that all its stages use.
        """
        began = {"checked_digest": checked_digest, "bundle_sha256": bundle_sha256}
        note = note_of(manifest).model_copy(update=began)
        return self._move(
            manifest.run_id,
            lambda record: run_lifecycle.start(record, manifest, execution_arn, bundle, at),
            beside=(lambda record: [_note_item(record, note)]) if checked_digest else None,
        )

    def refuse(self, run_id: str, *, digest: str, what: Refusing, at: datetime) -> RunRecord:
        """See `run_seals.refuse`."""
        return self._move(run_id, lambda record: run_seals.refuse(record, run_id, digest, what, at))

    def refuse_seal(self, run_id: str, *, digest: str, what: Refusing, at: datetime) -> RunRecord:
        """See `run_seals.refuse_seal`."""
        return self._move(
            run_id, lambda record: run_seals.refuse_seal(record, run_id, digest, what, at)
        )

    def apply(
        self,
        run_id: str,
        rule: Callable[Concatenate[RunRecord, P], Move],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> RunRecord:
        """Apply a rule of `domain.rules.run_*`: `apply(run_id, run_endings.cancel, order, at)`. One
        conditional write with its facts. Returns the stored run. NotFound; RunGone for a deleted
        run; and what else the rule raises."""
        return self._move(run_id, lambda record: rule(there(record, run_id), *args, **kwargs))

    def apply_to_gone(
        self,
        run_id: str,
        rule: Callable[Concatenate[RunRecord, P], Move],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> RunRecord:
        """`apply` of a rule that may touch a deleted run: its bill is settled after all."""
        return self._move(
            run_id, lambda record: rule(there(record, run_id), *args, **kwargs), gone=True
        )

    def answer(self, fact: ObjectAnswered) -> None:
        """Record how objects of one kind are treated; the first record of a kind stays."""
        self._table.record([fact])

    def record_fact(self, fact: RunStands) -> None:
        """Record a fact without a change of the run. Idempotent."""
        self._table.record([fact])

    def has_fact(self, run_id: str, fact_id: str) -> bool:
        return self._table.get(run_key(run_id), FACT_PREFIX + fact_id) is not None

    def answers(self, run_id: str) -> tuple[ObjectAnswered, ...]:
        """The run's answers about objects that hold no reads, by kind."""
        items = self._table.query(run_key(run_id), f"{FACT_PREFIX}{ObjectAnswered.__name__}:")
        details = (str(item.attributes["detail"]) for item in items)
        return tuple(ObjectAnswered.model_validate_json(detail) for detail in details)

    def record_file(self, record: FileRecord, *, sequencer: str, fact: Fact | None) -> bool:
        """Store the check of an object, with its fact, and count it
        (`adapters.ledger.intake_counters`), all in one write. False when a newer or the same event
        was recorded before. `sequencer` is S3's: hex, compared after padding on the right."""
        order = sequencer.ljust(32, "0").lower()

        def step(before: Item | None) -> Change | None:
            if before is not None and str(before.attributes.get("sequencer", "")) >= order:
                return None
            item = Item.of(
                run_key(record.run_id),
                FILE_PREFIX + record.path,
                record,
                attributes={"sequencer": order, "state": record.state.value},
            )
            return Change(item, (fact,) if fact else (), beside=[count])

        count = one_more(record.run_id, record.path)
        kept = self._table.change(run_key(record.run_id), FILE_PREFIX + record.path, step)
        return kept is not None and kept.model(FileRecord) == record

    def knows_event(self, run_id: str, path: str, sequencer: str) -> bool:
        """Whether this event, or a newer one of the same object, was recorded before."""
        item = self._table.get(run_key(run_id), FILE_PREFIX + path)
        order = sequencer.ljust(32, "0").lower()
        return item is not None and str(item.attributes.get("sequencer", "")) >= order

    def _move(
        self,
        run_id: str,
        step: Step,
        beside: Callable[[RunRecord], Sequence[Write]] | None = None,
        *,
        admitted: Callable[[RunRecord], Sequence[Write]] | None = None,
        gone: bool = False,
    ) -> RunRecord:
        return move_run(self._table, run_id, step, beside, admitted=admitted, gone=gone)


def _note_item(record: RunRecord, note: SealNote) -> Write:
    attributes: dict[str, Plain] = {**IN_S3, "manifest_digest": note.manifest_digest}
    sk = f"MANIFEST#{record.revision}"
    return Put(Item.of(run_key(record.run_id), sk, note, attributes=attributes))


def _in_s3(item: Item) -> bool:
    return item.attributes.get("kept") == IN_S3["kept"]
