"""Checkpoints: progress of a stage, stored where a successor on another instance can find it.

A checkpoint is a folder: `units/000001.bin`, ... hold the units' contents, `checkpoint.json` lists
them with their sha256 and names the epoch that owns the folder. Every save writes the units first,
then the list, so that the list never names a missing object.

In the cloud each instance has a checkpoint of its own that no other instance can write; a successor
resumes from the list of the last instance that left one, and its own list names the location of
each unit. In a local folder successors share one: every rewrite of the list is conditional on the
version its writer read last, so that the next save of a stale worker fails with StaleEpoch and it
stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from porewatch.domain.base import Moment, now
from porewatch.domain.errors import StaleEpoch, Unavailable
from porewatch.domain.reasons.reason import Reason
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch_worker.checkpoint.index import (
    LIST,
    CheckpointStore,
    Home,
    StoredUnit,
    Tried,
    UnitList,
    unit_name,
)
from porewatch_worker.checkpoint.objects import (
    UnitToSave,
    homes_of,
    whole,
)
from porewatch_worker.checkpoint.objects import listed as listed_in
from porewatch_worker.stage_work import UnitOutput


class Checkpoint:
    """An opened checkpoint: ours until a later epoch opens it.

    `remarks`: why anything was restarted or recomputed; `resumed`: the units that were found
    intact; `redone`: how many units were recomputed that an earlier attempt had announced (of units
    saved together it may not have started all).
    """

    def __init__(
        self,
        store: CheckpointStore,
        listed: UnitList,
        tag: str,
        earlier: Sequence[CheckpointStore] = (),
    ) -> None:
        self._store = store
        self._stores = {"": store, **{one.name: one for one in earlier}}
        self._listed = listed
        self._tag = tag
        self._dirty = False
        self._begun: frozenset[int] = frozenset()
        self.written_at: Moment = now()
        self.remarks: tuple[str, ...] = ()
        self.resumed: frozenset[int] = frozenset()
        self.redone = 0

    @property
    def units(self) -> dict[int, StoredUnit]:
        return self._listed.units

    @property
    def last(self) -> int | None:
        """Number of the last unit that is safe."""
        return max(self.units, default=None)

    @property
    def tried(self) -> dict[int, Tried]:
        """Units that failed before, or during which a worker died."""
        return self._listed.tried

    @property
    def quarantined(self) -> tuple[QuarantinedUnit, ...]:
        found = (unit.quarantined for _, unit in sorted(self.units.items()))
        return tuple(unit for unit in found if unit is not None)

    def announced(self, number: int) -> bool:
        """Whether this unit is listed as in flight."""
        return self._listed.flies(number)

    def begin(self, number: int, last: int | None = None) -> None:
        """Before a unit is computed: mark it, and those up to `last` that will be saved with it, as
        in flight. Written at once unless they are listed so already."""
        if number in self._begun:
            self.redone += 1
        if not self.announced(number):
            self._change(in_flight=number, in_flight_to=number if last is None else last)
            self.flush()

    def save(self, number: int, content: bytes, reads: int = 0, bases: int = 0) -> None:
        """Store one unit, then list it."""
        self.save_all({number: UnitToSave(UnitOutput(content, reads, bases))})

    def save_all(self, computed: Mapping[int, UnitToSave], following: int = 1) -> None:
        """Store units in one object, then list them, with the next `following` units in flight.
        Raises StaleEpoch when a successor owns the checkpoint."""
        first, last = min(computed), max(computed)
        self._store_object(first, b"".join(computed[n].output.content for n in sorted(computed)))
        after = self._listed.model_copy(
            update={"units": {**self.units, **listed_in(first, computed)}}
        )
        begun = after.next_after(last)
        self._change(
            units=after.units,
            in_flight=begun,
            in_flight_to=begun + following - 1,
            tried={n: t for n, t in self.tried.items() if n not in computed},
        )
        self.flush()

    def blame(self, number: int, why: Reason) -> int:
        """Write down that a unit failed, and that nothing is in flight; how often it has now."""
        tried = self._listed.blamed(frozenset({number}), why)
        self._change(tried=tried, in_flight=None, in_flight_to=None)
        self.flush()
        return tried[number].count

    def flush(self) -> None:
        """Write the list if it changed since it was last written."""
        if self._dirty:
            self._tag = self._rewrite()
            self.written_at = now()
            self._dirty = False

    def leave(self) -> None:
        """Orderly stop: write the list with no unit in flight."""
        if self._listed.in_flight is not None:
            self._change(in_flight=None, in_flight_to=None)
        self.flush()

    def contents(self) -> Iterator[bytes]:
        """All units' contents in order. Raises Unavailable when one has changed since."""
        read: tuple[Home, bytes | None] = (("", -1), None)
        for number, unit in sorted(self.units.items()):
            home = unit.home(number)
            if home != read[0]:
                read = home, self._object(home)
            content = whole(unit, read[1])
            if content is None:
                raise Unavailable(
                    f"unit {number} of the checkpoint was damaged while the stage ran.",
                    remedy="run the stage again: it recomputes this unit and keeps the others.",
                )
            yield content

    def _change(self, **fields: object) -> None:
        saves = self._listed.saves + 1
        self._listed = self._listed.model_copy(update={**fields, "saves": saves})
        self._dirty = True

    def _rewrite(self) -> str:
        content = self._listed.canonical_json().encode()
        tag = self._store.replace(LIST, content, self._tag)
        if tag is not None:
            return tag
        there = self._store.read(LIST)
        if there is not None and there[0] == content:  # an answer was lost, the write was not
            return there[1]
        raise StaleEpoch(
            f"another worker took over the checkpoint that epoch {self._listed.epoch} was writing."
        )

    def _store_object(self, number: int, content: bytes) -> None:
        name = unit_name(number)
        for _ in range(5):
            if self._store.create(name, content) is not None:
                return
            there = self._store.read(name)
            if there is None:
                continue
            if there[0] == content:
                return
            self._change()
            self.flush()  # still the owner? then it is damaged, or a stale worker left it
            if self._store.replace(name, content, there[1]) is not None:
                return
        raise StaleEpoch(f"another worker keeps writing unit {number} of this checkpoint.")

    def _object(self, home: Home) -> bytes | None:
        store = self._stores.get(home[0])
        there = store.read(unit_name(home[1])) if store is not None else None
        return None if there is None else there[0]

    def resume(self, flying: frozenset[int]) -> None:
        """Keep what is whole. `flying`: the units in flight when the last writer ended."""
        damaged = self._damaged()
        self._begun = damaged | flying
        self.remarks = tuple(
            f"unit {number} was damaged in the checkpoint and is computed again"
            for number in sorted(damaged)
        )
        self.resumed = frozenset(self.units) - damaged
        self._change(units={n: u for n, u in sorted(self.units.items()) if n in self.resumed})
        self.flush()

    def _damaged(self) -> frozenset[int]:
        """Units whose content is missing or damaged, and all units in the same objects: those
        objects will be rewritten."""
        homes = homes_of(self.units)

        def is_whole(home: Home) -> bool:
            content = self._object(home)
            return all(whole(self.units[n], content) is not None for n in homes[home])

        with ThreadPoolExecutor(max_workers=8) as pool:
            verdicts = list(pool.map(is_whole, homes))
        lost = [home for home, sound in zip(homes, verdicts, strict=True) if not sound]
        return frozenset(n for home in lost for n in homes[home])
