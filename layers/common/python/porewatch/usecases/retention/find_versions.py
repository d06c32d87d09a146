"""Every object version of a run in the three buckets, for deletion and for legal hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from porewatch.domain import s3_keys
from porewatch.domain.retention.whereabouts import (
    is_searched,
    is_tar_of,
    own_prefixes,
    raw_prefixes,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.retention import Endings
    from porewatch.adapters.s3.versions import (
        Version,
        Versions,
    )


TARS = ""
"""Stands for the folders of tars: there are many."""


class Place(Protocol):
    """An object in a folder that `Shelves.of` returned."""

    @property
    def folder(self) -> str: ...
    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Shelves:
    """The three buckets, and the record in the ledger of which tar became which run."""

    raw: Versions
    results: Versions
    reports: Versions
    endings: Endings

    def of(
        self, run_id: str, after: Place | None = None
    ) -> Iterator[tuple[str, Versions, Iterator[Version]]]:
        """(folder, its bucket, versions in it), one folder after the other, tars first. Versions
        that arrive during the listing may be missing: list again. `after`: folders before that
        place, and objects up to it, are skipped."""
        passed = after is None or after.folder == TARS
        if passed:
            last = after.key if after is not None else ""
            yield TARS, self.raw, (v for v in self._tars(run_id) if v.key > last)
        for bucket, prefix in self.prefixes(run_id):
            folder = f"{bucket.bucket}/{prefix}"
            if after is not None and folder == after.folder:
                passed = True
                yield folder, bucket, bucket.of(prefix, after.key)
            elif passed:
                yield folder, bucket, bucket.of(prefix)

    def prefixes(self, run_id: str) -> Iterator[tuple[Versions, str]]:
        """(bucket, folder that belongs to the run alone)."""
        yield from ((self.raw, prefix) for prefix in raw_prefixes(run_id))
        for bucket in (self.results, self.reports):
            yield from ((bucket, prefix) for prefix in own_prefixes(run_id))

    def _tars(self, run_id: str) -> Iterator[Version]:
        known, seen = self.endings.tars(run_id), set[tuple[str, str]]()
        others = self.endings.tars_of_others(run_id)
        for version in sorted(self._perhaps_tars(known), key=lambda version: version.key):
            place = (version.key, version.number)
            if place not in seen and is_tar_of(run_id, version.key, known, others):
                seen.add(place)
                yield version

    def _perhaps_tars(self, known: frozenset[str]) -> Iterator[Version]:
        for key in sorted(known):
            yield from (v for v in self.raw.of(key) if v.key == key)
        for top in ("", s3_keys.QUARANTINE):
            folders, loose = self.raw.folders(top)
            yield from loose
            for folder in filter(is_searched, folders):
                yield from self.raw.of(folder)


def by_object(versions: Iterable[Version], most: int) -> Iterator[list[Version]]:
    """Batches of about `most`, each with all versions of its objects: so an object key is a valid
    place in the list."""
    some: list[Version] = []
    for version in versions:
        if len(some) >= most and version.key != some[-1].key:
            yield some
            some = []
        some.append(version)
    if some:
        yield some
