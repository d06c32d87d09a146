"""CloudWatch metrics, under one namespace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import translated
from porewatch.domain.base import now
from porewatch.domain.facts.metrics import Measure

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

NAMESPACE = "Porewatch"
AT_ONCE = 1000
OLDEST = timedelta(days=14) - timedelta(hours=1)


class Metrics:
    """The measures of stack `stack`."""

    def __init__(self, stack: str, client: CloudWatchClient | None = None) -> None:
        self._stack = stack
        self._client = client or clients.cloudwatch()

    def put(self, measures: Sequence[Measure]) -> None:
        """Send all of them; dimension `Stack` is added to each. Those of facts that are replayed
        after more than two weeks are dropped: CloudWatch refuses a whole batch with one of them."""
        oldest = now() - OLDEST
        for some in batches([m for m in measures if m.at > oldest], AT_ONCE):
            with translated("put metrics"):
                self._client.put_metric_data(
                    Namespace=NAMESPACE,
                    MetricData=[self._datum(m) for m in some],
                )

    def _datum(self, measure: Measure) -> MetricDatumTypeDef:
        dimensions = {"Stack": self._stack, **measure.dimensions}
        return {
            "MetricName": measure.name,
            "Value": measure.value,
            "Unit": measure.unit,
            "Timestamp": measure.at,
            "Dimensions": [{"Name": n, "Value": v} for n, v in sorted(dimensions.items())],
        }
