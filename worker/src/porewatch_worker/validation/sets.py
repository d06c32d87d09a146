"""The sets: made runs, sample by sample, with what is truly in each.

Levels are genome copies in the library, of whose bases a tenth is read (CAPTURE), so that a copy of
a genome of L bases gives L x 0.1 / 1,500 reads on average; the number is Poisson drawn. Above
`most_reads` reads a sample gets no more: they would only cost time. An agent is in one sample of a
run only, because a second one would rightly be suspected of barcode crossover.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from porewatch_worker.simulate.errors import R9, R10, ErrorModel
from porewatch_worker.simulate.genomes import SPIKE, Genome
from porewatch_worker.validation.recombinants import recombinant
from porewatch_worker.validation.worlds import (
    CLASSES,
    CONTAMINANT,
    FAR,
    RELATIVES,
    World,
)

LEVELS = (1, 3, 10, 30, 100, 300, 1000)
CAPTURE = 0.1
MEAN, SD = 1500, 1000
HOST_READS, SPIKE_READS = 60, 40
POOR = replace(R9, name="poor", identity_mean=0.83, identity_sd=0.05)
BUDGET = 0.001
"""Crosstalk that the product's own parameter `crossover` allows for."""

SERIES = "dilution series"
ABOUT = {
    SERIES: "each agent alone, 1 to 1,000 genome copies, strain 5 % away from the bundle's",
    "near relatives": "relatives 12 to 25 % away from a member, in the bundle as decoys",
    "unknown relatives": f"members' relatives {FAR:.0%} away, in no bundle",
    "host only": "host reads and spike-in; the host carries PERV-A and -B",
    "host, PERV-A and -B": "as above and free PERV-A and -B, 5 % of joined molecules",
    "A/C recombinants": "PERV-A and -B, and recombinants cut at random places of env",
    "chimeric reads": "three agents in one sample, one read in ten joined to another",
    "crosstalk": "a heavy sample; reads in wrong barcodes within the budget of 0.1 %",
    "low quality": "identity 0.83 on average, 60 reads of each agent",
    "short reads": "300 bases on average, 60 reads of each agent",
    "contaminants and spike": "an unknown bacterium and ten times the spike-in, no agent",
    "empty": "samples without any read, beside one with host",
}


@dataclass(frozen=True)
class Size:
    """How much is made: `times` repeats of the series for each chemistry, and of the other sets."""

    name: str
    times: int
    repeats: int
    most_reads: int
    models: tuple[ErrorModel, ...]


SIZES = {
    "small": Size("small", 1, 1, 25, (R10,)),
    "medium": Size("medium", 2, 3, 100, (R10, R9)),
    "full": Size("full", 5, 6, 200, (R10, R9)),
}


@dataclass(frozen=True)
class Tube:
    """One sample as made. `copies` and `expected` (reads on average) are those of the series;
    `alarm` says whether a PERV recombinant is in it."""

    label: str
    contents: tuple[tuple[tuple[Genome, ...], int], ...] = ()
    truth: frozenset[str] = frozenset()
    reads: int = 0
    copies: float | None = None
    expected: float | None = None
    alarm: bool = False


@dataclass(frozen=True)
class MadeRun:
    """One run as made."""

    kind: str
    tubes: tuple[Tube, ...]
    model: ErrorModel
    seed: int
    mean: int = MEAN
    sd: int = SD
    shortest: int = 200
    crosstalk: float = 0.0
    chimeras: float = 0.0


def all_runs(world: World, size: Size, seed: int) -> list[MadeRun]:
    """Every run of the pack, in a fixed order with seeds of its own."""
    runs = [*_series(world, size, seed)]
    for time in range(size.repeats):
        model = size.models[time % len(size.models)]
        start = seed + 100_000 + 1000 * time
        runs += [r for made in _OTHERS for r in made(world, model, start)]
    return runs


def _series(world: World, size: Size, seed: int) -> Iterator[MadeRun]:
    number = seed
    for model in size.models:
        for _ in range(size.times):
            for level in LEVELS:
                number += 1
                tubes = tuple(_diluted(world, code, level, size, number) for code in CLASSES)
                yield MadeRun(SERIES, tubes, model, number)


