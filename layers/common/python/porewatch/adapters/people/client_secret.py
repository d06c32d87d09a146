"""The secret by which the identity provider knows this site, from Secrets Manager."""

from __future__ import annotations

from functools import lru_cache

from pydantic import SecretStr

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.base import now
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.people.oidc import TELL_OPERATOR

KEPT_SECONDS = 600
"""After a rotation the old secret is used no longer than this."""


def client_secret(arn: str) -> SecretStr:
    """The text of the secret `arn`, as it stands there (no JSON); nothing for no `arn`.

    Kept by the process. Raises ConfigurationRefused, Unavailable.
    """
    period = int(now().timestamp() // KEPT_SECONDS)
    return _read(arn, period) if arn else SecretStr("")


@lru_cache(maxsize=4)
def _read(arn: str, period: int) -> SecretStr:
    """`period`: which stretch of KEPT_SECONDS it is; a new one reads again."""
    with translated("read the client secret of the identity provider"):
        text = clients.secretsmanager().get_secret_value(SecretId=arn).get("SecretString", "")
    if not text.strip():
        raise ConfigurationRefused(f"the secret {arn} holds no text.", remedy=TELL_OPERATOR)
    return SecretStr(text.strip())
