"""Walk folders as people have them: links followed once, hidden folders not entered.

For folders of reads and of references alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from porewatch.domain.errors import InputRefused, Refused
from porewatch.domain.inputs.file_names import is_kept_from_view


@dataclass
class Walk:
    """Real folders first, links after them (`follow`), so that what lies here and is linked as well
    is read once, under its own name.

    `counts`: names whose content is used, so that a link to it must not dangle and it is taken
    once. `files`: name -> path; `hidden`: one name a folder that was not entered; `twice`: names of
    files that stand for one of `files`.
    """

    counts: Callable[[str], bool]
    files: dict[str, Path] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    faults: list[Refused] = field(default_factory=list)
    _links: list[tuple[str, Path]] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def enter(self, folder: Path, name: str = "") -> None:
        """Take what lies in `folder`; each real folder once, so that a link to an upper folder
        does not go round for ever."""
        if not self._first_time(folder):
            return
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except PermissionError:
            remedy = "give yourself the right to read it, or leave it out."
            self.faults.append(InputRefused("may not be read.", file=str(folder), remedy=remedy))
            return
        for entry in entries:
            self._take_entry(entry, f"{name}/{entry.name}" if name else entry.name)

    def _take_entry(self, entry: os.DirEntry[str], name: str) -> None:
        if entry.is_symlink():
            self._links.append((name, Path(entry.path)))
        elif entry.is_dir():
            self._enter_unless_hidden(Path(entry.path), name)
        elif entry.is_file():
            self.take(name, Path(entry.path))

    def _enter_unless_hidden(self, folder: Path, name: str) -> None:
        if is_kept_from_view(f"{name}/x.fastq"):
            self.hidden.append(f"{name}/x")
        else:
            self.enter(folder, name)

    def take(self, name: str, path: Path) -> None:
        """A file; hard links and links to the same one are second copies of it."""
        if self.counts(name) and not self._first_time(path):
            self.twice.append(name)
        else:
            self.files[name] = path

    def follow(self) -> None:
        """The links, in order, those inside linked folders too."""
        while self._links:
            name, path = self._links.pop(0)
            if path.is_dir():
                self._enter_unless_hidden(path, name)
            elif path.is_file():
                self.take(name, path)
            elif not is_kept_from_view(name) and (self.counts(name) or not Path(name).suffix):
                self.faults.append(_dangling(path))

    def _first_time(self, path: Path) -> bool:
        there = path.stat()
        key = (there.st_dev, there.st_ino)
        fresh = key not in self._seen
        self._seen.add(key)
        return fresh


def _dangling(path: Path) -> Refused:
    return InputRefused(
        f"is a link to {path.readlink()}, which is not there.",
        file=str(path),
        remedy="mount the disk it points to, or remove the link.",
    )
