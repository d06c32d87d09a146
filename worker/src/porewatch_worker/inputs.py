"""A stage's inputs: what they are called, where they lie, and fetching them when they are needed.

Names are manifest paths (`fastq/a.fastq.gz`) for what was uploaded and output names
(`screen.json`, `bam/a.bam`) for what an earlier stage published; a later stage's output hides an
earlier one's of the same name.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from porewatch.domain import places
from porewatch.domain.errors import InputRefused, NotFound, Unavailable
from porewatch.domain.phases import StageManifest, WorkOrder
from porewatch.domain.runs import InputFile, ReadKind
from porewatch_worker.work import Inputs

KEPT_FILES = 6
"""Fetched files that stay on disk; older ones are dropped, and fetched again when asked for."""

SPARE_BYTES = 1 << 30


class Fetcher(Protocol):
    """A bucket that objects are fetched from."""

    def fetch(self, key: str, to: Path, heard: Callable[[int], None]) -> tuple[int, str]:
        """Write the object to a file; size and sha256."""


@dataclass(frozen=True)
class Source:
    """Where an input lies and what it must be. `sha256` is None when nobody told it."""

    bucket: Fetcher
    key: str
    size: int
    sha256: str | None


def sources_of(
    order: WorkOrder, previous: Iterable[StageManifest], raw: Fetcher, results: Fetcher
) -> dict[str, Source]:
    """Every input of the order by name."""
    found = {
        f.path: Source(raw, places.raw_key(order.run_id, f.lies_at), f.size, f.sha256)
        for f in order.manifest.files
    }
    for manifest in previous:
        for name, output in manifest.outputs.items():
            found[name] = Source(results, output.key, output.size, output.sha256)
    return found


def reads_of(order: WorkOrder, previous: Iterable[StageManifest]) -> tuple[InputFile, ...]:
    """The read files to screen: uploaded ones, and what the basecalling stage made of signal."""
    uploaded = [f for f in order.manifest.files if f.kind is not ReadKind.POD5]
    barcodes = {basecalled_name(f.path): f.barcode for f in order.manifest.files}
    called = [
        InputFile(
            path=name,
            kind=ReadKind.BAM,
            size=output.size,
            sha256=output.sha256,
            barcode=barcodes.get(name),
        )
        for manifest in previous
        for name, output in sorted(manifest.outputs.items())
        if name in barcodes
    ]
    return (*uploaded, *called)


def basecalled_name(path: str) -> str:
    """`pod5/barcode01/a.pod5` -> `bam/barcode01/a.bam`: what basecalling publishes a file as."""
    kind, _, rest = path.partition("/")
    return f"bam/{rest.removesuffix('.pod5')}.bam" if kind == ReadKind.POD5 else path


class FetchedInputs(Inputs):
    """Fetches an input on first use, checks it, and keeps only the latest few. Thread-safe.

    `fetching` tells a person what is being fetched and how far that is; empty when nothing is.
    """

    def __init__(self, sources: dict[str, Source], folder: Path) -> None:
        super().__init__({})
        self._sources, self._folder = sources, folder
        self._lock = threading.Lock()
        self.fetching = ""

    def path(self, name: str) -> Path:
        """The file on this disk. NotFound for an unknown name, InputRefused when it is not the file
        that the manifest speaks of, Unavailable when it cannot be had or the disk is full."""
        with self._lock:
            there = self.fetched.pop(name, None) or self._fetch(name)
            self.fetched[name] = there  # last in the order of use
            for old in list(self.fetched)[:-KEPT_FILES]:
                self._drop(old)
            return there

    def release(self, name: str) -> None:
        """The file is not needed any more."""
        with self._lock:
            self._drop(name)

    def _drop(self, name: str) -> None:
        path = self.fetched.pop(name, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def _fetch(self, name: str) -> Path:
        source = self._sources.get(name)
        if source is None:
            raise NotFound(f"this stage has no input {name!r}.")
        to = self._folder / name
        self._make_room(source.size)
        try:
            found = source.bucket.fetch(source.key, to, lambda n: self._tell(name, n, source.size))
        except NotFound as e:
            raise InputRefused(
                "The manifest names this file, but it is not in the bucket.",
                file=name,
                remedy="upload it and seal the run again.",
            ) from e
        finally:
            self.fetching = ""
        _check(name, source, found)
        return to

    def _tell(self, name: str, there: int, size: int) -> None:
        self.fetching = f"fetching {name}: {there / max(size, 1):.0%}"

    def _make_room(self, size: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        while shutil.disk_usage(self._folder).free < size + SPARE_BYTES and self.fetched:
            self._drop(next(iter(self.fetched)))
        free = shutil.disk_usage(self._folder).free
        if free < size:
            raise Unavailable(
                f"the disk has {free} bytes left, the next input needs {size}.",
                remedy="give the stage a larger disk (disk_gib of its profile).",
            )


def _check(name: str, source: Source, found: tuple[int, str]) -> None:
    size, sha256 = found
    if size != source.size:
        raise InputRefused(
            f"The file has {size} bytes, the manifest says {source.size}.",
            file=name,
            remedy="upload it again and seal the run again.",
        )
    if source.sha256 is not None and sha256 != source.sha256:
        raise InputRefused(
            f"The file's sha256 is {sha256}, the manifest says {source.sha256}.",
            file=name,
            remedy="upload it again and seal the run again.",
        )
