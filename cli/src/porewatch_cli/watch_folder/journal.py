"""What is known of each file of the folder, kept over reboots: a small SQLite file.

A row is written after what it says is true: a file that was checked or has arrived is at worst
checked or asked for once more. `FULL`: a row that was written survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from porewatch.domain.errors import ConfigurationRefused, Unavailable
from porewatch.reads.summary import ReadsSummary
from porewatch_cli.watch_folder.next_step import Known, Stamp, State

VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS files (
  path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, state TEXT NOT NULL,
  place BLOB NOT NULL, sha256 TEXT NOT NULL, summary TEXT NOT NULL, problem TEXT NOT NULL,
  arrivals INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""
_ALL = "SELECT path, size, mtime_ns, place, state, sha256, arrivals FROM files"
_UPSERT = """
INSERT INTO files (path, size, mtime_ns, state, place, sha256, summary, problem, arrivals)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,
  state = excluded.state, place = excluded.place, sha256 = excluded.sha256,
  summary = excluded.summary, problem = excluded.problem, arrivals = excluded.arrivals
"""
_SENT = """
UPDATE files SET state = ?, arrivals = arrivals + 1 WHERE path = ? AND size = ? AND mtime_ns = ?
"""
_PLACE = "UPDATE files SET state = ?, place = ? WHERE path = ?"


class Journal:
    """The journal at `file`, of one process. Every method raises Unavailable when it cannot be
    written, ConfigurationRefused when it is no journal of this version."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.writes = 0
        """Changes so far, by this process."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._unwritable(error) from error
        with self._said():
            # One thread at a time: checks of the seal run in a thread while the main one waits.
            self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_TABLES)
        if self.fact("version") is None:
            self.keep_fact("version", str(VERSION))
        if self.fact("version") != str(VERSION):
            raise self._foreign()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _at: TracebackType | None
    ) -> None:
        try:
            self._db.close()
        except sqlite3.Error:  # a full disk: what was written stays in the log beside it
            return

    def known(self) -> dict[str, Known]:
        """Everything, by path."""
        with self._said():
            rows = self._db.execute(_ALL)
            return {
                os.fsdecode(path): Known(
                    Stamp(size, mtime), os.fsdecode(place), State(state), sha256, arrivals
                )
                for path, size, mtime, place, state, sha256, arrivals in rows
            }

    def summary(self, path: str, stamp: Stamp) -> ReadsSummary | None:
        """What a check found in this content; None when no check of it is known to be sound."""
        with self._said():
            row = self._db.execute(
                "SELECT summary FROM files WHERE path = ? AND size = ? AND mtime_ns = ?",
                (os.fsencode(path), *stamp),
            ).fetchone()
        return ReadsSummary.model_validate_json(row[0]) if row and row[0] else None

    def keep_checked(self, path: str, known: Known, found: ReadsSummary) -> None:
        """A sound content."""
        self._keep(path, known, found.model_dump_json(), "")

    def keep_unsound(self, path: str, known: Known, problem: str) -> None:
        """A content that its check refused."""
        self._keep(path, known, "", problem)

    def keep_sent(self, path: str, stamp: Stamp) -> None:
        """This content of the file has arrived."""
        self._write(_SENT, (State.SENT.value, os.fsencode(path), *stamp))

    def keep_place(self, path: str, place: str) -> None:
        """The file goes to another place, and has not arrived there."""
        self._write(_PLACE, (State.CHECKED.value, os.fsencode(place), os.fsencode(path)))

    def fact(self, name: str) -> str | None:
        """What is kept of the run under a name."""
        with self._said():
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def keep_fact(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        self._write("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def _keep(self, path: str, known: Known, summary: str, problem: str) -> None:
        names = (os.fsencode(path), *known.stamp, known.state.value, os.fsencode(known.place))
        self._write(_UPSERT, (*names, known.sha256, summary, problem, known.arrivals))

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with self._said():
            self._db.execute(statement, values)
        self.writes += 1

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise self._unwritable(error) from error
        except sqlite3.DatabaseError as error:
            raise self._foreign() from error

    def _unwritable(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"the journal cannot be written ({error}).",
            file=str(self._file),
            remedy="free space on its disk, or stop the process that uses it; then start again: "
            "what arrived is not sent twice.",
        )

    def _foreign(self) -> ConfigurationRefused:
        return ConfigurationRefused(
            "it is no journal of this version.",
            file=str(self._file),
            remedy="move it away, or name another one by --journal; what arrived is found again.",
        )
