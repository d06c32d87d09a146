"""Change the record of a run: a pure rule and one conditional write, with its facts.

The only place where records of runs are written; so no rule can bring a deleted run back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from porewatch.adapters.items import Add, Item, Put, Remove, Write, run_key
from porewatch.adapters.money.charges import charge_writes
from porewatch.adapters.table import Change, Table
from porewatch.domain.archive.window import ends_for, first_look
from porewatch.domain.errors import NotFound
from porewatch.domain.labels import Label
from porewatch.domain.people.roles import ProjectId, UserId
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.rules import refuse_gone
from porewatch.domain.rules.reconciling import is_open
from porewatch.domain.rules.run_states import Move, takes_slot
from porewatch.domain.runs import GONE_STATES, RunState

RUN = "RUN"
RUNS = "RUNS"
PROJECT = "PROJECT"
OPEN, OPEN_RUNS = "OPEN", "RUNS-OPEN"
"""Beside its record a run has an item that stands in an index of its own while there is anything to
be done for it: so a sweep finds it, however old the run is, and reads no other."""

ARCHIVE, ARCHIVE_RUNS = "ARCHIVE", "ARCHIVE-RUNS"
"""Beside its record a run has an item that says when it is looked at for archiving and deletion by
age: written with the record, so no lost event leaves a run out."""

OWNED = "OWNED"
"""Beside its record a run has an item by which the runs of a user are found whose results are
archived some day (`domain.archive.window.ends_for`), in order of when their days began to count."""

SLOTS, UNDER_WAY = "SLOTS", "under_way"
"""The count of a project's runs under way, as it moves with their records."""

Step = Callable[[RunRecord | None], Move]


def there(record: RunRecord | None, run_id: str) -> RunRecord:
    """The record. Raises NotFound when there is none."""
    if record is None:
        raise NotFound(f"there is no run {run_id!r}.")
    return record


def move_run(
    table: Table,
    run_id: str,
    rule: Step,
    beside: Callable[[RunRecord], Sequence[Write]] | None = None,
    *,
    admitted: Callable[[RunRecord], Sequence[Write]] | None = None,
    gone: bool = False,
) -> RunRecord:
    """Apply a rule to the run. Returns the stored run. `admitted`: how a run that comes under way
    is counted (`adapters.people.slots`); None: whatever its project allows.

    Raises RunGone for a deleted run, unless the rule is one of those that may touch it (`gone`);
    Throttled after too many lost races.
    """

    def step(stored: Item | None) -> Change | None:
        before = stored.model(RunRecord) if stored else None
        if not gone:
            refuse_gone(before)
        moved = rule(before)
        if moved is None:
            return None
        after, facts = moved
        after = _with_slot(before, _owned_as(before, after))
        more = beside(after) if beside else ()
        placed = [] if before else [project_write(after)]
        slot = _slot_writes(before, after, admitted)
        looked_at = [
            *_open_writes(before, after),
            *_archive_writes(before, after),
            *_owned_writes(before, after),
        ]
        charge = charge_writes(before, after)
        writes = [*placed, *looked_at, *more, *slot, *charge, *_freed(before, after)]
        return Change(_item(after), facts, beside=writes)

    item = table.change(run_key(run_id), RUN, step)
    return there(item.model(RunRecord) if item else None, run_id)


def place_of(record: RunRecord) -> str:
    """The run's place among all runs, in order of time."""
    return f"{record.created_at.isoformat()}#{record.run_id}"


def _owned_as(before: RunRecord | None, after: RunRecord) -> RunRecord:
    """No rule can give a run to another project, whatever it makes the record from."""
    if before is None:
        return after
    owner = {"project": before.project, "submitted_by": before.submitted_by}
    named = {} if after.state in GONE_STATES else {"name": before.name}
    return after.model_copy(update=owner | named)


