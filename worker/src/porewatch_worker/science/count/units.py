"""The result of one unit of reads: whole numbers and short lists, packed to bytes.

Every number is an integer (errors in billionths), so that adding units up gives the same result in
any grouping: results do not depend on unit size, threads or interruptions.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from porewatch.domain.calls.references import ContigRole
from porewatch.domain.stage.quarantine import QUARANTINED
from porewatch_worker.science.count.histograms import quality_bin
from porewatch_worker.science.count.perv_counts import PervCounts
from porewatch_worker.science.count.perv_counts import from_plain as perv_from_plain
from porewatch_worker.science.count.target_counts import (
    TargetCounts,
    int_counter,
)
from porewatch_worker.science.count.target_counts import from_plain as target_from_plain
from porewatch_worker.science.count.unassigned import UnknownCounts
from porewatch_worker.science.count.unassigned import from_plain as unknown_from_plain
from porewatch_worker.science.read.demultiplex import Demultiplexed
from porewatch_worker.science.read.filter_reads import FilterResult
from porewatch_worker.science.read.placement import (
    HostFit,
    Placement,
)
from porewatch_worker.science.reads import Unit
from porewatch_worker.science.sequence.kmers import gc_bases

BILLION = 1_000_000_000
UNASSIGNED = "unassigned"
KINDS = {1: "duplex", 0: "simplex", -1: "duplex_parent"}
"""By the reads' `dx`."""


