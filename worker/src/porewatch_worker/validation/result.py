"""The result of the pack: shares with exact intervals, limits, requirements met or not."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model

SIMULATED = (
    "Everything here is simulated: genomes are invented, reads are drawn from an error model that "
    "was fitted to real R10 and R9 reads, all from one seed. It shows that the software finds what "
    "is in the reads and invents nothing. It says nothing about extraction, library preparation, "
    "real pig genomes, or strains that differ from the references in other ways than modelled."
)


class Share(Model):
    """A proportion with its exact 95 % interval (Clopper & Pearson)."""

    hits: int
    trials: int
    share: float
    low: float
    high: float


class Point(Model):
    """Hit rate at one amount."""

    amount: float
    rate: Share


class Limit(Model):
    """LOD95 with its 95 % interval; `step` is the smallest level from which on at least 95 % of
    trials were found."""

    value: float
    low: float
    high: float
    step: float | None
    unit: str


class ClassResult(Model):
    """One class of agents. `agreement` is over samples with ten reads of the agent or more."""

    name: str
    agents: tuple[str, ...]
    series: tuple[Point, ...]
    limit: Limit | None
    agreement: Share | None
    negative: Share | None


class SetResult(Model):
    """One set. `positive`: agents put in that were detected; `negative`: members not put in that
    were not; `alarms`: recombinant alarms among samples with, or without, a recombinant."""

    name: str
    about: str
    runs: int
    samples: int
    judged: bool = True
    positive: Share | None
    negative: Share | None
    false_calls: tuple[str, ...] = ()
    right_alarms: Share | None = None
    false_alarms: int = 0


class Requirement(Model):
    """A bound that was set beforehand, and whether it held. `shown`: the trials are enough to show
    it (the exact interval, not only the share, is on the right side); `trials`: how many."""

    says: str
    measured: str
    holds: bool
    shown: bool = True
    trials: int | None = None


class Validation(Model):
    """The whole result of `porewatch validate`."""

    schema_version: Literal["1"] = "1"
    size: str
    seed: int
    version: str
    parameters_sha256: str
    finished_at: datetime
    seconds: Annotated[float, Field(description="wall time of the whole pack")]
    reads_told: str = SIMULATED
    positive: Annotated[Share | None, Field(description="PPA at ten reads or more")]
    at_limit: Annotated[
        Share | None, Field(description="PPA where the expected reads reach the stated LOD95")
    ]
    stated_limit_reads: float
    negative: Annotated[Share | None, Field(description="NPA over all judged samples")]
    limit: Annotated[Limit | None, Field(description="LOD95 over all agents, in reads expected")]
    series: tuple[Point, ...]
    classes: tuple[ClassResult, ...]
    sets: tuple[SetResult, ...]
    requirements: tuple[Requirement, ...]

    @property
    def holds(self) -> bool:
        return all(r.holds for r in self.requirements)
