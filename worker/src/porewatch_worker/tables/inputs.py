"""What the tables are made of: the report, the references' lengths, and the fixed numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.calls.evidence import Histogram
from porewatch.domain.calls.references import (
    BundleManifest,
    ContigRole,
)
from porewatch.domain.results.report import Report
from porewatch_worker.science.amounts.efficiency import FOUND_BY_MAPPING
from porewatch_worker.science.amounts.lod import CHANCE
from porewatch_worker.science.amounts.uncertainty import FEWEST
from porewatch_worker.science.count.evidence import MOST_STARTS


class Reference(Model):
    """One sequence of the bundle."""

    contig: str
    role: ContigRole
    target: str
    length: Annotated[int, Field(description="bases")]
    circular: bool
    segment: str
    accession: str
    source: str
    masked_bases: Annotated[int, Field(description="bases that never count as evidence")]


class Constants(Model):
    """Numbers of the formulas that no operator sets, and the host's length."""

    found_by_mapping: Annotated[
        float, Field(description="share of a target's reads that mapping finds (LOD95)")
    ] = FOUND_BY_MAPPING
    lod_chance: Annotated[float, Field(description="probability of detection at LOD95")] = CHANCE
    fewest_reads: Annotated[
        int, Field(description="below so many reads a quantity is an upper bound only")
    ] = FEWEST
    most_starts: Annotated[
        int, Field(description="from so many different starts on, recurring ones are not counted")
    ] = MOST_STARTS
    interval: Annotated[float, Field(description="level of every interval")] = 0.95
    host_length: Annotated[int, Field(description="bases of the host reference")]


class HistogramBin(Model):
    """One bin of a histogram."""

    unit: str
    low: Annotated[float, Field(description="values of the bin are at least this")]
    high: Annotated[float, Field(description="and below this")]
    reads: int
    bases: int | None


class Published(Model):
    """Everything that is written as tables."""

    report: Report
    references: tuple[Reference, ...]
    constants: Constants


def publish(report: Report, bundle: BundleManifest) -> Published:
    """Put together what the tables are made of."""
    references = tuple(
        Reference(
            masked_bases=sum(end - start for start, end in c.masked),
            contig=c.name,
            **{
                name: getattr(c, name)
                for name in Reference.model_fields
                if name not in {"contig", "masked_bases"}
            },
        )
        for c in bundle.contigs
        if c.role is not ContigRole.HOST
    )
    constants = Constants(host_length=bundle.host_bases)
    return Published(report=report, references=references, constants=constants)


def bins_of(histogram: Histogram) -> Iterator[HistogramBin]:
    """The bins of a histogram, one by one."""
    for i, reads in enumerate(histogram.counts):
        yield HistogramBin(
            unit=histogram.unit,
            low=histogram.edges[i],
            high=histogram.edges[i + 1],
            reads=reads,
            bases=histogram.bases[i] if histogram.bases else None,
        )
