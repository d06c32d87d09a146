"""Dependencies of the use cases about stages."""

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
    from porewatch.usecases.instances.authenticate import Secrets


@dataclass(frozen=True)
class StageContext:
    """`manifests`: sealed manifests; `results`: the results bucket; `callbacks`: task tokens of the
    state machine; `secrets`: of worker messages; `at`: now; `prices`: of the region (None: the bill
    so far lists instances only); `factors`: carbon factors of the region."""

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
