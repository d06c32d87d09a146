"""The loop: look at the folder, do what is next for each file, seal the run, wait.

Every decision is `next_step`'s; what was done is in the journal before the next thing begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from porewatch.domain.errors import PorewatchError, Refused, Unavailable
from porewatch.reads.check import check_file
from porewatch_cli.submit.submission import Submission
from porewatch_cli.terminal import os_failure
from porewatch_cli.watch_folder.doors import Door
from porewatch_cli.watch_folder.doorstep import Doorstep
from porewatch_cli.watch_folder.journal import Journal
from porewatch_cli.watch_folder.lines import FileEvent, FolderEvent, Lines
from porewatch_cli.watch_folder.look import Look, Looker, stamp_of
from porewatch_cli.watch_folder.next_step import (
    Known,
    Seen,
    Step,
    after_check,
    after_refusal,
    next_step,
)
from porewatch_cli.watch_folder.sealing import Pace, Sealing
from porewatch_cli.watch_folder.wake import Wake

AT_ONCE = 4
"""Files that are sent in parallel; parts of a large file are, too."""
BATCH = 16
"""Files that are checked before they are sent."""


@dataclass
class Agent:
    """One folder, until its run is sealed."""

    looker: Looker
    journal: Journal
    door: Door
    doorstep: Doorstep
    lines: Lines
    wake: Wake
    pace: Pace
    _said: set[str] = field(default_factory=set)
    _looked_for: float = 0.0

    def run(self) -> Submission:
        """Raises Refused when the folder is refused at the seal, Unavailable when the journal
        cannot be written."""
        sealing = Sealing(self.journal, self.door, self.doorstep, self.lines, self.wake.now)
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            while True:
                look, writes = self._look(), self.journal.writes
                if look is not None:
                    self._work(look, pool)
                busy = self.journal.writes > writes  # and then the look is old
                if look is not None and not busy and (sent := sealing.sealed(look, self.pace)):
                    return sent
                self._rest(look, busy=busy)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _look(self) -> Look | None:
        """None while the folder cannot be read: its disk is away, or a file went just now."""
        begun = self.wake.now()
        try:
            look = self.looker.look()
        except (OSError, Refused) as error:
            why = os_failure(error) if isinstance(error, OSError) else error
            self._say_once(FolderEvent.UNREADABLE, why)
            return None
        finally:
            self._looked_for = self.wake.now() - begun
        if look.files:
            for fault in look.folder.understood.faults:
                self._say_once(FolderEvent.FAULT, fault)
        return look

    def _say_once(self, event: FolderEvent, error: PorewatchError) -> None:
        if str(error) not in self._said:
            self._said.add(str(error))
            self.lines.folder(event, error=error)

    def _work(self, look: Look, pool: ThreadPoolExecutor) -> None:
        """Check what is closed, and send what is checked."""
        known = self.journal.known()
        due = [name for name, seen in look.files.items() if self._is_due(seen, known.get(name))]
        for some in _batches(due):
            found = {name: self._checked(name, look, known.get(name)) for name in some}
            ready = {name: one for name, one in found.items() if one is not None}
            if ready and self.doorstep.is_open:
                self._send(ready, look, pool, waiting=len(due))

    def _is_due(self, seen: Seen, known: Known | None) -> bool:
        return self._step(seen, known) in (Step.CHECK, Step.SEND)

    def _step(self, seen: Seen, known: Known | None) -> Step:
        return next_step(seen, known, now=self.wake.now(), settle=self.pace.settle)

    def _checked(self, name: str, look: Look, known: Known | None) -> Known | None:
        """What is to be sent of this file; None when nothing is, or not yet."""
        seen, source = look.files[name], look.source(name)
        if known is not None and self._step(seen, known) is Step.SEND:
            if known.place != seen.place:
                self.journal.keep_place(name, seen.place)
            return known._replace(place=seen.place)
        try:
            found = check_file(source)
        except Unavailable:  # not a verdict on the file
            return None
        except (OSError, Refused) as error:
            why = os_failure(error) if isinstance(error, OSError) else error
            if stamp_of(source) == seen.stamp:
                self.journal.keep_unsound(name, after_refusal(seen, known), str(why))
                self.lines.file(FileEvent.UNSOUND, name, seen.stamp.size, error=why)
            return None
        if stamp_of(source) != seen.stamp or found.size != seen.stamp.size:
            return None  # it was written while it was read
        sound = after_check(seen, known, found.sha256)
        self.journal.keep_checked(name, sound, found)
        return None if self._step(seen, sound) is Step.REST else sound

    def _send(
        self, ready: dict[str, Known], look: Look, pool: ThreadPoolExecutor, *, waiting: int
    ) -> None:
        jobs = {
            pool.submit(self.door.send, name, look.source(name), one.place, one.sha256): name
            for name, one in ready.items()
        }
        shut: Unavailable | None = None
        for job in as_completed(jobs):
            name = jobs[job]
            try:
                fresh = job.result()
            except Unavailable as error:
                shut = error
            except (FileNotFoundError, Refused):
                if stamp_of(look.source(name)) == ready[name].stamp:
                    raise
            else:
                self._arrived(name, ready[name], look, fresh=fresh)
        if shut is not None:
            self.doorstep.failed(shut, waiting)
        else:
            self.doorstep.answered()

    def _arrived(self, name: str, sent: Known, look: Look, *, fresh: bool) -> None:
        """Unless it changed meanwhile: then nobody knows which bytes went, and the next look finds
        a new content."""
        if stamp_of(look.source(name)) != sent.stamp:
            return
        self.journal.keep_sent(name, sent.stamp)
        event = FileEvent.SENT_AGAIN if sent.arrivals else FileEvent.SENT
        self.lines.file(event if fresh else FileEvent.WAS_THERE, name, sent.stamp.size, sent.sha256)

    def _rest(self, look: Look | None, *, busy: bool) -> None:
        """Until something changes, a file may be closed by now, or the door is tried again."""
        seconds = 0.0 if busy else min(self._dates(look))
        if not self.wake.wait(seconds, looked_for=self._looked_for) and "polling" not in self._said:
            self._said.add("polling")
            self.lines.folder(FolderEvent.POLLING)

    def _dates(self, look: Look | None) -> Iterator[float]:
        now = self.wake.now()
        yield self.pace.look
        if not self.doorstep.is_open:
            yield self.doorstep.shut_until - now
        for seen in look.everything.values() if look is not None else ():
            left = seen.since + self.pace.settle - now
            if left > 0:
                yield left


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), BATCH):
        yield names[first : first + BATCH]
