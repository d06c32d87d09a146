"""The parameters of the screening: every number that changes a result."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model


class ScreeningParameters(Model):
    """Every number that changes an answer. Part of the checkpoint's fingerprint, printed with its
    digest in every report; docs/science/ says where each comes from."""

    min_read_length: int = 200
    min_mean_quality: float = 7.0
    panel_k: int = 13
    panel_w: int = 5
    min_block: int = 100
    min_identity: float = 0.70
    host_prefix: int = 1000
    host_identity: Annotated[
        float, Field(description="below it, the fit of the first bases leaves doubt")
    ] = 0.75
    host_share: Annotated[
        float, Field(description="of the bases looked at, that the host must cover to keep a read")
    ] = 0.5
    unit_reads: int = 4000
    detected_min_reads: int = 3
    detected_min_starts: int = 2
    min_spread: Annotated[
        float, Field(description="least breadth, as a share of what random reads would cover")
    ] = 0.6
    many_regions: Annotated[
        int, Field(description="separate regions that show a genome however unevenly it is read")
    ] = 10
    far_distance: Annotated[
        float,
        Field(
            description="share of its reads' bases, read errors apart, that may not fit a target"
        ),
    ] = 0.30
    near_distance: Annotated[
        float, Field(description="as near, a stretch or a few whole reads speak for themselves")
    ] = 0.10
    species_ani: Annotated[
        float, Field(description="ANI below which a large genome's reads get no species name")
    ] = 0.95
    conserved_cells: Annotated[
        float, Field(description="share of a relative's reads that may be near a large genome")
    ] = 0.10
    conserved_viruses: Annotated[
        float, Field(description="share of a relative's reads that may be near a smaller genome")
    ] = 0.01
    relative_chance: Annotated[
        float, Field(description="a relative is ruled out when as many near reads are less likely")
    ] = 0.001
    crossover: Annotated[
        float, Field(description="budget: share of a sample's reads found in another barcode")
    ] = 0.001
    crossover_chance: Annotated[
        float, Field(description="crossover is ruled out when it is less likely than this")
    ] = 0.001
    control_factor: Annotated[
        float, Field(description="times a finding must exceed its no-template control")
    ] = 10
    min_spike_reads: Annotated[
        int, Field(description="reads of a spike-in that show that the assay worked")
    ] = 3
    spike_cv: Annotated[
        float, Field(description="relative uncertainty of spike copies, where the sheet says none")
    ] = 0.10
    extraction_cv: Annotated[
        float, Field(description="relative uncertainty of recovery, where the sheet says none")
    ] = 0.20
    nucleic_acid_cv: Annotated[
        float, Field(description="relative uncertainty of the mass, where the sheet says none")
    ] = 0.25
    least_recovery: Annotated[
        float, Field(description="an extraction that is not stated recovers at least this share")
    ] = 0.10
    perv_margin: Annotated[
        float, Field(description="matched bases of env by which one PERV type must lead")
    ] = 20.0
    perv_lead: Annotated[float, Field(description="and as a share of the read's env bases")] = 0.03
    perv_mistyped: Annotated[
        float, Field(description="budget: share of env reads of one type given to another")
    ] = 0.001
    perv_junction_reads: Annotated[
        int, Field(description="reads and molecules that must break at one place of env")
    ] = 3
    perv_stray_chance: Annotated[
        float, Field(description="junctions elsewhere must explain a place less likely than this")
    ] = 0.001
    threads: Annotated[int, Field(ge=1, exclude=True)] = 2
