"""What everybody who works on stages has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.messages.callbacks import Callbacks
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.s3.manifests import Manifests
    from porewatch.domain.forecast.prices import PriceList
    from porewatch.domain.money.carbon import Factors
    from porewatch.usecases.instances.authenticate_message import Secrets


@dataclass(frozen=True)
class StageContext:
    """`manifests`: the sealed ones; `results`: the results bucket; `callbacks`: answers to the
    state machine; `secrets`: of workers' messages; `at`: now; `prices`: the region's (None: the
    bill so far has machines only); `factors`: its carbon."""

    runs: RunLedger
    manifests: Manifests
    stages: StageLedger
    alerts: AlertLedger
    results: Objects
    callbacks: Callbacks
    secrets: Secrets
    at: datetime
    prices: PriceList | None = None
    factors: Factors | None = None
