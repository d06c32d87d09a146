"""Works made of other works: records added to one, and works that are all finish and no units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch_worker import __version__
from porewatch_worker.stage_work import (
    Lost,
    Running,
    StageResult,
    StageWork,
    UnitOutput,
)


class WithRecords:
    """`work` with `records` (of skipped phases, for example) before its own."""

    def __init__(self, work: StageWork, records: Sequence[PhaseRecord]) -> None:
        self._work, self._records = work, tuple(records)

    def fingerprint(self) -> str:
        return self._work.fingerprint()

    def units_total(self) -> int | None:
        return self._work.units_total()

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, Any]]:
        return self._work.units(done)

    def process(self, payload: Any) -> UnitOutput:
        return self._work.process(payload)

    def give_up(self, payload: Any) -> Lost | None:
        return self._work.give_up(payload)

    def progress(self) -> Progress:
        return self._work.progress()

    def running(self) -> Running | None:
        return self._work.running()

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        result = self._work.finish(contents, scratch)
        return replace(result, phases=(*self._records, *result.phases))


class OneStep:
    """A stage too short for a checkpoint: no units, all work in `finish`.

    `depends_on`: all inputs that determine the result, besides the code version.
    """

    def __init__(
        self, phase: Phase, depends_on: Sequence[object], step: Callable[[Path], StageResult]
    ) -> None:
        self._phase, self._depends_on, self._step = phase, list(depends_on), step

    def fingerprint(self) -> str:
        depends_on = json.dumps([__version__, self._phase, *self._depends_on], default=str)
        return hashlib.sha256(depends_on.encode()).hexdigest()

    def units_total(self) -> int | None:
        return 0

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, Any]]:
        return iter(())

    def process(self, payload: Any) -> UnitOutput:
        raise NotImplementedError("there are no units")

    def give_up(self, payload: Any) -> Lost | None:
        return None

    def progress(self) -> Progress:
        return Progress(phase=self._phase)

    def running(self) -> Running | None:
        return None

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        return self._step(scratch)
