"""Verify that a message or a request comes from the instance that was launched for its epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from porewatch.domain.errors import MessageRefused
from porewatch.domain.stage.message_proofs import (
    digest_of,
    proves,
)
from porewatch.domain.stage.record import StageKey

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger


class Secrets(Protocol):
    """Source of the secret of an epoch."""

    def of(self, key: StageKey, epoch: int) -> str: ...


class FromMachine(Protocol):
    """Whatever a machine says of an epoch: a message, or a request of the credential broker."""

    @property
    def run_id(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def stage(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def instance_id(self) -> str: ...
    @property
    def kind(self) -> str: ...


def authenticate(
    said: FromMachine, text: str, mac: str, *, stages: StageLedger, secrets: Secrets
) -> None:
    """MessageRefused unless `mac` is the proof of `text`, which is `said` as it was sent.

    Every kind needs a proof. An epoch that is over still has its secret: late messages of its
    instance are judged by the stage rules.
    """
    key = StageKey(said.run_id, said.revision, said.stage)
    record = stages.find(key)
    subject = f"the {said.kind} of {said.instance_id} for {'/'.join(map(str, key))}"
    if record is None or said.epoch > record.epoch:
        raise MessageRefused(f"{subject} names epoch {said.epoch}, which was never opened.")
    secret = secrets.of(key, said.epoch)
    if said.epoch == record.epoch and record.secret_sha256 != digest_of(secret):
        raise MessageRefused(f"{subject} cannot be proved: the stack's message key has changed.")
    if not mac:
        raise MessageRefused(f"{subject} carries no proof.")
    if not proves(mac, secret, text):
        raise MessageRefused(f"{subject} carries a wrong proof.")
