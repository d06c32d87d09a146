"""What the calls of the archiver cost, for tests that count them."""

from __future__ import annotations

from collections.abc import Mapping

PRICES = {
    "dynamodb:Query": 0.25e-6, "dynamodb:GetItem": 0.125e-6, "dynamodb:BatchGetItem": 12.5e-6,
    "dynamodb:PutItem": 0.625e-6, "dynamodb:DeleteItem": 0.625e-6,
    "dynamodb:TransactWriteItems": 3.75e-6, "s3:GetObject": 0.4e-6, "s3:ListBucket": 5e-6,
    "s3:PutObject": 30e-6, "message": 1.2e-6, "call": 1.9e-6,
}  # fmt: skip
"""USD each by IAM action, US East list of 2026 (our reading; read the price page). A HeadObject is
s3:GetObject; a copy is s3:PutObject, at the archive class's price. `call`: a function of 1 GB for a
tenth of a second; `message`: sent, received, deleted."""


def usd(counted: Mapping[str, int]) -> float:
    """Of what was counted; what has no price here costs nothing."""
    return sum(PRICES.get(name, 0.0) * number for name, number in counted.items())
