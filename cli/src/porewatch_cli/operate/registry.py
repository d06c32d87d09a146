"""`porewatch registry rebuild`: send every fact of the ledger to the registry again.

Each fact goes into the queue of the registry, in the form of the bus, and to no other consumer:
nobody is notified and nothing is counted twice. Writing a fact is idempotent, so existing rows
stay the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from porewatch.adapters.ledger.fact_log import FactLog
from porewatch.domain.base import Model
from porewatch.domain.errors import Unavailable
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import SOURCE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from porewatch.domain.facts.outbox import OutboxRecord
    from porewatch_cli.stack import Stack

AT_ONCE = 10
MOST_BYTES = 200_000
"""SQS accepts ten messages and 256 kB a batch."""
REPLAY = "registry-rebuild"


class Rebuilt(Model):
    """How many `runs` and `facts` were sent again; `unknown`: skipped facts of a later version."""

    runs: int
    facts: int
    unknown: int = 0


def send_again(stack: Stack, runs: list[str] | None = None) -> Rebuilt:
    """Send the facts of `runs`, or of all. NotFound for an unknown run; Unavailable when the queue
    does not accept them (a retry is idempotent)."""
    sqs: SQSClient = stack.session.client("sqs", endpoint_url=stack.endpoint)
    url, log = stack.output("StatusQueueUrl"), FactLog(stack.table)
    names = [stack.runs.get(run).run_id for run in runs] if runs else _all(stack)
    seen: Counter[bool] = Counter()
    sent_runs = 0
    for name in names:
        sent_runs += 1
        records = list(log.of_run(name))
        known = [record for record in records if record.detail_type in FACTS]
        seen.update({True: len(known), False: len(records) - len(known)})
        _send_batches(sqs, url, known)
    return Rebuilt(runs=sent_runs, facts=seen[True], unknown=seen[False])


def _all(stack: Stack) -> Iterator[str]:
    yield from [record.run_id for record in stack.runs.list()]


def _send_batches(sqs: SQSClient, url: str, records: Iterable[OutboxRecord]) -> None:
    for batch in _batches(map(_event, records)):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(batch)]
        response = sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
        if response.get("Failed"):
            raise Unavailable(
                f"{len(response['Failed'])} facts were not accepted by the queue of the registry.",
                remedy="run the command again: sending facts twice is harmless.",
            )


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for body in bodies:
        full = sum(len(other.encode()) for other in batch) + len(body.encode()) > MOST_BYTES
        if batch and (full or len(batch) == AT_ONCE):
            yield batch
            batch = []
        batch.append(body)
    if batch:
        yield batch


def _event(record: OutboxRecord) -> str:
    """The event as EventBridge delivers it, marked as a replay."""
    return json.dumps(
        {
            "version": "0",
            "id": record.fact_id,
            "detail-type": record.detail_type,
            "source": SOURCE,
            "time": record.at,
            "resources": [],
            "replay-name": REPLAY,
            "detail": json.loads(record.detail),
        }
    )
