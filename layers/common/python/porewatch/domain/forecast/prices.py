"""What things cost in one region on one day. USD. Looking them up is `compute.price_table`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.reasons.reason import Reason, RunCode, because
from porewatch.domain.stage.instances import Purchase

MINIMUM_SECONDS = 60
"""EC2 bills Linux machines by the second, but never less than a minute."""
MONTH_SECONDS = 30 * 24 * 3600
"""The month by which EBS and S3 state prices."""

Usd = Annotated[float, Field(ge=0)]


class ServicePrices(Model):
    """List prices of what is not a machine; the unit is in the name. First tiers, no free tier."""

    gp3_gib_month: Usd
    s3_gib_month: Usd
    s3_put_thousand: Usd
    s3_get_thousand: Usd
    lambda_request_million: Usd
    lambda_gib_second: Usd
    transition_thousand: Annotated[Usd, Field(description="Step Functions, standard workflow")]
    dynamodb_write_million: Usd
    dynamodb_read_million: Usd
    sqs_million: Usd
    eventbridge_million: Usd


class RestPrices(Model):
    """List prices of what a stack is billed for being there; the unit is in the name. `porewatch
    prices refresh` does not ask for these: they stay as they were written down."""

    endpoint_hour: Annotated[Usd, Field(description="an interface endpoint in one zone")]
    alarm_month: Usd
    composite_alarm_month: Usd
    dashboard_month: Usd
    key_month: Usd
    secret_month: Usd
    aurora_unit_hour: Annotated[Usd, Field(description="a capacity unit of Serverless v2")]


class Price(Model):
    """A machine, USD an hour. `spot` is the median of a day, not a promise."""

    on_demand: Usd
    spot: Usd


class PriceList(Model):
    """One region's prices: when they were taken, from where, and whether AWS itself was asked."""

    region: str
    taken_at: date
    source: str
    verified: bool
    remark: str = ""
    services: ServicePrices
    at_rest: RestPrices
    types: Annotated[dict[str, Price], Field(min_length=1)]

    @property
    def quoted(self) -> Reason:
        """What bills quote, so that they can be computed again."""
        code = RunCode.PRICES_VERIFIED if self.verified else RunCode.PRICES_UNVERIFIED
        return because(code, day=self.taken_at.isoformat(), region=self.region)

    @property
    def snapshot(self) -> str:
        """The same in English, as reservations keep it."""
        return self.quoted.text()

    def hourly(self, instance_type: str, purchase: Purchase) -> float:
        """USD an hour. A type that is not listed costs as much as the dearest one that is: a bill
        that is too high is found out, and a missing price must not keep a machine from ending."""
        price = self.types.get(instance_type) or max(
            self.types.values(), key=lambda listed: listed.on_demand
        )
        return price.spot if purchase == "spot" else price.on_demand

    def usd(self, instance_type: str, purchase: Purchase, seconds: float) -> float:
        """What `seconds` of a machine without its disk cost, in millionths of a dollar."""
        billed = max(MINIMUM_SECONDS, seconds)
        return round(self.hourly(instance_type, purchase) * billed / 3600, 6)

    def disk_usd(self, gib: int, seconds: float) -> float:
        """What a gp3 volume of `gib` costs while its machine lives; a minute at least."""
        billed = max(MINIMUM_SECONDS, seconds)
        return round(self.services.gp3_gib_month * gib * billed / MONTH_SECONDS, 6)

    def times(self, factor: float, region: str) -> PriceList:
        """The same list, dearer, for a region of which nothing is known."""
        services = {n: price * factor for n, price in self.services.model_dump().items()}
        at_rest = {n: price * factor for n, price in self.at_rest.model_dump().items()}
        types = {
            name: Price(on_demand=price.on_demand * factor, spot=price.spot * factor)
            for name, price in self.types.items()
        }
        return self.model_copy(
            update={
                "region": f"{region} (taken as {factor:g} x {self.region})",
                "verified": False,
                "services": ServicePrices(**services),
                "at_rest": RestPrices(**at_rest),
                "types": types,
            }
        )


class Snapshot(Model):
    """All regions that are known. `elsewhere`: what a region that is not costs, as a multiple of
    the first one; above any we know of, so that a budget errs on the safe side."""

    elsewhere: Annotated[float, Field(ge=1)]
    regions: Annotated[tuple[PriceList, ...], Field(min_length=1)]

    def of(self, region: str) -> PriceList:
        """The prices of a region, known or not."""
        for listed in self.regions:
            if listed.region == region:
                return listed
        return self.regions[0].times(self.elsewhere, region)

    def replaced(self, fresh: PriceList) -> Snapshot:
        """With this region's prices in place of older ones; the first region stays first."""
        kept = tuple(fresh if one.region == fresh.region else one for one in self.regions)
        regions = kept if fresh in kept else (*kept, fresh)
        return self.model_copy(update={"regions": regions})