@dataclass
class HostCounts:
    """Reads that the host got, and how they fit it. `identities`: whole per cent -> reads."""

    matched: int = 0
    block: int = 0
    identities: Counter[int] = field(default_factory=Counter)
    rrna_reads: int = 0
    rrna_bases: int = 0
    in_full: int = 0
    let_go: int = 0

    def take(self, length: int, fit: HostFit, *, kept: bool) -> None:
        self.in_full += fit.in_full
        self.let_go += not kept
        if kept:
            self.matched += fit.matched
            self.block += fit.block
            self.identities[100 * fit.matched // max(1, fit.block)] += 1
            self.rrna_reads += fit.rrna
            self.rrna_bases += length * fit.rrna


@dataclass
class SampleCounts:
    """One sample in one unit. `lengths`, `quality_*`, `minutes` cover reads before filtering."""

    total: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    filtered_bases: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    role_bases: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    quality_reads: Counter[int] = field(default_factory=Counter)
    quality_bases: Counter[int] = field(default_factory=Counter)
    error_billionths: int = 0
    gc: int = 0
    passed_bases: int = 0
    trimmed: int = 0
    minute_reads: Counter[int] = field(default_factory=Counter)
    minute_bases: Counter[int] = field(default_factory=Counter)
    targets: dict[str, TargetCounts] = field(default_factory=dict)
    perv: PervCounts = field(default_factory=PervCounts)
    unknown: UnknownCounts = field(default_factory=UnknownCounts)
    host: HostCounts = field(default_factory=HostCounts)
    kinds: Counter[str] = field(default_factory=Counter)
    split: int = 0
    demultiplexed: int = 0
    barcodes_told: Counter[str] = field(default_factory=Counter)

    def see(self, judged: FilterResult) -> None:
        """Quality control of one read, whatever becomes of it."""
        if judged.read.duplex is not None:
            self.kinds[KINDS[judged.read.duplex]] += 1
        read, length = judged.read, len(judged.read.sequence)
        self.total += 1
        self.lengths[length] += 1
        self.error_billionths += round(judged.error * BILLION)
        place = quality_bin(judged.error)
        self.quality_reads[place] += 1
        self.quality_bases[place] += length
        self.gc += gc_bases(read.sequence)
        self.trimmed += judged.trimmed
        if read.start_time is not None:
            minute = int(read.start_time.timestamp()) // 60
            self.minute_reads[minute] += 1
            self.minute_bases[minute] += length
        if judged.reason:
            self.filtered[judged.reason] += 1
            self.filtered_bases[judged.reason] += len(judged.sequence)
        else:
            self.passed_bases += len(judged.sequence)

    def lose(self) -> None:
        """A read of a unit that was given up: it is counted, and nothing else is known of it."""
        self.total += 1
        self.filtered[QUARANTINED] += 1

    def refuse(self, length: int, reason: str) -> None:
        """A read of `length` that had passed, and is no evidence of anything after all."""
        self.filtered[reason] += 1
        self.filtered_bases[reason] += length
        self.passed_bases -= length

    def place(self, length: int, placement: Placement, kit: int = 0) -> None:
        """The verdict on one read that passed. `kit`: bases at its ends that the library kit put
        there: they count as explained, as host beside the winner does."""
        if placement.fit:
            self.host.take(length, placement.fit, kept=placement.role is ContigRole.HOST)
        role = placement.role.value if placement.role else UNASSIGNED
        self.roles[role] += 1
        self.role_bases[role] += length
        if placement.host_better:
            self._target(placement.host_better).host_better += 1
        for member in placement.tied:
            counts = self._target(member)
            counts.shared += 1
            counts.shared_with["|".join(t for t in placement.tied_with if t != member)] += 1
        if mine := placement.alone:
            self._target(mine.target).take(
                mine, length, placement.host_flank, placement.flank_bases + kit
            )

    def take_kmers(self, target: str, sampled: int, found: int) -> None:
        """Sampled k-mers of reads of a large genome, and how many its reference has."""
        counts = self._target(target)
        counts.words += sampled
        counts.words_found += found

    def _target(self, name: str) -> TargetCounts:
        return self.targets.setdefault(name, TargetCounts())


class Place(NamedTuple):
    """Where a part of a unit stood: in `file`, in `consumed` of its bytes, with `reads` reads from
    number `first` on, of which each sample got so many; `last`: the file ends there."""

    file: str
    consumed: int
    first: int
    reads: int
    last: bool
    samples: Mapping[str, int]


@dataclass
class UnitCounts:
    """One unit: samples by name, reads whose barcode no sample claims, and the place of each of
    its parts."""

    samples: dict[str, SampleCounts] = field(default_factory=dict)
    unlisted: Counter[str] = field(default_factory=Counter)
    places: tuple[Place, ...] = ()

    def sample(self, name: str) -> SampleCounts:
        if name not in self.samples:  # a SampleCounts is a dozen counters: not for every read
            self.samples[name] = SampleCounts()
        return self.samples[name]

    def demultiplexed(self, found: Demultiplexed) -> None:
        """Add the counts of demultiplexing."""
        self.unlisted.update(found.unlisted)
        for sample, parts in found.split.items():
            self.sample(sample).split += parts
        for sample, reads in found.by_ends.items():
            self.sample(sample).demultiplexed += reads
        for (sample, barcode), reads in found.barcodes_seen.items():
            self.sample(sample).barcodes_told[barcode] += reads

    def stood_in(self, unit: Unit, samples: Sequence[Mapping[str, int]]) -> None:
        """Where the reads came from; `samples`: reads of each sample, part by part."""
        self.places = tuple(
            Place(part.file.path, part.consumed, part.first, len(part.reads), part.last, dict(mine))
            for part, mine in zip(unit.parts, samples, strict=True)
        )

    def to_bytes(self) -> bytes:
        """Compressed JSON with sorted keys: equal counts give equal bytes."""
        plain = {
            "samples": {name: _plain(s) for name, s in self.samples.items()},
            "unlisted": dict(self.unlisted),
            "places": self.places,
        }
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
        return zlib.compress(text.encode(), 6)


def add(into: Any, other: Any) -> None:
    """Add `other` to `into`, field by field: numbers, counters, lists and nested records."""
    for name, value in vars(other).items():
        if name == "places" and isinstance(other, UnitCounts):
            continue  # of the unit as a whole
        there = getattr(into, name)
        if isinstance(value, PervCounts | UnknownCounts):
            there.add(value)
        elif isinstance(value, HostCounts):
            add(there, value)
        elif isinstance(value, int):
            setattr(into, name, there + value)
        elif isinstance(value, Counter):
            there.update(value)
        else:
            _add_mapping(there, value)


def _add_mapping(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, list):
            into.setdefault(key, []).extend(value)
        else:
            add(into.setdefault(key, type(value)()), value)


def unit_from_bytes(content: bytes) -> UnitCounts:
    """The inverse of `UnitCounts.to_bytes`."""
    plain = json.loads(zlib.decompress(content))
    return UnitCounts(
        samples={name: _sample(s) for name, s in plain["samples"].items()},
        unlisted=Counter(plain["unlisted"]),
        places=tuple(Place(*place) for place in plain["places"]),
    )


def _plain(sample: SampleCounts) -> dict[str, Any]:
    found = dict(vars(sample))
    found["targets"] = {name: vars(t) for name, t in sample.targets.items()}
    for name in ("perv", "unknown", "host"):
        found[name] = dict(vars(found[name]))
    return found


_INT_KEYS = ("lengths", "quality_reads", "quality_bases", "minute_reads", "minute_bases")


def _sample(plain: dict[str, Any]) -> SampleCounts:
    fields = dict(plain)
    for name in _INT_KEYS:
        fields[name] = int_counter(plain[name])
    for name in ("filtered", "filtered_bases", "roles", "role_bases", "kinds", "barcodes_told"):
        fields[name] = Counter(plain[name])
    fields["targets"] = {name: target_from_plain(t) for name, t in plain["targets"].items()}
    fields["perv"] = perv_from_plain(plain["perv"])
    fields["unknown"] = unknown_from_plain(plain["unknown"])
    host = plain["host"]
    fields["host"] = HostCounts(**{**host, "identities": int_counter(host["identities"])})
    return SampleCounts(**fields)
