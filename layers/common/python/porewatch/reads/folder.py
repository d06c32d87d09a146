"""Files and folders on this machine, as every other door understands them.

Order: walk (links are followed once, a dangling one is a fault, hidden folders are not entered) ->
`landing.sort_out`. Nothing is read but sheets, summaries and the first bytes of small files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from porewatch.domain.completeness import Why, with_more
from porewatch.domain.errors import InputRefused, Refused
from porewatch.domain.landing.heads import ENOUGH
from porewatch.domain.landing.names import Landed, classify, is_kept_from_view
from porewatch.domain.landing.sorting import Door, Understood, sort_out
from porewatch.domain.landing.tells import normal_barcode
from porewatch.domain.naming import kind_of

_MATTERS = (
    Landed.READS,
    Landed.UNREADABLE,
    Landed.SIGNAL_OLD,
    Landed.SHEET,
    Landed.SUMMARY,
    Landed.UNKNOWN,
)


@dataclass(frozen=True)
class Folder:
    """`reads`: path in the run -> local file. `understood` has the rest, faults too."""

    reads: dict[str, Path]
    barcodes: dict[str, str | None]
    understood: Understood

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for people about each sort of file that is not screened."""
        return tuple(found.sentence() for found in self.understood.left_out)


def look_into(paths: Sequence[Path], sheet: Path | None = None) -> Folder:
    """Everything at and below `paths`. Raises InputRefused when one of them is not there; what is
    wrong with the files stands in `understood.faults`."""
    found = _Walk()
    for path in paths:
        if not path.exists():
            raise InputRefused("there is no such file or folder.", file=str(path))
    for name, path in _named(paths):
        if path.is_dir():
            found.enter(path, name)
        else:
            kind_of(path.name)
            found.take(name or path.name, path)
    found.follow()
    named = (str(sheet), sheet.read_bytes()) if sheet is not None else None
    understood = sort_out(
        Door(
            sizes={name: path.stat().st_size for name, path in found.files.items()}
            | dict.fromkeys(found.hidden, 0),
            text=lambda name: found.files[name].read_bytes(),
            head=lambda name: _head(found.files[name]),
            sheet=named,
        )
    )
    understood.faults[:0] = found.faults
    understood.left_out = with_more(understood.left_out, Why.SECOND_COPY, found.twice)
    reads = {place: found.files[name] for name, place in understood.reads.items()}
    barcodes = {place: understood.barcodes[name] for name, place in understood.reads.items()}
    return Folder(reads, barcodes, understood)


def _named(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Each path under the name that tells it from the others; a single folder needs none."""
    if len(paths) == 1:
        path = paths[0].absolute()
        barcoded = path.is_file() and normal_barcode(path.parent.name)
        yield (f"{path.parent.name}/{path.name}" if barcoded else ""), paths[0]
        return
    whole = [path.absolute() for path in paths]
    above = Path(os.path.commonpath([path.parent for path in whole]))
    for path in whole:
        yield path.relative_to(above).as_posix(), path


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(ENOUGH)


@dataclass
class _Walk:
    """Real folders first, links after them, so that what lies here and is linked as well is read
    once, under its own name."""

    files: dict[str, Path] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    faults: list[Refused] = field(default_factory=list)
    _links: list[tuple[str, Path]] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def enter(self, folder: Path, name: str) -> None:
        """Take what lies in `folder`; each real folder once, so that a link to an upper folder
        does not go round for ever."""
        if not self._first_time(folder):
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except PermissionError as e:
            remedy = "give yourself the right to read it, or leave it out."
            self.faults.append(InputRefused("may not be read.", file=str(folder), remedy=remedy))
            del e
            return
        for entry in entries:
            inner = f"{name}/{entry.name}" if name else entry.name
            self._take_entry(entry, inner)

    def _take_entry(self, entry: os.DirEntry[str], name: str) -> None:
        if entry.is_symlink():
            self._links.append((name, Path(entry.path)))
        elif entry.is_dir():
            if is_kept_from_view(f"{name}/x.fastq"):
                self.hidden.append(f"{name}/x")
            else:
                self.enter(Path(entry.path), name)
        elif entry.is_file():
            self.take(name, Path(entry.path))

    def take(self, name: str, path: Path) -> None:
        """A file; hard links and links to the same one are second copies of it."""
        if classify(name) is Landed.READS and not self._first_time(path):
            self.twice.append(name)
            return
        self.files[name] = path

    def follow(self) -> None:
        """The links, in order, those inside linked folders too."""
        while self._links:
            name, path = self._links.pop(0)
            try:
                there = path.stat()
            except OSError:
                self._dangling(name, path)
                continue
            del there
            if path.is_dir() and not is_kept_from_view(f"{name}/x.fastq"):
                self.enter(path, name)
            elif path.is_file():
                self.take(name, path)

    def _dangling(self, name: str, path: Path) -> None:
        if classify(name) in _MATTERS:
            self.faults.append(
                InputRefused(
                    f"is a link to {path.readlink()}, which is not there.",
                    file=str(path),
                    remedy="mount the disk it points to, or remove the link.",
                )
            )

    def _first_time(self, path: Path) -> bool:
        there = path.stat()
        key = (there.st_dev, there.st_ino)
        fresh = key not in self._seen
        self._seen.add(key)
        return fresh
