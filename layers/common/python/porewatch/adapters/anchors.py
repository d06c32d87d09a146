"""Anchors of audit trails: in the ledger beside their run, proved by the audit key in KMS."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.adapters.items import Item, run_key
from porewatch.adapters.table import Table
from porewatch.domain.anchors import Anchor, signed_text
from porewatch.domain.errors import AlreadyDone, Conflict

ALGORITHM = "HMAC_SHA_256"


class Anchors:
    """Of stack `stack`, in ledger `table`, by the HMAC key `key_id`."""

    def __init__(self, table: Table, stack: str, key_id: str, kms: Any = None) -> None:
        self._table, self._stack, self._key_id = table, stack, key_id
        self._kms = kms

    def keep(self, run_id: str, revision: int, head: str, at: datetime) -> None:
        """Sign the head and keep it; the first of a revision stays, whatever comes later. Raises
        Unavailable or Throttled."""
        bare = Anchor(run_id=run_id, revision=revision, head=head, at=at, mac="")
        with translated("sign the head of an audit trail"):
            reply = self._client.generate_mac(
                KeyId=self._key_id, Message=signed_text(self._stack, bare), MacAlgorithm=ALGORITHM
            )
        anchor = bare.model_copy(update={"mac": bytes(reply["Mac"]).hex()})
        with suppress(AlreadyDone):
            self._table.put_new(Item.of(run_key(run_id), _place(revision), anchor))

    def of(self, run_id: str, revision: int) -> Anchor | None:
        """The anchor of a revision's report, proved or not; None when there is none."""
        item = self._table.get(run_key(run_id), _place(revision))
        return item.model(Anchor) if item else None

    def proves(self, anchor: Anchor) -> bool:
        """Whether KMS says that its key made this anchor."""
        wrong = {"KMSInvalidMacException": Conflict, "ValidationException": Conflict}
        try:
            with translated("prove the anchor of an audit trail", wrong):
                reply = self._client.verify_mac(
                    KeyId=self._key_id,
                    Message=signed_text(self._stack, anchor),
                    MacAlgorithm=ALGORITHM,
                    Mac=bytes.fromhex(anchor.mac),
                )
        except (Conflict, ValueError):
            return False
        return bool(reply["MacValid"])

    @property
    def _client(self) -> Any:
        return self._kms or clients.kms()


def _place(revision: int) -> str:
    return f"ANCHOR#{revision:04d}"
