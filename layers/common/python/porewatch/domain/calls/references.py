"""A reference bundle: versioned FASTA, indexes and a manifest, verified before use.

On disk: `<root>/<name>/<version>/bundle.json` beside the files it names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment, Sha256


class ContigRole(StrEnum):
    PANEL = "panel"  # what we screen for
    SPIKE = "spike"  # internal control, added on purpose
    DECOY = "decoy"  # near relative or contaminant that must not be called as a panel member
    HOST = "host"


class Contig(Model):
    """One sequence of a bundle. `target` is a panel code, or the name of spike or decoy."""

    name: str
    role: ContigRole
    target: str
    length: Annotated[int, Field(gt=0)]
    circular: bool = False
    segment: str = ""
    accession: str = ""
    description: str = ""
    source: str = ""
    masked: tuple[tuple[int, int], ...] = ()
    perv_type: Annotated[
        Literal["A", "B", "C"] | None, Field(description="of a PERV genome, by its env")
    ] = None
    features: Annotated[
        dict[str, tuple[int, int]],
        Field(description="reading frames (gag, pol, env) as half-open intervals from 0"),
    ] = {}
    env_blocks: Annotated[
        tuple[tuple[int, int, int], ...],
        Field(description="env beside the env all are aligned to: place there, own place, bases"),
    ] = ()
    conserved: Annotated[
        tuple[tuple[int, int], ...],
        Field(description="large panel genomes: ribosomal operons, no evidence of a species"),
    ] = ()
    single_copy: Annotated[
        tuple[tuple[int, int], ...],
        Field(description="host only: intervals that the haploid genome holds once"),
    ] = ()


class BundleFile(Model):
    path: str
    sha256: Sha256
    size: int


class BundleManifest(Model):
    """`bundle.json`. `synthetic` bundles say so in every report and may not name PERV subtypes."""

    schema_version: Literal["1"] = "1"
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,40}$")]
    created_at: Moment
    synthetic: bool
    description: str = ""
    files: dict[Literal["panel", "host", "host_index", "panel_list"], BundleFile]
    words: Annotated[
        BundleFile | None,
        Field(description="sampled words of the large panel genomes; made when needed without"),
    ] = None
    contigs: tuple[Contig, ...]
    panel_k: int
    panel_w: int
    host_bases: int
    tools: dict[str, str] = {}

    @property
    def every_file(self) -> tuple[BundleFile, ...]:
        """All that lies beside `bundle.json` and is verified with it."""
        return (*self.files.values(), *([self.words] if self.words else []))

    @property
    def ref(self) -> str:
        """`name@version`, as run manifests and reports write it."""
        return f"{self.name}@{self.version}"
