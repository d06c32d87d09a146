"""Opening a checkpoint: taken over from the last writer, continued from another instance, or new.

The successor keeps every intact unit; what was in flight when a writer died counts against those
units.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from porewatch.domain.errors import StaleEpoch
from porewatch.domain.reasons.reason import Code, because
from porewatch_worker.checkpoint.checkpoint import Checkpoint
from porewatch_worker.checkpoint.index import LIST, CheckpointStore, UnitList, usable, why_fresh


def open_checkpoint(
    store: CheckpointStore,
    fingerprint: str,
    epoch: int,
    blameless: Collection[int] = (),
    earlier: Sequence[CheckpointStore] = (),
) -> Checkpoint:
    """Take over a checkpoint for `epoch`, or start one that resumes from the last of `earlier`
    (oldest first) that fits, with every intact unit. `blameless`: epochs whose end counts against
    no unit, even where their worker could not record that in its checkpoint.

    Raises StaleEpoch when a later epoch owns it already.
    """
    fresh = UnitList(fingerprint=fingerprint, epoch=epoch, writer=uuid.uuid4().hex)
    for _ in range(5):
        there = store.read(LIST)
        if there is None:
            begun = _begin(store, fresh, blameless, earlier)
            if begun is not None:
                return begun
            continue
        taken = _take_over(store, there, fresh, blameless)
        if taken is not None:
            return taken
    raise StaleEpoch("another worker keeps taking over the checkpoint of this stage.")


def _begin(
    store: CheckpointStore,
    fresh: UnitList,
    blameless: Collection[int],
    earlier: Sequence[CheckpointStore],
) -> Checkpoint | None:
    """A new checkpoint; None when there is one."""
    listed, remarks = _last_left(earlier, fresh)
    taken = _going_on(listed, fresh, blameless)
    tag = store.create(LIST, taken.canonical_json().encode())
    if tag is None:
        return None
    opened = Checkpoint(store, taken, tag, earlier)
    if listed is not None:
        opened.resume(listed.flying)
    opened.remarks = (*remarks, *opened.remarks)
    if listed is None and not remarks:
        opened.remarks = why_fresh([store, *earlier])
    return opened


def _going_on(listed: UnitList | None, fresh: UnitList, blameless: Collection[int]) -> UnitList:
    """The initial list of a writer: the previous list, with the death of its writer counted against
    the units in flight."""
    if listed is None:
        return fresh
    died = frozenset() if listed.epoch in blameless else listed.flying
    tried = listed.blamed(died, because(Code.UNIT_DIED))
    return fresh.model_copy(update={"units": listed.units, "tried": tried})


def _last_left(
    earlier: Sequence[CheckpointStore], fresh: UnitList
) -> tuple[UnitList | None, tuple[str, ...]]:
    """The newest fitting list of an earlier instance, with the locations of its units."""
    remarks: list[str] = []
    for store in reversed(earlier):
        there = store.read(LIST)
        if there is None:
            continue
        listed, remark = usable(there[0], fresh)
        if listed is not None:
            units = {
                n: u.model_copy(update={"store": u.store or store.name})
                for n, u in listed.units.items()
            }
            return listed.model_copy(update={"units": units}), ()
        remarks.append(remark)
    return None, tuple(remarks)


def _take_over(
    store: CheckpointStore, there: tuple[bytes, str], fresh: UnitList, blameless: Collection[int]
) -> Checkpoint | None:
    listed, remark = usable(there[0], fresh)
    taken = _going_on(listed, fresh, blameless)
    tag = store.replace(LIST, taken.canonical_json().encode(), there[1])
    if tag is None:
        return None
    opened = Checkpoint(store, taken, tag)
    opened.resume(listed.flying if listed else frozenset())
    opened.remarks = (remark,) * bool(remark) + opened.remarks
    return opened
