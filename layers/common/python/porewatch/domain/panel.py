"""The panel: what is screened for, as data with provenance (worker data file `panel.json`)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Taxid(Model):
    taxid: int
    verified: bool


class PanelEntry(Model):
    """One row of the list."""

    code: str
    name: str
    category: Literal["virus", "bacterium", "fungus", "parasite", "umbrella"]
    special_management: bool = False
    taxids: tuple[Taxid, ...] = ()
    genome: str = ""
    genome_length: int | None = None
    circular: bool = False
    severity: Severity
    zoonotic: bool | None = None
    status: Literal["screened", "partly", "not_by_sequencing", "umbrella"] = "screened"
    status_reason: str = ""
    members: tuple[str, ...] = ()
    list_lines: str = ""
    source: str = ""
    actions: Annotated[
        tuple[str, ...], Field(description="what the laboratory should do on a detection, in order")
    ] = ()
    decoys: Annotated[
        tuple[str, ...], Field(description="near relatives that belong into a bundle beside it")
    ] = ()
    no_accession: Annotated[
        str, Field(description="why no reference sequence is named; blank when one is")
    ] = ""


def umbrellas(entries: Iterable[PanelEntry]) -> frozenset[str]:
    """Codes of rows that name a group; their members are counted, they are not."""
    return frozenset(e.code for e in entries if e.members or e.status == "umbrella")


class Panel(Model):
    schema_version: Literal["1"] = "1"
    name: str
    version: str
    provenance: str
    entries: tuple[PanelEntry, ...]
