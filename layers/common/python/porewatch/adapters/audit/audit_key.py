"""Proofs by the stack's audit key, an HMAC key of KMS that nothing else uses."""

from __future__ import annotations

from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.errors import Conflict

ALGORITHM = "HMAC_SHA_256"


class AuditKey:
    """The key `key_id`."""

    def __init__(self, key_id: str, kms: Any = None) -> None:
        self._key_id, self._kms = key_id, kms

    def mac(self, text: bytes, doing: str) -> str:
        """The proof of a text, in hex. Raises Unavailable or Throttled."""
        with translated(doing):
            reply = self._client.generate_mac(
                KeyId=self._key_id, Message=text, MacAlgorithm=ALGORITHM
            )
        return bytes(reply["Mac"]).hex()

    def proves(self, mac: str, text: bytes) -> bool:
        """Whether KMS says that its key made this proof of this text."""
        wrong = {"KMSInvalidMacException": Conflict, "ValidationException": Conflict}
        try:
            with translated("prove what the audit key signed", wrong):
                reply = self._client.verify_mac(
                    KeyId=self._key_id,
                    Message=text,
                    MacAlgorithm=ALGORITHM,
                    Mac=bytes.fromhex(mac),
                )
        except (Conflict, ValueError):
            return False
        return bool(reply["MacValid"])

    @property
    def _client(self) -> Any:
        return self._kms or clients.kms()
