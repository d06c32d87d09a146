"""How often the 95 % interval of copies/mL holds the true load, by simulation.

One sample: molecules of target and spike-in are read by chance (Poisson), in reads of unequal size,
in copies of one molecule where stated; the copies added and the recovery are off by log-normal
factors. The product sees reads, the stated copies and the stated uncertainties, never the truth.

    python -m validation.interval_pack        # 4,000 samples a row, some minutes
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from porewatch.domain.calls.evidence import TargetResult
from porewatch.domain.calls.findings import Quantity
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.quantity import from_spike
from porewatch_worker.science.amounts.quantity_by_yield import (
    AVOGADRO,
    from_yield,
)
from porewatch_worker.science.amounts.uncertainty import log_sd
from porewatch_worker.science.intervals import wilson_interval
from validation.drawn import USUAL, Dice, Lengths, screen_of, sized

SPIKE_LENGTH = 48_502
COPIES = 10_000.0


@dataclass(frozen=True)
class Case:
    """Mean molecules of target and spike-in that are read; `copies`: reads a molecule (mean).
    `spike_cv`, `extraction_cv`, `mass_cv`: of the bench, and of the sheet."""

    name: str
    molecules: float
    spike: float
    length: int = 10_000
    lengths: Lengths = USUAL
    spike_cv: float = 0.10
    extraction_cv: float = 0.20
    mass_cv: float = 0.25
    copies: float = 1.0
    by: str = "spike"
    short_share: float = 0.0


CASES = (
    Case("few reads", 6, 200),
    Case("ten reads, few of the spike-in", 10, 15),
    Case("hundred reads", 100, 300),
    Case("many reads: bench alone", 5_000, 5_000),
    Case("PCV, 1.77 kb: reads as long as it", 40, 200, length=1_768),
    Case("ASFV, 190 kb, long reads", 60, 100, length=190_000, lengths=Lengths(6_000, 1.2)),
    Case("poor bench: 30 % and 50 %", 50, 200, spike_cv=0.30, extraction_cv=0.50),
    Case("three reads a molecule", 40, 300, copies=3.0),
    Case("by yield, ten reads", 10, 0, by="yield"),
    Case("by yield, 500 reads", 500, 0, by="yield"),
    Case("by yield, half the bases filtered", 200, 0, by="yield", short_share=0.5),
)


def coverage(case: Case, samples: int, seed: int, stated: Case | None = None) -> tuple[int, int]:
    """(intervals that hold the truth, samples with reads). `stated`: the sheet's values of the
    bench, where that is not the truth."""
    dice = np.random.default_rng(seed)
    one = _by_spike if case.by == "spike" else _by_yield
    found = [one(case, stated or case, dice) for _ in range(samples)]
    held = [holds for holds in found if holds is not None]
    return sum(held), len(held)


def _target(case: Case, dice: Dice) -> TargetResult:
    """Reads of as many molecules as chance gives; those of one molecule are alike."""
    sizes = case.lengths.draw(dice, int(dice.poisson(case.molecules)), case.length)
    molecules = len(sizes)
    if case.copies > 1.0:
        sizes = np.repeat(sizes, 1 + dice.poisson(case.copies - 1.0, molecules))
    return sized("V", ContigRole.PANEL, case.length, sizes, starts=molecules)


def _off(dice: Dice, cv: float) -> float:
    """A factor whose median is 1."""
    return float(np.exp(dice.normal(0.0, log_sd(cv))))


def _holds(quantity: Quantity | None, truth: float) -> bool | None:
    if quantity is None or quantity.high is None:
        return None
    return (quantity.low or 0.0) <= truth <= quantity.high


def _depth(case: Case) -> float:
    """Expected depth of the target, in genomes."""
    piece = _piece(case.lengths, case.length)
    return case.molecules * case.copies * piece / case.length


def _by_spike(case: Case, stated: Case, dice: Dice) -> bool | None:
    spiked = case.lengths.draw(dice, int(dice.poisson(case.spike)), SPIKE_LENGTH)
    target = _target(case, dice)
    spike = sized("lambda", ContigRole.SPIKE, SPIKE_LENGTH, spiked)
    there = case.spike * _piece(case.lengths, SPIKE_LENGTH) / SPIKE_LENGTH
    bench = _off(dice, case.spike_cv) * _off(dice, case.extraction_cv)
    truth = _depth(case) / there * COPIES * bench
    sample = Sample(
        name="one", volume_ml=1.0, spike_copies=COPIES,
        spike_cv=stated.spike_cv, extraction_cv=stated.extraction_cv,
    )  # fmt: skip
    screen = screen_of((target, spike), case.lengths, passed=2_000)
    return _holds(from_spike(target, screen, sample, ScreeningParameters()), truth)


def _by_yield(case: Case, stated: Case, dice: Dice) -> bool | None:
    """A tenth of a gigabase, 50 ng/mL as measured; between the bases that passed and all of them
    lies what the mass stands for."""
    target, passed = _target(case, dice), 10**8
    there = int(passed / (1.0 - case.short_share))
    stands = float(np.exp(dice.uniform(np.log(passed), np.log(there))))
    mass = 50.0 * _off(dice, case.mass_cv) * 1e-9
    truth = mass * AVOGADRO / 650.0 * _depth(case) / stands
    sample = Sample(name="one", nucleic_acid_ng_per_ml=50.0, nucleic_acid_cv=stated.mass_cv)
    screen = screen_of((target,), case.lengths, passed=2_000, bases=(passed, there))
    found = from_yield(target, screen, sample, "linear dsDNA", ScreeningParameters())
    return _holds(found, truth)


_PIECES: dict[tuple[Lengths, int], float] = {}


def _piece(lengths: Lengths, genome_length: int) -> float:
    key = (lengths, genome_length)
    if key not in _PIECES:
        _PIECES[key] = lengths.piece(genome_length)
    return _PIECES[key]


def main(samples: int = 4000) -> None:
    """Print a row a case."""
    print(f"{'case':36} {'coverage':>9}   95 % interval, samples")
    for number, case in enumerate(CASES):
        held, trials = coverage(case, samples, 1000 + number)
        low, high = wilson_interval(held, trials)
        print(
            f"{case.name:36} {held / trials:9.1%}   {low:.1%} to {high:.1%}, {trials}", flush=True
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
