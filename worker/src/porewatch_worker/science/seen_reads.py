"""Repeated reads: a read counts once, however often it was sent.

A read is a repeat when one of the same id and sequence came before (a file merged by hand, packed
and unpacked, sent twice), or when one of the same sequencer's id and the same barcode is in another
file (called again by another model). Halves of a split read share an id, differ in sequence and are
in one file or under two barcodes: they stay. Ids that are no UUID are a program's own numbers and
may restart in each file: for those only the same sequence counts.

20 bytes a read are stored (64 bits of the id, 32 of the sequence, file and barcode), in sorted runs
that are merged as they grow: 2 GB for 100 million reads, of which by chance alone one in a thousand
runs would lose a read (birthday bound of 64 bits).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from porewatch_worker.science.reads import Read

_SEQUENCERS = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
_NO_FILE = 0xFFFFFFFF
"""The file of reads whose ids are not the sequencer's: equal for all, so that no file differs."""


class _Run(NamedTuple):
    """Sorted ids, and for each its sequence, file and barcode."""

    keys: np.ndarray
    details: np.ndarray


class SeenReads:
    """Fed with every read of a run in the manifest's order, also when a run is taken up again: the
    answer for one read depends on those before it and on nothing else."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def marked(self, reads: Sequence[Read], file: int, barcode: str | None) -> list[Read]:
        """The reads of one file, in order; `again` is set on repeats."""
        keys = np.fromiter((_id_of(read.id) for read in reads), np.uint64, len(reads))
        details = np.array([_details(read, file, barcode) for read in reads], np.uint32).reshape(
            len(reads), 3
        )
        again = self._before(keys, details)
        self._within(keys, details, again)
        fresh = ~again
        self._add(keys[fresh], details[fresh])
        if not again.any():
            return list(reads)
        return [r._replace(again=True) if a else r for r, a in zip(reads, again, strict=True)]

    def _before(self, keys: np.ndarray, details: np.ndarray) -> np.ndarray:
        again = np.zeros(len(keys), dtype=bool)
        for run in self._runs:
            first = np.searchsorted(run.keys, keys, "left")
            there = first < len(run.keys)
            there[there] = run.keys[first[there]] == keys[there]
            for i in np.flatnonzero(there & ~again):
                at = first[i]
                while at < len(run.keys) and run.keys[at] == keys[i] and not again[i]:
                    again[i] = _same(run.details[at], details[i])
                    at += 1
        return again

    def _within(self, keys: np.ndarray, details: np.ndarray, again: np.ndarray) -> None:
        """The same among these reads, which are of one unit and one file."""
        if len(np.unique(keys)) == len(keys):
            return
        first: dict[int, list[int]] = {}
        for i, key in enumerate(keys.tolist()):
            if again[i]:
                continue
            again[i] = any(_same(details[j], details[i]) for j in first.get(key, ()))
            if not again[i]:
                first.setdefault(key, []).append(i)

    def _add(self, keys: np.ndarray, details: np.ndarray) -> None:
        order = np.argsort(keys, kind="stable")
        run = _Run(keys[order], details[order])
        while self._runs and len(self._runs[-1].keys) <= 2 * len(run.keys):
            last = self._runs.pop()
            both = np.concatenate((last.keys, run.keys))
            order = np.argsort(both, kind="stable")
            run = _Run(both[order], np.concatenate((last.details, run.details))[order])
        self._runs.append(run)


def _id_of(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def _details(read: Read, file: int, barcode: str | None) -> tuple[int, int, int]:
    owner = barcode or read.barcode or read.alias or ""
    place = file if _SEQUENCERS.match(read.id) else _NO_FILE
    return zlib.crc32(read.sequence.encode()), place, zlib.crc32(owner.encode())


def _same(before: np.ndarray, now: np.ndarray) -> bool:
    sequence, file, owner = (before == now).tolist()
    return bool(sequence or (owner and not file))
