"""Units that are saved together share one object: how they are listed and located."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch_worker.checkpoint.index import (
    Home,
    StoredUnit,
)
from porewatch_worker.stage_work import UnitOutput


@dataclass(frozen=True)
class UnitToSave:
    """A unit to be saved."""

    output: UnitOutput
    quarantined: QuarantinedUnit | None = None


def listed(first: int, computed: Mapping[int, UnitToSave]) -> dict[int, StoredUnit]:
    """The list entries of the units in the object named by `first`."""
    found, offset = {}, 0
    for number in sorted(computed):
        output = computed[number].output
        found[number] = StoredUnit(
            sha256=hashlib.sha256(output.content).hexdigest(),
            reads=output.reads,
            bases=output.bases,
            consumed=output.consumed,
            pack=first if len(computed) > 1 else None,
            offset=offset,
            size=len(output.content),
            quarantined=computed[number].quarantined,
        )
        offset += len(output.content)
    return found


def whole(unit: StoredUnit, content: bytes | None) -> bytes | None:
    mine = None if content is None else unit.slice_of(content)
    if mine is None or hashlib.sha256(mine).hexdigest() != unit.sha256:
        return None
    return mine


def homes_of(units: Mapping[int, StoredUnit]) -> dict[Home, list[int]]:
    """The objects, each with the units that it holds."""
    homes: dict[Home, list[int]] = {}
    for number, unit in sorted(units.items()):
        homes.setdefault(unit.home(number), []).append(number)
    return homes
