"""LOD95 as predicted against the truth: at which load the calling rule itself detects 95 of 100.

A run is drawn that has none of the target, and LOD95 is computed. Then the target is put in: reads
by chance at the load, random places and unequal sizes, through the product's own counting
(`TargetTotals`) and calling (`call_all`), until the load is found at which 95 % are detected.

    python -m validation.lod_pack        # 400 samples a load, some minutes
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from porewatch.domain.calls.evidence import SampleScreen, ScreenResult, TargetResult
from porewatch.domain.calls.findings import Call, Finding
from porewatch.domain.calls.panel import (
    Panel,
    PanelEntry,
    Severity,
)
from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.amounts.efficiency import FOUND_BY_MAPPING
from porewatch_worker.science.amounts.quantity_by_yield import copies_a_ng
from porewatch_worker.science.call.calls import (
    Run,
    call_all,
)
from porewatch_worker.science.count.evidence import TargetTotals
from porewatch_worker.science.count.target_counts import TargetCounts
from validation.drawn import USUAL, Dice, Lengths, screen_of, sized

SPIKE_LENGTH, HOST_LENGTH = 48_502, 2_500_000_000
COPIES, NG = 10_000.0, 50.0
ENTRY = PanelEntry(
    code="V", name="target", category="virus", severity=Severity.HIGH, source="drawn",
    genome="linear dsDNA",
)  # fmt: skip
PANEL = Panel(name="lod", version="1", provenance="drawn", entries=(ENTRY,))


@dataclass(frozen=True)
class Case:
    """`spike`: reads of the spike-in; `beside`: reads of the target in another sample."""

    name: str
    length: int
    lengths: Lengths = USUAL
    by: str = "spike"
    spike: int = 400
    beside: int = 0


CASES = (
    Case("PCV 1.77 kb", 1_768),
    Case("PCV 1.77 kb, long reads", 1_768, Lengths(6_000, 1.2)),
    Case("parvovirus 5 kb", 5_000),
    Case("HEV 7.2 kb, short reads", 7_200, Lengths(500, 0.6)),
    Case("PRRSV 15 kb", 15_000),
    Case("coronavirus 28 kb, long reads", 28_000, Lengths(6_000, 1.2)),
    Case("PCMV 128 kb", 128_000),
    Case("ASFV 190 kb", 190_000),
    Case("PRRSV by yield", 15_000, by="yield"),
    Case("ASFV by yield, long reads", 190_000, Lengths(6_000, 1.2), by="yield"),
    Case("PRRSV against the host", 15_000, by="host"),
    Case("PCV against the host", 1_768, by="host"),
    Case("PRRSV beside 20,000 reads", 15_000, beside=20_000),
    Case("PCV beside 3,000 reads", 1_768, beside=3_000),
)


def predicted(case: Case, seed: int = 1) -> float:
    """LOD95 of a run without the target. Raises ValueError when there is none."""
    finding = _called(case, None, _empty(case, np.random.default_rng(seed)))
    if finding.lod95 is None or finding.lod95.value is None:
        raise ValueError(f"{case.name}: no LOD95")
    return finding.lod95.value


def detected(case: Case, load: float, samples: int, seed: int) -> float:
    """Share of samples with this load in which the target is called."""
    dice = np.random.default_rng(seed)
    screen = _empty(case, dice)
    calls = [_called(case, _found(case, load, dice), screen).call for _ in range(samples)]
    return calls.count(Call.DETECTED) / samples


def true_lod(case: Case, start: float, samples: int, seed: int = 7) -> float:
    """The load at which 95 % are detected, by halving from a quarter to four times `start`."""
    low, high = start / 4, start * 4
    for step in range(9):
        middle = (low * high) ** 0.5
        if detected(case, middle, samples, seed + step) < 0.95:
            low = middle
        else:
            high = middle
    return float((low * high) ** 0.5)


def _empty(case: Case, dice: Dice) -> SampleScreen:
    """The sample without the target: spike-in reads where they are the yardstick, else host."""
    targets: tuple[TargetResult, ...] = ()
    if case.by == "spike":
        sizes = case.lengths.draw(dice, int(dice.poisson(case.spike)), SPIKE_LENGTH)
        targets = (sized("lambda", ContigRole.SPIKE, SPIKE_LENGTH, sizes),)
    screen = screen_of(targets, case.lengths)
    bases = screen.quality.passed_bases
    if case.by == "host":
        account = screen.account.model_copy(update={"host": 20_000, "unassigned": 0})
        screen = screen.model_copy(update={"account": account, "host_bases": bases})
    return screen


def _bases_a_unit(case: Case) -> float:
    """Expected bases of the target for one unit of load, before mapping, from what is true."""
    passed = screen_of((), case.lengths).quality.passed_bases
    if case.by == "spike":
        return case.spike * case.lengths.piece(SPIKE_LENGTH) / SPIKE_LENGTH / COPIES * case.length
    if case.by == "host":
        return passed / HOST_LENGTH * case.length
    return passed / (NG * copies_a_ng(case.length, "dsDNA"))


def _found(case: Case, load: float, dice: Dice) -> TargetResult:
    """What is counted of the reads that this load gives."""
    mean = load * _rate(case) * FOUND_BY_MAPPING
    sizes = case.lengths.draw(dice, int(dice.poisson(mean)), case.length)
    starts = (dice.random(len(sizes)) * (case.length - sizes + 1)).astype(int)
    counts = TargetCounts(reads=len(sizes), aligned=int(sizes.sum()), block=int(sizes.sum()))
    counts.matched = round(0.95 * counts.block)
    counts.squared = int((sizes**2).sum())
    counts.mapq[60] = counts.own = len(sizes)
    places = [(int(s), int(s + n)) for s, n in zip(starts, sizes, strict=True)]
    if places:
        ahead = dice.random(len(places)) < 0.5
        firsts = [2 * s if f else 2 * e + 1 for (s, e), f in zip(places, ahead, strict=True)]
        counts.intervals, counts.starts = {"v": places}, {"v": firsts}
    totals = TargetTotals([_contig(case)])
    totals.add(counts)
    return totals.result("V")


_RATES: dict[Case, float] = {}


def _rate(case: Case) -> float:
    """Expected reads of the target for one unit of load."""
    if case not in _RATES:
        _RATES[case] = _bases_a_unit(case) / case.lengths.piece(case.length)
    return _RATES[case]


def _contig(case: Case) -> Contig:
    return Contig(name="v", role=ContigRole.PANEL, target="V", length=case.length)


def _called(case: Case, result: TargetResult | None, screen: SampleScreen) -> Finding:
    """The product's call on the sample, with the other sample beside it."""
    spiked = {"volume_ml": 1.0, "spike_copies": COPIES} if case.by == "spike" else {}
    mass = {"nucleic_acid_ng_per_ml": NG} if case.by == "yield" else {}
    samples = [
        Sample(name="one", barcode="barcode01", **spiked, **mass),
        Sample(name="two", barcode="barcode02"),
    ]
    mine = (*screen.targets, result) if result and result.evidence.reads else screen.targets
    sizes = np.full(case.beside, min(500, case.length))
    theirs = (sized("V", ContigRole.PANEL, case.length, sizes),) if case.beside else ()
    other = screen_of(theirs, case.lengths).model_copy(update={"sample": "two"})
    both = (screen.model_copy(update={"targets": mine}), other)
    run = Run(
        screen=ScreenResult(bundle="b@1", bundle_sha256="0" * 64, synthetic=False, samples=both),
        samples=samples, panel=PANEL, contigs={"V": (_contig(case),)}, host_length=HOST_LENGTH,
        parameters=ScreeningParameters(),
    )  # fmt: skip
    return next(f for f in call_all(run) if f.sample == "one")


def main(samples: int = 400) -> None:
    """Print a row a case."""
    print(f"{'case':32} {'predicted':>12} {'true':>12} {'true/pred.':>10}  detected at 1/2, 1, 2 x")
    for case in CASES:
        lod = predicted(case)
        truth = true_lod(case, lod, samples)
        shares = [detected(case, f * lod, samples, 99) for f in (0.5, 1.0, 2.0)]
        shares_text = ", ".join(f"{s:.1%}" for s in shares)
        print(
            f"{case.name:32} {lod:12.4g} {truth:12.4g} {truth / lod:10.2f}  {shares_text}",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
