"""What may be chosen of an identity provider. By itself, because every function reads settings."""

from __future__ import annotations

from typing import Literal

GLOBUS = "https://auth.globus.org"
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"
]  # fmt: skip
"""Signatures by a key pair. `none` and HMAC are no choices: with HMAC, whoever has the provider's
public key could sign by it."""
ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]
