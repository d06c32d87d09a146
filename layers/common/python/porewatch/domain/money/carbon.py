"""Carbon beside the bill: an estimate of what running a run's machines emitted, as an interval.

    energy = ((vCPUs x watts of one + GiB x watts of one + watts of accelerators) x hours
              + GiB-hours stored x watts of one) x PUE;   g CO2e = kWh x kg per kWh of the grid

after the Cloud Carbon Footprint methodology. The watts of a vCPU lie between idle and full load:
both ends are given, and the middle is at a stated utilisation. What the numbers do not cover gives
no estimate and says why. Order: the factors, then the estimate. The computation is in
`carbon_estimate`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model
from porewatch.domain.reasons.reason import Reasons, clauses, of_version_1

Positive = Annotated[float, Field(ge=0)]


class Watts(Model):
    """What an accelerator draws with nothing to do, and with all it can do."""

    idle_w: Positive
    full_w: Positive

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.full_w < self.idle_w:
            raise ValueError("full load draws less than none")
        return self


class Family(Model):
    """Machines of a family: memory by vCPU, and the accelerator (each listed size has one)."""

    gib_per_vcpu: Positive
    accelerator: str = ""


class Grid(Model):
    """A region's electricity, by location: the mean of `year`."""

    kg_per_kwh: Positive
    place: str
    year: int
    source: str


class Method(Model):
    """The numbers of the formula, and where they are from."""

    taken_at: date
    source: str
    remark: str = ""
    left_out: str = ""
    utilisation: Annotated[float, Field(ge=0, le=1, description="load of the middle value")]
    vcpu_idle_w: Annotated[Positive, Field(description="watts of a vCPU with nothing to do")]
    vcpu_full_w: Annotated[Positive, Field(description="watts of a vCPU at full load")]
    memory_w_per_gib: Annotated[Positive, Field(description="watts of a GiB of memory")]
    disk_w_per_gib: Annotated[
        Positive, Field(description="watts of a GiB of a machine's disk, both copies")
    ]
    kept_w_per_gib: Annotated[
        Positive, Field(description="watts of a GiB of kept files, all three copies")
    ]
    pue: Annotated[
        float, Field(ge=1, description="energy of the whole data centre over that of its machines")
    ]

    @model_validator(mode="after")
    def _load_costs(self) -> Self:
        if self.vcpu_full_w < self.vcpu_idle_w:
            raise ValueError("full load draws less than none")
        return self


class Factors(Method):
    """What one region's estimate is made of. `grid` None: nothing is known of its electricity."""

    region: str
    grid: Grid | None
    accelerators: dict[str, Watts]
    sizes: Annotated[dict[str, int], Field(description="vCPUs by size")]
    families: dict[str, Family]

    def method(self) -> Method:
        return Method(**{name: getattr(self, name) for name in Method.model_fields})

    def at_load(self, utilisation: float) -> Factors:
        """The same with another utilisation for the middle value."""
        return Factors.model_validate({**self.model_dump(), "utilisation": utilisation})


class CarbonTable(Method):
    """All regions that are known."""

    accelerators: dict[str, Watts]
    sizes: dict[str, int]
    families: dict[str, Family]
    grid: dict[str, Grid]

    def of(self, region: str) -> Factors:
        """The factors of a region. Of one that is not listed the electricity is not known: there
        is no average of other places that would be a fact about it."""
        constants = {
            name: getattr(self, name) for name in CarbonTable.model_fields if name != "grid"
        }
        return Factors(region=region, grid=self.grid.get(region), **constants)


class Grams(Model):
    """g CO2e: machines idle, at the stated utilisation, at full load."""

    low: float
    middle: float
    high: float


class CarbonLine(Model):
    """One machine, or the files that are kept. `grams` None: no estimate, for `reason`."""

    what: str
    stage: str | None = None
    epoch: int | None = None
    instance_id: str | None = None
    instance_type: str | None = None
    hours: float = 0.0
    vcpus: float = 0.0
    memory_gib: float = 0.0
    accelerator: str = ""
    accelerator_idle_w: float = 0.0
    accelerator_full_w: float = 0.0
    gib_hours: Annotated[float | None, Field(description="stored; none: not known")] = None
    grams: Grams | None = None
    why: Annotated[Reasons, Field(description="why there is none, by code")] = ()

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def reason(self) -> str:
        return clauses(self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, reason="why")


class Carbon(Model):
    """The estimate of a run, g CO2e. `total` None: no estimate, for `reason`; with `uncovered`
    machines it is that of the others only.

    total = useful + wasted + boot + files; useful, wasted and boot follow the machines' seconds and
    are None when those could not be split.
    """

    region: str
    place: str = ""
    grid_year: int | None = None
    grid_source: str = ""
    kg_per_kwh: float | None = None
    method: Method
    lines: tuple[CarbonLine, ...] = ()
    total: Grams | None = None
    useful: Grams | None = None
    wasted: Grams | None = None
    boot: Grams | None = None
    files: Grams | None = None
    uncovered: int = 0
    why: Annotated[Reasons, Field(description="why there is none, by code")] = ()

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def reason(self) -> str:
        return clauses(self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, reason="why")