def _with_slot(before: RunRecord | None, after: RunRecord) -> RunRecord:
    """A run is counted when it comes under way; one from before runs were counted stays as it is,
    unless a rule counts it."""
    comes = before is None or not takes_slot(before)
    return after.model_copy(update={"slot": takes_slot(after) and (comes or after.slot)})


def _slot_writes(
    before: RunRecord | None,
    after: RunRecord,
    admitted: Callable[[RunRecord], Sequence[Write]] | None,
) -> Sequence[Write]:
    had = before is not None and before.slot
    if had and not after.slot:
        return [counted_by(after.project, -1)]
    if had or not after.slot:
        return []
    was_under_way = before is not None and takes_slot(before)
    if admitted is None or was_under_way:
        return [counted_by(after.project, 1)]
    return admitted(after)


def _freed(before: RunRecord | None, after: RunRecord) -> list[Write]:
    """A run that is deleted gives its name in the project back."""
    if before is None or before.name is None or after.name is not None:
        return []
    return [Remove(Item(project_key(before.project), name_key(before.name)))]


def project_write(record: RunRecord) -> Put:
    """The item by which the runs of a project are listed. It says nothing but where the run is: its
    record is read for each list, so no change of a run writes it a second time."""
    kind = (runs_of(record.project), place_of(record))
    return Put(Item(pk=run_key(record.run_id), sk=PROJECT, kind=kind))


def counted_by(project: ProjectId, number: int) -> Add:
    """So many more runs of the project are under way, whatever it allows."""
    return Add(Item(project_key(project), SLOTS), {UNDER_WAY: number})


def project_key(project: ProjectId) -> str:
    """Partition of what the ledger has of a project beside its runs."""
    return f"PROJECT#{project}"


def user_key(user: UserId) -> str:
    """Partition of what the ledger has of a user: his counts and sums by month."""
    return f"USER#{user}"


def name_key(name: Label) -> str:
    """Names of a project that differ in case alone are one."""
    return f"NAME#{name.casefold()}"


def runs_of(project: ProjectId) -> str:
    """The kind under which the runs of a project are listed."""
    return f"RUNS-OF#{project}"


def _open_writes(before: RunRecord | None, after: RunRecord) -> list[Write]:
    """Nothing while it stays open, or stays closed."""
    opens = is_open(after)
    if opens == (before is not None and is_open(before)):
        return []
    kind = (OPEN_RUNS, after.run_id) if opens else None
    return [Put(Item(pk=run_key(after.run_id), sk=OPEN, kind=kind))]


def archive_write(run_id: str, due: datetime | None) -> Put:
    """The item by which a run is found when it is to be looked at. None: never."""
    kind = (ARCHIVE_RUNS, f"{due:%Y-%m-%dT%H:%M:%SZ}#{run_id}") if due else None
    return Put(Item(pk=run_key(run_id), sk=ARCHIVE, kind=kind))


def _archive_writes(before: RunRecord | None, after: RunRecord) -> list[Write]:
    """When it begins, and when a revision of it is completed."""
    completed = after.state is RunState.COMPLETED
    was = before is not None and before.completed_at == after.completed_at
    if before is not None and (was or not completed):
        return []
    earlier = before.standing if before else None
    begin = first_look(after, earlier.completed_at if earlier else None)
    return [archive_write(after.run_id, begin)]


def ends_of(user: UserId) -> str:
    """The kind under which runs of a user are listed whose results are archived some day."""
    return f"ENDS-OF#{user}"


def _owned_writes(before: RunRecord | None, after: RunRecord) -> list[Write]:
    """Nothing while it stays what it was."""
    was, ends = ends_for(before) if before else None, ends_for(after)
    if was == ends:
        return []
    kind = (ends_of(ends[0]), f"{ends[1]:%Y-%m-%dT%H:%M:%SZ}#{after.run_id}") if ends else None
    return [Put(Item(pk=run_key(after.run_id), sk=OWNED, kind=kind))]


def _item(record: RunRecord) -> Item:
    return Item.of(run_key(record.run_id), RUN, record, kind=(RUNS, place_of(record)))
