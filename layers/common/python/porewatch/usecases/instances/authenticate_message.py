"""Verify that a worker's message comes from the instance that was launched for its epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from porewatch.domain.errors import MessageRefused
from porewatch.domain.stage.message_proofs import (
    digest_of,
    proves,
)
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.worker_messages import WorkerMessage

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger


class Secrets(Protocol):
    """Source of the secret of an epoch."""

    def of(self, key: StageKey, epoch: int) -> str: ...


def authenticate_message(
    message: WorkerMessage, text: str, mac: str, *, stages: StageLedger, secrets: Secrets
) -> None:
    """MessageRefused unless `mac` is the proof of `text`, the message as it was sent.

    Every kind needs a proof. An epoch that is over still has its secret: late messages of its
    instance are judged by the stage rules.
    """
    key = StageKey(message.run_id, message.revision, message.stage)
    record = stages.find(key)
    subject = f"the {message.kind} of {message.instance_id} for {'/'.join(map(str, key))}"
    if record is None or message.epoch > record.epoch:
        raise MessageRefused(f"{subject} names epoch {message.epoch}, which was never opened.")
    secret = secrets.of(key, message.epoch)
    if message.epoch == record.epoch and record.secret_sha256 != digest_of(secret):
        raise MessageRefused(f"{subject} cannot be proved: the stack's message key has changed.")
    if not mac:
        raise MessageRefused(f"{subject} carries no proof.")
    if not proves(mac, secret, text):
        raise MessageRefused(f"{subject} carries a wrong proof.")
