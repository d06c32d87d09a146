"""The panel: what is screened for, as data with provenance (worker data file `panel.json`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model

EXTRA = "X-"
"""Prefix of targets that are screened for but stand on no list."""


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Taxid(Model):
    taxid: int
    verified: bool


class HostSpecies(Model):
    """A species whose samples are screened, with the other names that people write for it."""

    name: str
    also: tuple[str, ...] = ()

    def is_called(self, text: str) -> bool:
        """By its name, that of a subspecies, or another name; not by a part of one.

        >>> pig = HostSpecies(name="Sus scrofa", also=("pig",))
        >>> [pig.is_called(name) for name in ("Sus scrofa domesticus", "PIG", "guinea pig")]
        [True, True, False]
        """
        called, name = _plain(text), _plain(self.name)
        return called.startswith(f"{name} ") or called in {name, *map(_plain, self.also)}


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class ExpectedCopies(Model):
    """How many copies of an endogenous virus a diploid genome of its host may hold at most."""

    most: Annotated[float, Field(gt=0, description="copies per diploid genome")]
    source: Annotated[str, Field(description="what was published, and by whom")]
    why: Annotated[str, Field(description="how `most` follows from that")]


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
    endogenous_in: Annotated[
        tuple[str, ...],
        Field(description="species that carry it in their genome, every animal of them"),
    ] = ()
    expected_copies: Annotated[
        ExpectedCopies | None, Field(description="None: copies as measured, none are expected")
    ] = None


def umbrellas(entries: Iterable[PanelEntry]) -> frozenset[str]:
    """Codes of rows that name a group; their members are counted, they are not."""
    return frozenset(e.code for e in entries if e.members or e.status == "umbrella")


class Panel(Model):
    schema_version: Literal["1"] = "1"
    name: str
    version: str
    provenance: str
    hosts: Annotated[
        tuple[HostSpecies, ...],
        Field(description="species that the list is for; a sample is of the first if none is said"),
    ] = ()
    entries: tuple[PanelEntry, ...]

    def species(self, named: str | None) -> str:
        """The species of a sample by what its sheet says; what is no known name stays as it is."""
        if not named:
            return self.hosts[0].name if self.hosts else ""
        return next((host.name for host in self.hosts if host.is_called(named)), named)
