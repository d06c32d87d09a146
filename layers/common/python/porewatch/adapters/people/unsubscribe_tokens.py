"""Tokens by which mail is declined without sign-in: who and what, sealed by KMS.

Whoever has a mail can decline mail of its kind for its receiver, and nothing else. The encryption
context keeps tokens and secrets of webhooks apart, although one key seals both.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pydantic import ValidationError

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.errors import NotFound
from porewatch.domain.mail.declining import Declined

CONTEXT = {"unsubscribe": "mail"}
LONGEST = 2000


class UnsubscribeTokens:
    """Of KMS key `key_id`."""

    def __init__(self, key_id: str, kms: Any = None) -> None:
        self._key_id = key_id
        self._kms = kms or clients.kms()

    def make(self, declined: Declined) -> str:
        """A token for a link. Raises Throttled or Unavailable."""
        with translated("make a token to unsubscribe"):
            reply = self._kms.encrypt(
                KeyId=self._key_id,
                Plaintext=declined.canonical_json().encode(),
                EncryptionContext=CONTEXT,
            )
        return base64.urlsafe_b64encode(reply["CiphertextBlob"]).decode().rstrip("=")

    def read(self, token: str) -> Declined:
        """NotFound for anything that we did not make."""
        no_token = NotFound("this link to unsubscribe is not ours, or is cut off.")
        if len(token) > LONGEST:
            raise no_token
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (ValueError, binascii.Error) as error:
            raise no_token from error
        known = {
            code: lambda _: no_token
            for code in (
                "InvalidCiphertextException",
                "IncorrectKeyException",
                "ValidationException",
            )
        }
        with translated("read a token to unsubscribe", known):
            reply = self._kms.decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=CONTEXT
            )
        try:
            return Declined.model_validate_json(bytes(reply["Plaintext"]))
        except ValidationError as error:
            raise no_token from error
