"""The expected cost of a run, before it is submitted: `domain.forecast.estimate` times the price
snapshot.

Per stage: low = cheapest type at the 10th percentile, likely = the median type, high = the most
expensive type at the 90th percentile; with its disk. Interruptions are in `high` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from porewatch.domain.base import Model
from porewatch.domain.forecast.estimate import (
    InputSize,
    span_of,
)
from porewatch.domain.forecast.prices import PriceList
from porewatch.domain.forecast.service_usage import (
    BEAT_SECONDS,
    CHECKPOINT_SECONDS,
    Activity,
    files_line,
    orchestration_line,
)
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.stage.instances import Purchase
from porewatch.domain.stage.spec import Phase, Profile, StageSpec

FACTS_PER_STAGE, FACTS_PER_RUN = 6, 4
Three = tuple[float, float, float]
"""Low, likely, high."""


class StageForecast(Model):
    """Seconds and USD, each low, likely and high."""

    stage: str
    phases: tuple[Phase, ...]
    seconds: Three
    spot_usd: Three
    on_demand_usd: Three


class Forecast(Model):
    """The whole run. `reserved_usd`: the largest reservation of one launch."""

    size: InputSize
    price_snapshot: str
    stages: tuple[StageForecast, ...]
    orchestration_usd: float
    files_usd: float
    spot_usd: Three
    on_demand_usd: Three
    reserved_usd: float


def forecast(
    layout: Profile, size: InputSize, files: Sequence[InputFile], prices: PriceList
) -> Forecast:
    """The stages that these files need: basecalled reads skip basecalling."""
    raw = any(file.kind is ReadKind.POD5 for file in files)
    specs = [spec for spec in map(lambda s: _needed(s, raw), layout.stages) if spec is not None]
    stages = tuple(_stage(spec, size, prices) for spec in specs)
    done = _activity(stages, size)
    around = orchestration_line(done, prices.services).usd, files_line(done, prices.services).usd
    return Forecast(
        size=size,
        price_snapshot=prices.snapshot,
        stages=stages,
        orchestration_usd=around[0],
        files_usd=around[1],
        spot_usd=_sums([stage.spot_usd for stage in stages], sum(around)),
        on_demand_usd=_sums([stage.on_demand_usd for stage in stages], sum(around)),
        reserved_usd=max((stage.on_demand_usd[2] for stage in stages), default=0.0),
    )


def _needed(spec: StageSpec, raw: bool) -> StageSpec | None:
    phases = tuple(p for p in spec.phases if raw or p is not Phase.BASECALLING)
    return spec.model_copy(update={"phases": phases}) if phases else None


def _stage(spec: StageSpec, size: InputSize, prices: PriceList) -> StageForecast:
    span = span_of(spec, size)

    def usd(purchase: Purchase) -> Three:
        rates = [prices.hourly(name, purchase) for name in spec.instance_types]
        hours = [seconds / 3600 for seconds in span]
        disks = [prices.disk_usd(spec.disk_gib, seconds) for seconds in span]
        low, likely, high = (
            round(rate * hour + disk, 6)
            for rate, hour, disk in zip(
                (min(rates), median(rates), max(rates)), hours, disks, strict=True
            )
        )
        return low, likely, high

    return StageForecast(
        stage=spec.name,
        phases=spec.phases,
        seconds=(span.low, span.likely, span.high),
        spot_usd=usd("spot"),
        on_demand_usd=usd("on-demand"),
    )


def _activity(stages: Sequence[StageForecast], size: InputSize) -> Activity:
    seconds = sum(stage.seconds[1] for stage in stages)
    return Activity(
        stages=len(stages),
        epochs=len(stages),
        beats=seconds / BEAT_SECONDS,
        checkpoints=round(seconds / CHECKPOINT_SECONDS),
        facts=FACTS_PER_RUN + FACTS_PER_STAGE * len(stages),
        files=size.files,
        bytes=size.bytes,
    )


def _sums(parts: Sequence[Three], rest: float) -> Three:
    low, likely, high = (round(sum(part[i] for part in parts) + rest, 6) for i in range(3))
    return low, likely, high
