"""What machines cost: a dated snapshot (`prices.json` beside this), and the sum for seconds."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.base import Model
from porewatch.domain.launching import Purchase

MINIMUM_SECONDS = 60
"""EC2 bills Linux machines by the second, but never less than a minute."""


class Price(Model):
    """USD an hour."""

    on_demand: float
    spot: float


class PriceList(Model):
    """`snapshot` names date, region and where the numbers come from; bills quote it."""

    snapshot: str
    verified: bool
    remark: str
    types: dict[str, Price]

    def hourly(self, instance_type: str, purchase: Purchase) -> float:
        """USD an hour. A type that is not listed costs as much as the dearest one that is: a bill
        that is too high is found out, and a missing price must not keep a machine from ending."""
        price = self.types.get(instance_type) or max(
            self.types.values(), key=lambda listed: listed.on_demand
        )
        return price.spot if purchase == "spot" else price.on_demand

    def usd(self, instance_type: str, purchase: Purchase, seconds: float) -> float:
        """What `seconds` of a machine cost, in millionths of a dollar."""
        billed = max(MINIMUM_SECONDS, seconds)
        return round(self.hourly(instance_type, purchase) * billed / 3600, 6)


@cache
def price_list() -> PriceList:
    """The snapshot that came with this version."""
    text = files("porewatch.compute").joinpath("prices.json").read_text()
    return PriceList.model_validate_json(text)
