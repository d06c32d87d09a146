"""Stripe's key and the secret of its webhook, from Secrets Manager."""

from __future__ import annotations

from functools import lru_cache

from pydantic import SecretStr, ValidationError

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.domain.base import Model, now
from porewatch.domain.errors import ConfigurationRefused

KEPT_SECONDS = 600
"""After a rotation the old secret is used no longer than this."""


class StripeSecrets(Model):
    """The JSON of the secret."""

    api_key: SecretStr
    webhook_secret: SecretStr


def stripe_secrets(arn: str) -> StripeSecrets:
    """What secret `arn` holds, kept by the process. Raises ConfigurationRefused, Unavailable."""
    return _read(arn, int(now().timestamp() // KEPT_SECONDS))


@lru_cache(maxsize=4)
def _read(arn: str, period: int) -> StripeSecrets:
    """`period`: which stretch of KEPT_SECONDS it is; a new one reads again."""
    with translated("read the secrets of the payment provider"):
        text = clients.secretsmanager().get_secret_value(SecretId=arn).get("SecretString", "")
    try:
        return StripeSecrets.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationRefused(
            f"the secret {arn} is no JSON with api_key and webhook_secret.",
            remedy="see docs/how-to/connect-stripe.md.",
        ) from error
