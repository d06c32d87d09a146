"""Look at the folder: what lies there, by the rules of every door, and since when it stands still.

Nothing is opened but sheets, summaries and the first bytes of small files; nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from porewatch.domain import s3_keys
from porewatch.domain.inputs.file_kinds import kind_of
from porewatch.domain.inputs.file_names import Landed, classify
from porewatch.domain.runs import ReadKind
from porewatch.domain.uploads.stored_files import Lying
from porewatch.reads.folder import Folder, look_into
from porewatch_cli.watch_folder.next_step import Seen, Stamp

PlaceOf = Callable[[str, Folder], str]
"""Where a door puts a file, by its name in the folder."""


class Object(NamedTuple):
    """A file, as the rule that counts a run's files knows it."""

    key: str
    size: int
    etag: str = ""


class Standing(NamedTuple):
    """A content, and since when it is there."""

    stamp: Stamp
    since: float
    renamed: bool


@dataclass(frozen=True)
class Look:
    """`files`: reads that are sent while the run goes; `held`: signal, which waits for the seal;
    `summaries`: final summaries. `lacking`: how many files MinKNOW counted more than lie there."""

    folder: Folder
    files: dict[str, Seen]
    held: dict[str, Seen]
    summaries: dict[str, Seen]
    lacking: int = 0

    @property
    def everything(self) -> dict[str, Seen]:
        return self.files | self.held | self.summaries

    def source(self, name: str) -> Path:
        return self.folder.files[name]


@dataclass
class Looker:
    """Remembers since when each content stands still, by the monotonic clock of this process."""

    path: Path
    place_of: PlaceOf
    now: Callable[[], float]
    sheet: Path | None = None
    lab: Path | None = None
    _kept: dict[str, Standing] = field(default_factory=dict)
    _unnamed: dict[tuple[int, int], Stamp] = field(default_factory=dict)

    def look(self) -> Look:
        """Raises OSError when a file goes while it is looked at; InputRefused when the folder is
        not there."""
        folder = look_into([self.path], self.sheet, self.lab)
        files, held, summaries = {}, {}, {}
        sizes, unnamed = [], {}
        for name, source in folder.files.items():
            what = classify(name)
            if what is Landed.LEFTOVER:
                inode, stamp = _there(source)
                unnamed[inode] = stamp
            elif what is Landed.SUMMARY:
                summaries[name] = self._seen(name, source)
            elif what in (Landed.READS, Landed.FAILED):
                seen = self._seen(name, source)
                sizes.append(Object(s3_keys.raw_key("r", name), seen.stamp.size))
                if name not in folder.understood.reads:
                    continue
                if kind_of(name) is ReadKind.POD5:  # a second copy, once its called reads come
                    held[name] = seen
                else:
                    files[name] = seen._replace(place=self.place_of(name, folder))
        self._unnamed = unnamed
        self._kept = {name: kept for name, kept in self._kept.items() if name in folder.files}
        summary = folder.understood.summary
        expected = Lying("r", sizes, {}).expected(summary.files) if summary else []
        lacking = sum(kind.missing for kind in expected)
        return Look(folder, files, held, summaries, lacking)

    def _seen(self, name: str, source: Path, place: str = "") -> Seen:
        inode, stamp = _there(source)
        kept = self._kept.get(name)
        if kept is None or kept.stamp != stamp:
            # The same bytes under a leftover's name before: whoever wrote it has let go of it.
            renamed = self._unnamed.get(inode) == stamp
            kept = self._kept[name] = Standing(stamp, self.now(), renamed)
        return Seen(stamp, place, kept.since, kept.renamed)


def _there(source: Path) -> tuple[tuple[int, int], Stamp]:
    there = source.stat()
    return (there.st_dev, there.st_ino), Stamp(there.st_size, there.st_mtime_ns)


def stamp_of(source: Path) -> Stamp | None:
    """The content that lies there now; None when the file is gone."""
    try:
        there = source.stat()
    except FileNotFoundError:
        return None
    return Stamp(there.st_size, there.st_mtime_ns)
