"""`porewatch watch-folder`: put lock, journal, door and loop together."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from porewatch.domain.errors import ConfigurationRefused, InputRefused, Unavailable
from porewatch_cli.submit.submission import Submission
from porewatch_cli.watch_folder.agent import Agent
from porewatch_cli.watch_folder.doors import Door
from porewatch_cli.watch_folder.doorstep import Doorstep
from porewatch_cli.watch_folder.folder_lock import alone
from porewatch_cli.watch_folder.journal import Journal
from porewatch_cli.watch_folder.lines import FolderEvent, Lines
from porewatch_cli.watch_folder.look import Looker
from porewatch_cli.watch_folder.places import Watched, journal_of, lock_of
from porewatch_cli.watch_folder.sealing import Pace
from porewatch_cli.watch_folder.wake import FolderWake, Wake

_SEALED = TypeAdapter(Submission)


def watch_folder(
    watched: Watched, door: Door, *, journal: Path | None, pace: Pace, as_json: bool
) -> Submission:
    """Send a folder through `door` until its run is sealed; nothing more when it was. Raises
    Conflict when another process watches it, Refused, Unavailable."""
    folder = watched.path
    file = (journal or journal_of(folder)).absolute()
    lock = lock_of(folder)
    for ours in (file, lock):
        _refuse_inside(ours, folder)
    lines = Lines(str(folder), as_json=as_json)
    with alone(folder, lock), Journal(file) as kept:
        _refuse_other(kept, file, folder, door)
        if before := kept.fact("sealed"):
            return _SEALED.validate_json(before)
        with FolderWake(folder) as wake:
            doorstep = Doorstep(wake.now, lines)
            lines.run_id = _begun(door, kept, doorstep, wake)
            arrived = sum(one.arrivals > 0 for one in kept.known().values())
            lines.folder(FolderEvent.WATCHING, sent=arrived)
            looker = Looker(folder, door.place, wake.now, watched.sheet, watched.lab)
            agent = Agent(looker, kept, door, doorstep, lines, wake, pace)
            sent = agent.run()
        kept.keep_fact("sealed", _SEALED.dump_json(sent).decode())
        _say_late(looker, kept, lines)
        return sent


def _refuse_inside(file: Path, folder: Path) -> None:
    if file.resolve().is_relative_to(folder):
        raise ConfigurationRefused(
            "nothing is written into MinKNOW's folder.",
            file=str(file),
            remedy="name a journal elsewhere by --journal, or set XDG_STATE_HOME.",
        )


def _refuse_other(kept: Journal, file: Path, folder: Path, door: Door) -> None:
    """A journal belongs to one folder and one door."""
    mine = {"folder": str(folder), "door": door.name}
    for name, value in mine.items():
        before = kept.fact(name)
        if before is not None and before != value:
            raise ConfigurationRefused(
                f"this journal is of another {name}: {before}.",
                file=str(file),
                remedy=f"use the same options as before, or name another journal for {value}.",
            )
        kept.keep_fact(name, value)


def _begun(door: Door, kept: Journal, doorstep: Doorstep, wake: Wake) -> str:
    """The run's id. At the first start, a door that does not answer is an error; later on it is
    waited for: after a power cut the network comes later than this machine."""
    while True:
        try:
            run_id = door.begin()
        except Unavailable as error:
            if kept.fact("run_id") is None:
                raise
            doorstep.failed(error)
            wake.wait(doorstep.shut_until - wake.now(), looked_for=0.0)
        else:
            doorstep.answered()
            kept.keep_fact("run_id", run_id)
            return run_id


def _say_late(looker: Looker, kept: Journal, lines: Lines) -> None:
    """What was written while the run was sealed."""
    try:
        look = looker.look()
    except (OSError, InputRefused):  # it is sealed; the folder may be gone by now
        return
    known = kept.known()
    for name, seen in look.files.items():
        if name not in known or known[name].stamp != seen.stamp:
            lines.folder(FolderEvent.LATE, file=name)
