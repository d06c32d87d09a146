"""A small real stage for the runtime's tests: each unit is the digest of some lines of a file.

Run as a program it drives the loop on a folder, so that tests can kill it:

    python runtime_work.py READS CHECKPOINT OUT EPOCH [SECONDS_PER_UNIT]
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.stage.loop import StageLoop
from porewatch_worker.stage.progress_messages import CallbackOutbox
from porewatch_worker.stage.publish import (
    Author,
    FolderPublisher,
)
from porewatch_worker.stage.stop import (
    Stop,
    stopped_by_signals,
)
from porewatch_worker.stage_work import (
    Lost,
    Running,
    StageResult,
    UnitOutput,
)

LINES = 4


class CountedUnits:
    """Alarms once when so many units are done."""

    def __init__(self, needed: int) -> None:
        self.needed, self.units, self.alarmed = needed, 0, False

    def take(self, content: bytes) -> None:
        assert content
        self.units += 1

    def end(self) -> None:
        pass

    def alarms(self) -> Iterator[Alarm]:
        if self.units >= self.needed and not self.alarmed:
            self.alarmed = True
            yield Alarm(sample="s1", code="PERV", name="virus", severity="critical", reads=3)


class DigestWork:
    """Digests of `LINES` lines each. `computed` lists the units computed in this process. Alarms
    once when `alarm_at` units are done."""

    alarm_at = 0

    def __init__(self, reads: Path, seconds: float = 0.0, salt: str = "") -> None:
        self.reads, self.seconds, self.salt = reads, seconds, salt
        self.computed: list[int] = []

    def fingerprint(self) -> str:
        return hashlib.sha256(self.salt.encode() + self.reads.read_bytes()).hexdigest()

    def units_total(self) -> int | None:
        return None

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, tuple[int, bytes]]]:
        with self.reads.open("rb") as file:
            number = 1
            while lines := list(islice(file, LINES)):
                if number not in done:
                    yield number, (number, b"".join(lines))
                number += 1

    def process(self, payload: tuple[int, bytes]) -> UnitOutput:
        number, lines = payload
        self.computed.append(number)
        time.sleep(self.seconds)
        digest = hashlib.sha256(lines).hexdigest().encode()
        return UnitOutput(digest, 1, len(lines), consumed=len(lines))

    def give_up(self, payload: tuple[int, bytes]) -> Lost | None:
        number, lines = payload
        return Lost(b"lost", f"lines of unit {number}", 1, ("s1",), consumed=len(lines))

    def progress(self) -> Progress:
        return Progress(phase=Phase.QUALITY_CONTROL, bytes_total=self.reads.stat().st_size)

    def running(self) -> Running | None:
        return CountedUnits(self.alarm_at) if self.alarm_at else None

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        out = scratch / "digests.txt"
        out.write_bytes(b"\n".join(contents))
        record = PhaseRecord(
            phase=Phase.QUALITY_CONTROL, status="completed", started_at=now(), finished_at=now()
        )
        return StageResult(outputs={"digests.txt": out}, phases=(record,))


def main(reads: str, checkpoint: str, out: str, epoch: str, seconds: str = "0.02") -> None:
    work = DigestWork(Path(reads), float(seconds))
    author = Author("run-1", 0, "screen", int(epoch), "here")
    notes = Path(checkpoint)
    stop = Stop()
    with stopped_by_signals(stop):
        loop = StageLoop(
            work=work,
            checkpoint=open_checkpoint(FolderStore(notes), work.fingerprint(), int(epoch)),
            outbox=CallbackOutbox(lambda _: None),
            publisher=FolderPublisher(Path(out), notes, author),
            scratch=notes / "scratch",
            stop=stop,
        )
        print(json.dumps({"begun": sorted(loop.checkpoint.units)}), flush=True)
        ending = loop.run()
    print(json.dumps({"ending": ending, "computed": work.computed}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
