"""The secret of each epoch, derived by KMS from the stack's message key, which never leaves KMS."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.stage.message_proofs import derivation
from porewatch.domain.stage.record import StageKey

KEPT = 1024
"""Secrets that a process keeps in memory."""


class EpochSecrets:
    """Derives with the HMAC key `key_id` for stack `stack`."""

    def __init__(self, key_id: str, stack: str) -> None:
        self._key_id, self._stack = key_id, stack

    def of(self, key: StageKey, epoch: int) -> str:
        """The secret of an epoch, in hex; always the same. Raises Unavailable or Throttled."""
        return _derived(clients.kms(), self._key_id, derivation(self._stack, key, epoch))


@lru_cache(maxsize=KEPT)
def _derived(kms: Any, key_id: str, message: bytes) -> str:
    with translated("derive the secret of an epoch"):
        reply = kms.generate_mac(KeyId=key_id, Message=message, MacAlgorithm="HMAC_SHA_256")
    return bytes(reply["Mac"]).hex()
