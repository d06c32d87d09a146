"""Checkpoints: what a stage has done so far, where a successor on another machine can find it.

A checkpoint is a folder: `units/000001.bin`, ... hold the units' contents, `checkpoint.json` lists
them with their sha256 and says which epoch owns the folder. Order of every save: first the unit,
then the list, so that the list never names what is not there. Every rewrite of the list is
conditional on the version its writer saw last: when a successor has taken the folder over, the
zombie's next save fails with StaleEpoch and it stops.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol

from pydantic import ValidationError

from porewatch.domain.base import Model
from porewatch.domain.errors import StaleEpoch, Unavailable

LIST = "checkpoint.json"
MANY_UNITS = 500
"""Beyond this many units the list is rewritten at most once a second: it grows with them."""


class CheckpointStore(Protocol):
    """A folder of objects with conditional writes. A tag changes whenever an object does."""

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and tag, or None when there is no such object."""

    def create(self, name: str, content: bytes) -> str | None:
        """Write a new object; its tag, or None when one of that name exists."""

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        """Overwrite the version `tag`; the new tag, or None when it is not the current one."""

    def siblings(self) -> tuple[str, ...]:
        """Names of other checkpoints of the same stage (other fingerprints)."""


class StoredUnit(Model):
    """One unit as the list knows it."""

    sha256: str
    reads: int = 0
    bases: int = 0


class UnitList(Model):
    """`checkpoint.json`. `writer` and `saves` make every version of it unlike all others.

    `in_flight` is the unit its writer was about to compute; None after an orderly stop.
    """

    schema_version: Literal["1"] = "1"
    fingerprint: str
    epoch: int
    writer: str
    saves: int = 0
    units: dict[int, StoredUnit] = {}
    in_flight: int | None = None


def unit_name(number: int) -> str:
    return f"units/{number:06d}.bin"


class Checkpoint:
    """An opened checkpoint: ours until a later epoch opens it.

    `remarks` says why anything was started afresh or recomputed; `resumed` are the units that were
    found whole; `redone` counts units computed again although an earlier attempt had begun them.
    """

    def __init__(self, store: CheckpointStore, listed: UnitList, tag: str) -> None:
        self._store = store
        self._listed = listed
        self._tag = tag
        self._saved_at = 0.0
        self._dirty = False
        self._begun: frozenset[int] = frozenset()
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

    def begin(self, number: int) -> None:
        """Tell that the computation of a unit starts now."""
        if number in self._begun:
            self.redone += 1

    def save(self, number: int, content: bytes, reads: int = 0, bases: int = 0) -> None:
        """Store a unit, then list it. Raises StaleEpoch when a successor owns the checkpoint."""
        self._store_unit(number, content)
        unit = StoredUnit(sha256=hashlib.sha256(content).hexdigest(), reads=reads, bases=bases)
        units = {**self.units, number: unit}
        following = number + 1
        while following in units:
            following += 1
        self._change(units=units, in_flight=following)
        if len(units) <= MANY_UNITS or time.monotonic() - self._saved_at >= 1:
            self.flush()

    def flush(self) -> None:
        """Write the list if it changed since it was last written."""
        if self._dirty:
            self._tag = self._rewrite()
            self._saved_at = time.monotonic()
            self._dirty = False

    def leave(self) -> None:
        """Orderly stop: write the list and say that nothing is in flight."""
        if self._listed.in_flight is not None:
            self._change(in_flight=None)
        self.flush()

    def contents(self) -> Iterator[bytes]:
        """All units' contents in order. Raises Unavailable when one has changed since."""
        for number, unit in sorted(self.units.items()):
            content = self._whole(number, unit)
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

    def _store_unit(self, number: int, content: bytes) -> None:
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
            self.flush()  # still the owner? then what lies there is damaged or left by a zombie
            if self._store.replace(name, content, there[1]) is not None:
                return
        raise StaleEpoch(f"another worker keeps writing unit {number} of this checkpoint.")

    def _whole(self, number: int, unit: StoredUnit) -> bytes | None:
        there = self._store.read(unit_name(number))
        if there is None or hashlib.sha256(there[0]).hexdigest() != unit.sha256:
            return None
        return there[0]

    def _keep_whole_units(self) -> None:
        def is_whole(item: tuple[int, StoredUnit]) -> bool:
            return self._whole(*item) is not None

        items = sorted(self.units.items())
        with ThreadPoolExecutor(max_workers=8) as pool:
            verdicts = list(pool.map(is_whole, items))
        damaged = [n for (n, _), whole in zip(items, verdicts, strict=True) if not whole]
        in_flight = self._listed.in_flight
        self._begun = frozenset(damaged) | ({in_flight} if in_flight is not None else set())
        for number in damaged:
            self.remarks += (f"unit {number} was damaged in the checkpoint and is computed again",)
        self.resumed = frozenset(self.units) - frozenset(damaged)
        self._change(units={n: u for n, u in items if n in self.resumed})


def open_checkpoint(store: CheckpointStore, fingerprint: str, epoch: int) -> Checkpoint:
    """Take a checkpoint over for `epoch`, keeping every unit that is whole.

    Raises StaleEpoch when a later epoch owns it already.
    """
    fresh = UnitList(fingerprint=fingerprint, epoch=epoch, writer=uuid.uuid4().hex)
    for _ in range(5):
        there = store.read(LIST)
        if there is None:
            tag = store.create(LIST, fresh.canonical_json().encode())
            if tag is not None:
                opened = Checkpoint(store, fresh, tag)
                opened.remarks = _why_fresh(store)
                return opened
            continue
        taken = _take_over(store, there, fresh)
        if taken is not None:
            return taken
    raise StaleEpoch("another worker keeps taking over the checkpoint of this stage.")


def _why_fresh(store: CheckpointStore) -> tuple[str, ...]:
    others = store.siblings()
    if not others:
        return ()
    return (
        "started afresh: the earlier checkpoint was made with other inputs, parameters, "
        f"references or code ({', '.join(sorted(others)[:3])})",
    )


def _take_over(
    store: CheckpointStore, there: tuple[bytes, str], fresh: UnitList
) -> Checkpoint | None:
    listed, remark = _usable(there[0], fresh)
    taken = fresh.model_copy(
        update={"units": listed.units, "in_flight": listed.in_flight} if listed else {}
    )
    tag = store.replace(LIST, taken.canonical_json().encode(), there[1])
    if tag is None:
        return None
    opened = Checkpoint(store, taken, tag)
    opened._keep_whole_units()
    opened.remarks = (remark,) * bool(remark) + opened.remarks
    return opened


def _usable(content: bytes, fresh: UnitList) -> tuple[UnitList | None, str]:
    """The earlier list if its units may be used, else None and why not."""
    try:
        listed = UnitList.model_validate_json(content)
    except ValidationError:
        return None, "started afresh: the list of the earlier checkpoint could not be read"
    if listed.epoch > fresh.epoch:
        raise StaleEpoch(f"epoch {listed.epoch} owns the checkpoint, this is epoch {fresh.epoch}.")
    if listed.fingerprint != fresh.fingerprint:
        return None, (
            "started afresh: the earlier checkpoint was made with other inputs, parameters, "
            f"references or code ({listed.fingerprint[:16]})"
        )
    return listed, ""
