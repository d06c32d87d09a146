"""Signing secrets, sealed by KMS: who makes a webhook may seal, and only the sender may open."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated

KEPT = 256
"""Secrets that a process of the sender keeps in memory."""


def seal(key_id: str, webhook_id: str, secret: str) -> str:
    """The secret as it is stored (base64); it opens for this webhook alone. Raises Unavailable or
    Throttled."""
    with translated("seal the secret of a webhook"):
        reply = clients.kms().encrypt(
            KeyId=key_id, Plaintext=secret.encode(), EncryptionContext={"webhook": webhook_id}
        )
    return base64.b64encode(reply["CiphertextBlob"]).decode()


def unseal(key_id: str, webhook_id: str, sealed: str) -> str:
    """The secret. Raises Unavailable or Throttled, and ConfigurationRefused for one that was sealed
    for another webhook."""
    return _unsealed(clients.kms(), key_id, webhook_id, sealed)


@lru_cache(maxsize=KEPT)
def _unsealed(kms: Any, key_id: str, webhook_id: str, sealed: str) -> str:
    with translated("open the secret of a webhook"):
        reply = kms.decrypt(
            KeyId=key_id,
            CiphertextBlob=base64.b64decode(sealed),
            EncryptionContext={"webhook": webhook_id},
        )
    return bytes(reply["Plaintext"]).decode()
