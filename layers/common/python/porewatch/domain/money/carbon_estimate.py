"""The reckoning of `carbon`: a bill's machines and files, by a region's factors, in g CO2e.

Order: the whole bill, one machine, the kept files, the parts, sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from porewatch.domain.money.carbon import (
    Carbon,
    CarbonLine,
    Factors,
    Grams,
    Grid,
)
from porewatch.domain.reasons.reason import Reason, Reasons, RunCode, because

if TYPE_CHECKING:
    from porewatch.domain.money.cost import CostLine

DIGITS = 6


def carbon_estimate(
    machines: Sequence[CostLine], files: Iterable[CostLine], factors: Factors
) -> Carbon:
    """The estimate for a bill's machines, lost ones included, and for the files it keeps."""
    grid = factors.grid
    if grid is None:
        why = because(RunCode.NO_GRID, region=factors.region)
        return Carbon(region=factors.region, method=factors.method(), why=(why,))
    instances = [_machine(line, factors, grid) for line in machines]
    kept = [_kept(line, factors, grid) for line in files if line.gib_hours is not None]
    missing = sum(line.grams is None for line in instances)
    known = not instances or missing < len(instances)
    return Carbon(
        region=factors.region,
        place=grid.place,
        grid_year=grid.year,
        grid_source=grid.source,
        kg_per_kwh=grid.kg_per_kwh,
        method=factors.method(),
        lines=(*instances, *kept),
        total=_sum(line.grams for line in (*instances, *kept)) if known else None,
        files=_sum(line.grams for line in kept) if kept else None,
        uncovered=missing,
        why=_why_missing(instances),
        **(_parts(machines, instances) if known else {}),
    )


def _machine(line: CostLine, factors: Factors, grid: Grid) -> CarbonLine:
    """One machine: its whole life, start and lost work included."""
    estimate = CarbonLine(
        what=line.what,
        stage=line.stage,
        epoch=line.epoch,
        instance_id=line.instance_id,
        instance_type=line.instance_type,
        hours=line.seconds / 3600,
        gib_hours=line.gib_hours,
    )
    sized = _sized(line.instance_type or "", factors)
    estimate = estimate.model_copy(update=sized)
    return (
        estimate
        if estimate.why
        else estimate.model_copy(update={"grams": _emitted(estimate, factors, grid)})
    )


def _sized(instance_type: str, factors: Factors) -> dict[str, Any]:
    """How large a machine is, by the name of its type; or the reason why that is not known."""
    share, name = _share_in(instance_type)
    family_name, _, size = name.partition(".")
    family, whole = factors.families.get(family_name), factors.sizes.get(size)
    if family is None or whole is None:
        return {"why": (because(RunCode.TYPE_UNKNOWN, name=name or "?"),)}
    vcpus, named = share * whole, family.accelerator
    sized = {"vcpus": vcpus, "memory_gib": vcpus * family.gib_per_vcpu, "accelerator": named}
    if not named:
        return sized
    chip = factors.accelerators.get(named)
    if chip is None:
        return {**sized, "why": (because(RunCode.CHIP_UNKNOWN, chip=named, type=name),)}
    idle, full = share * chip.idle_w, share * chip.full_w
    return {**sized, "accelerator_idle_w": idle, "accelerator_full_w": full}


def _emitted(line: CarbonLine, factors: Factors, grid: Grid) -> Grams:
    stored = (line.gib_hours or 0.0) * factors.disk_w_per_gib
    low, middle, high = (
        _grams(_watts(line, factors, load) * line.hours + stored, factors, grid)
        for load in (0.0, factors.utilisation, 1.0)
    )
    return Grams(low=low, middle=middle, high=high)


def _watts(line: CarbonLine, factors: Factors, load: float) -> float:
    """What machine and accelerator draw at a load between 0 and 1."""
    idle = line.vcpus * factors.vcpu_idle_w + line.accelerator_idle_w
    full = line.vcpus * factors.vcpu_full_w + line.accelerator_full_w
    return line.memory_gib * factors.memory_w_per_gib + (1 - load) * idle + load * full


def _grams(watt_hours: float, factors: Factors, grid: Grid) -> float:
    """Wh / 1000 x PUE x kg per kWh x 1000."""
    return round(watt_hours * factors.pue * grid.kg_per_kwh, DIGITS)


def _kept(line: CostLine, factors: Factors, grid: Grid) -> CarbonLine:
    """Files that are kept: a disk draws the same at any load."""
    grams = _grams((line.gib_hours or 0.0) * factors.kept_w_per_gib, factors, grid)
    same = Grams(low=grams, middle=grams, high=grams)
    return CarbonLine(what=line.what, gib_hours=line.gib_hours, grams=same)


def _parts(machines: Sequence[CostLine], estimates: Sequence[CarbonLine]) -> Mapping[str, Any]:
    """Useful, wasted and boot, by the machines' seconds; nothing when a line does not split."""
    names = ("useful", "wasted", "boot")
    seconds = {name: [getattr(line, f"{name}_seconds") for line in machines] for name in names}
    if any(part is None for parts in seconds.values() for part in parts):
        return {}
    return {
        name: _sum(
            _times(line.grams, part / (3600 * line.hours))
            for part, line in zip(parts, estimates, strict=True)
            if line.hours
        )
        for name, parts in seconds.items()
    }


def _times(grams: Grams | None, share: float) -> Grams | None:
    if grams is None:
        return None
    return Grams(low=grams.low * share, middle=grams.middle * share, high=grams.high * share)


def _sum(many: Iterable[Grams | None]) -> Grams:
    """Of those that are known."""
    each = [one for one in many if one is not None]
    return Grams(
        low=round(sum(one.low for one in each), DIGITS),
        middle=round(sum(one.middle for one in each), DIGITS),
        high=round(sum(one.high for one in each), DIGITS),
    )


def _why_missing(lines: Iterable[CarbonLine]) -> Reasons:
    missing: list[Reason] = []
    for line in lines:
        missing += [reason for reason in line.why if reason not in missing]
    return (because(RunCode.NOT_COVERED, what=tuple(missing)),) if missing else ()


def _share_in(instance_type: str) -> tuple[float, str]:
    """`0.50 x m6i.2xlarge` (a job's share of a host) -> (0.5, "m6i.2xlarge")."""
    share, _, name = instance_type.rpartition(" x ")
    return (float(share) if share else 1.0), name
