"""Invented genomes of all classes, the bundle made of them, and strains that it does not hold.

The demo's genomes, and besides them a bacterium with a near relative, a parasite and a contaminant
that is in no bundle. The bacterium and the parasite are a tenth and less of a real one's length, so
that a level in copies needs no millions of reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from porewatch.domain.calls.references import ContigRole
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.simulate.edits import diverge, random_codes
from porewatch_worker.simulate.genomes import MARK, Genome, GenomeSet, synthetic_genomes
from porewatch_worker.simulate.genomes import write_genomes as write

CLASSES = {
    **dict.fromkeys(("PCV2", "PCV3", "TTV", "PPV", "PCMV"), "DNA virus"),
    **dict.fromkeys(("SVDV", "CSFV", "BVDV", "JEV", "HEV", "PRRSV", "SIV"), "RNA virus"),
    "PERV-C": "retrovirus",
    "SALM": "bacterium",
    "TG": "parasite",
}
"""Members that the pack puts into samples, by class."""

RELATIVES = tuple(
    f"{MARK}-{name}-LIKE"
    for name in ("PCV1", "COXSACKIE-B5", "BORDER-DISEASE", "WEST-NILE", "PERV-E", "CITROBACTER")
)
CONTAMINANT = f"{MARK}-CONTAMINANT"
STRAIN = 0.05
FAR = 0.35
HOST_BASES = 600_000
BACTERIUM, PARASITE, CONTAMINANT_BASES = 200_000, 300_000, 300_000


@dataclass(frozen=True)
class World:
    """The genomes that samples are made of, and the bundle that they are screened against."""

    genomes: GenomeSet
    bundle: LoadedBundle

    @property
    def screened(self) -> tuple[str, ...]:
        """Codes of the bundle's members, those that every pig carries left out."""
        carried = {e.code for e in self.bundle.panel.entries if e.endogenous_in}
        return tuple(sorted(set(self.bundle.targets(ContigRole.PANEL)) - carried))

    def length(self, code: str) -> int:
        """Bases of the strain that samples hold: all segments, or the last strain."""
        return sum(len(genome) for genome in self._chosen(code))

    def strain(self, code: str, seed: int, rate: float = STRAIN) -> tuple[Genome, ...]:
        """A strain that the bundle does not hold, that share of bases away."""
        rng = np.random.default_rng(seed)
        return tuple(replace(g, codes=diverge(g.codes, rate, rng)) for g in self._chosen(code))

    def _chosen(self, code: str) -> tuple[Genome, ...]:
        genomes = self.genomes.of(code)
        return genomes if genomes[0].segment else genomes[-1:]


def make_world(root: Path, seed: int) -> World:
    """Invent the genomes, build their bundle below `root` and load it."""
    made = synthetic_genomes(seed, host_bases=HOST_BASES)
    known = GenomeSet((*made.genomes, *_cells(seed)), made.proviruses)
    sheet = write(known, root / "genomes")
    build_bundle(root / "genomes", root, "validation", "1", sheet=sheet, synthetic=True)
    unknown = _genome(CONTAMINANT, ContigRole.DECOY, CONTAMINANT_BASES, seed + 2)
    genomes = GenomeSet((*known.genomes, unknown), known.proviruses)
    return World(genomes, load(root, "validation@1"))


def _cells(seed: int) -> tuple[Genome, ...]:
    bacterium = _genome("SALM", ContigRole.PANEL, BACTERIUM, seed)
    rng = np.random.default_rng(seed + 3)
    label = f"{MARK}-CITROBACTER-LIKE"
    relative = replace(
        bacterium, name=label, target=label, role=ContigRole.DECOY,
        codes=diverge(bacterium.codes, 0.12, rng),
    )  # fmt: skip
    return bacterium, relative, _genome("TG", ContigRole.PANEL, PARASITE, seed + 1)


def _genome(code: str, role: ContigRole, bases: int, seed: int) -> Genome:
    name = code if code.startswith(MARK) else f"{MARK}-{code}"
    codes = random_codes(bases, np.random.default_rng(seed), 0.52)
    return Genome(name, codes, role, code, f"{MARK}, invented, no real sequence")
