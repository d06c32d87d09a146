"""The ledger's stream: new facts of a batch in order, and those that could not be published.

Lambda retries from the first failed position, including everything after it, so consumers of facts
must be idempotent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any

from porewatch.domain.facts.outbox import (
    FACT_PREFIX,
    OutboxRecord,
)
from porewatch.edge import log

_log = logging.getLogger(__name__)


def on_stream() -> Callable[
    [Callable[[Sequence[OutboxRecord]], Collection[str]]],
    Callable[[dict[str, Any], Any], dict[str, Any]],
]:
    """Decorate a function of the new facts of a batch that returns the sequence numbers that
    failed."""

    def decorate(
        work: Callable[[Sequence[OutboxRecord]], Collection[str]],
    ) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with log.invocation(context):
                records = [new for raw in event["Records"] if (new := _new_fact(raw)) is not None]
                failed = work(records) if records else ()
                if failed:
                    _log.warning(
                        "could not publish %d of %d facts: retrying", len(failed), len(records)
                    )
            return {"batchItemFailures": [{"itemIdentifier": name} for name in sorted(failed)]}

        return handler

    return decorate


def _new_fact(raw: dict[str, Any]) -> OutboxRecord | None:
    """The fact of a stream record; None for changes of facts and for everything else."""
    image = raw["dynamodb"].get("NewImage", {})
    sort_key = image.get("sk", {}).get("S", "")
    if raw["eventName"] != "INSERT" or not sort_key.startswith(FACT_PREFIX):
        return None
    return OutboxRecord(
        sequence=raw["dynamodb"]["SequenceNumber"],
        fact_id=sort_key.removeprefix(FACT_PREFIX),
        detail_type=image["detail_type"]["S"],
        at=image["at"]["S"],
        detail=image["detail"]["S"],
    )
