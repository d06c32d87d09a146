"""Turn facts into metrics, each fact once: a metric that was counted cannot be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.metrics import measures_of

if TYPE_CHECKING:
    from porewatch.adapters.ledger.idempotency import Inbox
    from porewatch.adapters.messages.metrics import Metrics


def calculate_metrics(fact: Fact, *, inbox: Inbox, metrics: Metrics) -> None:
    """AlreadyDone for a fact that was counted before."""
    measures = measures_of(fact)
    if measures:
        with inbox.once(f"metrics:{fact.fact_id}"):
            metrics.put(measures)
