"""PERV in one sample, as counted in the pass: types by envelope gene, joins, flanks, host depth.

Counts only; what they amount to (copies, recombinants, alarms) is `findings.PervResult`. Positions
in the envelope gene (env) count from 0 at its first base.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model

PERV_TYPES = ("A", "B", "C")


class PervTypeCount(Model):
    """Reads over env whose matched bases decide for one type."""

    reads: int = 0
    starts: Annotated[int, Field(description="distinct first bases of those reads")] = 0
    env_bases: Annotated[int, Field(description="bases of env under them")] = 0
    env_squares: Annotated[int, Field(description="sum of the squares of those, by read")] = 0


class OrfCount(Model):
    """Reads over a whole reading frame, and those of them without a gap of 20 bases or more."""

    spanning: int = 0
    whole: int = 0


class JunctionRead(Model):
    """One read whose env is of one type up to a place in [low, high) and of another after it.

    `first`, `last` are the outermost aligned bases (env positions, may lie outside env): they tell
    molecules apart.
    """

    left: str
    right: str
    low: int
    high: int
    first: int
    last: int


class PervScreen(Model):
    """All reads of one sample that are PERV, those included that the host's own copies explain.

    `reads = with_host_flank + without`. `at_ends`: reads whose host flank begins where the provirus
    ends; other flanks are joined to its middle (ligation, or a truncated copy). `apart`: reads with
    two types whose env positions do not follow each other: two molecules in one read.
    """

    reads: int = 0
    bases: Annotated[int, Field(description="bases of the provirus under the reads")] = 0
    squares: Annotated[int, Field(description="sum of the squares of those, by read")] = 0
    host_alike: Annotated[int, Field(description="reads that the host explains as well")] = 0
    with_host_flank: int = 0
    at_ends: int = 0
    full_length: Annotated[int, Field(description="reads over 95 % of a provirus")] = 0
    env_reads: Annotated[int, Field(description="reads with 100 bases of env or more")] = 0
    env_bases: Annotated[int, Field(description="bases of env under them")] = 0
    untyped: Annotated[int, Field(description="of those, reads that decide for no type")] = 0
    types: dict[str, PervTypeCount] = {}
    orfs: dict[str, OrfCount] = {}
    junctions: tuple[JunctionRead, ...] = ()
    apart: int = 0
    locus_reads: Annotated[int, Field(description="host reads at single-copy loci")] = 0
    locus_weight: Annotated[
        float, Field(description="their number, each by its share that lies in a locus")
    ] = 0.0
    locus_squares: float = 0.0
    locus_dispersion: Annotated[
        float | None, Field(description="variance over mean of reads per 1,000 bases of locus")
    ] = None

    @property
    def without_host_flank(self) -> int:
        return self.reads - self.with_host_flank
