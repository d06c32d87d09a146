"""The worker's credentials: for its own run alone, from the stack's credential broker.

The machine's own credentials may do nothing but ask for them.
"""

from __future__ import annotations

from secrets import token_hex

from porewatch.adapters import clients
from porewatch.adapters.broker.broker_client import CredentialBroker
from porewatch.adapters.broker.renewed_keys import RenewedKeys
from porewatch.domain.machines.machine_requests import CredentialsWanted, RunCredentials
from porewatch_worker.instance.assignment import Assignment, read_assignment
from porewatch_worker.instance.instance_metadata import InstanceMetadata
from porewatch_worker.settings import WorkerSettings


class RunSession:
    """Of whatever assignment the instance has, once it can be read."""

    def __init__(self, settings: WorkerSettings, metadata: InstanceMetadata) -> None:
        self._settings, self._metadata = settings, metadata
        self._broker = CredentialBroker(settings.broker, settings.stack)
        self._who: Assignment | None = None
        self._keys = RenewedKeys(self._ask, settings.credentials_s)

    def use(self) -> None:
        """From now on all clients of this process sign with them."""
        clients.use(self._keys.session(self._broker.region))

    def user_id(self) -> str:
        """`aws:userid` of the credentials, which are asked for now if there are none yet. Raises
        what the broker raises (`CredentialBroker.ask`)."""
        self._keys.get_frozen_credentials()
        return self._keys.user_id

    def _ask(self) -> RunCredentials:
        if self._who is None:
            self._who = read_assignment(
                self._metadata, self._settings.assignment, lambda: "not known yet"
            )
        who = self._who
        wanted = CredentialsWanted(
            run_id=who.run_id,
            revision=who.revision,
            stage=who.stage,
            epoch=who.epoch,
            instance_id=who.instance_id,
            nonce=token_hex(8),
        )
        return self._broker.ask(wanted, who.secret)
