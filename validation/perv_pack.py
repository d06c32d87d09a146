"""PERV of the validation pack: made runs of surrogates with known types, joins and copies.

`python -m validation.perv_pack [MIXTURES]` prints the table of docs/science/perv.md at full
size (100 mixtures without recombinants; some minutes), the suite runs the same functions at small
size.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import PervResult
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.simulate.errors import R9, R10, ErrorModel
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.simulate.plan import RunPlan, Source
from porewatch_worker.simulate.reads import simulate_run
from validation.pack import IDENTITY, Score
from validation.screens import screen, screening
from validation.surrogates import (
    KINDS,
    PervWorld,
    copy_of,
    genome,
    host_with,
    make_perv_world,
    recombinant,
)

SAMPLE = Sample(name="one")
COPIES = 6
"""Different copies of each type in a mixture, 1 to 3 % from the references."""


def run(
    world: PervWorld,
    sources: Sequence[tuple[Genome, int]],
    *,
    model: ErrorModel,
    seed: int,
    mean: int = 2500,
    chimeras: float = 0.0,
    sample: Sample = SAMPLE,
    **parameters: int,
) -> tuple[ScreenResult, PervResult]:
    """Screen reads of the genomes given (each with its number of reads)."""
    plan = RunPlan(
        identity=IDENTITY,
        sources=tuple(Source("one", "barcode01", (g,), n) for g, n in sources if n),
        seed=seed, model=model, mean_length=mean, sd_length=0.8 * mean, chimeras=chimeras,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files = simulate_run(plan, Path(folder), Path(folder) / "truth.tsv").files
        paths = sorted(Path(folder) / name for name in files)
        work = screening(world.bundle, *paths, samples=(sample,), **parameters)
        result = screen(work, Path(folder))
    bundle = world.bundle
    quantified = quantify(result, (sample,), bundle.panel, bundle.manifest, ScreeningParameters())
    return result, quantified.perv[0]


def mixture(
    world: PervWorld, counts: dict[str, int], rng: np.random.Generator
) -> list[tuple[Genome, int]]:
    """`counts` reads of each type, shared out over six copies of it."""
    sources = []
    for kind, reads in counts.items():
        shares = rng.multinomial(reads, [1 / COPIES] * COPIES)
        for i, share in enumerate(shares):
            codes = copy_of(world.types[kind].codes, rng.uniform(0.01, 0.03), rng)
            sources.append((genome(f"{kind}{i}", codes), int(share)))
    return sources


def typing(world: PervWorld, model: ErrorModel, reads: int, seed: int) -> dict[str, Counter[str]]:
    """True type -> what env reads were given to (`none`: no type assigned)."""
    rng = np.random.default_rng(seed)
    counts = {}
    for kind in KINDS:
        _, result = run(world, mixture(world, {kind: reads}, rng), model=model, seed=seed)
        counted = result.counted
        counts[kind] = Counter({k: t.reads for k, t in counted.types.items()})
        counts[kind]["none"] = counted.untyped
        counts[kind]["junction"] = len(counted.junctions)
    return counts


def without_recombinants(
    world: PervWorld, number: int, *, kinds: str, chimeras: float, seed: int
) -> list[PervResult]:
    """Mixtures of random shares, 600 PERV reads and 100 host reads each, R10 and R9 in turn."""
    found = []
    for i in range(number):
        rng = np.random.default_rng(seed + i)
        shares = rng.multinomial(600, rng.dirichlet([1.0] * len(kinds)))
        sources = mixture(world, dict(zip(kinds, map(int, shares), strict=True)), rng)
        sources.append((genome("host", world.host, "host"), 100))
        model = (R10, R9)[i % 2]
        found.append(run(world, sources, model=model, seed=seed + i, chimeras=chimeras)[1])
    return found


def recombinant_alarms(results: Sequence[PervResult]) -> int:
    return sum(any("recombinant" in a for a in r.alarms) for r in results)


def type_alarms(results: Sequence[PervResult]) -> int:
    return sum(any("recombinant" not in a for a in r.alarms) for r in results)


def with_recombinant(
    world: PervWorld, reads: int, *, step: int, order: str, model: ErrorModel, seed: int
) -> PervResult:
    """1 % of `reads` come from a recombinant cut at that step of env, the rest from A, B and C."""
    rng = np.random.default_rng(seed)
    few = max(1, reads // 100)
    rest = reads - few
    sources = mixture(world, {"A": rest // 2, "B": rest // 3, "C": rest // 6}, rng)
    left, right = (world.types[k] for k in order)
    codes = copy_of(recombinant(left, right, step), 0.01, rng)
    sources.append((genome("AC", codes), few))
    return run(world, sources, model=model, seed=seed)[1]


def ac_junctions(result: PervResult) -> int:
    """Junction reads between A and C, wherever they lie."""
    return sum(s.reads for s in result.sites if {s.left, s.right} == {"A", "C"})


def copy_ratio(world: PervWorld, copies: int, depth: float, seed: int) -> tuple[float, bool]:
    """Estimated over true copies per diploid genome at that depth of a haploid genome, and whether
    the interval holds the truth. The animal has `copies` in each haploid genome, none of them
    where the reference has its own."""
    rng = np.random.default_rng(seed)
    kinds = tuple("AB"[i % 2] for i in range(copies))
    animal = host_with(world.types, kinds, world.locus, rng)
    sources = [(genome("animal", animal, "host"), round(depth * len(animal) / 1000))]
    amount = run(world, sources, model=R10, seed=seed, mean=1000)[1].copies
    assert amount is not None and amount.value and amount.low is not None and amount.high
    return amount.value / (2 * copies), amount.low <= 2 * copies <= amount.high


def main(mixtures: int) -> None:
    """Everything, at full size."""
    with tempfile.TemporaryDirectory() as folder:
        _print_copies(make_perv_world(Path(folder) / "copies", locus=1_000_000))
        world = make_perv_world(Path(folder) / "types")
        _print_typing(world)
        _print_recombinants(world)
        for kinds in ("ABC", "AB"):
            found = without_recombinants(world, mixtures, kinds=kinds, chimeras=0.02, seed=10_000)
            strays = sum(len(r.counted.junctions) for r in found)
            env = sum(r.counted.env_reads for r in found)
            print(
                f"{kinds}, 2 % chimeras: recombinant alarms "
                f"{Score(recombinant_alarms(found), mixtures)}; {strays} stray junction reads "
                f"among {env} over env; type alarms {Score(type_alarms(found), mixtures)}",
                flush=True,
            )


def _print_copies(world: PervWorld) -> None:
    for depth, times in ((0.5, 20), (1.0, 10), (2.0, 5)):
        found = [copy_ratio(world, 60, depth, seed) for seed in range(times)]
        ratios = np.array([ratio for ratio, _ in found])
        near = Score(int((abs(ratios - 1) <= 0.15).sum()), times)
        held = Score(sum(held for _, held in found), times)
        print(
            f"60 copies at {depth:g} x: ratio to truth {ratios.mean():.3f}, sd {ratios.std():.3f},"
            f" within 15 % {near}, interval holds truth {held}",
            flush=True,
        )


def _print_typing(world: PervWorld) -> None:
    for model in (R10, R9):
        for kind, counts in typing(world, model, 2000, 5).items():
            print(f"typing {model.name} {kind}: {dict(counts)}", flush=True)


def _print_recombinants(world: PervWorld) -> None:
    for model in (R10, R9):
        seen, alarms, trials = 0, 0, 0
        for step in (3, 6, 9, 12, 15):
            for order in ("AC", "CA"):
                result = with_recombinant(
                    world, 3000, step=step, order=order, model=model, seed=step
                )
                enough = ac_junctions(result) >= 5
                trials, seen = trials + 1, seen + enough
                alarms += enough and recombinant_alarms([result])
        print(
            f"recombinants {model.name}, 1 % of 3,000 PERV reads: 5 junction reads or more in "
            f"{seen} of {trials}, alarm in {Score(alarms, seen)} of those",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
