"""Current AWS prices: list prices from the Price List service, spot prices from EC2's history.

Used by `porewatch prices refresh` only. Not run against AWS by its authors: tests use responses in
the documented form. Order: the list of a region, instances, services, the query itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from porewatch.domain.errors import Unavailable
from porewatch.domain.forecast.prices import (
    Price,
    PriceList,
    ServicePrices,
)

SPOT_WINDOW = timedelta(hours=24)
SOURCE = "AWS Price List (GetProducts) and EC2 DescribeSpotPriceHistory (median of 24 h)"
LINUX = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}
SERVICES: dict[str, tuple[str, dict[str, str], float]] = {
    "gp3_gib_month": ("AmazonEC2", {"volumeApiName": "gp3", "productFamily": "Storage"}, 1),
    "s3_gib_month": ("AmazonS3", {"volumeType": "Standard", "storageClass": "General Purpose"}, 1),
    "s3_put_thousand": ("AmazonS3", {"group": "S3-API-Tier1"}, 1e3),
    "s3_get_thousand": ("AmazonS3", {"group": "S3-API-Tier2"}, 1e3),
    "lambda_request_million": ("AWSLambda", {"group": "AWS-Lambda-Requests-ARM"}, 1e6),
    "lambda_gib_second": ("AWSLambda", {"group": "AWS-Lambda-Duration-ARM"}, 1),
    "transition_thousand": ("AmazonStates", {"group": "SFN-StateTransitions"}, 1e3),
    "dynamodb_write_million": ("AmazonDynamoDB", {"group": "DDB-WriteUnits"}, 1e6),
    "dynamodb_read_million": ("AmazonDynamoDB", {"group": "DDB-ReadUnits"}, 1e6),
    "sqs_million": ("AWSQueueService", {"queueType": "Standard"}, 1e6),
    "eventbridge_million": ("AWSEvents", {"eventType": "Custom Event"}, 1e6),
}
"""Field of `ServicePrices` -> service code, attributes of the product, and how many make a unit."""


def query_prices(
    region: str, types: Iterable[str], *, pricing: Any, ec2: Any, before: PriceList, at: datetime
) -> PriceList:
    """The current prices of a region. A product that AWS does not list keeps its price of `before`;
    the remark names it, and the list is then not `verified`."""
    missed: list[str] = []
    services = before.services.model_dump()
    for name, (code, attributes, unit) in SERVICES.items():
        found = _first_tier(pricing, code, {**attributes, "regionCode": region})
        if found is None:
            missed.append(name)
        else:
            services[name] = round(found * unit, 10)
    instances = {}
    for name in types:
        price = _instance_price(name, region, pricing, ec2, at)
        if price is None:
            missed.append(name)
        instances[name] = price or before.types.get(name)
    known = {name: price for name, price in instances.items() if price is not None}
    if not known or len(missed) == len(SERVICES) + len(instances):
        raise Unavailable(f"AWS lists none of these prices in {region}.")
    return PriceList(
        region=region,
        taken_at=at.date(),
        source=SOURCE,
        verified=not missed,
        remark=f"not listed, price of the last snapshot: {', '.join(missed)}" if missed else "",
        services=ServicePrices(**services),
        at_rest=before.at_rest,
        types=known,
    )


def _instance_price(name: str, region: str, pricing: Any, ec2: Any, at: datetime) -> Price | None:
    listed = _first_tier(
        pricing, "AmazonEC2", {**LINUX, "instanceType": name, "regionCode": region}
    )
    pages = ec2.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=[name],
        ProductDescriptions=["Linux/UNIX"],
        StartTime=at - SPOT_WINDOW,
        EndTime=at,
    )
    spot = [float(one["SpotPrice"]) for page in pages for one in page["SpotPriceHistory"]]
    if listed is None or not spot:
        return None
    return Price(on_demand=listed, spot=round(median(spot), 6))


def _first_tier(pricing: Any, code: str, attributes: dict[str, str]) -> float | None:
    """The highest first-tier USD price of the products with these attributes; None when there is
    none. (First tiers begin at 0; free tiers cost 0 and do not count.)"""
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in attributes.items()
    ]
    pages = pricing.get_paginator("get_products").paginate(ServiceCode=code, Filters=filters)
    prices = [price for page in pages for text in page["PriceList"] for price in _prices(text)]
    return max(prices, default=None)


def _prices(product: str) -> Iterator[float]:
    for term in json.loads(product)["terms"].get("OnDemand", {}).values():
        for tier in term["priceDimensions"].values():
            usd = float(tier["pricePerUnit"].get("USD", 0))
            if tier.get("beginRange", "0") == "0" and usd > 0:
                yield usd
