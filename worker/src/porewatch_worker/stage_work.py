"""The contract between the stage loop (claims, checkpoints, publishes) and the phases (compute).

A stage is divided into numbered units. The loop takes the units that no checkpoint holds, processes
each to bytes, stores the bytes, and at the end the phases merge all of them, in order. Units are
pure: same inputs, parameters and code version give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress


@dataclass(frozen=True)
class UnitOutput:
    """The result of one unit. `content` is all that a checkpoint keeps; `consumed` counts the bytes
    of input that the unit covers."""

    content: bytes
    reads: int = 0
    bases: int = 0
    consumed: int = 0


@dataclass(frozen=True)
class Lost:
    """Placeholder of a unit that was given up. `content` takes its place among the others and
    counts its reads as lost; `samples` is None when any sample of the run may be affected. `what`
    describes it in a sentence, `stretches` each of its files with the reads it held."""

    content: bytes
    what: str
    reads: int | None = None
    samples: tuple[str, ...] | None = None
    consumed: int = 0
    stretches: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageResult:
    """What a finished stage publishes: files by name, and a record for each phase."""

    outputs: dict[str, Path]
    phases: tuple[PhaseRecord, ...]
    findings: int | None = None


class Running(Protocol):
    """A verdict that grows with the finished units of a stage."""

    def take(self, content: bytes) -> None:
        """Add a finished unit, computed here or found in the checkpoint."""

    def end(self) -> None:
        """There are no more units."""

    def alarms(self) -> Iterable[Alarm]:
        """New suspicions since the last call."""


class StageWork(Protocol):
    """One stage's computation."""

    def fingerprint(self) -> str:
        """Hex digest over code version, parameters, inputs and bundle; a checkpoint of another one
        is not resumed."""

    def units_total(self) -> int | None:
        """How many units there are, when that is known before reading everything."""

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, Any]]:
        """(number, payload) for every unit not in `done`, in ascending order, lazily."""

    def process(self, payload: Any) -> UnitOutput:
        """Compute one unit. Must not depend on other units or on the clock."""

    def give_up(self, payload: Any) -> Lost | None:
        """Placeholder for a unit that cannot be computed. None when the stage is meaningless
        without it."""

    def progress(self) -> Progress:
        """Where the work is now (the loop fills in units and checkpoint)."""

    def running(self) -> Running | None:
        """A new verdict over units; None when the stage can raise no suspicion before its end."""

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        """Merge all units' contents, in unit order, and write the outputs below `scratch`."""


@dataclass
class Inputs:
    """Local paths of the stage's inputs; `path` fetches on first use."""

    fetched: dict[str, Path] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Local path of an input by its manifest path (`fastq/a.fastq.gz`) or output name."""
        return self.fetched[name]

    def expect(self, names: Iterable[str]) -> None:
        """These will be requested, in this order; local files need no prefetching."""


def fingerprint_of(value: Any) -> str:
    """SHA-256 over plain data: a phase's fingerprint covers all that its result depends on."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
