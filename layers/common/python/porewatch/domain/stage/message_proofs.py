"""How a worker's message proves to be its own: HMAC-SHA256 over the very text that is sent, by a
secret that only the machine of its epoch was given. Pure.

The secret of an epoch is derived from the stack's message key (`adapters.messages.message_keys`),
never stored; the stage record keeps its digest. Text is signed, not a model: so that a version of
ours that knows fewer fields can still check what a newer one sends.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from porewatch.domain.stage.record import StageKey

SECRET_TAG = "porewatch-secret"  # noqa: S105 - a tag's name
"""The instance tag that carries it. A tag reaches one machine; user data are those of all."""
MAC = "mac"
"""The message attribute that carries the proof."""


def derivation(stack: str, key: StageKey, epoch: int) -> bytes:
    """What a secret is derived of: another stack, run, revision, stage or epoch has another one."""
    return json.dumps(["porewatch-worker-message-1", stack, *key, epoch]).encode()


def proof(secret: str, text: str) -> str:
    """The proof, in hex, of a message's `text`. `secret` in hex."""
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()


def proves(mac: str, secret: str, text: str) -> bool:
    """Whether `mac` is the proof of `text`; takes as long for every wrong one."""
    return hmac.compare_digest(mac.encode(), proof(secret, text).encode())


def digest_of(secret: str) -> str:
    """What a stage record keeps of its epoch's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
