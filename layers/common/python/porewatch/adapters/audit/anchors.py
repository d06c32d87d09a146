"""Anchors of audit trails: in the ledger beside their run, and day by day in a partition of their
own; each proved by the audit key in KMS.

Order: keep and read an anchor, keep and read a day's record, proofs.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from porewatch.adapters.audit.audit_key import AuditKey
from porewatch.adapters.items import Item, run_key
from porewatch.adapters.table import Table
from porewatch.domain.errors import AlreadyDone
from porewatch.domain.results.audit_anchors import (
    Anchor,
    AnchorDay,
    Recorded,
    Unreadable,
    signed_day,
    signed_text,
)
from porewatch.domain.signatures.signature import Signature

ANCHORS = "ANCHORS"
"""Kind of what the records of days name: anchors, and signatures."""
AUDIT = "AUDIT"
"""Partition of the chain of days."""
DAY_PREFIX = "DAY#"
SIGNATURE_PREFIX = "SIGNATURE#"
_log = logging.getLogger(__name__)


class Anchors:
    """Of stack `stack`, in ledger `table`, by the HMAC key `key_id`."""

    def __init__(self, table: Table, stack: str, key_id: str, kms: Any = None) -> None:
        self._table, self._stack = table, stack
        self._key = AuditKey(key_id, kms)

    def keep(self, run_id: str, revision: int, head: str, at: datetime) -> None:
        """Sign the head and keep it; the first of a revision stays, whatever comes later. Raises
        Unavailable or Throttled."""
        bare = Anchor(run_id=run_id, revision=revision, head=head, at=at, mac="")
        mac = self._key.mac(signed_text(self._stack, bare), "sign the head of an audit trail")
        anchor = bare.model_copy(update={"mac": mac})
        with suppress(AlreadyDone):
            place = (ANCHORS, anchor.place)
            self._table.put_new(Item.of(run_key(run_id), _place(revision), anchor, kind=place))

    def of(self, run_id: str, revision: int) -> Anchor | None:
        """The anchor of a revision's report, proved or not; None when there is none."""
        item = self._table.get(run_key(run_id), _place(revision))
        return item.model(Anchor) if item else None

    def lists(self, anchor: Anchor) -> bool:
        """Whether the index of anchors has it: that of a version without the chain has no place."""
        item = self._table.get(run_key(anchor.run_id), _place(anchor.revision))
        return item is not None and item.kind is not None

    def after(self, place: str) -> Iterator[Recorded]:
        """All anchors and signatures after this place (`Anchor.place`), in order of time. What is
        none any more is named, so that the day's record says so, and the next days have theirs."""
        for item in self._table.query_kind(ANCHORS, past=place):
            try:
                yield _recorded(item)
            except ValidationError:
                _log.error("%s %s was changed: it cannot be read", item.pk, item.sk)
                yield Unreadable(
                    place=item.kind[1] if item.kind else place, of=f"{item.pk} {item.sk}"
                )

    def proves(self, anchor: Anchor) -> bool:
        """Whether KMS says that its key made this anchor."""
        return self._key.proves(anchor.mac, signed_text(self._stack, anchor))

    def made(self, anchor: Anchor) -> bool:
        """As `proves`, for who may only make proofs: it is made once more and compared. Raises
        Unavailable or Throttled."""
        mac = self._key.mac(signed_text(self._stack, anchor), "prove the head of an audit trail")
        return hmac.compare_digest(mac.encode(), anchor.mac.encode())

    def keep_day(self, bare: AnchorDay) -> None:
        """Sign a day's record and keep it; AlreadyDone when its day has one."""
        record = bare.model_copy(update={"mac": self._mac_of_day(bare)})
        self._table.put_new(Item.of(AUDIT, f"{DAY_PREFIX}{record.day.isoformat()}", record))

    def days(self) -> tuple[AnchorDay, ...]:
        """Every day's record, proved or not, the oldest first."""
        return tuple(item.model(AnchorDay) for item in self._table.query(AUDIT, DAY_PREFIX))

    def last_day(self) -> AnchorDay | None:
        """The newest record."""
        newest = self._table.query(AUDIT, DAY_PREFIX, newest_first=True)
        return next((item.model(AnchorDay) for item in newest), None)

    def proves_day(self, record: AnchorDay) -> bool:
        """Whether KMS says that its key made this record."""
        return self._key.proves(record.mac, signed_day(self._stack, record))

    def made_day(self, record: AnchorDay) -> bool:
        """As `proves_day`, for who may only make proofs: it is made once more and compared. Raises
        Unavailable or Throttled."""
        return hmac.compare_digest(self._mac_of_day(record).encode(), record.mac.encode())

    def _mac_of_day(self, record: AnchorDay) -> str:
        return self._key.mac(signed_day(self._stack, record), "sign the heads of a day")


def _recorded(item: Item) -> Recorded:
    if item.sk.startswith(SIGNATURE_PREFIX):
        return item.model(Signature)
    return item.model(Anchor)


def _place(revision: int) -> str:
    return f"ANCHOR#{revision:04d}"
