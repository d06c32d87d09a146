"""What early screening has seen: of one file, and of all files of a run together.

A file's reads are known by their barcode and not by a sample's name: the sample sheet may come
after the first files. Totals are sums of files, so their order does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.runs import InputFile, RunId, Sample

NO_BARCODE = ""
"""Whose reads are all of a run that is one sample."""


class Severe(NamedTuple):
    """Reads of one severe member in one barcode."""

    barcode: str
    code: str
    reads: int


class EarlyFile(Model):
    """What one file holds. `file`: as it would stand in a manifest."""

    run_id: RunId
    file: InputFile
    etag: Annotated[str, Field(description="of the object that was screened")]
    bundle_sha256: Annotated[str, Field(description="of the alert part it was screened with")]
    reads: Count
    bases: Annotated[Count, Field(description="of reads that passed the filters")]
    severe: tuple[Severe, ...] = ()
    screened_at: Moment

    @property
    def amounts(self) -> Counter[str]:
        """What the file adds to the totals of its run."""
        own = {"files": 1, "reads": self.reads, "bases": self.bases}
        seen = {severe_name(one.barcode, one.code): one.reads for one in self.severe}
        return Counter(own) + Counter(seen)


class EarlyTotals(NamedTuple):
    """Of a run. `severe` and `judged`: reads by (barcode, code); `judged`: those over which the
    rule was asked last."""

    files: int = 0
    reads: int = 0
    bases: int = 0
    severe: Mapping[tuple[str, str], int] = {}
    judged: Mapping[tuple[str, str], int] = {}


SEVERE, JUDGED = "severe", "judged"
GROWTH = 1.25
"""The rule is asked again when a member has a quarter more reads than the last time: asking reads
what was kept of every file."""


def severe_name(barcode: str, code: str) -> str:
    """Of the total of a severe member's reads."""
    return f"{SEVERE}|{barcode}|{code}"


def judged_name(barcode: str, code: str) -> str:
    """Of the reads over which the rule was asked last."""
    return f"{JUDGED}|{barcode}|{code}"


def totals_of(amounts: Mapping[str, int]) -> EarlyTotals:
    """From the numbers by their names, as they are stored."""
    found: dict[str, dict[tuple[str, str], int]] = {SEVERE: {}, JUDGED: {}}
    for name, number in amounts.items():
        what, _, rest = name.partition("|")
        if what in found:
            barcode, _, code = rest.partition("|")
            found[what][barcode, code] = number
    counts = {name: amounts.get(name, 0) for name in ("files", "reads", "bases")}
    return EarlyTotals(**counts, severe=found[SEVERE], judged=found[JUDGED])


def to_judge(
    totals: EarlyTotals, raised: Iterable[tuple[str, str]], least: int
) -> Mapping[tuple[str, str], int]:
    """Severe members of which the rule is to be asked now, with their reads: at least `least`, and
    not `raised` yet; (barcode, code)."""
    known = set(raised)
    return {
        pair: reads
        for pair, reads in totals.severe.items()
        if pair not in known and reads >= least and reads >= GROWTH * totals.judged.get(pair, 0)
    }


def barcodes_of(samples: Iterable[Sample]) -> dict[str, str]:
    """Sample's name -> its barcode."""
    return {sample.name: sample.barcode or NO_BARCODE for sample in samples}
