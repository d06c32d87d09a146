"""What the command says while it watches: one line for each event, as text or as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from rich.text import Text

from porewatch.domain.base import Count, Model
from porewatch.domain.errors import PorewatchError
from porewatch_cli.terminal import console, errors, print_line


class FileEvent(StrEnum):
    SENT = "sent"
    SENT_AGAIN = "sent_again"  # it was written again after it had arrived
    WAS_THERE = "was_there"  # this content had arrived before
    UNSOUND = "unsound"  # its check refused it; it is read again when it changes


class FolderEvent(StrEnum):
    WATCHING = "watching"
    POLLING = "polling"  # no events come from this file system: looks alone find what is new
    FAULT = "fault"  # of the folder as it is now; refused if it is still there at the seal
    DOOR_SHUT = "door_shut"  # nothing can be sent; it is tried again
    DOOR_OPEN = "door_open"
    UNREADABLE = "unreadable"  # the folder cannot be read now
    SEALING = "sealing"
    LATE = "late"  # a file that was written after the seal


class WatchedFile(Model):
    """A file of the folder: `path` in it, `size` in bytes. `code`, `problem`, `remedy`: of a file
    that is unsound."""

    event: FileEvent
    path: str
    size: Count
    sha256: str | None = None
    code: str | None = None
    problem: str | None = None
    remedy: str | None = None


class WatchedFolder(Model):
    """The folder, or something that concerns all of it. `file`: that a problem is about."""

    event: FolderEvent
    folder: str
    run_id: str | None = None
    sent: Annotated[Count, Field(description="files that have arrived")] = 0
    waiting: Annotated[Count, Field(description="files that are not closed or not sent yet")] = 0
    retry_s: Annotated[float | None, Field(description="until the door is tried again")] = None
    file: str | None = None
    code: str | None = None
    problem: str | None = None
    remedy: str | None = None


_WORDS = {
    FileEvent.SENT: "sent",
    FileEvent.SENT_AGAIN: "written again, and sent again",
    FileEvent.WAS_THERE: "had arrived before",
}


class Lines:
    """Prints events. `as_json`: one document a line."""

    def __init__(self, folder: str, *, as_json: bool) -> None:
        self._folder, self._as_json = folder, as_json
        self.run_id: str | None = None

    def file(
        self,
        event: FileEvent,
        path: str,
        size: int,
        sha256: str | None = None,
        error: PorewatchError | None = None,
    ) -> None:
        """One event of a file."""
        if self._as_json:
            why = _of(error)
            why.pop("file", None)
            print_line(
                "file", WatchedFile(event=event, path=_safe(path), size=size, sha256=sha256, **why)
            )
        elif error is not None:
            self._problem(f"{path}: not sound yet", error)
        else:
            console.print(Text(f"{_WORDS[event]}: {path} ({size / 1e6:,.1f} MB)"))

    def folder(
        self,
        event: FolderEvent,
        *,
        sent: int = 0,
        waiting: int = 0,
        retry_s: float | None = None,
        error: PorewatchError | None = None,
        file: str | None = None,
    ) -> None:
        """One event of the folder."""
        if self._as_json:
            why = {"file": _safe(file) if file else None} | _of(error)
            line = WatchedFolder(
                event=event,
                folder=_safe(self._folder),
                run_id=self.run_id,
                sent=sent,
                waiting=waiting,
                retry_s=retry_s,
                **why,
            )
            print_line("folder", line)
        elif error is not None:
            again = "" if retry_s is None else f"; tried again in {retry_s:.0f} s"
            self._problem(f"{_HEADS[event]}{again}", error)
        else:
            console.print(Text(self._sentence(event, sent, waiting, file)))

    def _sentence(self, event: FolderEvent, sent: int, waiting: int, file: str | None) -> str:
        if event is FolderEvent.WATCHING:
            return f"watching {self._folder} for run {self.run_id}: {sent} files have arrived"
        if event is FolderEvent.LATE:
            return f"written after the seal, and not part of the run: {file}"
        return f"{_HEADS[event]}: {sent} files have arrived, {waiting} wait"

    def _problem(self, head: str, error: PorewatchError) -> None:
        where = f" {error.file}:" if error.file else ""
        errors.print(Text.assemble((head, "yellow"), f":{where} {error.problem}"))
        if error.remedy:
            errors.print(Text.assemble(("  what to do:", "bold"), f" {error.remedy}"))


_HEADS = {
    FolderEvent.POLLING: "no events come from this folder, so it is looked through by the clock",
    FolderEvent.FAULT: "would be refused at the seal",
    FolderEvent.DOOR_SHUT: "nothing can be sent now",
    FolderEvent.DOOR_OPEN: "files can be sent again",
    FolderEvent.UNREADABLE: "the folder cannot be read now",
    FolderEvent.SEALING: "the final summary is here, and the run is sealed",
}


def _of(error: PorewatchError | None) -> dict[str, str | None]:
    if error is None:
        return {}
    why = {"code": error.code, "problem": error.problem, "remedy": error.remedy}
    return {**why, "file": error.file}


def _safe(name: str) -> str:
    """Names that are no UTF-8 are shown escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
