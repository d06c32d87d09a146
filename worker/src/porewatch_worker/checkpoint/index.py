"""`checkpoint.json`: which units are saved, where their contents are, and earlier failures.

The list is authoritative: a unit that it does not name is not saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

from pydantic import ValidationError, computed_field, model_validator

from porewatch.domain.base import Model
from porewatch.domain.errors import StaleEpoch
from porewatch.domain.reasons.reason import Reason, Reasons, clauses, of_version_1
from porewatch.domain.stage.quarantine import QuarantinedUnit

LIST = "checkpoint.json"


Home = tuple[str, int]


class CheckpointStore(Protocol):
    """A folder of objects with conditional writes. A tag changes whenever an object does. Another
    folder has another `name`."""

    @property
    def name(self) -> str: ...

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Content and tag, or None when there is no such object."""

    def create(self, name: str, content: bytes) -> str | None:
        """Write a new object; its tag, or None when one of that name exists."""

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        """Overwrite the version `tag`; the new tag, or None when it is not the current one."""

    def siblings(self) -> tuple[str, ...]:
        """Names of other checkpoints of the same stage (other fingerprints)."""


class StoredUnit(Model):
    """One listed unit. Units saved together share one object, named by the first of them (`pack`;
    None: an object of its own), each at its `offset`. `store` names the checkpoint of the earlier
    instance that holds the object (empty: this one).

    `quarantined` is set when the content is a placeholder for a unit that was given up.
    """

    sha256: str
    reads: int = 0
    bases: int = 0
    consumed: int = 0
    pack: int | None = None
    offset: int = 0
    size: int | None = None
    store: str = ""
    quarantined: QuarantinedUnit | None = None

    def home(self, number: int) -> Home:
        """The object which holds this unit: its checkpoint, and the number that names it there."""
        return self.store, number if self.pack is None else self.pack

    def slice_of(self, content: bytes) -> bytes:
        end = None if self.size is None else self.offset + self.size
        return content[self.offset : end]


class Tried(Model):
    """Tries of a unit that ended badly."""

    count: int
    why: Reasons = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def error(self) -> str:
        return clauses(self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, error="why")


class UnitList(Model):
    """`checkpoint.json`. `writer` and `saves` make every version of it unlike all others.

    `in_flight` to `in_flight_to` are the units that its writer was about to compute and to save
    together; None after an orderly stop.
    """

    schema_version: Literal["1"] = "1"
    fingerprint: str
    epoch: int
    writer: str
    saves: int = 0
    units: dict[int, StoredUnit] = {}
    in_flight: int | None = None
    in_flight_to: int | None = None
    tried: dict[int, Tried] = {}

    @property
    def flying(self) -> frozenset[int]:
        """Units that were announced and not saved."""
        if self.in_flight is None:
            return frozenset()
        last = self.in_flight if self.in_flight_to is None else self.in_flight_to
        return frozenset(range(self.in_flight, last + 1)) - frozenset(self.units)

    def flies(self, number: int) -> bool:
        """Whether this unit was announced and not saved."""
        if self.in_flight is None or number in self.units:
            return False
        last = self.in_flight if self.in_flight_to is None else self.in_flight_to
        return self.in_flight <= number <= last

    def next_after(self, number: int) -> int:
        """The first unit after `number` that is not safe."""
        following = number + 1
        while following in self.units:
            following += 1
        return following

    def blamed(self, numbers: frozenset[int], why: Reason) -> dict[int, Tried]:
        """The tries with one more for each of `numbers`."""
        more = {
            n: Tried(count=(self.tried[n].count if n in self.tried else 0) + 1, why=(why,))
            for n in numbers
        }
        return {**self.tried, **more}


def unit_name(number: int) -> str:
    return f"units/{number:06d}.bin"


def usable(content: bytes, fresh: UnitList) -> tuple[UnitList | None, str]:
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


def why_fresh(stores: Iterable[CheckpointStore]) -> tuple[str, ...]:
    """The remark on a checkpoint that is started although the stage has others."""
    others = {name for store in stores for name in store.siblings()}
    if not others:
        return ()
    return (
        "started afresh: the earlier checkpoint was made with other inputs, parameters, "
        f"references or code ({', '.join(sorted(others)[:3])})",
    )
