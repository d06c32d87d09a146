"""`porewatch registry rebuild`: tell the registry every fact again, from the ledger.

Each fact goes into the registry's own queue as the bus would bring it, to no other reader: nobody
is notified and nothing is counted twice. Rows that are there stay as they are, since a fact told
again changes nothing.
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
"""SQS takes ten messages and 256 kB at once."""
REPLAY = "registry-rebuild"


class Rebuilt(Model):
    """`facts` were sent again, of so many `runs`; `unknown`: facts of a later version, left out."""

    runs: int
    facts: int
    unknown: int = 0


def send_again(stack: Stack, runs: list[str] | None = None) -> Rebuilt:
    """Send the facts of `runs`, or of all. NotFound for a run that is not there; Unavailable when
    the queue does not take them (what was sent before may come again: harmless)."""
    sqs: SQSClient = stack.session.client("sqs", endpoint_url=stack.endpoint)
    url, log = stack.output("StatusQueueUrl"), FactLog(stack.table)
    names = [stack.runs.get(run).run_id for run in runs] if runs else _all(stack)
    seen: Counter[bool] = Counter()
    told = 0
    for name in names:
        told += 1
        records = list(log.of_run(name))
        known = [record for record in records if record.detail_type in FACTS]
        seen.update({True: len(known), False: len(records) - len(known)})
        _send(sqs, url, known)
    return Rebuilt(runs=told, facts=seen[True], unknown=seen[False])


def _all(stack: Stack) -> Iterator[str]:
    yield from [record.run_id for record in stack.runs.list()]


def _send(sqs: SQSClient, url: str, records: Iterable[OutboxRecord]) -> None:
    for letters in _batches(map(_letter, records)):
        entries = [{"Id": str(n), "MessageBody": letter} for n, letter in enumerate(letters)]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
        if answer.get("Failed"):
            raise Unavailable(
                f"{len(answer['Failed'])} facts were not taken by the registry's queue.",
                remedy="run the command again: facts told twice change nothing.",
            )


def _batches(letters: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for letter in letters:
        full = sum(len(one.encode()) for one in batch) + len(letter.encode()) > MOST_BYTES
        if batch and (full or len(batch) == AT_ONCE):
            yield batch
            batch = []
        batch.append(letter)
    if batch:
        yield batch


def _letter(record: OutboxRecord) -> str:
    """As EventBridge would bring it, marked as a replay."""
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
