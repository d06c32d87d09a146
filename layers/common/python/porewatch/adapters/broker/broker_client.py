"""Ask the credential broker, as a machine does: with the machine's own credentials."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from pydantic import ValidationError

from porewatch.adapters.broker.signed_identity import endpoint_of, signed
from porewatch.adapters.clients import CONNECT_SECONDS
from porewatch.adapters.faults import translated
from porewatch.domain import errors
from porewatch.domain.errors import (
    ConfigurationRefused,
    IdentityRefused,
    PorewatchError,
    StaleEpoch,
    Unavailable,
)
from porewatch.domain.machines.machine_requests import Asked, CredentialsWanted, RunCredentials
from porewatch.domain.machines.signed_identity import bound_to
from porewatch.domain.stage.message_proofs import proof

READ_SECONDS = 65
"""Longer than the function may take."""


class CredentialBroker:
    """The function `name` of `stack`. `session`: the machine's own."""

    def __init__(self, name: str, stack: str, session: boto3.Session | None = None) -> None:
        self._name, self._stack = name, stack
        self._session = session or boto3.Session()
        # One attempt: a signature is good for one request, and another attempt needs another one.
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 1},
        )
        self._lambda = self._session.client("lambda", config=config)
        self._sts = self._session.client("sts")

    @property
    def region(self) -> str:
        return str(self._lambda.meta.region_name)

    def ask(self, wanted: CredentialsWanted, secret: str) -> RunCredentials:
        """Credentials for the attempt; `secret`: the epoch's. StaleEpoch when it is over,
        IdentityRefused or ConfigurationRefused when the broker gives none; Unavailable, Throttled.
        """
        text = wanted.model_dump_json()
        asked = Asked(text=text, mac=proof(secret, text), identity=self._identity(text))
        with translated("ask for credentials"):
            reply = self._lambda.invoke(
                FunctionName=self._name, Payload=asked.model_dump_json().encode()
            )
            answer = reply["Payload"].read()
        if "FunctionError" in reply:
            raise _refusal(answer)
        try:
            return RunCredentials.model_validate_json(answer)
        except ValidationError as error:
            fields = ", ".join(sorted({str(found["loc"][0]) for found in error.errors()}))
            raise Unavailable(f"the credential broker's answer lacks {fields}.") from None

    def _identity(self, text: str) -> Any:
        keys = self._session.get_credentials()
        if keys is None:
            raise Unavailable("the machine has no credentials (yet).")
        return signed(
            keys.get_frozen_credentials(),
            endpoint=endpoint_of(self._sts),
            region=self.region,
            bound=bound_to(self._stack, text),
        )


def _refusal(answer: bytes) -> PorewatchError:
    """The broker's error, by the name of its class. What is no error of ours is temporary: the
    function was stopped, or could not begin."""
    said: dict[str, str] = json.loads(answer)
    kind = vars(errors).get(said.get("errorType", ""))
    if not (isinstance(kind, type) and issubclass(kind, PorewatchError)):
        kind = Unavailable
    text = f"the credential broker: {said.get('errorMessage', '')}"
    for known in (StaleEpoch, Unavailable, ConfigurationRefused):
        if issubclass(kind, known):
            return known(text)
    return IdentityRefused(text)