def _diluted(world: World, code: str, level: int, size: Size, seed: int) -> Tube:
    expected = min(size.most_reads, level * CAPTURE * world.length(code) / MEAN)
    rng = np.random.default_rng([seed, *code.encode()])
    reads = int(rng.poisson(expected))
    made = (*_background(world), (world.strain(code, seed), reads))
    return Tube(code, made, frozenset({code} if reads else ()), reads, level, expected)


def _background(world: World) -> tuple[tuple[tuple[Genome, ...], int], ...]:
    return (world.genomes.of("host"), HOST_READS), (world.genomes.of(SPIKE), SPIKE_READS)


def _tube(world: World, label: str, *more: tuple[tuple[Genome, ...], int]) -> Tube:
    return Tube(label, (*_background(world), *more))


def _with_agents(world: World, codes: tuple[str, ...], reads: int, seed: int) -> Tube:
    made = tuple((world.strain(code, seed), reads) for code in codes)
    return replace(_tube(world, "+".join(codes), *made), truth=frozenset(codes), reads=reads)


def _relatives(world: World, model: ErrorModel, seed: int) -> Iterator[MadeRun]:
    near = [_tube(world, name, (world.genomes.of(name), 150)) for name in RELATIVES]
    near.append(_tube(world, "all", *((world.genomes.of(name), 40) for name in RELATIVES)))
    yield MadeRun("near relatives", tuple(near), model, seed + 1)
    codes = ("CSFV", "JEV", "PPV", "SALM")
    far = tuple(_tube(world, code, (world.strain(code, seed, FAR), 150)) for code in codes)
    yield MadeRun("unknown relatives", far, model, seed + 2)


def _hosts(world: World, model: ErrorModel, seed: int) -> Iterator[MadeRun]:
    host = world.genomes.of("host")
    only = tuple(Tube(f"host {n}", ((host, n), *_background(world)[1:])) for n in (50, 300, 1500))
    yield MadeRun("host only", only, model, seed + 3)
    free = [(world.strain(code, seed), 150) for code in ("PERV-A", "PERV-B")]
    tubes = (_tube(world, "A and B", *free), _tube(world, "A", free[0]), _tube(world, "B", free[1]))
    yield MadeRun("host, PERV-A and -B", tubes, model, seed + 4, chimeras=0.05)


def _joined(world: World, model: ErrorModel, seed: int) -> Iterator[MadeRun]:
    kinds = [world.genomes.of(f"PERV-{kind}")[0] for kind in "ABC"]
    share = float(np.random.default_rng(seed).uniform(0.15, 0.55))
    cut = recombinant(kinds[0], kinds[2], share, seed)
    made = (((kinds[0],), 100), ((kinds[1],), 100), ((cut,), 100))
    tube = replace(_tube(world, f"cut at {share:.2f} of env", *made), alarm=True, reads=100)
    yield MadeRun("A/C recombinants", (tube,), model, seed + 5, mean=2500, sd=2000)
    for number, codes in enumerate((("PCV2", "CSFV", "SALM"), ("PPV", "HEV", "TG"))):
        mixed = (_with_agents(world, codes, 60, seed),)
        yield MadeRun("chimeric reads", mixed, model, seed + 6 + number, chimeras=0.10)


def _strays(world: World, model: ErrorModel, seed: int) -> Iterator[MadeRun]:
    heavy = _with_agents(world, ("PPV",), 3000, seed)
    light = tuple(_tube(world, f"beside {n}") for n in range(1, 6))
    yield MadeRun("crosstalk", (heavy, *light), model, seed + 8, crosstalk=BUDGET)
    agents = tuple(_with_agents(world, (code,), 60, seed) for code in CLASSES)
    yield MadeRun("low quality", agents, POOR, seed + 9)
    yield MadeRun("short reads", agents, model, seed + 10, mean=300, sd=80)


def _nothing(world: World, model: ErrorModel, seed: int) -> Iterator[MadeRun]:
    dirt, spike = world.genomes.of(CONTAMINANT), world.genomes.of(SPIKE)
    tubes = (
        Tube("contaminant and spike", ((dirt, 600), (spike, 400))),
        Tube("spike alone", ((spike, 400),)),
        Tube("contaminant alone", ((dirt, 600),)),
    )
    yield MadeRun("contaminants and spike", tubes, model, seed + 11)
    yield MadeRun("empty", (Tube("no read"), _tube(world, "beside")), model, seed + 12)


_OTHERS = (_relatives, _hosts, _joined, _strays, _nothing)
