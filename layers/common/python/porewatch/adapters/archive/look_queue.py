"""The archiver's queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from porewatch.adapters import clients
from porewatch.adapters.batches import batches
from porewatch.adapters.faults import translated
from porewatch.domain.archive.looks import Look
from porewatch.domain.errors import Throttled

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

AT_ONCE = 10


class LookQueue:
    """Queue `url`."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client = client or clients.sqs()

    def send(self, looks: Sequence[Look]) -> None:
        """Raises Throttled or Unavailable, when some may have been sent: sent again they do no
        harm."""
        for some in batches(looks, AT_ONCE):
            entries: Any = [
                {"Id": str(number), "MessageBody": look.canonical_json()}
                for number, look in enumerate(some)
            ]
            with translated(f"send {len(some)} looks of the archive"):
                reply = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            if failed := reply.get("Failed", []):
                raise Throttled(f"{len(failed)} looks of the archive were not taken.")
