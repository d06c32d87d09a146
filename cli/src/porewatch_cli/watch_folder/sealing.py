"""The end of a watch: the final summary is closed, everything has arrived and nothing lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from porewatch.domain.errors import InputRefused, Unavailable
from porewatch.reads.check import check_file
from porewatch.reads.summary import ReadsSummary
from porewatch_cli.submit.submission import Submission
from porewatch_cli.watch_folder.doors import Door
from porewatch_cli.watch_folder.doorstep import Doorstep
from porewatch_cli.watch_folder.journal import Journal
from porewatch_cli.watch_folder.lines import FolderEvent, Lines
from porewatch_cli.watch_folder.look import Look, stamp_of
from porewatch_cli.watch_folder.next_step import (
    Known,
    State,
    is_closed,
    may_seal,
    next_step,
)

SHOWN = 5


@dataclass(frozen=True)
class Pace:
    """In seconds. `settle`: a file that stands still for so long is closed. `look`: between looks
    without any event. `patience`: for what is lacking when the final summary is there."""

    settle: float
    look: float = 30.0
    patience: float = 300.0


class StillWritten(Unavailable):
    """A file changed after the look that found everything in its place."""


@dataclass
class Sealing:
    """Remembers since when the final summary is closed. `now`: monotonic seconds."""

    journal: Journal
    door: Door
    doorstep: Doorstep
    lines: Lines
    now: Callable[[], float]
    _since: float | None = None

    def sealed(self, look: Look, pace: Pace) -> Submission | None:
        """What was sealed; None when it is too early, or the door does not answer. Raises Refused
        with every fault of the folder, as `submit` does."""
        if not self._is_due(look, pace):
            return None
        self._refuse_gone(look)
        arrived = sum(one.arrivals > 0 for one in self.journal.known().values())
        self.lines.folder(FolderEvent.SEALING, sent=arrived)
        try:
            sent = self.door.seal(partial(self._check, look))
        except StillWritten:
            return None
        except Unavailable as error:
            self.doorstep.failed(error)
            return None
        self.doorstep.answered()
        return sent

    def _is_due(self, look: Look, pace: Pace) -> bool:
        now, settle = self.now(), pace.settle
        whole = (*look.held.values(), *look.summaries.values())
        closed = all(is_closed(one, now=now, settle=settle) for one in whole)
        if not look.summaries or not closed:
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        known = self.journal.known()
        here = {name: known.get(name) for name in look.files}
        steps = [
            next_step(look.files[name], one, now=now, settle=settle) for name, one in here.items()
        ]
        unsound = any(one.state is State.UNSOUND for one in here.values() if one is not None)
        lacking = unsound or look.lacking > 0 or look.folder.understood.summary is None
        waited = now - self._since
        due = may_seal(steps, lacking=lacking, waited=waited, patience=pace.patience)
        return due and self.doorstep.is_open

    def _refuse_gone(self, look: Look) -> None:
        known = self.journal.known()
        gone = [
            name for name, one in known.items() if one.arrivals and name not in look.folder.files
        ]
        if gone:
            more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
            raise InputRefused(
                f"{len(gone)} file(s) that were sent are not in the folder any more: "
                f"{', '.join(sorted(gone)[:SHOWN])}{more}.",
                file=str(self.door.path),
                remedy="put them back and start again; or seal what is there: porewatch submit.",
            )

    def _check(self, look: Look, path: Path) -> ReadsSummary:
        """As the check of this content found it, when it was checked before."""
        name, stamp = path.relative_to(self.door.path).as_posix(), stamp_of(path)
        seen = look.everything.get(name)
        if seen is None or stamp is None or stamp != seen.stamp:
            raise StillWritten("it was written while the run was sealed.", file=str(path))
        found = self.journal.summary(name, stamp)
        if found is not None:
            return found
        found = check_file(path)
        if name in look.held and stamp_of(path) == stamp:
            self.journal.keep_checked(name, Known(stamp, "", State.CHECKED, found.sha256), found)
        return found
