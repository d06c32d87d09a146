"""How fast archived objects are asked back: by what the whole thaw would cost. Pure.

Expedited is minutes and a cent for each object, Standard hours and nearly nothing for each, Bulk
half a day and nothing for each GB. So a few small objects come back at once, and thousands of them
do not cost more than what they were made for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from porewatch.domain.base import Model


class Speed(StrEnum):
    """The retrieval tiers of S3 Glacier Flexible Retrieval."""

    EXPEDITED = "Expedited"
    STANDARD = "Standard"
    BULK = "Bulk"


EXPECTED = {
    Speed.EXPEDITED: timedelta(minutes=5),
    Speed.STANDARD: timedelta(hours=5),
    Speed.BULK: timedelta(hours=12),
}
"""The longest that S3's documentation names (Restoring objects, retrieval options)."""


class Price(NamedTuple):
    """USD, US East list of 2026 (our reading; read the price page)."""

    request: float
    gigabyte: float


PRICES = {
    Speed.EXPEDITED: Price(0.01, 0.03),
    Speed.STANDARD: Price(0.05e-3, 0.01),
    Speed.BULK: Price(0.0, 0.0),
}
EXPEDITED_BYTES = 250 * 10**6
"""Up to this size of an object S3 promises minutes."""
EXPEDITED_USD, STANDARD_USD = 0.05, 0.50
"""Our choice: what the retrieval of one thaw may cost at this speed. Above the second, Bulk."""


class Plan(Model):
    """The speeds of one thaw: of objects up to `EXPEDITED_BYTES`, and of larger ones."""

    small: Speed
    large: Speed

    def speed(self, size: int) -> Speed:
        return self.small if size <= EXPEDITED_BYTES else self.large


def retrieval_usd(speed: Speed, sizes: Iterable[int]) -> float:
    """What S3 takes for bringing back objects of so many bytes, but for their copies."""
    price = PRICES[speed]
    return sum(price.request + price.gigabyte * size / 1e9 for size in sizes)


def plan_of(sizes: Iterable[int]) -> Plan:
    """The fastest that is reasonable for all that one thaw brings back.

    >>> plan_of([10**6])
    Plan(small=<Speed.EXPEDITED: 'Expedited'>, large=<Speed.STANDARD: 'Standard'>)
    >>> plan_of([10**6] * 1000).small.value
    'Standard'
    """
    everything = list(sizes)
    small = [size for size in everything if size <= EXPEDITED_BYTES]
    cheap = retrieval_usd(Speed.STANDARD, everything) <= STANDARD_USD
    large = Speed.STANDARD if cheap else Speed.BULK
    fast = retrieval_usd(Speed.EXPEDITED, small) <= EXPEDITED_USD
    return Plan(small=Speed.EXPEDITED if fast else large, large=large)
