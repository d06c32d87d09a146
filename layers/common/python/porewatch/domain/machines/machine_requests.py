"""What a machine asks of the credential broker, and what it is answered. Pure (docs/adr/0024).

A request is a text, as a worker's messages are: its proof (`message_proofs`) and the signature of
the machine's identity are both made over the very text that is sent.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from porewatch.domain import s3_keys
from porewatch.domain.base import Count, Model, Moment
from porewatch.domain.errors import MessageRefused
from porewatch.domain.machines.signed_identity import SignedIdentity
from porewatch.domain.runs import RunId
from porewatch.domain.stage.record import StageKey

RUN_TAG, ATTEMPT_TAG, BUNDLE_TAG = "porewatch-run", "porewatch-attempt", "porewatch-bundle"
"""Session tags: the policy of the workers' role names them (`aws:PrincipalTag/...`)."""
MOST_LOG = 150_000
"""Characters of a boot log, as base64."""

Stage = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,30}$")]


class _FromMachine(Model):
    run_id: RunId
    revision: Count
    stage: Stage
    epoch: Count
    instance_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]

    @property
    def key(self) -> StageKey:
        return StageKey(self.run_id, self.revision, self.stage)


class CredentialsWanted(_FromMachine):
    """The worker of this epoch, on this machine, wants credentials for its run."""

    kind: Literal["credentials"] = "credentials"
    nonce: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9a-f]{16}$"),
        Field(description="random: no two requests, and so no two signatures, are the same"),
    ]


class BootLog(_FromMachine):
    """What a machine printed, sent by its user-data when its worker ended badly or never began."""

    kind: Literal["boot_log"] = "boot_log"
    log: Annotated[str, Field(max_length=MOST_LOG, description="base64")]

    @property
    def text(self) -> bytes:
        """The log itself. Raises MessageRefused."""
        try:
            return base64.b64decode(self.log, validate=True)
        except binascii.Error as error:
            raise MessageRefused(f"a boot log is not base64: {error}.") from error


MachineRequest = Annotated[CredentialsWanted | BootLog, Field(discriminator="kind")]
MACHINE_REQUEST: TypeAdapter[MachineRequest] = TypeAdapter(MachineRequest)


class Asked(Model):
    """One call of the broker. `text`: a MachineRequest; `mac`: its proof by the epoch's secret."""

    text: Annotated[str, Field(max_length=200_000, repr=False)]
    mac: Annotated[str, Field(max_length=64, repr=False)] = ""
    identity: SignedIdentity | None = None

    @property
    def request(self) -> MachineRequest:
        """What `text` says. Raises MessageRefused naming the invalid field."""
        try:
            return MACHINE_REQUEST.validate_json(self.text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the top level"
            raise MessageRefused(f"is no machine's request: {first['msg']} at {where}.") from None


class RunCredentials(Model):
    """Temporary credentials for one attempt. `user_id`: its `aws:userid`."""

    access_key_id: str
    secret_access_key: Annotated[str, Field(repr=False)]
    session_token: Annotated[str, Field(repr=False)]
    expires_at: Moment
    user_id: str


def session_tags(key: StageKey, epoch: int, bundle: str) -> dict[str, str]:
    """What the credentials are narrowed to. `bundle`: `name@version`.

    >>> session_tags(StageKey("run-1", 0, "screen"), 2, "demo@1")["porewatch-attempt"]
    'run-1/r0/screen/e2'
    """
    name, _, version = bundle.partition("@")
    attempt = s3_keys.epoch_prefix(*key, epoch).removeprefix("runs/").rstrip("/")
    return {RUN_TAG: key.run_id, ATTEMPT_TAG: attempt, BUNDLE_TAG: f"{name}/{version}"}
