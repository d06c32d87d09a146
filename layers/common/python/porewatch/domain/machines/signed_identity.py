"""The identity of a machine, as its signature proves it. Pure."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model
from porewatch.domain.errors import IdentityRefused

BOUND_TO = "x-porewatch-request"
"""The signed header that binds an identity to one request of one stack."""
SIGNED = f"content-type;host;x-amz-date;x-amz-security-token;{BOUND_TO}"
"""All headers that a machine signs, as `SignedHeaders` names them."""
DATE = "%Y%m%dT%H%M%SZ"
FRESH = timedelta(minutes=5)
"""How far a signature's time may be from ours: as far as AWS itself lets it be."""


class SignedIdentity(Model):
    """What a machine signed of a GetCallerIdentity: the values of three headers. The request itself
    is made by the broker, which names no host, action or header that it was given."""

    authorization: Annotated[
        str,
        StringConstraints(
            pattern=r"^AWS4-HMAC-SHA256 Credential=[A-Za-z0-9]{16,128}/\d{8}/[a-z0-9-]+/sts/"
            rf"aws4_request, SignedHeaders={SIGNED}, Signature=[0-9a-f]{{64}}$"
        ),
        Field(repr=False),
    ]
    date: Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z$")]
    token: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,8192}$"), Field(repr=False)]

    @property
    def signature(self) -> str:
        return self.authorization.rpartition("=")[2]

    @property
    def at(self) -> datetime:
        """When it was signed, by the machine's clock. Raises IdentityRefused."""
        try:
            return datetime.strptime(self.date, DATE).replace(tzinfo=UTC)
        except ValueError as error:
            raise IdentityRefused(f"{self.date} is no time.") from error

    def refuse_old(self, now: datetime) -> None:
        """IdentityRefused unless it was signed just now."""
        if abs(now - self.at) > FRESH:
            raise IdentityRefused(
                f"the identity was signed at {self.date}, which is not now.",
                remedy="look at the clock of the machine.",
            )


def bound_to(stack: str, text: str) -> str:
    """The value of the header that binds an identity to a request: another stack or another text
    has another one."""
    whole = json.dumps(["porewatch-machine-request-1", stack, text])
    return hashlib.sha256(whole.encode()).hexdigest()
