"""Work orders: what a worker computes for one stage."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model, Sha256
from porewatch.domain.money.carbon import Factors
from porewatch.domain.money.cost import CostLine
from porewatch.domain.reasons.reason import Reasons, clauses, of_version_1
from porewatch.domain.runs import RunId, RunManifest
from porewatch.domain.stage.manifest import TimelineEntry
from porewatch.domain.stage.quarantine import (
    QuarantineRules,
)
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase


class OrderTerms(Model):
    """All of an order but the manifest itself."""

    run_id: RunId
    revision: int
    stage: str
    phases: tuple[Phase, ...]
    manifest_digest: Annotated[
        Sha256 | None, Field(description="of the sealed manifest, which lies in S3 under it")
    ] = None
    bundle: str
    bundle_sha256: Annotated[
        Sha256 | None, Field(description="of its `bundle.json`; None: as the machine finds it")
    ] = None
    previous: Annotated[
        tuple[str, ...], Field(description="keys of the manifests of earlier stages, in order")
    ] = ()
    parameters: ScreeningParameters = ScreeningParameters()
    quarantine: QuarantineRules = QuarantineRules()
    timeline: tuple[TimelineEntry, ...] = ()
    bill_so_far: tuple[CostLine, ...] = ()
    prices: Annotated[Reasons, Field(description="of the bill so far, by code")] = ()
    carbon_factors: Factors | None = None
    interruptions: Annotated[int, Field(description="of all stages of the run so far")] = 0
    attempts: Annotated[
        tuple[str, ...],
        Field(
            description="prefixes of the stage's earlier machines: none but their checkpoints count"
        ),
    ] = ()

    @computed_field(description="`prices` in English")  # type: ignore[prop-decorator]
    @property
    def price_snapshot(self) -> str:
        return clauses(self.prices)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, price_snapshot="prices")


class WorkOrder(OrderTerms):
    """A worker's order, complete."""

    manifest: RunManifest


class StoredOrder(OrderTerms):
    """An order as it lies at `s3_keys.order_key`; the epoch comes by tag. The manifest is read by
    its digest; one in here is for machine images that know no other place."""

    manifest: RunManifest | None = None

    def complete(self, manifest: RunManifest) -> WorkOrder:
        """The order with its manifest."""
        terms = {name: getattr(self, name) for name in OrderTerms.model_fields}
        return WorkOrder(**terms, manifest=manifest)
