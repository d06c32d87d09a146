"""Everything that lies of a run in the three buckets, whoever asks: to delete it, or to lock it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from porewatch.domain import places
from porewatch.domain.ending.whereabouts import (
    is_searched,
    is_tar_of,
    own_prefixes,
    raw_prefixes,
)

if TYPE_CHECKING:
    from porewatch.adapters.endings import Endings
    from porewatch.adapters.versions import Version, Versions


@dataclass(frozen=True)
class Shelves:
    """The three buckets, and the ledger's word of which tars became which run."""

    raw: Versions
    results: Versions
    reports: Versions
    endings: Endings

    def of(self, run_id: str) -> Iterator[tuple[Versions, Iterator[Version]]]:
        """(bucket, versions in it), one folder after the other. Versions that came while it is
        listed may be left out: ask again."""
        for prefix in raw_prefixes(run_id):
            yield self.raw, self.raw.of(prefix)
        yield self.raw, self._tars(run_id)
        for bucket in (self.results, self.reports):
            for prefix in own_prefixes(run_id):
                yield bucket, bucket.of(prefix)

    def prefixes(self, run_id: str) -> Iterator[tuple[Versions, str]]:
        """(bucket, folder that is the run's alone)."""
        yield from ((self.raw, prefix) for prefix in raw_prefixes(run_id))
        for bucket in (self.results, self.reports):
            yield from ((bucket, prefix) for prefix in own_prefixes(run_id))

    def _tars(self, run_id: str) -> Iterator[Version]:
        known, seen = self.endings.tars(run_id), set[tuple[str, str]]()
        for version in self._perhaps_tars(known):
            place = (version.key, version.number)
            if place not in seen and is_tar_of(run_id, version.key, known):
                seen.add(place)
                yield version

    def _perhaps_tars(self, known: frozenset[str]) -> Iterator[Version]:
        for key in sorted(known):
            yield from (v for v in self.raw.of(key) if v.key == key)
        for top in ("", places.QUARANTINE):
            folders, loose = self.raw.folders(top)
            yield from loose
            for folder in filter(is_searched, folders):
                yield from self.raw.of(folder)
